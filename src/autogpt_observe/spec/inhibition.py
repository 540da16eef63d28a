"""Which alert silences which: what `inhibits` says, and an alert over milder ones of its kind.

What counts as the same thing: docs/adr/0005-same-thing.md
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, TypeAlias

from autogpt_observe.names import ENVIRONMENT, SERVICE, PromQL
from autogpt_observe.spec.model import Severity
from autogpt_observe.spec.routing import result_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.spec.model import Alert, Spec

_ALWAYS_EQUAL = (SERVICE, ENVIRONMENT)
_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
_LIMITS = frozenset(
    {"above", "below", "window", "min_events", "older_than", "ahead", "long", "short", "factor"}
)
"""Fields of conditions that say how bad it is, not what it is about."""
_Key: TypeAlias = "tuple[Hashable, ...]"


@dataclass(frozen=True, slots=True)
class Silencing:
    """While ``source`` fires, ``target`` is silent where they agree in the labels ``equal``."""

    source: Name
    target: Name
    equal: tuple[str, ...]


def all_silencings(spec: Spec, alerts: Mapping[Name, Alert]) -> tuple[Silencing, ...]:
    """What alerts say they silence, and milder ones about the same thing.

    Those are left out where the spec says so: an objective's tickets, too. ``alerts`` are those of
    `all_alerts`.
    """
    if spec.notifications is None or not spec.notifications.silence_milder:
        return declared_silencings(spec.alerts, alerts)
    return (*declared_silencings(alerts, alerts), *_derived_silencings(spec, alerts))


def declared_silencings(
    sources: Mapping[Name, Alert], alerts: Mapping[Name, Alert]
) -> tuple[Silencing, ...]:
    """What the `inhibits` of the sources say, as far as those are among ``alerts``."""
    return tuple(
        Silencing(name, target, _equal(inhibition.same))
        for name, alert in sources.items()
        for target, inhibition in alert.inhibits.items()
        if target in alerts  # one that a layer removed is still named by a pack's alert
    )


def _derived_silencings(spec: Spec, alerts: Mapping[Name, Alert]) -> tuple[Silencing, ...]:
    alike: dict[_Key, list[tuple[Name, Alert]]] = {}
    for name, alert in alerts.items():
        subject = _subject(alert)
        if subject is not None and not alert.watchdog:
            owner = alert.owner if alert.owner is not None else spec.service.owner
            alike.setdefault((owner, *subject), []).append((name, alert))
    return tuple(
        Silencing(name, milder, _equal(result_labels(spec, alert) or ()))
        for group in alike.values()
        for name, alert in group
        for milder, other in group
        if _RANK[other.severity] < _RANK[alert.severity] and milder not in alert.inhibits
    )


def _equal(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*_ALWAYS_EQUAL, *map(str, labels))))


def _subject(alert: Alert) -> _Key | None:
    """What the condition is about, without its limits; None for raw PromQL: it can't be told."""
    when = alert.when
    if isinstance(when, PromQL):
        return None
    limits = {field.name: getattr(when, field.name) for field in fields(when)}
    kept = tuple(_hashable(value) for name, value in limits.items() if name not in _LIMITS)
    return (type(when).__name__, limits.get("below") is None, *kept)


def _hashable(value: object) -> Hashable:
    """``value`` with the order of lists and maps left out, which means nothing there."""
    if isinstance(value, Mapping):
        return frozenset((key, _hashable(inner)) for key, inner in value.items())
    if isinstance(value, tuple):
        return frozenset(value)
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(_hashable(getattr(value, field.name)) for field in fields(value))
    return value
