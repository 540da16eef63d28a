"""Checks of `alerts` and `recording_rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import (
    ALERT_NAME,
    OWNER,
    RUNBOOK_URL,
    SERVICE,
    SEVERITY,
    LabelName,
    PromQL,
)
from autogpt_observe.spec.checks.conditions import check_condition
from autogpt_observe.spec.checks.expressions import check_expression
from autogpt_observe.spec.checks.rule_tests import check_test
from autogpt_observe.spec.checks.rules import check_times
from autogpt_observe.spec.checks.templates import check_templates

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert

_SUMMARY = LabelName("summary")
_SET_BY_US = (ALERT_NAME, SEVERITY, OWNER, SERVICE)


def check_recording_rules(context: Context) -> None:
    """Check the expression of every recording rule."""
    for name, rule in context.spec.recording_rules.items():
        check_expression(context, rule.expr, ("recording_rules", name, "expr"))


def check_alerts(context: Context) -> None:
    """Check every alert: its condition, its labels and texts, its tests."""
    for name, alert in context.spec.alerts.items():
        path = ("alerts", name)
        if not alert.annotations.get(_SUMMARY):
            message = f"`{name}` has no `summary`"
            fix = "add `summary:` to its annotations; it is the first line people read"
            context.error("alert/summary", message, (*path, "annotations", _SUMMARY), fix=fix)
        if RUNBOOK_URL in alert.annotations and context.spec.service.runbook_base_url:
            message = f"`{RUNBOOK_URL}` is set from the service's `runbook_base_url`"
            where = context.key_at((*path, "annotations", RUNBOOK_URL))
            context.error("alert/reserved-label", message, where, fix="remove one of the two")
        for label in alert.labels:
            if label in _SET_BY_US:
                message = f"the label `{label}` is set by the generator"
                own_key = label in (SEVERITY, OWNER)
                fix = f"use the alert's own key `{label}`" if own_key else "remove it"
                at = context.key_at((*path, "labels", label))
                context.error("alert/reserved-label", message, at, fix=fix)
        check_condition(context, alert, path)
        check_times(context, alert, path)
        check_templates(context, alert, path)
        if alert.watchdog and not isinstance(alert.when, PromQL):
            message = f"a watchdog fires always, and `{name}` waits for something"
            fix = "write `when: {expr: vector(1)}`"
            context.error("alert/watchdog", message, (*path, "when"), fix=fix)
        if isinstance(alert.when, PromQL) and not alert.watchdog:  # which is always seen to fire
            _check_tested(context, alert, path)
        for test_name, test in alert.tests.items():
            check_test(context, test, (*path, "tests", test_name))


def _check_tested(context: Context, alert: Alert, path: Path) -> None:
    seen = {bool(e.fires) for test in alert.tests.values() for e in test.at.values()}
    if seen == {True, False}:
        return
    missing = "fire" if True not in seen else "silent"
    lacks = f"no test that sees it {missing}" if alert.tests else "no `tests`"
    message = f"`{path[1]}` is raw PromQL and has {lacks}"
    fix = "add `tests` with samples around the threshold, or use a typed condition"
    context.warn("alert/untested", message, path, fix=fix)
