"""Old encodings carry no name: they are told apart by the text itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.documents import read_document


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1256", "كتاب قديمي"),
        ("cp1256", "كتابخانه در سال 1402 بازسازي شد و 350 عضو دارد؛ پنجره\u200cهاي بزرگ."),
        ("cp1256", "The word كتاب means book, and مدرسه means school: price 42"),
        ("cp1256", "في البدء كانت الكلمة، وهذا نص عربي قصير"),
        ("iso8859_6", "في البدء كانت الكلمة وهذا نص عربي قصير"),
        ("cp1252", "Die Größe der Türen ist für Käufer schön"),
        ("cp1252", "Élève à l’école, il a déjà été là où la forêt brûle"),
        ("cp1252", "El niño comió piña mañana. ¿Qué?"),
        ("cp1252", "It’s a “quoted” word – fine, for 5 €"),
        ("cp1252", "Räksmörgås på älven"),
        ("cp1251", "Съешь же ещё этих мягких французских булок, да выпей чаю"),
        ("utf-16-le", "Plain words, and price 42\r\n"),
        ("utf-16", "کتاب‌های قدیمی"),
        ("utf-8", "Größe, کتاب, книга"),
    ],
)
@pytest.mark.parametrize("repeated", [1, 5_000])
def test_text_is_read_in_the_encoding_it_was_written_in(
    tmp_path: Path, encoding: str, text: str, repeated: int
) -> None:
    path = tmp_path / "a.txt"
    whole = "\n".join([text.rstrip()] * repeated)
    path.write_bytes(whole.encode(encoding))
    assert "".join(section.text for section in read_document(path).sections) == whole


def test_letters_far_behind_a_long_beginning_decide(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"plain words\n\n" * 200_000 + "كتاب قديمي".encode("cp1256"))
    assert list(read_document(path).sections)[-1].text.endswith("كتاب قديمي")
