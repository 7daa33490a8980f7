"""How large a model would be in other formats: told before anybody waits for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.compression.formats import FORMATS, CompressionFormat
from engines.compression.jobs import JobFailed, Predict, Predicted
from engines.compression.perplexity import failure
from engines.compression.worker import run
from engines.errors import CompressionFailed
from engines.gguf import GgufHeader
from engines.llama_cpp.loading import check_file
from engines.opening import Host

_LEAST_SAVING = 0.02
"""A smaller saving than this share of the file is not worth the quality that it costs."""
_UNCOMPRESSED = frozenset({"F32", "F16", "BF16"})


@dataclass(frozen=True, slots=True)
class PredictedSize:
    """What a format would make of a model."""

    format: CompressionFormat
    bytes: int | None
    """Size of the file; None where llama.cpp cannot write this model so."""
    source_bytes: int
    from_original: bool
    """False for a model that is compressed already: doing that twice costs more quality than once."""

    @property
    def worthwhile(self) -> bool:
        """Whether the copy would be noticeably smaller."""
        return self.bytes is not None and self.bytes <= self.source_bytes * (1 - _LEAST_SAVING)


async def predict_sizes(
    source: Path, formats: Sequence[CompressionFormat] = FORMATS, *, host: Host = "auto"
) -> list[PredictedSize]:
    """Sizes of a model in the given formats, exact to some kilobytes; takes about half a second.

    Raises:
        ModelFileError: see `engines.gguf.read_header`; also `NotAChatModel` for what is no language model.
        CompressionFailed: llama.cpp cannot read the model.
        EngineUnavailable: llama-cpp-python is not installed.
    """
    header = await asyncio.to_thread(check_file, source)
    return await predict_from(header, formats, host)


async def predict_from(
    header: GgufHeader, formats: Sequence[CompressionFormat], host: Host
) -> list[PredictedSize]:
    """The same for a header that was read before."""
    job = Predict(os.fsencode(header.path), tuple(wanted.file_type for wanted in formats))
    result = await run(job, lambda _: None, host)
    if isinstance(result, JobFailed) and result.error:
        raise failure(result, header.path)
    if not isinstance(result, Predicted):
        raise CompressionFailed(header.name, formats[0].name, getattr(result, "details", ""))
    return [
        PredictedSize(
            format=wanted,
            bytes=None if tensors is None else header.data_start + tensors,
            source_bytes=header.file_bytes,
            from_original=header.quantisation in _UNCOMPRESSED,
        )
        for wanted, tensors in zip(formats, result.tensor_bytes, strict=True)
    ]
