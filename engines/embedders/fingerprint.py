"""Tells model files apart by what is in them, without reading all of it."""

from __future__ import annotations

import hashlib

from engines.gguf import GgufHeader, unreadable

_SAMPLES = 64
_SAMPLE_BYTES = 16 << 10
_MOST_HEADER_BYTES = 64 << 20
_DIGITS = 16


def fingerprint(header: GgufHeader) -> str:
    """Sixteen hexadecimal digits of a model file's content; its name and place do not count.

    Made of the size, everything before the tensors' bytes (vocabulary, pooling, tensor records) and 64
    samples of the weights, spread evenly: another training or quantisation changes nearly every byte of
    those. Takes some milliseconds.

    Raises:
        ModelFileMissing, ModelFileUnreadable: the file was lost since its header was read.
    """
    digest = hashlib.sha256(header.file_bytes.to_bytes(8, "little"))
    start = header.data_start
    last = max(start, header.file_bytes - _SAMPLE_BYTES)
    try:
        with header.path.open("rb") as file:
            digest.update(file.read(min(start, _MOST_HEADER_BYTES)))
            for number in range(_SAMPLES):
                file.seek(start + (last - start) * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    except OSError as error:
        raise unreadable(header.path, error) from error
    return digest.hexdigest()[:_DIGITS]
