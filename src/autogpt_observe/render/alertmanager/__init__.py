"""Alertmanager: who is told of which alert, in what words, when, and which alert silences which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.render.alertmanager.inhibition import render_inhibitions
from autogpt_observe.render.alertmanager.matchers import matcher
from autogpt_observe.render.alertmanager.receivers import render_receiver
from autogpt_observe.render.alerts import FOLDER, GENERATED
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.render.routing_tests import render_routing_tests
from autogpt_observe.spec.routing import conditions_of
from autogpt_observe.units import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.names import Name
    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Notifications, Route, Spec, TimeInterval

_INTERVALS_RENAMED = Version((0, 24, 0))
"""From here on `mute_time_intervals` at the top is called `time_intervals`."""


def render(spec: Spec) -> Mapping[str, str]:
    """The configuration, and what it must do with every alert; nothing without notifications."""
    if spec.notifications is None:
        return {}
    text = format_yaml(_config(spec, spec.notifications), header=GENERATED)
    return {
        f"{FOLDER}/alertmanager.yml": text,
        **render_routing_tests(spec, spec.notifications),
    }


def _config(spec: Spec, notifications: Notifications) -> dict[str, Document]:
    route: dict[str, Document] = {
        "receiver": notifications.default,
        "group_by": notifications.group_by,
        "group_wait": str(notifications.group_wait),
        "group_interval": str(notifications.group_interval),
        "repeat_interval": str(notifications.repeat_interval),
    }
    if notifications.routes:
        route["routes"] = [_route(route) for route in notifications.routes.values()]
    receivers = [render_receiver(name, item) for name, item in notifications.receivers.items()]
    config: dict[str, Document] = {"route": route, "receivers": receivers}
    if inhibitions := render_inhibitions(spec):
        config["inhibit_rules"] = inhibitions
    if notifications.time_intervals:
        renamed = spec.targets.alertmanager >= _INTERVALS_RENAMED
        config["time_intervals" if renamed else "mute_time_intervals"] = [
            _interval(name, interval) for name, interval in notifications.time_intervals.items()
        ]
    return config


def _route(route: Route) -> dict[str, Document]:
    child: dict[str, Document] = {"receiver": route.receiver}
    if conditions := conditions_of(route):
        child["matchers"] = [matcher(label, values) for label, values in conditions.items()]
    if route.group_by is not None:
        child["group_by"] = route.group_by
    waits = ("group_wait", "group_interval", "repeat_interval")
    for key, wait in zip(
        waits, (route.group_wait, route.group_interval, route.repeat_interval), strict=True
    ):
        if wait is not None:
            child[key] = str(wait)
    if route.active:
        child["active_time_intervals"] = route.active
    if route.mute:
        child["mute_time_intervals"] = route.mute
    if route.continue_:
        child["continue"] = True
    if route.routes:
        child["routes"] = [_route(below) for below in route.routes.values()]
    return child


def _interval(name: Name, interval: TimeInterval) -> dict[str, Document]:
    times: dict[str, Document] = {}
    if interval.weekdays:
        times["weekdays"] = [day.value for day in interval.weekdays]
    if interval.times:
        ranges = [clock.split("-") for clock in interval.times]
        times["times"] = [{"start_time": start, "end_time": end} for start, end in ranges]
    if interval.timezone != "UTC":  # Alertmanager's own default, and all that older ones know
        times["location"] = interval.timezone
    return {"name": name, "time_intervals": [times]}
