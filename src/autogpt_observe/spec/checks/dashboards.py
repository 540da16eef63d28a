"""Checks of `dashboards`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import MetricType
from autogpt_observe.spec.checks.conditions import labels_of
from autogpt_observe.spec.checks.expressions import check_expression
from autogpt_observe.spec.model import Show

if TYPE_CHECKING:
    from autogpt_observe.names import MetricName
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Metric, Panel

_FITTING = {
    MetricType.COUNTER: (Show.RATE, Show.INCREASE, Show.VALUE, Show.SHARE),
    MetricType.GAUGE: (Show.VALUE, Show.SHARE),
    MetricType.HISTOGRAM: (Show.QUANTILES, Show.RATE),
}


def check_dashboards(context: Context) -> None:
    """Check every panel of every dashboard."""
    for name, dashboard in context.spec.dashboards.items():
        if not dashboard.rows:
            message = f"the dashboard `{name}` has no rows, so it shows nothing"
            context.error("panel/query", message, ("dashboards", name, "rows"), fix="add a row")
        for row_index, row in enumerate(dashboard.rows):
            for index, panel in enumerate(row.panels):
                path = ("dashboards", name, "rows", row_index, "panels", index)
                _check_panel(context, panel, path)


def _check_panel(context: Context, panel: Panel, path: Path) -> None:
    if (panel.metric is None) is (panel.expr is None):
        message = f"the panel `{panel.title}` needs either `metric` or `expr`"
        context.error("panel/query", message, path)
        return
    if panel.expr is not None:
        check_expression(context, panel.expr, (*path, "expr"))
        if panel.show is not None or panel.of is not None or panel.by:
            message = f"the panel `{panel.title}` has an `expr`: `show`, `of`, `by` say nothing"
            context.error("panel/query", message, path, fix="remove them, or name a `metric`")
        return
    metric = _declared(context, panel.metric, (*path, "metric"))
    if metric is None:
        return
    fitting = _FITTING[metric.type]
    if panel.show is not None and panel.show not in fitting:
        words = ", ".join(f"`{show}`" for show in fitting)
        message = f"`{panel.metric}` is a {metric.type}, which can't be shown as `{panel.show}`"
        context.error("panel/query", message, (*path, "show"), fix=f"choose one of {words}")
    if (panel.show is Show.SHARE) is (panel.of is None):
        message = f"the panel `{panel.title}` needs `show: share` and `of` together"
        context.error("panel/query", message, path)
    elif panel.of is not None:
        _declared(context, panel.of, (*path, "of"))
    _check_by(context, panel, metric, path)


def _check_by(context: Context, panel: Panel, metric: Metric, path: Path) -> None:
    known = labels_of(metric)
    for index, label in enumerate(panel.by):
        if label not in known:
            message = f"`{panel.metric}` has no label `{label}`"
            fix = did_you_mean(label, known)
            context.error("panel/query", message, (*path, "by", index), fix=fix)


def _declared(context: Context, name: MetricName | None, path: Path) -> Metric | None:
    metric = context.spec.metrics.get(name) if name is not None else None
    declared = context.declared("metrics")
    if metric is None and name not in declared:  # one that is there could not be read
        fix = did_you_mean(str(name), declared)
        context.error("panel/query", f"the metric `{name}` is not declared", path, fix=fix)
    return metric
