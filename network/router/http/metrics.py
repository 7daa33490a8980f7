"""Numbers for Prometheus, as text. Nothing in them tells of a person, a device or a question.

Source: Prometheus, "Exposition formats", text version 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Literal

from network.broker.protocol import QueueLoad
from network.protocol.routers import Pool
from network.router.http.service import RouterService
from network.router.timings import Histogram

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_EVENTS = {
    "questions accepted": "accepted",
    "questions cancelled": "cancelled",
    "questions declined": "declined",
    "questions retrying": "handed_out_again",
    "questions spare": "handed_to_spare",
    "questions expired": "expired",
    "questions failed": "failed",
    "questions over the quota": "over_quota",
}
_ADMISSIONS = {
    "workers admitted": "admitted",
    "workers refused": "refused",
    "workers over the limit": "no_place",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A number over time, or several that differ in one label."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    values: tuple[tuple[str, float], ...]
    """Label value and number; an empty label value for the only one."""
    label: str = ""

    def lines(self) -> Iterable[str]:
        """As they are read by Prometheus."""
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} {self.kind}"
        for value, number in self.values:
            labels = f'{{{self.label}="{_escaped(value)}"}}' if self.label else ""
            yield f"{self.name}{labels} {number:g}" if number % 1 else f"{self.name}{labels} {int(number)}"


def histogram_lines(name: str, help: str, histogram: Histogram) -> Iterable[str]:
    """A histogram as it is read by Prometheus."""
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} histogram"
    for bound, total in histogram.cumulative():
        yield f'{name}_bucket{{le="{"+Inf" if bound == inf else f"{bound:g}"}"}} {total}'
    yield f"{name}_sum {histogram.sum:.6f}"
    yield f"{name}_count {histogram.count}"


def metrics_text(service: RouterService, load: QueueLoad, pool: Pool) -> str:
    """All of them."""
    lines = [line for metric in _metrics(service, load, pool) for line in metric.lines()]
    timings = service.desk.timings
    for name, meaning, histogram in (
        ("queue_wait", "Waiting of parts in questions until their worker got them.", timings.queue_wait),
        ("first_part", "From a question at a worker to the first part of its answer.", timings.first_part),
        ("answer", "From a question at a worker to the end of its answer.", timings.answer),
    ):
        lines += histogram_lines(f"dai_router_{name}_seconds", meaning, histogram)
    return "\n".join([*lines, ""])


def _metrics(service: RouterService, load: QueueLoad, pool: Pool) -> Iterable[Metric]:
    counts = service.counts
    yield _gauge("dai_router_workers", "Workers connected to this process.", len(service.workers))
    yield _gauge(
        "dai_router_worker_links", "Connections of workers, registered or not.", service.worker_places.count
    )
    yield _gauge(
        "dai_router_streams", "Streams of answers that are being listened to.", service.stream_places.count
    )
    yield _gauge("dai_router_pool_workers", "Public workers at all routers of this broker.", pool.workers)
    yield _gauge("dai_router_pool_free", "Questions that public workers would take at once.", pool.free)
    yield _gauge("dai_router_waiting", "Parts in questions that wait for their workers.", load.waiting)
    yield _gauge("dai_router_running", "Parts in questions that workers are at.", load.running)
    yield _gauge("dai_router_ready", "1 while it takes questions.", int(service.ready))
    yield _gauge("dai_router_started_seconds", "Start of this process, since 1970.", round(service.started))
    yield _counted("dai_router_questions_total", "What happened to questions.", counts, _EVENTS, "event")
    yield _counted(
        "dai_router_admissions_total", "What happened to workers that came.", counts, _ADMISSIONS, "result"
    )
    yield _total("dai_router_answers_total", "Answers that were finished.", counts["answers finished"])
    yield _total("dai_router_parts_total", "Parts of answers that were passed on.", counts["parts passed on"])
    yield _total(
        "dai_router_limited_total",
        "Requests over the limit of an address.",
        counts["requests over the limit"],
    )
    yield _total(
        "dai_router_failed_sweeps_total", "Times that the broker did not answer.", counts["failed sweeps"]
    )
    refused = {name: name.removeprefix("problem ") for name in counts if name.startswith("problem ")}
    yield _counted("dai_router_refusals_total", "Problems that were answered.", counts, refused, "problem")


def _gauge(name: str, help: str, value: float) -> Metric:
    return Metric(name, help, "gauge", (("", value),))


def _total(name: str, help: str, value: int) -> Metric:
    return Metric(name, help, "counter", (("", value),))


def _counted(name: str, help: str, counts: dict[str, int], names: dict[str, str], label: str) -> Metric:
    values = tuple((shown, counts.get(key, 0)) for key, shown in sorted(names.items()))
    return Metric(name, help, "counter", values, label)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
