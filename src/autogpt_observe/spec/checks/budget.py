"""Checks of what the metrics amount to on a registry: names that clash, and numbers of series."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from autogpt_observe.names import HISTOGRAM_SUFFIXES, MetricSource, MetricType
from autogpt_observe.spec.model import Processes

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context
    from autogpt_observe.spec.model import Metric

UNBOUNDED = 100
"""How many values an attribute without a bound is taken to have."""

_TOTAL, _CREATED = "_total", "_created"
_BEYOND_BUCKETS = 3  # the bucket `+Inf`, the sum and the count
_MOST_NAMED = 3


def check_registry(context: Context) -> None:
    """Check the metrics that the service itself registers, all together."""
    taken: dict[str, str] = {}
    for name, metric in context.spec.metrics.items():
        if metric.exemplars and metric.type is MetricType.GAUGE:
            message = f"`{name}` is a gauge, and only counters and histograms carry exemplars"
            where = ("metrics", name, "exemplars")
            context.error("metric/exemplars", message, where, fix="remove the key")
        is_of_code = metric.type is MetricType.GAUGE and metric.from_ is MetricSource.CODE
        if metric.processes is not Processes.EACH and not is_of_code:
            message = f"`{name}` is no gauge `from: code`, and `processes` is for those"
            where = ("metrics", name, "processes")
            context.error("metric/processes", message, where, fix="remove the key")
        if metric.from_ is MetricSource.EXTERNAL:
            continue
        for series in _registered(name, metric):
            first = taken.setdefault(series, str(name))
            if first != name:
                message = f"`{name}` and `{first}` both make series called `{series}`"
                fix = "rename one of them; the client refuses the second"
                at = context.key_at(("metrics", name))
                context.error("metric/clash", message, at, fix=fix)
                break
    _check_budget(context)


def _registered(name: str, metric: Metric) -> tuple[str, ...]:
    """The names that `prometheus_client` sets aside for a metric."""
    match metric.type:
        case MetricType.COUNTER:
            stem = name.removesuffix(_TOTAL)
            return (stem, f"{stem}{_TOTAL}", f"{stem}{_CREATED}")
        case MetricType.HISTOGRAM:
            return (name, *(f"{name}{s}" for s in HISTOGRAM_SUFFIXES), f"{name}{_CREATED}")
        case _:
            return (name,)


def _check_budget(context: Context) -> None:
    spec = context.spec
    processes = max(
        1,
        spec.deployment.replicas if spec.deployment is not None else 1,
        spec.autoscaling.max if spec.autoscaling is not None else 1,
    )
    series = {
        str(name): processes * _series_of(context, metric)
        for name, metric in spec.metrics.items()
        if metric.from_ is not MetricSource.EXTERNAL
    }
    total, budget = sum(series.values()), spec.prometheus.series_budget
    if total <= budget:
        return
    biggest = sorted(series, key=lambda name: -series[name])[:_MOST_NAMED]
    named = ", ".join(f"`{name}` {series[name]:,}" for name in biggest)
    of = f" of {processes:,} processes" if processes > 1 else ""
    message = f"the metrics{of} make {total:,} series, more than the budget of {budget:,}: {named}"
    metrics = {str(name): metric for name, metric in spec.metrics.items()}
    open_ = sorted({a for name in biggest for a in _unbounded(context, metrics[name])})
    fix = "drop an attribute or some buckets, or raise `prometheus.series_budget`"
    if open_:
        listed = ", ".join(f"`{attribute}`" for attribute in open_)
        fix = f"give {listed} a `max_values`, {UNBOUNDED} being assumed; or {fix}"
    at = context.at(("prometheus", "series_budget"))
    context.error("metric/series-budget", message, at, fix=fix)


def _series_of(context: Context, metric: Metric) -> int:
    """How many series one process makes of a metric when every value has been seen."""
    bounds = context.spec.buckets.get(metric.buckets) if metric.buckets is not None else None
    histogram = metric.type is MetricType.HISTOGRAM
    each = len(bounds or ()) + _BEYOND_BUCKETS if histogram else 1
    return each * prod(_values_of(context, attribute) for attribute in metric.attributes)


def _values_of(context: Context, name: str) -> int:
    attribute = next((a for n, a in context.spec.attributes.items() if n == name), None)
    if attribute is None:
        return 1
    if attribute.values:
        return len(attribute.values)
    return attribute.max_values + 1 if attribute.max_values is not None else UNBOUNDED


def _unbounded(context: Context, metric: Metric) -> list[str]:
    return [
        str(name)
        for name, attribute in context.spec.attributes.items()
        if name in metric.attributes and not attribute.values and attribute.max_values is None
    ]
