"""Checks of `notifications`: receivers that can tell somebody, without a secret in the spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean, looks_secret
from autogpt_observe.spec.build import yaml_key
from autogpt_observe.spec.checks.inhibitions import check_inhibitions
from autogpt_observe.spec.checks.intervals import check_intervals
from autogpt_observe.spec.checks.routes import check_routes
from autogpt_observe.spec.checks.undelivered import check_delivered
from autogpt_observe.spec.routing import route_path, walk_routes
from autogpt_observe.units import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Notifications, Receiver

_TOP = "notifications"
_OLDEST = Version((0, 22, 0))
_SINCE: Mapping[tuple[str, str], Version] = {
    ("webhook", "url_file"): Version((0, 26, 0)),
    ("pagerduty", "routing_key_file"): Version((0, 25, 0)),
    ("opsgenie", "api_key_file"): Version((0, 24, 0)),
    ("email", "password_file"): Version((0, 25, 0)),
}
"""The first Alertmanager that takes a receiver's key; those of the others are older than `_OLDEST`.

https://github.com/prometheus/alertmanager/blob/main/CHANGELOG.md
"""
_ACTIVE_SINCE = Version((0, 24, 0))
_LOCATION_SINCE = Version((0, 25, 0))


def check_notifications(context: Context) -> None:
    """Check who is told: receivers, routes, time intervals, and what alerts silence."""
    check_inhibitions(context)
    notifications = context.spec.notifications
    if notifications is None:
        return
    _check_receivers(context, notifications)
    _check_secrets(context, notifications)
    _check_versions(context, notifications)
    check_intervals(context, notifications)
    check_routes(context, notifications)
    check_delivered(context, notifications)


def _check_receivers(context: Context, notifications: Notifications) -> None:
    known = tuple(notifications.receivers)
    named: list[tuple[str, Path]] = [(notifications.default, (_TOP, "default"))]
    for names, route in walk_routes(notifications.routes):
        named.append((route.receiver, (*route_path(names), "receiver")))
    slips = sum(receiver not in known for receiver, _ in named)  # whose receiver seems unused
    for receiver, path in named:
        if receiver not in known:
            message = f"there is no receiver `{receiver}`"
            context.error("notify/receiver", message, path, fix=did_you_mean(receiver, known))
    for name, declared in notifications.receivers.items():
        path = (_TOP, "receivers", name)
        if not any(getattr(declared, field.name) is not None for field in fields(declared)):
            message = f"the receiver `{name}` tells nobody"
            ways = ", ".join(f"`{field.name}`" for field in fields(declared))
            context.error("notify/receiver", message, path, fix=f"add one or more of {ways}")
        elif slips == 0 and name not in {receiver for receiver, _ in named}:
            message = f"nothing goes to the receiver `{name}`"
            fix = "name it in a route or as `default`, or remove it"
            context.warn("notify/unused", message, path, fix=fix)
        _check_email(context, declared, (*path, "email"))


def _check_email(context: Context, receiver: Receiver, path: Path) -> None:
    email = receiver.email
    if email is None:
        return
    if not email.to:
        message = f"the e-mails of `{path[-2]}` go to nobody"
        context.error("notify/receiver", message, (*path, "to"), fix="list an address")
    if (email.username is None) is not (email.password_file is None):
        given, lacks = ("username", "password_file")
        if email.username is None:
            given, lacks = lacks, given
        message = f"`{path[-2]}` gives a `{given}` and no `{lacks}`"
        fix = "give both to log in, or neither"
        context.error("notify/receiver", message, (*path, given), fix=fix)


def _check_secrets(context: Context, notifications: Notifications) -> None:
    for text, path in _texts(notifications, (_TOP,)):
        if looks_secret(text):
            in_webhook = path[3:4] == ("webhook",)
            fix = "every file of the bundle would show it; "
            fix += (
                "put the address into a file on Alertmanager's disk, and name it as `url_file`"
                if in_webhook
                else "keep it in a file on Alertmanager's disk, and refer to that"
            )
            message = f"`{path[-1]}` holds what looks like a secret"
            if isinstance(path[-1], int):
                message = f"an item of `{path[-2]}` holds what looks like a secret"
            context.error("notify/secret", message, path, fix=fix)


def _texts(value: object, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(value, str):
        yield value, path
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, (*path, name))
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), (*path, yaml_key(field.name)))


def _check_versions(context: Context, notifications: Notifications) -> None:
    target = context.spec.targets.alertmanager
    used = list(_keys_used(notifications)) if target >= _OLDEST else [((_TOP,), _OLDEST)]
    for path, since in used:
        if target < since:
            message = f"`{path[-1]}` needs Alertmanager {since}; the target is {target}"
            fix = "raise `alertmanager` under `targets` to the version that runs"
            context.error("notify/version", message, context.key_at(path), fix=fix)


def _keys_used(notifications: Notifications) -> Iterator[tuple[Path, Version]]:
    for name, receiver in notifications.receivers.items():
        for (way, key), since in _SINCE.items():
            if getattr(getattr(receiver, way), key, None) is not None:
                yield (_TOP, "receivers", name, way, key), since
    for names, route in walk_routes(notifications.routes):
        if route.active:
            yield (*route_path(names), "active"), _ACTIVE_SINCE
    for name, interval in notifications.time_intervals.items():
        if interval.timezone != "UTC":
            yield (_TOP, "time_intervals", name, "timezone"), _LOCATION_SINCE
