"""`dai models found`: models of other programs."""

import pytest

from tests.engines.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.desktop("models of other programs")


@pytest.fixture
def studio(tmp_path):
    folder = tmp_path / "user/.lmstudio/models/someone/Tiny"
    folder.mkdir(parents=True)
    return make_tiny_gguf(folder / "tiny.gguf", reply="I lie elsewhere.", name="Tiny of another")


def test_models_of_other_programs_are_listed_with_their_path(dai, studio):
    out = dai("models", "found").out
    assert out.startswith("LM Studio · Tiny of another · someone/Tiny · F16 · ")
    assert str(studio) in out


def test_one_is_linked_and_is_listed_no_more(dai, studio):
    [entry] = dai("models", "found", "--json").json
    assert (entry["path"], entry["program"]) == (str(studio), "LM Studio")
    assert dai("models", "add", entry["path"], "--link").status == 0
    assert dai("models", "found", "--json").json == []
    assert "I lie elsewhere." in dai("ask", "Where?").out


def test_nothing_found_is_said_in_words_and_is_no_error(dai):
    result = dai("models", "found")
    assert (result.status, result.out) == (0, "")
    assert "No other program has brought a model" in result.err
    assert dai("models", "found", "--json").out == "[]\n"
