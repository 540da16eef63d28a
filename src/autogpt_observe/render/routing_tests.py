"""Which receivers must get which alert: worked out from the spec, for amtool to hold against.

`amtool config routes test` asks the rendered configuration; this file never reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import OWNER, SEVERITY
from autogpt_observe.render.alerts import FOLDER, GENERATED
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.spec.expansion import all_alerts
from autogpt_observe.spec.routing import find_stops, mentioned_values, routing_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Notifications, Spec

ROUTING_FILE = "routing-tests.yml"
MOST_TESTS = 400
"""Each is a run of amtool, about 30 ms."""
_HEADER = f"""{GENERATED}
Alerts with these labels must go to these receivers, in this order."""


def render_routing_tests(spec: Spec, notifications: Notifications) -> Mapping[str, str]:
    """``rules/routing-tests.yml``: a test for all alerts that routes can't tell apart.

    Nothing without alerts. At most :data:`MOST_TESTS`; the header tells how many were left out.
    """
    alike: dict[tuple[str | None, ...], tuple[dict[str, str], list[str]]] = {}
    mentioned = mentioned_values(notifications)
    for name, alert in all_alerts(spec).items():
        for labels in routing_labels(spec, name, alert, mentioned):
            _, names = alike.setdefault(_told_apart(labels, mentioned), (labels, []))
            names.append(name)
    if not alike:
        return {}
    tests: list[Document] = [
        {
            "alerts": _few(list(dict.fromkeys(names))),
            "labels": labels,
            "receivers": [stop.receiver for stop in find_stops(notifications, labels)],
        }
        for labels, names in list(alike.values())[:MOST_TESTS]
    ]
    header = _HEADER
    if len(alike) > MOST_TESTS:
        header += f"\nThe first {MOST_TESTS} of {len(alike)} that routes tell apart."
    return {f"{FOLDER}/{ROUTING_FILE}": format_yaml({"tests": tests}, header=header)}


def _told_apart(
    labels: Mapping[str, str], mentioned: Mapping[str, tuple[str, ...]]
) -> tuple[str | None, ...]:
    """What routes can see of the labels, beyond severity and owner: the values that they name."""
    seen = ((labels.get(label, ""), values) for label, values in mentioned.items())
    named = tuple(value if value in values else None for value, values in seen)
    return (labels[SEVERITY], labels[OWNER], *named)


def _few(names: list[str], most: int = 3) -> str:
    listed = ", ".join(names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"
