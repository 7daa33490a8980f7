"""What people call a model.

Publishers name the file, people repeat that name. The name in the metadata is often made by the conversion
script from the folder it worked in ("Models", "Hf", "Smollm2 135M 8k Lc100K Mix1 Ep2"), so a file that is
named as publishers do wins: one that tells the size ("…-135M-…") or the quantisation ("….Q4_K_M"), as in
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#gguf-naming-convention. Any other file name may be
anything ("download (1)"), so there the metadata come first.
"""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 80
_PART = re.compile(r"-\d{5}-of-\d{5}$")
_COPY = re.compile(r" \(\d+\)$")
_QUANTISATION = re.compile(
    r"[-._ ](?:(?:i1|UD)-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4(?:_MOE)?|BF16|F16|F32|FP16|FP32)$",
    re.IGNORECASE,
)
_SIZE = re.compile(r"(?<![^-_ ])(?:\d+x)?\d+(?:\.\d+)?[MBT](?![^-_ ])", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_\s]+")
_OF_TOOLS = frozenset({"", "ggml", "gguf", "ggml model", "model", "unsloth"})
"""What converters call their output when nobody gives it a name."""
_JOINERS = "\u200c\u200d"


def model_name(declared: str, stem: str) -> str:
    """The name to show; empty only if both are.

    Args:
        declared: `general.name` of the file's metadata.
        stem: the file's name without `.gguf`.
    """
    declared = readable(declared)
    plain = readable(_COPY.sub("", _PART.sub("", stem)))
    name, quantisations = _QUANTISATION.subn("", plain)
    size = _SIZE.search(name)
    words = _SEPARATORS.sub(" ", name).strip()
    is_published = bool(quantisations or (size and size.start() > 0)) and words.lower() not in _OF_TOOLS
    if is_published and words.lower() != _SEPARATORS.sub(" ", declared).lower():
        return _SIZE.sub(lambda found: found[0].upper().replace("X", "x"), words)
    return declared or plain


def readable(text: str) -> str:
    """One short line: no control characters, none that turn the direction of what follows."""
    shown = "".join(
        letter
        if letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")
        else " "
        for letter in text[: 4 * _LONGEST]
    )
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"
