"""Checks of a PromQL expression against the declared metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import HISTOGRAM_SUFFIXES, SYNTHETIC_METRICS, MetricType
from autogpt_observe.promql import PromQLError, metric_names, parse_error

if TYPE_CHECKING:
    from autogpt_observe.names import PromQL
    from autogpt_observe.spec.checks.context import Context, Path


def check_expression(context: Context, expr: PromQL, path: Path) -> None:
    """Check syntax, types and the names of the series of one expression."""
    try:
        names = metric_names(expr)
        error = parse_error(expr)
    except PromQLError as unreadable:
        names, error = (), unreadable
    if error is not None:
        message = f"not valid PromQL: {error}"
        context.error("promql/syntax", message, context.inside(path, error.offset, error.length))
        return
    known = series_names(context)
    for token in names:
        if token.text not in known:
            message = f"the metric `{token.text}` is not declared"
            fix = did_you_mean(token.text, known)
            at = context.inside(path, token.start, len(token.text))
            context.error("promql/unknown-metric", message, at, fix=fix)


def series_names(context: Context) -> tuple[str, ...]:
    """The names of all series that expressions may read."""
    metrics = {str(name): metric for name, metric in context.spec.metrics.items()}
    names: list[str] = []
    for name in context.declared("metrics"):
        names.append(name)
        if name not in metrics or metrics[name].type is MetricType.HISTOGRAM:
            names += [f"{name}{suffix}" for suffix in HISTOGRAM_SUFFIXES]
    return (*names, *context.declared("recording_rules"), *SYNTHETIC_METRICS)
