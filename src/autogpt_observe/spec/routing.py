"""Which receivers get an alert: a walk over the spec's routes, and the labels alerts come with.

As in Alertmanager, a label that is missing has the empty value:
https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.names import ALERT_NAME, ENVIRONMENT, OWNER, SERVICE, SEVERITY, PromQL
from autogpt_observe.spec.model import AbsentCondition, BurnCondition, Route
from autogpt_observe.spec.model.conditions import (
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.spec.model import Alert, Notifications, Spec

STANDARD_LABELS = (ALERT_NAME, SEVERITY, OWNER, SERVICE, ENVIRONMENT)
"""Labels that every alert has when it reaches Alertmanager."""

_TEMPLATE = "{{"
_MOST_COMBINATIONS = 64
"""Beyond these, the open labels of one alert are varied one at a time."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where an alert's way ends: a receiver, by the route at ``path``; the default's is empty."""

    receiver: Name
    path: tuple[Name, ...] = ()
    route: Route | None = None


def find_stops(notifications: Notifications, labels: Mapping[str, str]) -> tuple[Stop, ...]:
    """All stops of an alert with these labels, in the order of the routes."""
    found = tuple(_stops(notifications.routes, (), labels))
    return found or (Stop(notifications.default),)


def _stops(
    routes: Mapping[Name, Route], above: tuple[Name, ...], labels: Mapping[str, str]
) -> Iterator[Stop]:
    for name, route in routes.items():
        if not _takes(route, labels):
            continue
        path = (*above, name)
        below = tuple(_stops(route.routes, path, labels))
        yield from below or (Stop(route.receiver, path, route),)
        if not route.continue_:
            return


def _takes(route: Route, labels: Mapping[str, str]) -> bool:
    return all(labels.get(label, "") in values for label, values in conditions_of(route).items())


def conditions_of(route: Route) -> dict[str, tuple[str, ...]]:
    """For each label that a route looks at, the values it takes; all must fit."""
    asked: dict[str, tuple[str, ...]] = {SEVERITY: route.severity, OWNER: route.owner}
    own: dict[str, tuple[str, ...]] = {str(label): texts for label, texts in route.labels.items()}
    return {label: values for label, values in asked.items() if values} | own


def walk_routes(
    routes: Mapping[Name, Route], above: tuple[Name, ...] = ()
) -> Iterator[tuple[tuple[Name, ...], Route]]:
    """Every route with its path of names, those above first."""
    for name, route in routes.items():
        yield (*above, name), route
        yield from walk_routes(route.routes, (*above, name))


def route_path(names: tuple[Name, ...]) -> tuple[str, ...]:
    """Where the route with that path of names stands in the spec."""
    return ("notifications", *(step for name in names for step in ("routes", name)))


def mentioned_values(notifications: Notifications) -> dict[str, tuple[str, ...]]:
    """For each label that any route looks at, all values that routes name."""
    found: dict[str, dict[str, None]] = {}
    for _, route in walk_routes(notifications.routes):
        for label, values in conditions_of(route).items():
            found.setdefault(label, {}).update(dict.fromkeys(values))
    return {label: tuple(values) for label, values in found.items()}


def fixed_labels(spec: Spec, name: Name, alert: Alert) -> dict[str, str]:
    """The labels whose value is known before the alert fires, as they reach Alertmanager."""
    own = {str(label): text for label, text in alert.labels.items() if _TEMPLATE not in text}
    return {
        ALERT_NAME: name,
        SEVERITY: alert.severity.value,
        OWNER: alert.owner if alert.owner is not None else spec.service.owner,
        SERVICE: spec.service.name,
        ENVIRONMENT: spec.service.environment,
        **own,
    }


def result_labels(spec: Spec, alert: Alert) -> tuple[str, ...] | None:
    """The labels that the condition's result has; None for raw PromQL, where they are unknown."""
    when = alert.when
    match when:
        case PromQL():
            return None
        case AbsentCondition():
            return tuple(when.where)  # absent() keeps what the selector says
        case BurnCondition():
            return spec.slos[when.slo].by if when.slo in spec.slos else ()
        case (
            RatioCondition()
            | RateCondition()
            | IncreaseCondition()
            | ThresholdCondition()
            | QuantileCondition()
            | StaleCondition()
            | TrendCondition()
        ):
            return when.by
        case _:
            assert_never(when)


def possible_labels(spec: Spec, alert: Alert) -> frozenset[str] | None:
    """All labels the alert can have; None for raw PromQL, which can have any."""
    judged_by = result_labels(spec, alert)
    if judged_by is None:
        return None
    return frozenset(map(str, (*STANDARD_LABELS, *alert.labels, *judged_by)))


def routing_labels(
    spec: Spec, name: Name, alert: Alert, mentioned: Mapping[str, tuple[str, ...]]
) -> Iterator[dict[str, str]]:
    """Label sets the alert can come with, as far as routes can tell them apart.

    A label known before it fires has its value. Any other takes each value of ``mentioned`` in
    turn, and one that no route names.
    """
    fixed = fixed_labels(spec, name, alert)
    possible = possible_labels(spec, alert)
    kept = {label: fixed[label] for label in fixed if label in mentioned}
    choices: dict[str, tuple[str, ...]] = {}
    for label, values in mentioned.items():
        if label not in fixed and (possible is None or label in possible):
            choices[label] = _values(spec, label, values, may_lack=possible is None)
    base = {SEVERITY: fixed[SEVERITY], OWNER: fixed[OWNER], **kept}
    for chosen in _combinations(tuple(choices.values())):
        open_ = dict(zip(choices, chosen, strict=True))
        yield base | {label: value for label, value in open_.items() if value}


def _values(spec: Spec, label: str, mentioned: Sequence[str], *, may_lack: bool) -> tuple[str, ...]:
    attribute = next((a for key, a in spec.attributes.items() if key == label), None)
    known = attribute.values if attribute is not None else ()
    if may_lack:
        return ("", *(value for value in mentioned if value))
    if known:
        unnamed = tuple(value for value in known if value not in mentioned)[:1]
        return (*unnamed, *(value for value in mentioned if value in known))
    other = "other"
    while other in mentioned:
        other += "_"
    return (other, *(value for value in mentioned if value))


def _combinations(choices: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    if prod(map(len, choices)) <= _MOST_COMBINATIONS:
        yield from product(*choices)
        return
    first = tuple(values[0] for values in choices)
    yield first
    for at, values in enumerate(choices):
        yield from ((*first[:at], value, *first[at + 1 :]) for value in values[1:])
