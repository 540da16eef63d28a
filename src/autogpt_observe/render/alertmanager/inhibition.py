"""Alertmanager's inhibition rules.

A label that neither alert has counts as equal there; the checks refuse one in `same`. An alert
never silences itself: source and target differ in name, or in severity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import ALERT_NAME, SEVERITY
from autogpt_observe.render.alertmanager.matchers import matcher, quote
from autogpt_observe.spec.expansion import BURN_LABELS, all_alerts
from autogpt_observe.spec.inhibition import all_silencings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.inhibition import Silencing
    from autogpt_observe.spec.model import Spec


def render_inhibitions(spec: Spec) -> list[Document]:
    """The rules: one for the alerts of all objectives, then those of the others."""
    silencings = all_silencings(spec, all_alerts(spec))
    implied = [s for s in silencings if {s.source, s.target}.isdisjoint(spec.alerts)]
    others = [s for s in silencings if not {s.source, s.target}.isdisjoint(spec.alerts)]
    rules: list[Document] = [_rule_of_objectives(implied)] if implied else []
    return rules + [
        {
            "source_matchers": [matcher(ALERT_NAME, sources)],
            "target_matchers": [matcher(ALERT_NAME, targets)],
            "equal": equal,
        }
        for sources, targets, equal in _merged(others)
    ]


def _rule_of_objectives(silencings: Sequence[Silencing]) -> Document:
    """A page silences the tickets of its objective, in a single rule for a thousand objectives.

    Only implied alerts have all of these labels. `equal` lists what any objective is judged by:
    page and ticket of another one both lack it, which counts as equal.
    """
    present = [f"{label}!={quote('')}" for label in BURN_LABELS]
    page, ticket = (matcher(SEVERITY, [severity]) for severity in ("critical", "warning"))
    equal = dict.fromkeys(label for silencing in silencings for label in silencing.equal)
    return {
        "source_matchers": [page, *present],
        "target_matchers": [ticket, *present],
        "equal": tuple(equal),
    }


def _merged(
    silencings: Sequence[Silencing],
) -> list[tuple[Sequence[str], Sequence[str], Sequence[str]]]:
    """As few (sources, targets, equal) as say the same: each source silences each target."""
    targets: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for silencing in silencings:
        targets.setdefault((silencing.source, silencing.equal), []).append(silencing.target)
    sources: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (source, equal), silenced in targets.items():
        sources.setdefault((tuple(silenced), equal), []).append(source)
    return [(sources, targets, equal) for (targets, equal), sources in sources.items()]
