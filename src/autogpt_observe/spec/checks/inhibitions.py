"""Checks of `inhibits`: alerts silence others of the same kind, and never all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.spec.inhibition import all_silencings, declared_silencings
from autogpt_observe.spec.routing import fixed_labels, possible_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert, Inhibition

_ID = "notify/inhibits"


def check_inhibitions(context: Context) -> None:
    """Check what every alert silences."""
    if not any(alert.inhibits for alert in context.spec.alerts.values()):
        return
    alerts = context.alerts
    known = tuple(dict.fromkeys((*context.declared("alerts"), *map(str, alerts))))
    for name, alert in context.spec.alerts.items():
        for target, inhibition in alert.inhibits.items():
            path = ("alerts", name, "inhibits", target)
            if target == name:
                context.error(_ID, f"`{name}` can't silence itself", path, fix="remove it")
            elif target not in known:
                fix = did_you_mean(target, tuple(word for word in known if word != name))
                context.error(_ID, f"there is no alert `{target}`", path, fix=fix)
            elif alert.watchdog or (target in alerts and alerts[target].watchdog):
                watchdog = name if alert.watchdog else target
                message = f"`{watchdog}` is a watchdog, which fires always and must be heard"
                context.error(_ID, message, path, fix="remove it")
            elif target in alerts:
                pair = {name: alert, target: alerts[target]}
                _check_same(context, pair, inhibition, path)
    _check_cycles(context)


def _check_same(
    context: Context, alerts: Mapping[Name, Alert], inhibition: Inhibition, path: Path
) -> None:
    """Check that both alerts have the labels in which they must agree."""
    spec = context.spec
    pair = tuple(alerts)
    fixed = [fixed_labels(spec, name, alert) for name, alert in alerts.items()]
    possible = [possible_labels(spec, alert) for alert in alerts.values()]
    for index, label in enumerate(inhibition.same):
        at = (*path, "same", index)
        lacking = [
            name
            for name, labels in zip(pair, possible, strict=True)
            if labels is not None and label not in labels
        ]
        if lacking:
            who = " and ".join(f"`{name}`" for name in lacking)
            message = f"{who} {'have' if len(lacking) > 1 else 'has'} no label `{label}`"
            fix = "list labels that both alerts have; one that neither has makes no difference"
            context.error(_ID, message, at, fix=fix)
        elif label in fixed[0] and label in fixed[1] and fixed[0][label] != fixed[1][label]:
            message = (
                f"`{pair[0]}` and `{pair[1]}` never agree in `{label}`:"
                f" it is `{fixed[0][label]}` and `{fixed[1][label]}`"
            )
            context.error(_ID, message, at, fix="remove it from `same`")


def _check_cycles(context: Context) -> None:
    """Report alerts that silence each other: all of them firing, nobody would be told."""
    declared = declared_silencings(context.spec.alerts, context.alerts)
    edges: dict[str, list[str]] = {}
    for silencing in all_silencings(context.spec, context.alerts):
        edges.setdefault(silencing.source, []).append(silencing.target)
    reported: set[frozenset[str]] = set()
    for silencing in declared:
        if silencing.source == silencing.target:
            continue
        way = _way(edges, silencing.target, silencing.source)
        if way is not None and frozenset(way) not in reported:
            reported.add(frozenset(way))
            ring = ", ".join(f"`{name}`" for name in (silencing.source, *way[:-1]))
            message = f"{ring} silence each other: if all fire, nobody is told"
            path = ("alerts", silencing.source, "inhibits", silencing.target)
            context.error(_ID, message, path, fix="keep the ones that name the cause")


def _way(edges: Mapping[str, Sequence[str]], start: str, goal: str) -> list[str] | None:
    """The names on a shortest way from ``start`` to ``goal``, both included."""
    before: dict[str, str] = {}
    level = [start]
    while level and goal not in before:
        reached = [(target, name) for name in level for target in edges.get(name, ())]
        level = []
        for target, name in reached:
            if target not in before and target != start:
                before[target] = name
                level.append(target)
    if goal not in before:
        return None
    way = [goal]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
