"""Checks of the metrics, labels and values that a typed condition names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import TARGET_LABELS, MetricType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.names import LabelName, MetricName
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Metric, Selection

_GROWTH = "a counter only rises; judge how fast, with `rate` or `increase`"


def labels_of(metric: Metric) -> tuple[str, ...]:
    """The labels that the series of a metric have once Prometheus scraped them."""
    return (*(metric.attributes or metric.labels), *TARGET_LABELS)


def check_metric(
    context: Context,
    name: MetricName,
    at: Path,
    *,
    wanted: MetricType | None = None,
    role: str = "",
) -> Metric | None:
    """The metric, if it is declared; reports it where it isn't, or is of another type.

    ``role`` says what metrics of the wanted type do here: ``events are counted by a counter``.
    """
    metric = context.spec.metrics.get(name)
    if metric is None:
        declared = context.declared("metrics")
        if name not in declared:  # one that is there could not be read
            message = f"the metric `{name}` is not declared"
            context.error("condition/metric", message, at, fix=did_you_mean(name, declared))
        return None
    if wanted is not None and metric.type is not wanted:
        counter_for_gauge = metric.type is MetricType.COUNTER and wanted is MetricType.GAUGE
        message = f"`{name}` is a {metric.type}; {role}"
        context.error("condition/metric", message, at, fix=_GROWTH if counter_for_gauge else None)
    return metric


def check_labels(
    context: Context, name: MetricName, metric: Metric, by: Sequence[LabelName], path: Path
) -> None:
    """Report labels in the list at ``path`` that the metric doesn't have."""
    for index, label in enumerate(by):
        _check_label(context, name, metric, label, (*path, index))


def check_where(context: Context, selection: Selection, metric: Metric, path: Path) -> None:
    """Report labels and values of the `where` at ``path`` that the metric doesn't have."""
    for label in selection.where:
        _check_label(context, selection.metric, metric, label, (*path, label))
    for label, values in selection.where.items():
        _check_values(context, label, values, (*path, label))


def _check_label(
    context: Context, name: MetricName, metric: Metric, label: LabelName, path: Path
) -> None:
    known = labels_of(metric)
    if label not in known:
        at = context.key_at(path) if isinstance(path[-1], str) else context.at(path)
        message = f"`{name}` has no label `{label}`"
        context.error("condition/metric", message, at, fix=did_you_mean(label, known))


def _check_values(context: Context, label: LabelName, values: Sequence[str], path: Path) -> None:
    attribute = context.spec.attributes.get(label)
    known = attribute.values if attribute is not None else ()
    if not values:
        context.error("condition/metric", f"`{label}` lists no value", path)
    for index, value in enumerate(values):
        if known and value not in known:
            message = f"`{value}` is no value of `{label}`"
            fix = did_you_mean(value, known)
            context.error("condition/metric", message, (*path, index), fix=fix)
