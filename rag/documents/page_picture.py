"""Pictures inside PDF pages, as files that other programs read."""

from __future__ import annotations

from typing import Any

from pdfminer.pdftypes import resolve1

from rag.recognition.pictures import MOST_PIXELS

_LEAST_PIXELS = 100_000
"""A smaller picture is a logo, no page of text."""
_CHANNELS = {b"P5": 1, b"P6": 3}


def picture_file(stream: Any) -> bytes | None:
    """The picture in a stream, as JPEG, JPEG 2000 or PNM; None for what is too small or cannot be told."""
    width, height = resolve1(stream.get_any(("W", "Width"))), resolve1(stream.get_any(("H", "Height")))
    if not isinstance(width, int) or not isinstance(height, int):
        return None
    if not _LEAST_PIXELS <= width * height <= MOST_PIXELS:
        return None
    filters = [str(getattr(found, "name", found)) for found, _ in stream.get_filters()]
    if filters and filters[-1] in ("DCTDecode", "DCT", "JPXDecode"):
        data: bytes = stream.get_data()
        return data
    if filters and filters[-1] == "JBIG2Decode":
        return None
    data = stream.get_data()
    bits = resolve1(stream.get_any(("BPC", "BitsPerComponent"))) or 1
    if bits == 1:
        line = (width + 7) // 8
        if len(data) < line * height:
            return None
        # In PNM a 1 is black. In PDF it is white, unless it is inverted (a fax decoded with BlackIs1).
        ink = bytes(byte ^ 0xFF for byte in data[: line * height]) if not _inverted(stream) else data
        return b"P4\n%d %d\n" % (width, height) + ink[: line * height]
    if bits == 8:
        for kind, channels in _CHANNELS.items():
            if len(data) in (width * height * channels, width * height * channels + 1):
                return kind + b"\n%d %d\n255\n" % (width, height) + data[: width * height * channels]
    return None


def _inverted(stream: Any) -> bool:
    decode = resolve1(stream.get_any(("D", "Decode")))
    return isinstance(decode, list) and [resolve1(value) for value in decode] == [1, 0]
