"""Pictures made ready for reading: upright, straight, grey. Without Pillow they are read as they are."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rag.recognition.protocol import RecognitionFailed

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 120_000_000
"""A page of A4 scanned at 600 dots per inch has 35 million."""
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "PPM", "JPEG2000")
_MOST_FRAMES = 2_000
_PROFILE_WIDTH = 900
"""Pixels; lines of text are still apart in a picture of this width."""
_STEEPEST = 6.0
_LEAST_TURN = 0.15
"""Degrees; less does not disturb, and turning blurs."""


def straightened(picture: bytes) -> bytes:
    """The picture as a grey PNG with its lines level; raises `RecognitionFailed` for a broken one."""
    image = _opened(picture)
    if image is None:
        return picture
    from PIL import Image, ImageOps

    try:
        grey = ImageOps.exif_transpose(image).convert("L")
        if abs(turn := skew(grey)) >= _LEAST_TURN:
            grey = grey.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        written = io.BytesIO()
        grey.save(written, "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise RecognitionFailed(type(error).__name__) from error
    return written.getvalue()


def frames(picture: bytes) -> Iterator[bytes]:
    """The pictures in a file: several in a TIFF of many pages, else one."""
    image = _opened(picture)
    count = min(int(getattr(image, "n_frames", 1)), _MOST_FRAMES) if image is not None else 1
    if image is None or count == 1 or image.format != "TIFF":
        yield picture
        return
    for number in range(count):
        written = io.BytesIO()
        try:
            image.seek(number)
            image.convert("L").save(written, "PNG", compress_level=1)
        except (OSError, ValueError, SyntaxError, EOFError):
            yield b""  # a broken page, which keeps its number
        else:
            yield written.getvalue()


def skew(grey: Image) -> float:
    """By how many degrees to turn a page counter-clockwise, so that its lines are level.

    The right turn is the one in which the darkness of rows differs most: lines and the white between them.
    """
    from PIL import Image, ImageOps

    small = grey.resize(
        (_PROFILE_WIDTH, max(1, round(grey.height * _PROFILE_WIDTH / max(grey.width, 1)))),
        Image.Resampling.BOX,
    )
    ink = ImageOps.invert(ImageOps.autocontrast(small))
    best, step = 0.0, 1.0
    around = _STEEPEST
    while step > 0.05:
        angles = [best + step * each for each in range(-round(around / step), round(around / step) + 1)]
        best = max(angles, key=lambda angle: (_sharpness(ink, angle), -abs(angle)))
        around, step = step, step / 4
    return best if abs(best) <= _STEEPEST else 0.0


def _sharpness(ink: Image, angle: float) -> float:
    from PIL import Image

    rows = np.asarray(ink.rotate(angle, Image.Resampling.BILINEAR), dtype=np.float32).sum(axis=1)
    return float(np.square(np.diff(rows)).sum())


def _opened(picture: bytes) -> Image | None:
    """None where Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are checked here
            image = Image.open(io.BytesIO(picture), formats=_FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecognitionFailed(type(error).__name__) from error
    if image.width * image.height > MOST_PIXELS:
        raise RecognitionFailed("too many pixels")
    return image
