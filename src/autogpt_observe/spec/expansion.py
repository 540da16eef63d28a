"""What a spec implies beyond what it declares: the alerts of its objectives."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.names import LabelName, Name
from autogpt_observe.slo import PLANS, BurnAlert, burn_threshold, time_to_exhaustion
from autogpt_observe.spec.model import Alert, BurnCondition, Inhibition, Severity
from autogpt_observe.units import Ratio, format_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.spec.model import Objective, Spec

SLO_LABEL = LabelName("slo")
LONG_LABEL = LabelName("long_window")
SHORT_LABEL = LabelName("short_window")
BURN_LABELS = (SLO_LABEL, LONG_LABEL, SHORT_LABEL)
"""Labels that every implied alert has of its own."""

_WORD_END = re.compile(r"[-_]+")
_SUMMARY, _DESCRIPTION = LabelName("summary"), LabelName("description")


def all_alerts(spec: Spec) -> Mapping[Name, Alert]:
    """The declared alerts, then those that the objectives imply, in the order of the spec."""
    return _all_alerts(_Same(spec)) if spec.slos else spec.alerts


class _Same:
    """A spec as a key: checks and renderers ask in turn for what one and the same spec implies."""

    __slots__ = ("spec",)

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.spec is other.spec

    def __hash__(self) -> int:
        return id(self.spec)


@lru_cache(maxsize=2)
def _all_alerts(same: _Same) -> Mapping[Name, Alert]:
    alerts = dict(same.spec.alerts)
    for name, objective in same.spec.slos.items():
        for alert_name, alert in implied_alerts(name, objective).items():
            alerts.setdefault(alert_name, alert)
    return MappingProxyType(alerts)


def with_implied_alerts(spec: Spec) -> Spec:
    """``spec`` with the implied alerts declared in it; on such a spec this changes nothing."""
    return replace(spec, alerts=all_alerts(spec)) if spec.slos else spec


def burn_alerts(spec: Spec) -> Mapping[Name, Mapping[Name, Alert]]:
    """For each objective its alerts by name, the implied and the declared ones."""
    found: dict[Name, dict[Name, Alert]] = {name: {} for name in spec.slos}
    for name, alert in all_alerts(spec).items():
        if isinstance(alert.when, BurnCondition) and alert.when.slo in found:
            found[alert.when.slo][name] = alert
    return found


def alerts_of(spec: Spec, slo: Name) -> Mapping[Name, Alert]:
    """The alerts of one objective by name, the implied and the declared ones."""
    alerts = {
        name: alert
        for name, alert in spec.alerts.items()
        if isinstance(alert.when, BurnCondition) and alert.when.slo == slo
    }
    for name, alert in implied_alerts(slo, spec.slos[slo]).items():
        alerts.setdefault(name, alert)
    return alerts


def implied_alerts(name: Name, objective: Objective) -> dict[Name, Alert]:
    """The alerts of the objective ``name``; none for a window that has no plan.

    Alerts that no share of bad events could reach are left out.
    """
    plan = reachable_plan(objective)
    names = [alert_name(name, burn) for burn in plan]
    tickets = [n for n, burn in zip(names, plan, strict=True) if not burn.is_page]
    silenced = Inhibition(same=(SLO_LABEL, *objective.by))
    inhibits = MappingProxyType(dict.fromkeys(tickets, silenced))
    return {
        own_name: _alert(name, objective, burn, inhibits if burn.is_page else MappingProxyType({}))
        for own_name, burn in zip(names, plan, strict=True)
    }


def reachable_plan(objective: Objective) -> tuple[BurnAlert, ...]:
    """The alerts of the objective's plan whose threshold some share of bad events is above."""
    share = objective.objective.value
    return tuple(
        burn for burn in PLANS.get(objective.window, ()) if burn_threshold(burn.factor, share) < 1
    )


def alert_name(slo: str, burn: BurnAlert) -> Name:
    """What an implied alert is called: ``AgentRunsErrorBudgetBurn1h``."""
    words = (word[:1].upper() + word[1:] for word in _WORD_END.split(slo))
    return Name(f"{''.join(words)}ErrorBudgetBurn{burn.long}")


def _alert(
    name: Name, objective: Objective, burn: BurnAlert, inhibits: Mapping[Name, Inhibition]
) -> Alert:
    when = BurnCondition(slo=name, long=burn.long, short=burn.short, factor=Ratio(burn.factor))
    own = {SLO_LABEL: str(name), LONG_LABEL: str(burn.long), SHORT_LABEL: str(burn.short)}
    runbook = objective.runbook
    if objective.help and not runbook.meaning:
        runbook = replace(runbook, meaning=objective.help)
    return Alert(
        when=when,
        for_=burn.hold,
        severity=Severity.CRITICAL if burn.is_page else Severity.WARNING,
        owner=objective.owner,
        labels=MappingProxyType({**own, **objective.labels}),
        annotations=_texts(name, objective, when),
        inhibits=inhibits,
        runbook=runbook,
    )


def _texts(name: Name, objective: Objective, when: BurnCondition) -> Mapping[LabelName, str]:
    factor = when.factor.value
    lasts = time_to_exhaustion(factor, objective.window)
    groups = "".join(f" {label} {{{{ $labels.{label} }}}}" for label in objective.by)
    where = f", for{groups}," if groups else ""
    speed = "faster" if factor == 1 else f"{format_decimal(factor)} times faster"
    summary = f"{name}{where} burns its error budget {speed} than it may"
    description = (
        f"{{{{ $value | humanizePercentage }}}} of the events of the last {when.long} were bad;"
        f" {Ratio(1 - objective.objective.value).percent} may be."
        f" At this rate a whole budget for {objective.window} lasts {lasts} at most."
    )
    return MappingProxyType({_SUMMARY: summary, _DESCRIPTION: description})
