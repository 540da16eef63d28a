"""Checks of `alerts` and `recording_rules`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import (
    ALERT_NAME,
    OWNER,
    RUNBOOK_URL,
    SERVICE,
    SEVERITY,
    LabelName,
    MetricType,
    PromQL,
)
from autogpt_observe.promql import PromQLError, metric_names
from autogpt_observe.spec.checks.expressions import check_expression, series_names
from autogpt_observe.spec.model import RatioCondition

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert, RuleTest, Selection

_SUMMARY = LabelName("summary")
_SET_BY_US = (ALERT_NAME, SEVERITY, OWNER, SERVICE)
_NUMBER = r"-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|Inf)"
_SAMPLE = re.compile(
    rf"(?:_|stale|_x\d+|{_NUMBER}(?:x\d+)?|{_NUMBER}[+-]\d+(?:\.\d+)?(?:[eE][+-]?\d+)?x\d+)"
)


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
            context.error("alert/summary", message, (*path, "annotations"), fix=fix)
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
        _check_condition(context, alert, path)
        for test_name, test in alert.tests.items():
            _check_test(context, test, (*path, "tests", test_name))


def _check_condition(context: Context, alert: Alert, path: Path) -> None:
    when = alert.when
    match when:
        case PromQL():
            check_expression(context, when, (*path, "when", "expr"))
            _check_tested(context, alert, path)
        case RatioCondition():
            _check_ratio(context, when, (*path, "when", "ratio"))
        case _:
            assert_never(when)


def _check_tested(context: Context, alert: Alert, path: Path) -> None:
    seen = {bool(e.fires) for test in alert.tests.values() for e in test.at.values()}
    if seen == {True, False}:
        return
    missing = "fire" if True not in seen else "silent"
    lacks = f"no test that sees it {missing}" if alert.tests else "no `tests`"
    message = f"`{path[1]}` is raw PromQL and has {lacks}"
    fix = "add `tests` with samples around the threshold, or use a typed condition"
    context.warn("alert/untested", message, path, fix=fix)


def _check_ratio(context: Context, ratio: RatioCondition, path: Path) -> None:
    if ratio.above.value >= 1:
        message = f"no share can be above {ratio.above.percent}"
        context.error(
            "condition/threshold", message, (*path, "above"), fix="write a share below 100%"
        )
    if ratio.window.ms == 0:
        context.error("condition/threshold", "the window is empty", (*path, "window"))
    for part, selection in (("bad", ratio.bad), ("total", ratio.total)):
        _check_selection(context, selection, (*path, part), ratio)


def _check_selection(
    context: Context, selection: Selection, path: Path, ratio: RatioCondition
) -> None:
    metric = context.spec.metrics.get(selection.metric)
    declared = context.declared("metrics")
    if selection.metric not in declared:
        message = f"the metric `{selection.metric}` is not declared"
        fix = did_you_mean(selection.metric, declared)
        context.error("condition/metric", message, (*path, "metric"), fix=fix)
    if metric is None:
        return
    if metric.type is not MetricType.COUNTER:
        message = f"`{selection.metric}` is a {metric.type}; events are counted by a counter"
        context.error("condition/metric", message, (*path, "metric"))
    labels = metric.attributes or metric.labels
    for label in (*selection.where, *ratio.by):
        if label not in labels:
            message = f"`{selection.metric}` has no label `{label}`"
            own = label in selection.where
            where = context.key_at((*path, "where", label) if own else (*path[:-1], "by"))
            context.error("condition/metric", message, where, fix=did_you_mean(label, labels))
    for label, values in selection.where.items():
        attribute = context.spec.attributes.get(label)
        known = attribute.values if attribute is not None else ()
        if not values:
            context.error("condition/metric", f"`{label}` lists no value", (*path, "where", label))
        for index, value in enumerate(values):
            if known and value not in known:
                message = f"`{value}` is no value of `{label}`"
                item = (*path, "where", label, index)
                context.error("condition/metric", message, item, fix=did_you_mean(value, known))


def _check_test(context: Context, test: RuleTest, path: Path) -> None:
    known = series_names(context)
    for series, samples in test.series.items():
        where = (*path, "series", series)
        try:
            names = metric_names(series)
        except PromQLError as error:
            context.error("test/series", f"can't read the series `{series}`: {error}", where)
            continue
        for token in names:
            if token.text not in known:
                message = f"the metric `{token.text}` is not declared"
                context.error("test/series", message, where, fix=did_you_mean(token.text, known))
        for sample in samples.split():
            if not _SAMPLE.fullmatch(sample):
                message = f"can't read the sample `{sample}`"
                fix = "write numbers, `a+bxn` (n more, rising by b), `axn`, `_` or `stale`"
                context.error("test/series", message, where, fix=fix)
    if not test.at:
        context.error("test/series", "the test looks at no moment", (*path, "at"))
