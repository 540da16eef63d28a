"""What the inputs say, in the terms of Prometheus; nothing here is a part of a spec yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autogpt_observe.diagnostics import Span
    from autogpt_observe.importers.events import Indicator
    from autogpt_observe.spec.model import Runbook
    from autogpt_observe.spec.tree import Scalar
    from autogpt_observe.units import Duration, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """An alerting rule; its labels hold those of its group as well."""

    name: Scalar
    expr: Scalar
    for_: Duration
    keep_firing_for: Duration | None
    labels: Mapping[str, Scalar]
    annotations: Mapping[str, Scalar]
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """A recording rule."""

    name: Scalar
    expr: Scalar
    labels: Mapping[str, Scalar]
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert:
    """One alert that a unit test expects to fire, with all of its labels and texts."""

    labels: Mapping[str, Scalar]
    annotations: Mapping[str, Scalar]
    at: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTest:
    """What one test of promtool expects of the alerts of one name."""

    alert: Scalar
    name: str
    interval: Duration
    evaluation_interval: Duration
    series: Mapping[str, Scalar]
    expected: Mapping[Duration, tuple[ExpectedAlert, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A service level objective."""

    name: str
    at: Span
    objective: Ratio
    window: Duration
    indicator: Indicator
    help: str
    labels: Mapping[str, Scalar]
    runbook: Runbook
    service: Scalar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The evaluation interval that a group of rules asks for, if it does."""

    length: Duration | None
    group: str
    at: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that was read."""

    alerts: tuple[AlertRule, ...] = ()
    records: tuple[RecordingRule, ...] = ()
    tests: tuple[UnitTest, ...] = ()
    slos: tuple[Slo, ...] = ()
    intervals: tuple[Interval, ...] = ()
    services: tuple[Scalar, ...] = ()
    urls: tuple[Scalar, ...] = field(default=())


def join(read: Iterable[Sources]) -> Sources:
    """All sources as one."""
    every = tuple(read)
    return Sources(
        alerts=tuple(one for source in every for one in source.alerts),
        records=tuple(one for source in every for one in source.records),
        tests=tuple(one for source in every for one in source.tests),
        slos=tuple(one for source in every for one in source.slos),
        intervals=tuple(one for source in every for one in source.intervals),
        services=tuple(one for source in every for one in source.services),
        urls=tuple(one for source in every for one in source.urls),
    )
