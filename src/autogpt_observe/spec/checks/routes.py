"""Checks of the tree of routes: each can take an alert, and groups alerts in a way that works."""

from __future__ import annotations

import re
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import suggest
from autogpt_observe.names import OWNER, SEVERITY, TARGET_LABELS, PromQL
from autogpt_observe.spec.model import Severity
from autogpt_observe.spec.routing import (
    STANDARD_LABELS,
    conditions_of,
    possible_labels,
    route_path,
    walk_routes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import GroupLabel, Name
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Notifications, Route
    from autogpt_observe.units import Duration

_ALL = "..."
_WORD = re.compile(r"\w+", re.ASCII)
_MOST_POINTS = 10_000
_Asked = dict[str, tuple[str, ...]]


def check_routes(context: Context, notifications: Notifications) -> None:
    """Check every route below `notifications`, and the grouping that all start from."""
    top: Path = ("notifications",)
    grouped = [notifications.group_by]
    grouped += [route.group_by or () for _, route in walk_routes(notifications.routes)]
    unusual = {str(label) for labels in grouped for label in labels} - {*STANDARD_LABELS, _ALL}
    known = _known_labels(context) if unusual else frozenset[str]()
    _check_labels(context, notifications.group_by, (*top, "group_by"), known)
    _check_waits(context, top, notifications.group_interval, notifications.repeat_interval)
    waits = (notifications.group_interval, notifications.repeat_interval)
    _check_level(context, notifications.routes, (), {}, waits, known)


def _check_level(  # noqa: PLR0913, PLR0917 - what routes inherit goes down the tree with them
    context: Context,
    routes: Mapping[Name, Route],
    names: tuple[Name, ...],
    above: _Asked,
    waits: tuple[Duration, Duration],
    known: frozenset[str],
) -> None:
    earlier: dict[Name, _Asked] = {}
    for name, route in routes.items():
        path = route_path((*names, name))
        own = (route.group_interval or waits[0], route.repeat_interval or waits[1])
        if route.group_interval is not None or route.repeat_interval is not None:
            _check_waits(context, path, *own)
        if route.group_by is not None:
            _check_labels(context, route.group_by, (*path, "group_by"), known)
            if not route.group_by:
                message = "Alertmanager takes an empty `group_by` for none: it stays as above"
                fix = "list labels, `[...]` for all of them, or leave the key out"
                context.error("notify/grouping", message, (*path, "group_by"), fix=fix)
        asked = _check_asked(context, route, path, above)
        if asked is not None:
            _check_shadowed(context, asked, path, earlier)
            if not route.continue_:
                earlier[name] = asked
            _check_level(context, route.routes, (*names, name), asked, own, known)


def _check_asked(context: Context, route: Route, path: Path, above: _Asked) -> _Asked | None:
    """What an alert must have to come to the route; None where no alert can."""
    for label in (SEVERITY, OWNER):
        if label in route.labels:
            message = f"`{label}` is a key of the route itself"
            at = context.key_at((*path, "labels", label))
            context.error("notify/route", message, at, fix="move it out of `labels`")
    asked = dict(above)
    for label, values in conditions_of(route).items():
        place = (*path, label) if label in (SEVERITY, OWNER) else (*path, "labels", label)
        asked[label] = tuple(value for value in values if value in above.get(label, values))
        if not values:
            message = f"`{label}` lists no value, so no alert fits"
            context.error("notify/route", message, place, fix="list values, or remove it")
        elif not asked[label]:
            allowed = " or ".join(f"`{value}`" for value in above[label])
            message = f"the routes above `{path[-1]}` let only {allowed} through"
            context.error("notify/route", message, place, fix="widen them, or move this one out")
    return asked if all(asked.values()) else None


def _check_shadowed(
    context: Context, asked: _Asked, path: Path, earlier: Mapping[Name, _Asked]
) -> None:
    alone = next((name for name, other in earlier.items() if _covers(other, asked)), None)
    if alone is not None:
        message = f"all that `{path[-1]}` asks for goes to `{alone}` before it"
        fix = f"move it above `{alone}`, or let that say `continue: true`"
        context.error("notify/shadowed", message, path, fix=fix)
    elif earlier and _all_taken(asked, tuple(earlier.values())):
        listed = ", ".join(f"`{name}`" for name in earlier)
        message = f"all that `{path[-1]}` asks for is taken before it, by {listed} together"
        context.error("notify/shadowed", message, path, fix="move it up, or remove it")


def _covers(other: _Asked, asked: _Asked) -> bool:
    every = dict.fromkeys((SEVERITY,), tuple(map(str, Severity)))
    wanted = every | asked
    return all(
        label in wanted and set(wanted[label]) <= set(values) for label, values in other.items()
    )


def _all_taken(asked: _Asked, earlier: Sequence[_Asked]) -> bool:
    """Whether each alert that is asked for fits one of the earlier ones, though not all the same.

    Tried with every value that any of them names, and one that none does; severities are known.
    """
    domains: dict[str, tuple[str | None, ...]] = {SEVERITY: tuple(map(str, Severity))}
    for other in earlier:
        for label, values in other.items():
            if label != SEVERITY:
                domains[label] = (*domains.get(label, (None,)), *values)
    domains |= {label: values for label, values in asked.items() if label in domains}
    if prod(map(len, domains.values())) > _MOST_POINTS:
        return False
    points = (dict(zip(domains, point, strict=True)) for point in product(*domains.values()))
    return all(
        any(all(point[label] in values for label, values in other.items()) for other in earlier)
        for point in points
    )


def _check_waits(
    context: Context, path: Path, group_interval: Duration, repeat_interval: Duration
) -> None:
    waits = {"group_interval": group_interval, "repeat_interval": repeat_interval}
    for key, wait in waits.items():
        if not wait.ms:
            message = f"`{key}` is 0s, which Alertmanager refuses"
            context.error("notify/grouping", message, (*path, key), fix="write a time above zero")
            return
    if repeat_interval < group_interval:
        message = (
            f"`repeat_interval` is {repeat_interval}, but a group is looked at only every"
            f" {group_interval}, its `group_interval`"
        )
        fix = f"repeat after {group_interval} or more, or look more often"
        context.error("notify/grouping", message, (*path, "repeat_interval"), fix=fix)


def _check_labels(
    context: Context, labels: Sequence[GroupLabel], path: Path, known: frozenset[str]
) -> None:
    for index, label in enumerate(labels):
        at = (*path, index)
        if label in labels[:index]:
            message = f"`{label}` stands twice in `group_by`"
            context.error("notify/grouping", message, at, fix="remove one of the two")
        elif label == _ALL and len(labels) > 1:
            message = f"`{_ALL}` means all labels, so nothing stands beside it"
            context.error("notify/grouping", message, at, fix=f"write `group_by: [{_ALL}]`")
        elif label != _ALL and known and label not in known:
            near = suggest(label, sorted(known))
            fix = f"did you mean `{near}`?" if near else "remove it"
            message = f"no alert has the label `{label}`"
            context.warn("notify/grouping", message, at, fix=fix)


def _known_labels(context: Context) -> frozenset[str]:
    """Every label that an alert may have, as far as the spec says; none where it has no alert."""
    return frozenset(_labels_of_alerts(context))


def _labels_of_alerts(context: Context) -> Iterator[str]:
    spec = context.spec
    for alert in context.alerts.values():
        yield from possible_labels(spec, alert) or (*STANDARD_LABELS, *map(str, alert.labels))
        if isinstance(alert.when, PromQL):
            yield from _WORD.findall(alert.when)
            yield from TARGET_LABELS
            yield from context.declared("attributes")
            for metric in spec.metrics.values():
                yield from map(str, metric.labels)
