"""What a benchmark found, as it is kept in a file."""

from __future__ import annotations

import statistics
from typing import Literal

import msgspec

from engines.protocol import LoadOptions

FORMAT = 1
"""Changes when a figure gets another meaning, so that old and new ones are not compared."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Speed(_Part, frozen=True):
    """Tokens per second, measured several times."""

    tokens: int
    """Tokens in each measurement."""
    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one; 0.0 where nothing could be measured."""
        return statistics.median(self.rates) if self.rates else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation; 0.0 for fewer than two measurements."""
        return statistics.stdev(self.rates) if len(self.rates) > 1 else 0.0


class Sample(_Part, frozen=True):
    """One answer of a long series."""

    seconds: float
    """Since the series began."""
    tokens_per_second: float


class Energy(_Part, frozen=True):
    """What the device used during the generation measurements, all programs together."""

    source: Literal["rapl", "battery"]
    """The processor's own counter, or the battery's charge."""
    joules: float
    tokens: int


class Device(_Part, frozen=True):
    """The machine, without anything that tells whose it is."""

    system: str
    machine: str
    processor: str
    cores: int
    memory_bytes: int
    """0 where the system does not tell."""
    load_before: float | None
    """Programs that wanted to run in the minute before: well above 0 means that the figures are too low."""
    load_after: float | None


class BenchmarkedModel(_Part, frozen=True):
    """The model, without its path."""

    name: str
    file: str
    bytes: int
    architecture: str
    family: str
    quantisation: str
    parameters: int


class BenchmarkResult(_Part, frozen=True):
    """One benchmark of one model on one device."""

    id: str
    """Sorts by time."""
    measured_at: str
    """UTC, ISO 8601."""
    model: BenchmarkedModel
    device: Device
    settings: LoadOptions
    versions: dict[str, str]
    prompt: Speed
    """pp512: a prompt of 512 unknown tokens is read, until its first answer token is there."""
    generation: Speed
    """tg128: 128 tokens are generated after a short question, without the time to the first."""
    first_token_seconds: float
    """Median wait for the first token of the answer to a short question in a new conversation."""
    load_seconds: float
    peak_memory_bytes: int | None
    """Of the engine's process, model file included; None where the system does not tell."""
    energy: Energy | None
    sustained: tuple[Sample, ...] = ()
    """One answer after the other for some minutes: does the device get too hot to keep its speed?"""
    format: int = FORMAT

    @property
    def sustained_share(self) -> float | None:
        """Speed in the last fifth of the series over speed in the first: 1.0 where it lasts."""
        rates = [sample.tokens_per_second for sample in self.sustained]
        fifth = len(rates) // 5
        if not fifth:
            return None
        return statistics.median(rates[-fifth:]) / statistics.median(rates[:fifth])


def encode(result: BenchmarkResult) -> bytes:
    """As JSON for people to read."""
    return msgspec.json.format(msgspec.json.encode(result, enc_hook=str), indent=2) + b"\n"


def _other(kind: type, value: object) -> object:
    return kind(value)  # a path, the only type in it that JSON lacks


decode = msgspec.json.Decoder(BenchmarkResult, dec_hook=_other).decode
"""Raises `msgspec.DecodeError` on anything else."""
