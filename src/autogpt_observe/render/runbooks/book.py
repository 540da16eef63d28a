"""What all pages are made of, worked out once: a spec can imply thousands of alerts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.render.conditions import condition_expr
from autogpt_observe.render.readers import (
    panels_of,
    read_by_condition,
    read_by_panel,
    sources_of,
)
from autogpt_observe.render.reference import metric_anchors
from autogpt_observe.render.slo import burn_expr, objective_rules
from autogpt_observe.spec.expansion import burn_alerts, with_implied_alerts
from autogpt_observe.spec.inhibition import all_silencings
from autogpt_observe.spec.model import BurnCondition
from autogpt_observe.spec.routing import mentioned_values, result_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.spec.inhibition import Silencing
    from autogpt_observe.spec.model import Panel, Row, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A spec and what follows from it for the pages of its alerts.

    Attributes:
        spec: the spec with the alerts of its objectives declared in it.
        queries: the PromQL of every alert.
        read: for each alert the metrics and recorded series it reads, and what those are made of.
        pages: the page of each alert, as seen from the others.
        related: for each set of series that an alert reads, all alerts that read one of them.
        shown: for each of these, the panels that show it, each with its dashboard and row.
        silences: for each alert, what it silences.
        silenced: for each alert, what silences it.
        anchors: for each metric and recorded series, its heading in the reference.
        mentioned: for each label that a route looks at, the values that routes name.
    """

    spec: Spec
    queries: Mapping[Name, str]
    read: Mapping[Name, tuple[str, ...]]
    pages: Mapping[str, str]
    related: Mapping[tuple[str, ...], Sequence[Name]]
    shown: Mapping[str, Sequence[tuple[Name, Row, Panel]]]
    silences: Mapping[Name, Sequence[Silencing]]
    silenced: Mapping[Name, Sequence[Silencing]]
    anchors: Mapping[str, str]
    mentioned: Mapping[str, tuple[str, ...]]

    def by(self, name: Name) -> tuple[str, ...]:
        """The labels by which an alert judges; none are known of raw PromQL."""
        return tuple(map(str, result_labels(self.spec, self.spec.alerts[name]) or ()))


def open_book(declared: Spec) -> Book:
    """Everything that the pages of ``declared`` need."""
    spec = with_implied_alerts(declared)
    read = {
        name: sources_of(read_by_condition(alert.when, spec), spec)
        for name, alert in spec.alerts.items()
    }
    silences: dict[Name, list[Silencing]] = defaultdict(list)
    silenced: dict[Name, list[Silencing]] = defaultdict(list)
    for silencing in all_silencings(declared, spec.alerts):
        silences[silencing.source].append(silencing)
        silenced[silencing.target].append(silencing)
    return Book(
        spec=spec,
        queries=_queries(spec),
        read=read,
        pages={str(name): f"{name}.md" for name in spec.alerts},
        related=_related(read),
        shown=_shown(spec),
        silences=dict(silences),
        silenced=dict(silenced),
        anchors=metric_anchors(spec),
        mentioned=mentioned_values(spec.notifications) if spec.notifications is not None else {},
    )


def _related(read: Mapping[Name, tuple[str, ...]]) -> dict[tuple[str, ...], tuple[Name, ...]]:
    readers: dict[str, list[Name]] = defaultdict(list)
    for name, series in read.items():
        for one in series:
            readers[one].append(name)
    return {
        series: tuple(dict.fromkeys(name for one in series for name in readers[one]))
        for series in set(read.values())
    }


def _queries(spec: Spec) -> dict[Name, str]:
    found = {
        name: condition_expr(alert.when, spec)
        for name, alert in spec.alerts.items()
        if not isinstance(alert.when, BurnCondition)
    }
    for slo, alerts in burn_alerts(spec).items():
        rules = objective_rules(spec, slo, spec.slos[slo], alerts.values())
        for name, alert in alerts.items():
            if rules is not None and isinstance(alert.when, BurnCondition):
                found[name] = burn_expr(alert.when, rules)
    return found


def _shown(spec: Spec) -> dict[str, list[tuple[Name, Row, Panel]]]:
    found: dict[str, list[tuple[Name, Row, Panel]]] = defaultdict(list)
    for name, dashboard in spec.dashboards.items():
        for row, panel in panels_of(dashboard):
            for series in sources_of(read_by_panel(panel, spec), spec):
                found[series].append((name, row, panel))
    return dict(found)
