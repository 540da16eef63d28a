"""A small spec and a small agent, for the tests of the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import autogpt_observe as obs
from autogpt_observe.names import LabelName, MetricName, MetricSource, MetricType, Name
from autogpt_observe.spec.model import Attribute, Metric, Service, Spec

if TYPE_CHECKING:
    from autogpt_observe.testing import FakeClock


def _metric(type_: str, from_: str, *attributes: str) -> Metric:
    return Metric(
        type=MetricType(type_),
        from_=MetricSource(from_),
        help="A metric of the tests",
        attributes=tuple(map(LabelName, attributes)),
    )


def spec(**metrics: Metric) -> Spec:
    outcomes = ("success", "error", "cancelled")
    return Spec(
        version=1,
        service=Service(name=Name("crawler"), owner=Name("agents-team")),
        attributes={
            LabelName("agent"): Attribute(help="Agent", max_values=3),
            LabelName("outcome"): Attribute(help="Outcome", values=outcomes),
            LabelName("error_type"): Attribute(help="Class of the error"),
            LabelName("site"): Attribute(help="Site"),
        },
        metrics={MetricName(name): metric for name, metric in metrics.items()},
    )


AGENT = spec(
    runs_total=_metric("counter", "run.end", "agent", "outcome"),
    run_seconds=_metric("histogram", "run.duration", "agent"),
    runs_active=_metric("gauge", "run.active", "agent"),
    run_age_seconds=_metric("gauge", "run.age", "agent"),
    failures_total=_metric("counter", "failure", "error_type"),
    memory_bytes=_metric("gauge", "process.memory"),
    pages_total=_metric("counter", "code", "site"),
    queue_length=_metric("gauge", "code", "site"),
    page_bytes=_metric("histogram", "code"),
    pods=_metric("gauge", "external"),
)
OTHER = spec(starts_total=_metric("counter", "run.start"))


@obs.agent("researcher")
def research(clock: FakeClock, *, fails: bool = False) -> None:
    """A run of 0.3 seconds, with a step, a tool call and a model call."""
    with obs.step("plan"), obs.tool("search"):
        clock.advance(0.1)
        if fails:
            raise ValueError("no such page")
    with obs.llm("gpt-4o", provider="openai"):
        clock.advance(0.2)
