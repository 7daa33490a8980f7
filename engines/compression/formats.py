"""The formats that models are compressed to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompressionFormat:
    """A way to store weights with fewer bits."""

    name: str
    """As people write it, and as `GgufHeader.quantisation` tells it."""
    file_type: int
    """llama.cpp's number (`llama_ftype`); `engines.tensor_types.FILE_TYPES` has all of them."""


# The large formats first. Those with fewer than 2.5 bits (IQ1, IQ2, IQ3_XXS) are missing since they are no
# use without an importance matrix, which takes hours of a large machine; IQ4_NL and IQ4_XS since they take 40
# times as long to make as Q4_0, for a file of the same size.
FORMATS = (
    CompressionFormat("F16", 1),
    CompressionFormat("Q8_0", 7),
    CompressionFormat("Q6_K", 18),
    CompressionFormat("Q5_K_M", 17),
    CompressionFormat("Q4_K_M", 15),
    CompressionFormat("Q4_0", 2),
    CompressionFormat("Q3_K_M", 12),
    CompressionFormat("Q2_K", 10),
)


def format_named(name: str) -> CompressionFormat | None:
    """The format with this name in any case, or None."""
    wanted = name.strip().upper()
    return next((known for known in FORMATS if known.name == wanted), None)
