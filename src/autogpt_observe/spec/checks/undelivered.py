"""Checks that what alerts say is heard: each reaches a receiver that is not always silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import OWNER, SEVERITY
from autogpt_observe.spec.checks.intervals import is_never_heard
from autogpt_observe.spec.model import BurnCondition
from autogpt_observe.spec.routing import find_stops, mentioned_values, routing_labels, walk_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.names import Name
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert, Notifications


def check_delivered(context: Context, notifications: Notifications) -> None:
    """Check that every alert, with whatever labels it comes, is heard at some time of the week."""
    intervals = notifications.time_intervals
    silent = {
        names
        for names, route in walk_routes(notifications.routes)
        if is_never_heard(route, intervals)
    }
    if not silent:
        return
    mentioned = mentioned_values(notifications)
    for name, alert in context.alerts.items():
        _check_alert(context, notifications, (name, alert), mentioned, silent)


def _check_alert(
    context: Context,
    notifications: Notifications,
    named: tuple[Name, Alert],
    mentioned: Mapping[str, tuple[str, ...]],
    silent: set[tuple[Name, ...]],
) -> None:
    name, alert = named
    for labels in routing_labels(context.spec, name, alert, mentioned):
        stops = find_stops(notifications, labels)
        if all(stop.path in silent for stop in stops):
            routes = " and ".join(f"`{'.'.join(stop.path)}`" for stop in stops)
            varied = {k: v for k, v in labels.items() if k not in (SEVERITY, OWNER)}
            with_ = ", ".join(f'{label}="{value}"' for label, value in varied.items())
            message = f"`{name}`{f' with {with_}' if with_ else ''} is never heard of:"
            message += f" {routes} is silent all week"
            fix = "give the route times at which it speaks, or waive this with the reason"
            path: Path = ("alerts", name)
            if name not in context.spec.alerts and isinstance(alert.when, BurnCondition):
                path = ("slos", alert.when.slo)
            context.warn("notify/undelivered", message, path, fix=fix)
            return
