"""Measures how fast a model is on this device, through the engine that also answers questions."""

from __future__ import annotations

from engines.benchmark.measuring import BenchmarkPlan, BenchmarkProgress, BenchmarkStage, measure
from engines.benchmark.result import BenchmarkedModel, BenchmarkResult, Device, Energy, Sample, Speed

__all__ = [
    "BenchmarkPlan",
    "BenchmarkProgress",
    "BenchmarkResult",
    "BenchmarkStage",
    "BenchmarkedModel",
    "Device",
    "Energy",
    "Sample",
    "Speed",
    "measure",
]
