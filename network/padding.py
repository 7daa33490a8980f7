"""Lengths that tell little: what is sealed is first brought to one of a few sizes.

A padded text is its length (4 bytes, big-endian), the text, and zeros.
"""

from __future__ import annotations

SMALLEST_QUESTION = 512
CHUNK_STEP = 64

_PREFIX = 4


class PaddingBroken(Exception):
    """Not a padded text. Callers turn it into an error of their own."""


def pad_question(text: bytes) -> bytes:
    """To at least 512 bytes, then to the next size of Padmé: 7 % more at most, and few sizes.

    Source: Nikitin et al., Reducing Metadata Leakage from Encrypted Files and Communication with PURBs, 2019.
    """
    return _pad(text, max(SMALLEST_QUESTION, padme(_PREFIX + len(text))))


def pad_chunk(text: bytes) -> bytes:
    """To the next multiple of 64 bytes: a word or two look like none."""
    return _pad(text, -(-(_PREFIX + len(text)) // CHUNK_STEP) * CHUNK_STEP)


def unpad(padded: bytes) -> bytes:
    """Raises PaddingBroken; also if there is anything but zeros behind the text."""
    end = _PREFIX + int.from_bytes(padded[:_PREFIX], "big")
    if len(padded) < _PREFIX or end > len(padded) or any(padded[end:]):
        raise PaddingBroken
    return padded[_PREFIX:end]


def padme(length: int) -> int:
    """The next size at or above this length of which only the leading bits are set."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    step = 1 << max(0, free_bits)
    return -(-length // step) * step


def _pad(text: bytes, size: int) -> bytes:
    return (len(text).to_bytes(_PREFIX, "big") + text).ljust(size, b"\0")
