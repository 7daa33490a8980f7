"""Makes smaller copies of models, and measures what that costs them."""

from __future__ import annotations

from engines.compression.compressing import CompressionProgress, CompressionStage, compress
from engines.compression.formats import FORMATS, CompressionFormat, format_named
from engines.compression.perplexity import Perplexity, measure_perplexity
from engines.compression.prediction import PredictedSize, predict_sizes
from engines.compression.worker import can_be_cancelled

__all__ = [
    "FORMATS",
    "CompressionFormat",
    "CompressionProgress",
    "CompressionStage",
    "Perplexity",
    "PredictedSize",
    "can_be_cancelled",
    "compress",
    "format_named",
    "measure_perplexity",
    "predict_sizes",
]
