"""Checks of what the runbooks are made of: the names of their pages, the dashboards they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.spec.expansion import all_alerts
from autogpt_observe.spec.model import BurnCondition

if TYPE_CHECKING:
    from autogpt_observe.names import Name
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert, Runbook

RUNBOOK_INDEX = "README"
"""The name of the page that lists all alerts: what a code host shows of a folder."""


def check_runbooks(context: Context) -> None:
    """Check that every alert has a page of its own, and leads to dashboards that are there."""
    spec = context.spec
    taken = {RUNBOOK_INDEX.casefold(): "the list of all alerts"}
    for name, alert in all_alerts(spec).items():
        first = taken.setdefault(name.casefold(), f"`{name}`")
        if first != f"`{name}`":
            message = f"the runbook of `{name}` would be the same file as that of {first}"
            if first.startswith("the"):
                message = f"the runbook of `{name}` would be the file with {first}"
            fix = "give the alert another name; case doesn't count everywhere"
            context.error(
                "runbook/name", message, context.key_at(_home(context, name, alert)), fix=fix
            )
    for name, alert in spec.alerts.items():
        _check_dashboards(context, alert.runbook, ("alerts", name, "runbook"))
    for slo, objective in spec.slos.items():
        _check_dashboards(context, objective.runbook, ("slos", slo, "runbook"))


def _home(context: Context, name: Name, alert: Alert) -> Path:
    """What an alert is declared by: its own key, or the objective that implies it."""
    if name not in context.spec.alerts and isinstance(alert.when, BurnCondition):
        return ("slos", alert.when.slo)
    return ("alerts", name)


def _check_dashboards(context: Context, runbook: Runbook, path: Path) -> None:
    known = context.declared("dashboards")
    for index, dashboard in enumerate(runbook.dashboards):
        if dashboard not in known:
            message = f"there is no dashboard `{dashboard}`"
            where = (*path, "dashboards", index)
            context.error("runbook/dashboard", message, where, fix=did_you_mean(dashboard, known))
