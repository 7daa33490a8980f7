"""What holds for every command: help, mistakes, faults, and where text goes."""

import io
import socket
import sys
from importlib.metadata import EntryPoint

import pytest

from app import __version__, cli
from app.cli import launch, session
from app.cli.doctor import CHECKS
from app.core.settings import SettingsStore
from engines.errors import EngineCrashed
from engines.graphics import GraphicsCard
from engines.registry import EngineRegistry


@pytest.mark.parametrize("command", [[], ["ask"], ["chat"], ["kb"], ["models"], ["doctor"], ["app"], ["web"]])
def test_every_command_explains_itself(dai, command):
    result = dai(*command, "--help")
    assert (result.status, result.err) == (0, "")
    assert "Usage: " + " ".join(["dai", *command]) in result.out


def test_the_version_is_told(dai):
    result = dai("--version")
    assert (result.status, result.out, result.err) == (0, f"dai {__version__}\n", "")


MISTAKES = [
    (["nonsense"], "There is no command “nonsense”. See: dai --help"),
    (["kb", "nonsense"], "There is no command “nonsense”. See: dai kb --help"),
    (["ask", "Who?", "--nope"], "There is no option “--nope”. See: dai ask --help"),
    (["ask", "Who?", "me"], "Too much was given: me. See: dai ask --help"),
    (["kb", "search"], "“query” is missing. See: dai kb search --help"),
    (["kb", "remove", "x"], "“documents” cannot have this value. See: dai kb remove --help"),
    (["kb", "search", "x", "--limit", "0"], "“--limit” cannot have this value. See: dai kb search --help"),
    (["web", "--port", "65536"], "“--port” cannot have this value. See: dai web --help"),
    (["app", "extra"], "Too much was given: extra. See: dai app --help"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_in_a_command_is_one_line(dai, arguments, message):
    result = dai(*arguments)
    assert (result.status, result.out, result.err) == (2, "", message + "\n")


def test_an_option_without_its_value_is_one_line(dai):
    result = dai("ask", "Who?", "--kb")
    assert result.status == 2
    assert result.err.startswith("“--kb” needs a value. See: dai")


@pytest.mark.parametrize("arguments", [arguments for arguments, _ in MISTAKES])
def test_a_mistake_is_explained_in_persian_to_who_reads_persian(dai, persian, arguments):
    result = dai(*arguments)
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert "ببینید: \u2068dai " in result.err


def test_a_fault_of_ours_is_one_line_and_the_log_says_where_but_not_what(dai, home, monkeypatch):
    question = "what the user had asked"

    def broken() -> None:
        raise ValueError(question)

    monkeypatch.setattr(session, "open_services", broken)
    result = dai("kb", "list")
    assert (result.status, result.out) == (1, "")
    assert result.err == f"Something unexpected went wrong (ValueError). The log says where: {home.log}\n"
    log = home.log.read_text()
    assert "in broken" in log
    assert question not in log


def test_data_that_is_damaged_or_out_of_reach_is_said_in_one_line(dai, home, monkeypatch):
    home.knowledge.write_bytes(b"not a database at all" * 100)
    said = f"This file with your data is damaged: {home.knowledge}. Nothing in it was changed."
    assert dai("kb", "list").err == f"{said} See “dai doctor”.\n"
    monkeypatch.setenv("DAI_HOME", str(home.settings))
    result = dai("kb", "list")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"DAI cannot keep its data in {home.settings}: ")


def test_a_terminal_without_the_letters_gets_question_marks(dai, tmp_path, monkeypatch):
    note = tmp_path / "چتر.txt"
    note.write_text("Umbrellas are kept behind the door.")
    dai("kb", "add", note)
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", narrow)
        patched.setattr(sys, "argv", ["dai", "kb", "list"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    narrow.flush()
    assert not ended.value.code
    assert narrow.buffer.getvalue().splitlines()[1] == b"  1  ????.txt? ? 1 passage"


@pytest.mark.desktop("the browser client")
def test_a_port_that_is_taken_is_said_in_one_line(dai):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = dai("web", "--port", port)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"Port {port} cannot be used; perhaps another program has it.")


def test_without_the_browser_client_the_command_says_how_to_get_it(dai, monkeypatch):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda _: None)
    result = dai("web")
    assert result.status == 1
    assert result.err.startswith(
        'The browser client is not installed. Install it with: pip install "dai-chat'
    )


def test_doctor_names_what_is_missing(dai, model):
    result = dai("doctor")
    assert result.status == 1
    assert "✗ Models: dai-chat[starter]" in result.out
    model("Hello.")
    assert "✓ Models: scripted" in dai("doctor").out
    report = dai("doctor", "--json")
    assert [check["name"] for check in report.json] == list(CHECKS)
    assert report.err == ""


def test_doctor_names_engines_of_other_packages_that_are_broken(dai, monkeypatch):
    broken = EntryPoint("fast", "a_module_that_nobody_has:FAST", "dai.engines")
    monkeypatch.setattr("app.cli.doctor.ENGINES", EngineRegistry([], lambda: [broken]))

    out = dai("doctor").out

    assert "! Kinds of engines: " in out
    assert "a_module_that_nobody_has (ModuleNotFoundError" in out


def test_doctor_is_content_with_one_engine_and_names_both(dai, monkeypatch):
    monkeypatch.setattr("app.cli.doctor.children_possible", lambda: True)
    monkeypatch.setitem(sys.modules, "llama_cpp", None)  # as if not installed
    monkeypatch.setattr("app.cli.doctor.importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("app.cli.doctor.importlib.metadata.version", lambda name: "1.2.3")
    assert "✓ Engine: xllamacpp 1.2.3\n" in dai("doctor").out
    monkeypatch.setattr("app.cli.doctor.importlib.util.find_spec", lambda name: None)
    out = dai("doctor").out
    assert "✗ Engine: dai-chat[xllamacpp] (llama-cpp-python: " in out


def test_doctor_names_an_engine_that_was_asked_for_and_does_not_exist(dai, monkeypatch):
    monkeypatch.setenv("DAI_ENGINE", "fast")
    assert "(DAI_ENGINE=fast?)" in dai("doctor").out


def test_doctor_names_the_graphics_cards_of_the_engine(dai, monkeypatch):
    monkeypatch.setattr("app.cli.doctor.graphics_cards", tuple)
    assert "✓ Graphics card: none that the engine was built for" in dai("doctor").out
    cards = (GraphicsCard("CUDA", "A card", 8 << 30), GraphicsCard("Vulkan", "Another", 1 << 30))
    monkeypatch.setattr("app.cli.doctor.graphics_cards", lambda: cards)
    assert "✓ Graphics card: CUDA: A card, 8.6 GB; Vulkan: Another, 1.1 GB" in dai("doctor").out

    def crash():
        raise EngineCrashed("a driver")

    monkeypatch.setattr("app.cli.doctor.graphics_cards", crash)
    assert "✗ Graphics card: EngineCrashed" in dai("doctor").out


def test_doctor_looks_into_the_folder_of_the_models(dai, home, model, tmp_path):
    model("Hello.")
    out = dai("doctor").out
    assert f"✓ Models' folder: {home.models}, " in out
    assert "✓ Broken models: 0" in out
    (home.models / "half.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    out = dai("doctor").out
    assert "! Broken models: half.gguf: " in out
    assert "damaged or incomplete" in out
    SettingsStore(home.settings).change(models_folder=str(tmp_path / "away"))
    result = dai("doctor")
    assert result.status == 1
    assert f"✗ Models' folder: {tmp_path / 'away'}: This folder is not there" in result.out
    assert not (tmp_path / "away").exists()


def test_doctor_tells_whether_keys_can_be_kept(dai, monkeypatch):
    monkeypatch.setattr("app.cli.doctor.system_keyring", lambda: None)
    assert "! Password store: none; keys and tokens are forgotten" in dai("doctor").out
    monkeypatch.setattr("app.cli.doctor.system_keyring", object)
    assert "✓ Password store: builtins" in dai("doctor").out


def test_doctor_speaks_persian(dai, persian, home):
    assert f"✓ فضای ذخیره: \u2068{home.data}, " in dai("doctor").out
