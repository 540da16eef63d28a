"""What can be wrong with a spec whose every key was read well.

One id serves a check, its tests and its section in the docs; `CHECKS` lists them all. A check
adds to the report and never raises. A warning about an alert can be waived there with
``allow: {id: reason}``; an error can't, and a waiver that waives nothing is itself reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.spec.checks import metrics, redaction, traces
from autogpt_observe.spec.checks.context import CHECKS, Context

if TYPE_CHECKING:
    from autogpt_observe.diagnostics import Report
    from autogpt_observe.spec.model import Spec
    from autogpt_observe.spec.tree import Mapping

__all__ = ["CHECKS", "check_spec", "check_telemetry"]


def check_spec(spec: Spec, tree: Mapping, report: Report) -> None:
    """Run every check on ``spec``; ``tree`` is what it was built from and gives the places."""
    # loaded late: the runtime does without, and all that reads PromQL is a lot
    from autogpt_observe.spec.checks import (  # noqa: PLC0415
        alerts,
        budget,
        dashboards,
        deployment,
        notifications,
        objectives,
        rules,
        runbooks,
    )

    context = Context(spec, tree, report)
    metrics.check_intervals(context)
    metrics.check_metrics(context)
    budget.check_registry(context)
    alerts.check_recording_rules(context)
    alerts.check_alerts(context)
    rules.check_duplicates(context)
    objectives.check_objectives(context)
    notifications.check_notifications(context)
    runbooks.check_runbooks(context)
    dashboards.check_dashboards(context)
    deployment.check_deployment(context)
    deployment.check_autoscaling(context)
    deployment.check_logs(context)
    redaction.check_redaction(context)
    traces.check_traces(context)
    context.check_waivers()


def check_telemetry(spec: Spec, tree: Mapping, report: Report) -> None:
    """Run the checks of what the runtime reads: what is emitted, and not what is made of it."""
    context = Context(spec, tree, report)
    metrics.check_metrics(context)
    redaction.check_redaction(context)
    traces.check_traces(context)
