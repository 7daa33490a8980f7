from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.gguf import read_header
from tests.engines.tiny_gguf import ARCHITECTURES, make_tiny_gguf
from tests.engines.tiny_vocabulary import split_script

WORDS = st.lists(
    st.sampled_from(["the", " the", "\n", " end", "سلام", "<think>", "</think>", " "]), min_size=1
)


@given(WORDS.map("".join).filter(str.strip))
def test_a_script_is_cut_into_pieces_that_differ_and_join_to_the_reply(reply: str) -> None:
    pieces = split_script(reply)

    assert "".join(pieces) == reply
    assert len(set(pieces)) == len(pieces)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_scripted_model_is_a_small_and_sound_file(tmp_path: Path, architecture) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", architecture, context=512, name="Anna")

    header = read_header(path)

    assert (header.architecture, header.trained_context, header.name) == (architecture, 512, "Anna")
    assert header.has_chat_template
    assert header.file_bytes < 1_000_000


def test_a_script_that_a_look_up_table_cannot_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="differ"):
        make_tiny_gguf(tmp_path / "model.gguf", pieces=["a", "b", "a"])
