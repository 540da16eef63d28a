"""Alertmanager: who is told of which alert, how alerts are grouped and how often they repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import OWNER, SEVERITY
from autogpt_observe.promql import quote_regex, quote_string
from autogpt_observe.render.alerts import FOLDER, GENERATED
from autogpt_observe.render.emit import format_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Notifications, Receiver, Route, Spec


def render(spec: Spec) -> Mapping[str, str]:
    """``rules/alertmanager.yml``; nothing without notifications."""
    if spec.notifications is None:
        return {}
    text = format_yaml(_config(spec.notifications), header=GENERATED)
    return {f"{FOLDER}/alertmanager.yml": text}


def _config(notifications: Notifications) -> dict[str, Document]:
    route: dict[str, Document] = {
        "receiver": notifications.default,
        "group_by": notifications.group_by,
        "group_wait": str(notifications.group_wait),
        "group_interval": str(notifications.group_interval),
        "repeat_interval": str(notifications.repeat_interval),
    }
    if notifications.routes:
        route["routes"] = [_route(route) for route in notifications.routes.values()]
    receivers = [_receiver(name, item) for name, item in notifications.receivers.items()]
    return {"route": route, "receivers": receivers}


def _route(route: Route) -> dict[str, Document]:
    child: dict[str, Document] = {"receiver": route.receiver}
    matchers = [
        _matcher(label, values)
        for label, values in ((SEVERITY, route.severity), (OWNER, route.owner))
        if values
    ]
    if matchers:
        child["matchers"] = matchers
    if route.continue_:
        child["continue"] = True
    return child


def _matcher(label: str, values: Sequence[str]) -> str:
    """A matcher in Alertmanager's own syntax, which quotes as PromQL does.

    https://prometheus.io/docs/alerting/latest/configuration/#matcher
    """
    if len(values) == 1:
        return f"{label}={quote_string(values[0])}"
    return f"{label}=~{quote_string('|'.join(quote_regex(value) for value in values))}"


def _receiver(name: Name, receiver: Receiver) -> dict[str, Document]:
    rendered: dict[str, Document] = {"name": name}
    if receiver.webhook is not None:
        webhook: Document = {
            "url": receiver.webhook.url,
            "send_resolved": receiver.webhook.send_resolved,
        }
        rendered["webhook_configs"] = [webhook]
    return rendered
