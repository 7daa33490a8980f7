"""A model can be named in the ways in which people copy its name."""

from __future__ import annotations

import pytest

from engines.errors import HubAddressInvalid
from engines.store.reference import Reference, read_reference

PAGE = "https://huggingface.co/owner/name"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("owner/name", Reference("owner/name")),
        ("  owner/name\n", Reference("owner/name")),
        ("owner/name:Q4_K_M", Reference("owner/name", quantisation="Q4_K_M")),
        ("hf.co/owner/name:Q8_0", Reference("owner/name", quantisation="Q8_0")),
        ("huggingface.co/owner/name", Reference("owner/name")),
        (PAGE, Reference("owner/name")),
        (f"{PAGE}/", Reference("owner/name")),
        (f"{PAGE}/tree/main", Reference("owner/name")),
        (f"{PAGE}/tree/v2", Reference("owner/name", "v2")),
        (f"{PAGE}/blob/main/a-Q4_0.gguf", Reference("owner/name", file="a-Q4_0.gguf")),
        (
            f"{PAGE}/resolve/c0ffee/Q4/a%20b.gguf?download=true",
            Reference("owner/name", "c0ffee", "Q4/a b.gguf"),
        ),
        ("https://mirror.example/owner/name", Reference("owner/name")),
        ("owner/name/مدل.gguf", Reference("owner/name", file="مدل.gguf")),
    ],
)
def test_a_reference_is_understood(text, reference):
    assert read_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "owner/",
        "../name",
        "owner/..",
        "owner/na me",
        "owner/name/notes.txt",
        "owner/name:Q4_0/file.gguf",
        "ftp://huggingface.co/owner/name",
        "file:///etc/passwd",
        f"{PAGE}/resolve/../x/a.gguf",
        "https://[broken/owner/name",
        "مالک/مدل",
        "x" * 300 + "/name",
    ],
)
def test_what_names_no_model_is_refused_and_shown_shortened(text):
    with pytest.raises(HubAddressInvalid) as refused:
        read_reference(text)
    assert len(refused.value.name) <= 100
