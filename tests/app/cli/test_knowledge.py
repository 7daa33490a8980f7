"""`dai kb` keeps collections of documents."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from app import services as composition
from app.core.instance import InstanceLock
from rag.knowledge import KnowledgeBase
from tests.app.ui.word_embedder import WordEmbedder
from tests.rag.web_server import serving_pages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have them: two documents, a subfolder, and much that cannot be read."""
    folder = tmp_path / "پوشهٔ من"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "دستور 🍲.md").write_text("# آش رشته\nپیازداغ را با نعناع تفت دهید.", encoding="utf-8")
    (folder / "sub" / "lamp.txt").write_text("The red lamp blinks while the battery is charging.")
    (folder / ".hidden" / "secret.txt").write_text("Not to be found.")
    (folder / "song.mp3").write_bytes(b"ID3\x04\x00")
    (folder / "empty.pdf").write_bytes(b"")
    canvas = Canvas(str(folder / "locked.pdf"), encrypt=StandardEncryption("password"))
    canvas.drawString(72, 700, "Nobody can read this.")
    canvas.save()
    return folder


def test_the_documents_of_a_folder_are_added_and_the_bad_ones_named(dai, folder):
    result = dai("kb", "add", folder)
    assert result.status == 1
    assert result.out.splitlines() == [
        "1  empty.pdf · The document holds no text.",
        "2  locked.pdf · The document asks for a password. Save a copy without one and add that.",
        "3  lamp.txt · 1 passage",
        "4  \u2068دستور 🍲.md\u2069 · 1 passage",
    ]
    assert result.err == "2 documents could not be read.\n"


def test_adding_as_json_tells_every_document(dai, folder):
    result = dai("kb", "add", folder / "sub" / "lamp.txt", folder / "empty.pdf", "--json")
    assert result.status == 1
    assert [(document["title"], document["state"], document["error"]) for document in result.json] == [
        ("lamp.txt", "ready", None),
        ("empty.pdf", "failed", "EmptyDocument"),
    ]
    assert result.err == "1 document could not be read.\n"


def test_the_same_document_is_told_once(dai, folder):
    lamp = folder / "sub" / "lamp.txt"
    assert dai("kb", "add", lamp, lamp).out == "1  lamp.txt · 1 passage\n"
    assert dai("kb", "add", lamp).out == "1  lamp.txt · 1 passage\n"


def test_a_document_whose_name_said_the_wrong_kind_can_be_renamed_and_added_again(dai, tmp_path):
    wrong = tmp_path / "notes.pdf"
    wrong.write_text("The ferry leaves at seven.")
    assert (
        dai("kb", "add", wrong).out == "1  notes.pdf · The document is damaged, or not what its name says.\n"
    )
    assert dai("kb", "add", wrong.rename(tmp_path / "notes.txt")).out == "1  notes.txt · 1 passage\n"


def test_one_missing_file_and_nothing_is_added(dai, folder):
    result = dai("kb", "add", folder, folder / "gone.txt")
    assert (result.status, result.out) == (1, "")
    assert result.err == f"There is no such file: \u2068{folder / 'gone.txt'}\u2069\n"
    assert dai("kb", "list", "--json").json == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows such names")
def test_a_file_name_that_is_no_text_is_refused(dai, tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("Closed on Mondays.")
    result = dai("kb", "add", tmp_path)
    assert (result.status, result.out) == (1, "")
    assert (
        result.err
        == f"The name of this file is not valid text. Rename it and try again: {tmp_path}/caf?.txt\n"
    )


def test_a_folder_without_documents_makes_no_collection(dai, tmp_path):
    (tmp_path / "nothing").mkdir()
    result = dai("kb", "add", tmp_path / "nothing")
    assert (result.status, result.err) == (1, "There is nothing to add: no readable documents were found.\n")
    assert dai("kb", "list").err == "There are no collections yet. Add documents with: dai kb add FILE\n"


def test_a_collection_is_found_whatever_case_and_letters_its_name_is_typed_in(dai, folder):
    lamp = folder / "sub" / "lamp.txt"
    dai("kb", "add", lamp, "--kb", "کتاب‌ها Home")
    assert dai("kb", "add", lamp, "--kb", "كتاب‌ها home").status == 0
    assert [entry["collection"]["name"] for entry in dai("kb", "list", "--json").json] == ["کتاب‌ها Home"]
    assert dai("kb", "list", "--kb", "كتاب‌ها HOME").status == 0


def test_a_collection_needs_a_name(dai, folder):
    result = dai("kb", "add", folder, "--kb", " ")
    assert (result.status, result.err) == (1, "Give the collection a name.\n")


def test_search_shows_passages_and_how_hard_it_looked(dai, folder):
    dai("kb", "add", folder)
    result = dai("kb", "search", "پیازداغ با نعناع")
    assert (
        result.out
        == "[1] \u2068دستور 🍲.md\u2069 · \u2068آش رشته\u2069\nآش رشته پیازداغ را با نعناع تفت دهید.\n\n"
    )
    assert result.err == "Searched 2 passages, 1 relevant\n"
    found = dai("kb", "search", "red lamp battery charging", "--json", "--kb", "documents").json
    assert [item["passage"]["document_title"] for item in found["passages"]] == ["lamp.txt"]
    nothing = dai("kb", "search", "polonium", "--json").json
    assert (nothing["searched"], nothing["passages"]) == (2, [])


def test_search_explains_why_each_passage_was_found(dai, folder):
    dai("kb", "add", folder / "sub" / "lamp.txt", folder / "دستور 🍲.md")
    result = dai("kb", "search", "When does the red lamp blink?", "--explain")
    assert "[Has the question’s words]" in result.out
    assert "Words of the question in it: red, lamp, blink" in result.out
    found, left_out = result.out.split("Left out, because they do not answer the question:")
    assert "lamp.txt" in found
    assert "[Too far from the question]" in left_out
    data = dai("kb", "search", "red lamp", "--way", "words", "--json").json
    assert data["way"] == "words"
    assert [found["words"] for found in data["passages"]] == [["red", "lamp"]]


def test_search_needs_words_and_documents(dai):
    assert dai("kb", "search", " ").err == "Write a question first.\n"
    assert "There are no collections yet." in dai("kb", "search", "lamp").err
    assert dai("kb", "search", "lamp", "--kb", "Nowhere").status == 1


def test_a_removed_document_is_gone_and_its_file_stays(dai, folder):
    dai("kb", "add", folder)
    result = dai("kb", "remove", 1, 4)
    assert result.out.splitlines() == [
        "“empty.pdf” is removed. Your own file stays where it is.",
        "“\u2068دستور 🍲.md\u2069” is removed. Your own file stays where it is.",
    ]
    [entry] = dai("kb", "list", "--json").json
    assert [document["title"] for document in entry["documents"]] == ["locked.pdf", "lamp.txt"]
    assert (folder / "دستور 🍲.md").exists()


def test_a_collection_is_exported_and_imported_under_another_name(dai, folder, tmp_path):
    dai("kb", "add", "--kb", "House", folder / "sub" / "lamp.txt")
    file = tmp_path / "house.daikb"
    assert "house.daikb" in dai("kb", "export", "house", file).out
    refused = dai("kb", "export", "House", file)
    assert (refused.status, "--force" in refused.err) == (1, True)
    assert dai("kb", "export", "House", file, "--force").status == 0
    copied = dai("kb", "import", file, "--kb", "Copy")
    assert copied.status == 0
    assert copied.out.splitlines() == ["“Copy”: 1 document imported.", "2  lamp.txt · 1 passage"]
    assert "lamp" in dai("kb", "search", "red lamp", "--kb", "Copy").out
    again = dai("kb", "import", file)
    assert again.out.splitlines() == ["“House”: 0 documents imported.", "1 document was there already."]


def test_what_is_no_collection_file_is_refused_in_one_line(dai, folder, tmp_path):
    result = dai("kb", "import", folder / "sub" / "lamp.txt")
    assert result.status == 1
    assert result.err.startswith("This is no exported collection")
    assert dai("kb", "import", tmp_path / "none.daikb").status == 1
    assert dai("kb", "list", "--json").json == []


def test_an_unknown_number_removes_nothing(dai, folder):
    dai("kb", "add", folder / "sub")
    result = dai("kb", "remove", 1, 1234)
    assert (result.status, result.out) == (1, "")
    assert result.err == "There is no document with the number 1234. See: dai kb list\n"
    assert "lamp.txt" in dai("kb", "list").out


def test_a_deleted_collection_is_gone_with_its_documents(dai, folder):
    dai("kb", "add", folder / "sub", "--kb", "Home")
    assert (
        dai("kb", "delete", "home").out
        == "The collection “Home” is deleted. Your own files stay where they are.\n"
    )
    assert dai("kb", "list", "--json").json == []
    assert dai("kb", "delete", "home").status == 1


def test_persian_is_spoken_with_persian_digits(dai, persian, folder):
    result = dai("kb", "add", folder / "sub", folder / "empty.pdf")
    assert result.out.splitlines() == [
        "1  \u2068lamp.txt\u2069 · ۱ قطعه",
        "2  \u2068empty.pdf\u2069 · این سند متنی ندارد.",
    ]
    assert result.err == "۱ سند خوانده نشد.\n"


def test_ctrl_c_ends_the_waiting_and_the_next_command_goes_on(dai, folder, monkeypatch):
    closing = threading.Event()
    close = KnowledgeBase.close

    class Interrupting(WordEmbedder):
        def embed_passages(self, texts):
            signal.raise_signal(signal.SIGINT)
            assert closing.wait(30)
            return super().embed_passages(texts)

    def closed(self):
        closing.set()
        close(self)

    with monkeypatch.context() as patched:
        patched.setattr(KnowledgeBase, "close", closed)
        patched.setattr(composition, "open_embedder", lambda *_, **__: Interrupting())
        result = dai("kb", "add", folder / "sub")
    assert result.status == 130
    assert result.err == "Stopped. Reading goes on the next time the app runs.\n"
    assert dai("kb", "add", folder / "sub").out == "1  lamp.txt · 1 passage\n"


def test_documents_are_read_here_when_the_process_that_did_so_has_ended(dai, home, folder, monkeypatch):
    other = InstanceLock(home.data / "instance.lock")
    assert other.held
    wait = KnowledgeBase.wait_until_idle

    def other_ends(self, timeout=None):
        other.release()
        return wait(self, timeout)

    monkeypatch.setattr(KnowledgeBase, "wait_until_idle", other_ends)
    assert dai("kb", "add", folder / "sub").out == "1  lamp.txt · 1 passage\n"


@pytest.fixture
def pages():
    with serving_pages() as served:
        yield served


def test_a_page_of_the_web_is_added_refreshed_and_named_with_its_address(dai, pages):
    text = "<title>Lamps</title><body><p>The red lamp blinks while charging.</p></body>"
    address = pages.page("/lamps", text)
    added = dai("kb", "add", address)
    assert (added.status, added.out) == (0, f"1  Lamps · 1 passage · {address}\n")
    assert pages.asked == ["/lamps"]
    assert address in dai("kb", "search", "red lamp").out

    pages.page("/lamps", text.replace("red", "green"))
    assert dai("kb", "refresh", 1).status == 0
    assert "green lamp" in dai("kb", "search", "lamp").out
    again = dai("kb", "add", address, "--json").json
    assert [(document["id"], document["address"]) for document in again] == [(1, address)]


def test_a_page_that_cannot_be_had_does_not_stop_the_others(dai, folder, pages):
    pages.status("/gone", 404)
    result = dai("kb", "add", f"{pages.address}/gone", folder / "sub" / "lamp.txt", "https://")
    assert result.status == 1
    assert result.out == "1  lamp.txt · 1 passage\n"
    assert result.err.splitlines()[-3:] == [
        "127.0.0.1 has no such page. Check the address.",
        "“https://” is not the address of a page. An example: https://example.org/page",
        "2 documents could not be read.",
    ]


def test_a_file_cannot_be_refreshed(dai, folder):
    dai("kb", "add", folder / "sub" / "lamp.txt")
    result = dai("kb", "refresh", 1)
    assert result.status == 1
    assert "lamp.txt" in result.err


def test_a_collection_is_shared_and_the_list_tells(dai, folder):
    dai("kb", "add", folder / "sub" / "lamp.txt", "--kb", "House")
    result = dai("kb", "share", "house", "circle")
    assert result.status == 0
    assert result.out == "House · My circles\n"
    assert "never a file" in result.err
    assert dai("kb", "list").out.splitlines()[0] == "House · My circles"
    [listed] = dai("kb", "list", "--json").json
    assert listed["collection"]["sharing"] == "circle"
    dai("kb", "share", "House", "private")
    assert dai("kb", "list").out.splitlines()[0] == "House"


def test_an_unknown_sharing_level_changes_nothing(dai, folder):
    dai("kb", "add", folder / "sub" / "lamp.txt")
    assert dai("kb", "share", "Documents", "world").status == 2
    assert dai("kb", "list").out.splitlines()[0] == "Documents"


def test_a_folder_is_followed_and_no_longer(dai, folder):
    for file in folder.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    result = dai("kb", "watch", folder / "sub", "--kb", "House")
    assert result.status == 0
    assert result.out == "1  lamp.txt · 1 passage\n"
    assert "followed, 1 file" in dai("kb", "list").out
    assert dai("kb", "unwatch", folder / "sub").status == 0
    assert "followed" not in dai("kb", "list").out
    assert "lamp.txt" in dai("kb", "list").out
    assert dai("kb", "unwatch", folder / "sub").status == 1
    assert dai("kb", "watch", folder / "nowhere").status == 1


def test_a_search_in_one_document_finds_nothing_of_the_others(dai, folder):
    dai("kb", "add", folder)
    found = dai("kb", "search", "red lamp battery charging", "--document", "LAMP.txt", "--json").json
    assert (found["searched"], len(found["passages"])) == (1, 1)
    other = dai("kb", "search", "red lamp battery charging", "--document", "دستور 🍲.md", "--json").json
    assert (other["searched"], other["passages"]) == (1, [])


def test_a_document_that_is_not_there_is_named(dai, folder):
    dai("kb", "add", folder)
    result = dai("kb", "search", "lamp", "--document", "boiler.txt")
    assert result.status == 1
    assert "There is no document named" in result.err
    assert "boiler.txt" in result.err
