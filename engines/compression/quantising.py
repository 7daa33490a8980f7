"""Lets llama.cpp write a model in another format, or only tell how large it would get."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from engines.compression.jobs import JobFailed, Predict, Predicted, Progress, Quantise, Quantised
from engines.llama_cpp import native

_TENSOR = re.compile(r"\[\s*(\d+)/\s*(\d+)\]")
"""How llama.cpp's log counts the tensors: "[ 268/ 272] blk.29.attn_v.weight …"."""
_TOTAL = re.compile(r"quant size\s*=\s*([\d.]+) MiB")
_NEEDS_TRAINING = "require an imatrix"
_MIB = 1 << 20


def predict(job: Predict, _: Progress) -> Predicted:
    """Tell how large the tensors would be; reads no weights, so it takes some hundredths of a second."""
    library = native.load_library()
    return Predicted(tuple(_dry_run(library, job.source, file_type) for file_type in job.file_types))


def quantise(job: Quantise, progress: Progress) -> Quantised | JobFailed:
    """Write the model in another format. Nothing can stop it but the end of the process."""
    library = native.load_library()

    def hear(line: str) -> None:
        if found := _TENSOR.search(line):
            progress(int(found[1]) / int(found[2]))

    native.log.clear()
    with _listening(library, hear):
        failed = _run(library, job.source, job.target, job.file_type, threads=job.threads)
    return JobFailed("", native.log.problems()[-1000:]) if failed else Quantised()


def _dry_run(library: ModuleType, source: bytes, file_type: int) -> int | None:
    lines: list[str] = []
    with _listening(library, lines.append):
        failed = _run(library, source, b"", file_type, threads=1, dry=True)
    log = "".join(lines)
    found = _TOTAL.search(log)
    if failed or found is None or _NEEDS_TRAINING in log:
        return None
    return round(float(found[1]) * _MIB)


def _run(
    library: ModuleType, source: bytes, target: bytes, file_type: int, *, threads: int, dry: bool = False
) -> bool:
    parameters = library.llama_model_quantize_default_params()
    parameters.ftype = file_type
    parameters.nthread = threads
    parameters.dry_run = dry
    # Else a model that is compressed already, as nearly all are that people have, would be refused.
    parameters.allow_requantize = True
    return bool(library.llama_model_quantize(source, target, ctypes.byref(parameters)))


@contextmanager
def _listening(library: ModuleType, hear: Callable[[str], None]) -> Iterator[None]:
    """Hear llama.cpp's log, which is one for the whole process, without taking it from others."""

    def write(level: int, text: bytes | None, data: object) -> None:
        native.log.write(level, text, data)
        hear((text or b"").decode("utf-8", "replace"))

    callback = library.llama_log_callback(write)
    library.llama_log_set(callback, ctypes.c_void_p(0))
    try:
        yield
    finally:
        native.restore_log(library)
