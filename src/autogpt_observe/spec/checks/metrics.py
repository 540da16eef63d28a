"""Checks of `attributes`, `buckets` and `metrics`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import SIGNALS, MetricSource, MetricType
from autogpt_observe.spec.model import Unit
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from autogpt_observe.spec.checks.context import Context
    from autogpt_observe.spec.model import Metric

_TOTAL = "_total"
_RESERVED = ("_bucket", "_sum", "_count", "_created")


_LONGEST_INTERVAL = Duration.parse("1d")


def check_intervals(context: Context) -> None:
    """Check the clock that scraping and rules go by."""
    for name in ("scrape_interval", "evaluation_interval"):
        interval: Duration = getattr(context.spec.prometheus, name)
        if not 0 < interval.ms <= _LONGEST_INTERVAL.ms:
            message = f"`{name}` is {interval}, which is no clock"
            fix = "write a time above zero and up to a day, such as `15s`"
            context.error("prometheus/interval", message, ("prometheus", name), fix=fix)


def check_metrics(context: Context) -> None:
    """Check every bucket list and every metric."""
    for listed, bounds in context.spec.buckets.items():
        for index, (low, high) in enumerate(pairwise(bounds)):
            if low.value >= high.value:
                message = f"the bounds of `{listed}` don't rise: {low.value} is before {high.value}"
                context.error("buckets/order", message, ("buckets", listed, index + 1))
        if not bounds:
            context.error("buckets/order", f"`{listed}` has no bounds", ("buckets", listed))
    for name, metric in context.spec.metrics.items():
        _check_suffix(context, name, metric)
        _check_labels(context, name, metric)
        _check_buckets(context, name, metric)
        if metric.from_ in SIGNALS:
            _check_signal(context, name, metric)


def _check_suffix(context: Context, name: str, metric: Metric) -> None:
    if metric.from_ is MetricSource.EXTERNAL:
        return  # a third party's name is what it is
    path = ("metrics", name)
    counter = metric.type is MetricType.COUNTER
    if counter is not name.endswith(_TOTAL):
        fix = f"call it `{name}{_TOTAL}`" if counter else "only a counter's name ends so"
        verb = "lacks the suffix" if counter else "is no counter but has the suffix"
        message = f"the {metric.type} `{name}` {verb} `{_TOTAL}`"
        context.error("metric/suffix", message, path, fix=fix)
    stem = name.removesuffix(_TOTAL)
    if stem.endswith(_RESERVED):
        suffix = next(s for s in _RESERVED if stem.endswith(s))
        message = f"the suffix `{suffix}` of `{name}` is reserved for series made from a metric"
        context.error("metric/suffix", message, path, fix="choose another name")
    if metric.unit is not None and not stem.endswith(f"_{metric.unit}"):
        message = f"the unit of `{name}` is {metric.unit}, but its name does not end so"
        fix = f"call it `{stem}_{metric.unit}{_TOTAL if counter else ''}`, or drop `unit`"
        context.error("metric/suffix", message, (*path, "unit"), fix=fix)
    named = next((u for u in Unit if stem.endswith(f"_{u}")), None)
    if metric.unit is None and named is not None:
        message = f"the name `{name}` says {named}, but it declares no unit"
        context.error("metric/suffix", message, path, fix=f"add `unit: {named}`")


def _check_labels(context: Context, name: str, metric: Metric) -> None:
    path = ("metrics", name)
    external = metric.from_ is MetricSource.EXTERNAL
    if external and metric.attributes:
        message = f"`{name}` is external, so its dimensions are `labels`, not `attributes`"
        context.error("metric/external", message, (*path, "attributes"), fix="rename the key")
    if not external and metric.labels:
        message = f"`{name}` is not external, so its dimensions are `attributes`, not `labels`"
        context.error("metric/external", message, (*path, "labels"), fix="rename the key")
    known = context.declared("attributes")
    for index, attribute in enumerate(metric.attributes):
        if attribute not in known:
            message = f"`{name}` has the attribute `{attribute}`, which is not declared"
            fix = did_you_mean(attribute, known) if known else "declare it under `attributes`"
            context.error("metric/attribute", message, (*path, "attributes", index), fix=fix)
        elif attribute in metric.attributes[:index]:
            message = f"`{name}` has the attribute `{attribute}` twice"
            context.error("metric/attribute", message, (*path, "attributes", index))


def _check_buckets(context: Context, name: str, metric: Metric) -> None:
    path = ("metrics", name, "buckets")
    known = context.declared("buckets")
    if metric.buckets is None:
        if metric.type is MetricType.HISTOGRAM and metric.from_ is not MetricSource.EXTERNAL:
            message = f"the histogram `{name}` has no `buckets`"
            fix = "name a list declared in the section `buckets`"
            context.error("metric/buckets", message, ("metrics", name), fix=fix)
    elif metric.type is not MetricType.HISTOGRAM:
        message = f"`{name}` is a {metric.type}, so it has no `buckets`"
        context.error("metric/buckets", message, path, fix="remove the key")
    elif metric.buckets not in known:
        message = f"`{name}` takes the buckets `{metric.buckets}`, which are not declared"
        context.error("metric/buckets", message, path, fix=did_you_mean(metric.buckets, known))


def _check_signal(context: Context, name: str, metric: Metric) -> None:
    signal = SIGNALS[metric.from_]
    path = ("metrics", name)
    if metric.type is not signal.type:
        message = f"`{metric.from_}` feeds a {signal.type}, but `{name}` is a {metric.type}"
        context.error("metric/signal", message, (*path, "type"), fix=f"write `type: {signal.type}`")
    if metric.unit != signal.unit:
        got = metric.unit or "no unit"
        message = f"`{metric.from_}` is in {signal.unit or 'plain counts'}, `{name}` in {got}"
        fix = f"write `unit: {signal.unit}`" if signal.unit else "remove `unit`"
        context.error("metric/signal", message, (*path, "unit"), fix=fix)
    for index, attribute in enumerate(metric.attributes):
        if attribute not in signal.attributes:
            message = f"`{metric.from_}` carries no attribute `{attribute}`"
            fix = did_you_mean(attribute, signal.attributes)
            context.error("metric/signal", message, (*path, "attributes", index), fix=fix)
