"""Alerts: when they hold, what they tell whom, and how that is proven."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

from autogpt_observe.names import LabelName, Name
from autogpt_observe.spec.keys import key, part
from autogpt_observe.spec.model.conditions import When
from autogpt_observe.units import Duration


class Severity(StrEnum):
    """How urgent an alert is: `critical` wakes somebody, `warning` waits for the morning."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@part
class Firing:
    """What one firing alert looks like, beyond what its rule says."""

    value: str | None = key("`$value` as the templates print it", default=None, example='"0.2"')
    labels: Mapping[LabelName, str] = key("Labels that the expression's result has", default={})
    annotations: Mapping[LabelName, str] = key(
        "Rendered texts, where the templates use more than `$value` and `$labels`", default={}
    )


@part
class Expectation:
    """What an alert does at one moment: `silent` (pending is silent too), `fires`, or details."""

    SHORTHANDS: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {"silent": {"fires": ()}, "fires": {"fires": (Firing(),)}}
    )

    fires: tuple[Firing, ...] = key("The alerts that fire, one for each label set")


@part
class RuleTest:
    """A unit test of an alert: series as promtool writes them, and what must be seen when."""

    interval: Duration | None = key(
        "Time between the samples; the scrape interval unless given", default=None
    )
    evaluation_interval: Duration | None = key(
        "Time between evaluations in this test; that of the spec unless given", default=None
    )
    series: Mapping[str, str] = key(
        "For each series, its samples in promtool's notation, such as `0+12x20 240+0x20`"
    )
    at: Mapping[Duration, Expectation] = key("For each time from the start, what is seen")


@part
class Runbook:
    """What people should know and do when the alert fires."""

    meaning: str = key("What it means for the service and its users", default="")
    causes: tuple[str, ...] = key("Likely causes, the likeliest first", default=())
    steps: tuple[str, ...] = key("First steps, in order", default=())
    dashboards: tuple[Name, ...] = key("Dashboards that show more", default=())
    logs: str | None = key("A query for the logs that show more", default=None)


@part
class Inhibition:
    """How an alert and the one it silences belong together."""

    same: tuple[LabelName, ...] = key(
        "Labels that must have the same value in both, beyond `service`", default=()
    )


@part
class Alert:
    """An alert: when it holds, for how long before it fires, and what it tells whom."""

    when: When = key("The condition: `expr` with raw PromQL, or a typed one such as `ratio`")
    for_: Duration = key("How long it must hold before it fires", default=Duration(0))
    keep_firing_for: Duration | None = key("How long it fires on after it cleared", default=None)
    severity: Severity = key("info, warning or critical; becomes a label")
    owner: Name | None = key("Who is told, if not the service's owner", default=None)
    labels: Mapping[LabelName, str] = key("More labels", default={})
    annotations: Mapping[LabelName, str] = key("Texts, with Go templates; at least `summary`")
    inhibits: Mapping[Name, Inhibition] = key(
        "Alerts that stay silent while this one fires", default={}
    )
    watchdog: bool = key("It always fires, to prove that alerts arrive", default=False)
    runbook: Runbook = key("What its page says beyond what can be derived", default=Runbook())
    tests: Mapping[Name, RuleTest] = key("Unit tests; raw PromQL brings its own", default={})
    allow: Mapping[str, str] = key("Checks waived for this alert, each with its reason", default={})
