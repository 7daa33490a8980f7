"""What the worker is asked to do and what it answers: one JSON document per line."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    pass


class Predict(_Line, frozen=True):
    """How large would the model be in these formats? Answered by `Predicted`."""

    source: bytes
    """A path in the file system's own encoding, which need not be UTF-8; so are all paths here."""

    file_types: tuple[int, ...]


class Quantise(_Line, frozen=True):
    """Write the model in another format over `target`. Answered by `Quantised`."""

    source: bytes
    target: bytes
    file_type: int
    threads: int


class Measure(_Line, frozen=True):
    """How well does the model foresee these texts? Answered by `Measured`."""

    model: bytes
    texts: tuple[str, ...]
    window: int
    """Tokens that the model sees at once."""


class Predicted(_Line, frozen=True):
    """Bytes of all tensors together, one for each format; None where llama.cpp refuses."""

    tensor_bytes: tuple[int | None, ...]


class Quantised(_Line, frozen=True):
    """The file is written; it has still to be checked."""


class Measured(_Line, frozen=True):
    """For each text, how many tokens were foreseen, and the mean of -ln p of them."""

    tokens: tuple[int, ...]
    surprise: tuple[float, ...]


class Worked(_Line, frozen=True):
    """So much of the job is done, from 0 to 1."""

    share: float


class JobFailed(_Line, frozen=True):
    """The job failed. `error` is the name of a leaf in `engines.errors`, or "" for any other reason."""

    error: str
    details: str


Job = Predict | Quantise | Measure
Result = Predicted | Quantised | Measured | JobFailed
Answer = Result | Worked

Progress = Callable[[float], None]
"""Called with the share that is done, from 0 to 1."""

encode = msgspec.json.Encoder().encode
decode_job = msgspec.json.Decoder(Job).decode
decode_answer = msgspec.json.Decoder(Answer).decode
