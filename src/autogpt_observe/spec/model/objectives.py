"""Service level objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from autogpt_observe.names import LabelName, Name
from autogpt_observe.spec.keys import key, part
from autogpt_observe.spec.model.alerts import Runbook
from autogpt_observe.spec.model.conditions import Selection
from autogpt_observe.spec.model.telemetry import MOST, BucketBound
from autogpt_observe.units import Duration, Ratio


@part
class Events:
    """Bad events among all events, each counted by a counter."""

    bad: Selection = key("The events that count against the objective")
    total: Selection = key("All events; the bad ones are among them")


@part
class Latency(Selection):
    """Observations of a histogram that took longer than allowed."""

    within: BucketBound = key("The longest time that is good; a bound of the histogram's buckets")


@part
class Objective:
    """A service level objective, and the budget of failures that it leaves.

    Exactly one of `events` and `latency` is given.
    """

    EXACTLY_ONE: ClassVar[tuple[str, ...]] = ("events", "latency")

    objective: Ratio = key("The share of events that must be good", example="99.5%")
    window: Duration = key("The time it is judged over: 7d, 28d, 30d or 90d", example="30d")
    events: Events | None = key("Counted by counters", default=None)
    latency: Latency | None = key("Counted by a histogram", default=None)
    by: tuple[LabelName, ...] = key("An objective for each combination of these", default=())
    min_events: int = key(
        "Fewest events in an alert's long window for a verdict", default=1, bounds=(1, MOST)
    )
    help: str = key("What it promises to whom, one line", default="")
    owner: Name | None = key("Who is told, if not the service's owner", default=None)
    labels: Mapping[LabelName, str] = key("More labels of its alerts", default={})
    runbook: Runbook = key("What the pages of its alerts say", default=Runbook())
