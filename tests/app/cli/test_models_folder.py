"""`dai models where` and `dai models move`."""

from app.core.settings import SettingsStore
from app.services import open_services


def test_models_are_moved_and_go_on_answering(dai, model, home, tmp_path):
    model("I have moved.")
    place = dai("models", "where", "--json").json
    assert (place["folder"], place["usual"], place["there"]) == (str(home.models), True, True)

    moved = dai("models", "move", tmp_path / "new")

    assert (moved.status, moved.out) == (0, f"The models are in {tmp_path / 'new'} now.\n")
    assert dai("models", "where").out.startswith(f"{tmp_path / 'new'}\n")
    assert "I have moved." in dai("ask", "Where?").out
    assert list(home.models.parent.glob("models/*.gguf")) == []
    assert dai("models", "move", "--default").status == 0
    assert dai("models", "where", "--json").json["usual"]


def test_a_move_to_nowhere_is_refused_in_words(dai, model, home):
    model("Here.")
    assert "dai models move FOLDER" in dai("models", "move").err
    assert "dai models move FOLDER" in dai("models", "move", "/somewhere", "--default").err
    assert "is not a folder" in dai("models", "move", "relative").err
    assert "lies inside it" in dai("models", "move", home.models / "inside").err


def test_models_in_use_elsewhere_stay(dai, model, home, tmp_path):
    model("Here.")
    other = open_services(home)
    try:
        assert "Another window or terminal" in dai("models", "move", tmp_path / "new").err
    finally:
        other.processes.release()
        other.instance.release()
        other.knowledge.close()
        other.conversations.close()
        other.downloads.close()
    assert dai("models", "move", tmp_path / "new").status == 0


def test_a_folder_whose_disk_is_away_is_told(dai, home, tmp_path):
    SettingsStore(home.settings).change(models_folder=str(tmp_path / "away"))
    assert "This folder is not there" in dai("models", "where").out
    assert "is not there. Is its disk connected?" in dai("models", "move", tmp_path / "new").err
    assert f"The models are in {home.models} now." in dai("models", "move", "--default").out
    assert dai("models", "where", "--json").json["usual"]
