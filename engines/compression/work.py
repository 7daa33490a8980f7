"""Does a job, in whatever process or thread it is called."""

from __future__ import annotations

from engines.compression.jobs import Job, JobFailed, Measure, Predict, Progress, Quantise, Result
from engines.compression.quantising import predict, quantise
from engines.compression.surprise import measure
from engines.errors import EngineError


def do(job: Job, progress: Progress) -> Result:
    """Do it and tell what came out; blocks until then, and raises nothing of llama.cpp's."""
    try:
        match job:
            case Predict():
                return predict(job, progress)
            case Quantise():
                return quantise(job, progress)
            case Measure():
                return measure(job, progress)
    except EngineError as error:
        return JobFailed(type(error).__name__, error.details)
    except (RuntimeError, OSError, MemoryError) as error:
        return JobFailed("", f"{type(error).__name__}: {error}")
