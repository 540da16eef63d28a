"""Checks of `notifications`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean, looks_secret

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context, Path


def check_notifications(context: Context) -> None:
    """Check that every receiver that is named exists and tells somebody."""
    notifications = context.spec.notifications
    if notifications is None:
        return
    known = tuple(notifications.receivers)
    named: list[tuple[str, Path]] = [(notifications.default, ("notifications", "default"))]
    for name, route in notifications.routes.items():
        named.append((route.receiver, ("notifications", "routes", name, "receiver")))
    for receiver, path in named:
        if receiver not in known:
            message = f"there is no receiver `{receiver}`"
            context.error("notify/receiver", message, path, fix=did_you_mean(receiver, known))
    for name, declared in notifications.receivers.items():
        if declared.webhook is None:
            message = f"the receiver `{name}` tells nobody"
            path = ("notifications", "receivers", name)
            context.error("notify/receiver", message, path, fix="add a `webhook:`")
        elif looks_secret(declared.webhook.url):
            path = ("notifications", "receivers", name, "webhook", "url")
            message = f"the address of the receiver `{name}` holds what looks like a secret"
            fix = "every file of the bundle would show it; put a proxy that adds it in between"
            context.error("notify/secret", message, path, fix=fix)
