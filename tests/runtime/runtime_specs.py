"""Small specs for the runtime, an observer for one test, and what a scrape of it shows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

import autogpt_observe as obs
from autogpt_observe.names import LabelName, MetricName, MetricSource, MetricType, Name
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.instruments import build_guards, build_instruments
from autogpt_observe.runtime.sinks.metrics import MetricsSink
from autogpt_observe.spec.model import Attribute, BucketBound, Metric, Service, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

OUTCOMES = ("success", "error", "cancelled")


def metric(
    type_: str,
    from_: str,
    *attributes: str,
    help_: str = "A metric of the tests",
    buckets: str | None = None,
    exemplars: bool = False,
) -> Metric:
    return Metric(
        type=MetricType(type_),
        from_=MetricSource(from_),
        help=help_,
        attributes=tuple(map(LabelName, attributes)),
        buckets=None if buckets is None else Name(buckets),
        exemplars=exemplars,
    )


def attribute(*values: str, max_values: int | None = None) -> Attribute:
    return Attribute(help="An attribute of the tests", values=values, max_values=max_values)


def spec(*, attributes: dict[str, Attribute] | None = None, **metrics: Metric) -> Spec:
    known = {"agent": attribute(), "outcome": attribute(*OUTCOMES), "error_type": attribute()}
    known |= attributes or {}
    return Spec(
        version=1,
        service=Service(name=Name("crawler"), owner=Name("agents-team")),
        attributes={LabelName(name): each for name, each in known.items()},
        buckets={Name("coarse"): tuple(map(BucketBound.parse, ("1s", "10s", "1m")))},
        metrics={MetricName(name): each for name, each in metrics.items()},
    )


RUNS = spec(
    starts_total=metric("counter", "run.start", "agent"),
    runs_total=metric("counter", "run.end", "agent", "outcome"),
    run_seconds=metric("histogram", "run.duration", "agent", buckets="coarse"),
    runs_active=metric("gauge", "run.active", "agent"),
    failures_total=metric("counter", "failure", "agent", "error_type"),
)


@contextmanager
def observing(
    observed: Spec, *, registry: CollectorRegistry | None = None, strict: bool | None = None
) -> Iterator[obs.Observer]:
    """An observer that serves nothing, until the block ends."""
    observer = obs.init(observed, registry=registry, serve=False, strict=strict)
    try:
        yield observer
    finally:
        obs.shutdown()


def samples(registry: CollectorRegistry, *prefixes: str) -> dict[str, float]:
    """What a scrape shows: values by series, of the names with one of the prefixes."""
    text = generate_latest(registry).decode()
    return {
        _series(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(prefixes or "")
    }


def _series(name: str, labels: dict[str, str]) -> str:
    pairs = ",".join(f"{label}={value}" for label, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def clocked(clock: Clock) -> Iterator[dict[str, float]]:
    """Runs timed by ``clock``; after the block, their count and sum by agent."""
    incidents = Incidents(strict=True)
    instruments = build_instruments(RUNS, build_guards(RUNS, incidents))
    sink = MetricsSink(dict(RUNS.metrics.items()), instruments)
    shown: dict[str, float] = {}
    ACTIVE.hub = Hub((sink,), on_error=incidents.fail, clock=clock)
    try:
        yield shown
    finally:
        ACTIVE.clear()
    for family in instruments["run_seconds"].collector.collect():
        for sample in family.samples:
            if sample.name in ("run_seconds_count", "run_seconds_sum"):
                shown[_series(sample.name, sample.labels)] = sample.value
