"""Engines by name, and engines that other packages bring, sound or broken."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import aclosing
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from textwrap import dedent

import pytest

from engines import opening
from engines.errors import EngineCrashed, EngineUnavailable, ModelFileMissing, NotAModel, RemoteAddressInvalid
from engines.opening import LlamaCpp, Remote, open_engine
from engines.protocol import Done, Finish, LoadOptions, TextDelta
from engines.registry import GROUP, EngineRegistry
from tests.engines.asking import ask, question
from tests.engines.tiny_gguf import make_tiny_gguf

EXAMPLE = Path(__file__).parent / "example_plugin"
Install = Callable[[str, str, str], EngineRegistry]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a module with an entry point as pip would leave it, and makes a registry that looks anew."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    modules = set(sys.modules)

    def install(module: str, name: str, source: str) -> EngineRegistry:
        (site / f"{module}.py").write_text(dedent(source), encoding="utf-8")
        metadata = site / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}:ENGINE\n")
        registry = EngineRegistry([LlamaCpp(), Remote()])
        monkeypatch.setattr(opening, "ENGINES", registry)
        return registry

    yield install
    for module in set(sys.modules) - modules:
        if module.startswith("foreign"):
            del sys.modules[module]


@pytest.fixture
def example(install: Install, tmp_path: Path) -> EngineRegistry:
    """The example package, installed."""
    registry = install("foreign_example", "recitation", "from dai_recitation import RECITATION as ENGINE")
    shutil.copy(EXAMPLE / "dai_recitation.py", tmp_path / "site")
    return registry


FOREIGN = """
class Engine:
    name = "foreign"
    def can_open(self, source): {can_open}
    async def open(self, source, options, access): {open}
ENGINE = Engine()
"""


def foreign(can_open: str = "return True", open_: str = "raise RuntimeError('a secret')") -> str:
    return FOREIGN.format(can_open=can_open, open=open_)


async def test_a_file_and_an_address_find_their_engine(tmp_path: Path) -> None:
    model = make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")
    registry = EngineRegistry([LlamaCpp(), Remote()], lambda: [])

    for source, name in ((model, "llama.cpp"), ("http://127.0.0.1:9/v1#tiny", "remote")):
        kind = await registry.find(source)
        assert kind is not None
        assert kind.name == name
    assert await registry.find(tmp_path) is None
    assert await registry.find("tiny") is None
    assert registry.names == ["llama.cpp", "remote"]


async def test_an_engine_can_be_chosen_by_name(opened, tmp_path: Path) -> None:
    model = make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")

    engine = await open_engine(model, host="thread", engine="llama.cpp")
    try:
        assert (await ask(engine)).text == "Hello."
    finally:
        await engine.close()
    with pytest.raises(EngineUnavailable) as caught:
        await open_engine(model, engine="nonsense")
    assert caught.value.package == "nonsense"


async def test_what_no_engine_knows_is_named_as_before(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        await open_engine(tmp_path / "missing.gguf")
    with pytest.raises(NotAModel):
        await open_engine(tmp_path)
    with pytest.raises(RemoteAddressInvalid):
        await open_engine("no address")


async def test_the_example_package_answers(example: EngineRegistry, tmp_path: Path) -> None:
    text = tmp_path / "poem.recitation"
    text.write_text("بنی‌آدم اعضای یک پیکرند", encoding="utf-8")

    engine = await open_engine(text, LoadOptions(context_tokens=100))
    whole = await ask(engine)
    start = await ask(engine, question(max_tokens=2))
    rest = await ask(engine, question(answer_start=start.text))

    assert example.plugins == ["recitation"]
    assert engine.info.name == "poem"
    assert whole.text == start.text + rest.text == "بنی‌آدم اعضای یک پیکرند"
    assert (start.finish, rest.finish) == (Finish.MAX_TOKENS, Finish.END_OF_TURN)
    await engine.close()


async def test_the_example_package_can_be_cancelled(example: EngineRegistry, tmp_path: Path) -> None:
    text = tmp_path / "poem.recitation"
    text.write_text("one two three", encoding="utf-8")

    engine = await open_engine(text)
    async with aclosing(engine.stream(question())) as deltas:
        assert await anext(deltas) == TextDelta("one")
        engine.cancel()
        [last] = [delta async for delta in deltas]

    assert isinstance(last, Done)
    assert last.finish is Finish.CANCELLED


def test_the_example_package_names_its_engine_in_its_metadata() -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["entry-points"] == {GROUP: {"recitation": "dai_recitation:RECITATION"}}


BROKEN = {
    "import fails": ("import a_library_that_nobody_has", "ModuleNotFoundError"),
    "leaves the program": ("import sys; sys.exit(3)", "SystemExit"),
    "has no engine": ("", "AttributeError"),
    "not an engine": ("ENGINE = 7", "no name, can_open, open"),
    "a class": (foreign() + "ENGINE = Engine", "an object of it is needed"),
    "another name": (foreign() + "Engine.name = 'other'", "another than in its package's metadata"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_package_is_left_out_and_named(
    install: Install, opened, tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    source, reason = BROKEN[case]
    registry = install("foreign_broken", "foreign", source)

    with caplog.at_level(logging.WARNING):
        [broken] = registry.broken

    assert (broken.name, broken.package) == ("foreign", "foreign_broken")
    assert reason in broken.reason
    assert "foreign_broken" in caplog.text
    assert registry.names == ["llama.cpp", "remote"]
    engine = await opened(make_tiny_gguf(tmp_path / "model.gguf", reply="Still here."), host="thread")
    assert (await ask(engine)).text == "Still here."


def test_no_package_can_take_the_name_of_an_engine_of_this_house(install: Install) -> None:
    registry = install("foreign_thief", "llama.cpp", foreign() + "Engine.name = 'llama.cpp'")

    assert isinstance(registry.get("llama.cpp"), LlamaCpp)
    assert "another engine has this name" in registry.broken[0].reason


async def test_a_foreign_exception_becomes_an_error_of_ours(install: Install, tmp_path: Path) -> None:
    install("foreign_raising", "foreign", foreign())

    with pytest.raises(EngineCrashed) as caught:
        await open_engine(tmp_path)

    assert caught.value.details == "foreign: RuntimeError"


async def test_a_package_that_fails_to_look_at_a_file_is_passed_over(
    install: Install, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = install("foreign_blind", "foreign", foreign(can_open="raise RuntimeError('a secret')"))

    assert await registry.find(tmp_path) is None
    assert "RuntimeError" in caplog.text
    assert "a secret" not in caplog.text


async def test_other_packages_are_not_imported_for_a_file_of_ours(tmp_path: Path) -> None:
    def discover() -> list[EntryPoint]:
        pytest.fail("other packages were looked for")

    registry = EngineRegistry([LlamaCpp(), Remote()], discover)

    assert await registry.find(make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")) is not None


@pytest.mark.slow
@pytest.mark.desktop("a build backend")
def test_the_example_package_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hatchling")
    package = shutil.copytree(EXAMPLE, tmp_path / "package")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, "--target", str(tmp_path / "site"), str(package)], check=True)
    monkeypatch.syspath_prepend(tmp_path / "site")

    [entry] = [entry for entry in entry_points(group=GROUP) if entry.name == "recitation"]

    assert entry.value == "dai_recitation:RECITATION"
    assert (tmp_path / "site" / "dai_recitation.py").is_file()
