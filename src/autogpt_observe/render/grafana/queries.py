"""What a panel asks Prometheus: its metric and its intent as PromQL, legends and a unit.

Without ``by`` a panel has one line: sums of counters and buckets over all series. Gauges are the
exception in a time series: each instance has its own line, since a sum of shares means nothing
and an average hides the one that is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.errors import ObserveError
from autogpt_observe.names import (
    BUCKET_BOUND,
    HISTOGRAM_SUFFIXES,
    INSTANCE,
    MetricSource,
    MetricType,
)
from autogpt_observe.promql import Expression, aggregate, divide, increase, quantile, rate, selector
from autogpt_observe.spec.model import PanelKind, Show, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import MetricName
    from autogpt_observe.spec.model import Metric, Panel

RATE_WINDOW = "$__rate_interval"
"""At least four scrapes, so that a missed one leaves no gap; Grafana works it out per zoom."""
WHOLE_RANGE = "$__range"
"""The time range that the dashboard shows."""

QUANTILES = (Decimal("0.5"), Decimal("0.95"), Decimal("0.99"))
LEGEND_OF_GRAFANA = "__auto"
"""A legend of the series' labels, made by Grafana."""

_DEFAULT_SHOW = {
    MetricType.COUNTER: Show.RATE,
    MetricType.GAUGE: Show.VALUE,
    MetricType.HISTOGRAM: Show.QUANTILES,
}
_SHOWABLE = {
    MetricType.COUNTER: (Show.VALUE, Show.RATE, Show.INCREASE, Show.SHARE),
    MetricType.GAUGE: (Show.VALUE, Show.SHARE),
    MetricType.HISTOGRAM: (Show.QUANTILES, Show.RATE, Show.INCREASE, Show.SHARE),
}
_VALUE_UNITS = {
    None: "short",
    Unit.SECONDS: "s",
    Unit.BYTES: "bytes",
    Unit.RATIO: "percentunit",
    Unit.TOKENS: "short",
    Unit.USD: "currencyUSD",
}
_RATE_UNITS = {
    None: "cps",
    Unit.SECONDS: "percentunit",  # seconds spent per second: a share of one worker's time
    Unit.BYTES: "Bps",
    Unit.RATIO: "percentunit",
    Unit.TOKENS: "suffix:tokens/s",
    Unit.USD: "suffix:USD/s",
}
_REQUESTS = "_requests_total"
_REQUEST_RATE = "reqps"
_BUCKET, _, _COUNT = HISTOGRAM_SUFFIXES
_INTENSIVE = (Unit.RATIO, Unit.SECONDS)
"""Units whose sum over several instances means nothing."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel and the legend of its lines, in Grafana's ``{{label}}`` notation."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything about a panel that follows from its metric.

    Attributes:
        unit: Grafana's id of the unit.
        starts_at_zero: whether values are never negative, so that the axis can start at zero.
        over_range: whether the query looks at the dashboard's whole range once.
    """

    queries: tuple[Query, ...]
    unit: str
    description: str = ""
    starts_at_zero: bool = False
    over_range: bool = False


def plot(panel: Panel, metrics: Mapping[MetricName, Metric]) -> Plot:
    """The queries of a panel.

    Raises ObserveError, which names the panel, for a metric that isn't declared or that has no
    such view.
    """
    if panel.expr is not None:
        unit = _VALUE_UNITS[panel.unit]
        return Plot((Query(panel.expr, LEGEND_OF_GRAFANA),), unit)
    if panel.metric is None:
        raise ObserveError(f"panel `{panel.title}`: neither `metric` nor `expr` is set; add one")
    metric = _declared(panel, panel.metric, metrics)
    show = panel.show or _DEFAULT_SHOW[metric.type]
    if show not in _SHOWABLE[metric.type]:
        known = ", ".join(f"`{one}`" for one in _SHOWABLE[metric.type])
        raise ObserveError(
            f"panel `{panel.title}`: `{panel.metric}` is a {metric.type}, which has no"
            f" `show: {show}`; choose from {known}"
        )
    match show:
        case Show.VALUE:
            return _value(panel, panel.metric, metric)
        case Show.RATE:
            return _rate(panel, panel.metric, metric)
        case Show.INCREASE:
            return _increase(panel, panel.metric, metric)
        case Show.QUANTILES:
            return _quantiles(panel, panel.metric, metric)
        case Show.SHARE:
            return _share(panel, panel.metric, metric, metrics)
        case _:
            assert_never(show)


def _declared(panel: Panel, name: MetricName, metrics: Mapping[MetricName, Metric]) -> Metric:
    metric = metrics.get(name)
    if metric is None:
        fix = did_you_mean(name, list(metrics))
        raise ObserveError(f"panel `{panel.title}`: the metric `{name}` isn't declared; {fix}")
    return metric


def _value(panel: Panel, name: MetricName, metric: Metric) -> Plot:
    unit = panel.unit or metric.unit
    series = selector(name, {})
    legend = _legend(panel)
    if metric.type is MetricType.GAUGE and not panel.by and panel.kind is PanelKind.TIMESERIES:
        legend = _labels_as_legend(_own_labels(metric))
    else:
        gauge_of_a_share = metric.type is MetricType.GAUGE and metric.unit in _INTENSIVE
        series = aggregate("avg" if gauge_of_a_share else "sum", series, by=panel.by)
    return Plot(
        (Query(series, legend),),
        _VALUE_UNITS[unit],
        metric.help,
        starts_at_zero=metric.type is MetricType.COUNTER or metric.unit is not None,
    )


def _rate(panel: Panel, name: MetricName, metric: Metric) -> Plot:
    unit = panel.unit or _unit_of_counts(metric)
    shown = _RATE_UNITS[unit]
    if unit is None and name.endswith(_REQUESTS):
        shown = _REQUEST_RATE
    query = Query(_summed_rate(name, metric, panel.by), _legend(panel))
    return Plot((query,), shown, metric.help, starts_at_zero=True)


def _increase(panel: Panel, name: MetricName, metric: Metric) -> Plot:
    over_range = panel.kind is PanelKind.STAT
    window = WHOLE_RANGE if over_range else RATE_WINDOW
    grown = increase(_samples(_counter_of(name, metric), window))
    return Plot(
        (Query(aggregate("sum", grown, by=panel.by), _legend(panel)),),
        _VALUE_UNITS[panel.unit or _unit_of_counts(metric)],
        metric.help,
        starts_at_zero=True,
        over_range=over_range,
    )


def _quantiles(panel: Panel, name: MetricName, metric: Metric) -> Plot:
    flow = rate(_samples(f"{name}{_BUCKET}", RATE_WINDOW))
    buckets = aggregate("sum", flow, by=(BUCKET_BOUND, *panel.by))
    by = _labels_as_legend(panel.by)
    queries = (
        Query(quantile(share, buckets), f"p{int(share * 100)} {by}".rstrip()) for share in QUANTILES
    )
    unit = _VALUE_UNITS[panel.unit or metric.unit]
    return Plot(tuple(queries), unit, metric.help, starts_at_zero=True)


def _share(
    panel: Panel, name: MetricName, metric: Metric, metrics: Mapping[MetricName, Metric]
) -> Plot:
    if panel.of is None:
        raise ObserveError(
            f"panel `{panel.title}`: a share needs its whole; name its metric in `of`"
        )
    whole = _declared(panel, panel.of, metrics)
    _check_comparable(panel, metric, whole)
    part = _flow_or_level(name, metric, panel.by)
    share = divide(part, _flow_or_level(panel.of, whole, panel.by))
    return Plot(
        (Query(share, _legend(panel)),),
        _VALUE_UNITS[panel.unit or Unit.RATIO],
        metric.help,
        starts_at_zero=True,
    )


def _check_comparable(panel: Panel, part: Metric, whole: Metric) -> None:
    if (part.type is MetricType.GAUGE) is not (whole.type is MetricType.GAUGE):
        raise ObserveError(
            f"panel `{panel.title}`: a share of `{panel.of}` ({whole.type}) can't be made of"
            f" `{panel.metric}` ({part.type}); take two gauges, or two of counters and histograms"
        )
    known = (*whole.attributes, *whole.labels)
    for label in (*part.attributes, *part.labels):
        if label in panel.by and label not in known:
            raise ObserveError(
                f"panel `{panel.title}`: `{panel.of}` has no label `{label}`, so no share by it"
                " exists; take it out of `by`"
            )


def _flow_or_level(name: MetricName, metric: Metric, by: Sequence[str]) -> Expression:
    if metric.type is MetricType.GAUGE:
        return aggregate("sum", selector(name, {}), by=by)
    return _summed_rate(name, metric, by)


def _summed_rate(name: MetricName, metric: Metric, by: Sequence[str]) -> Expression:
    return aggregate("sum", rate(_samples(_counter_of(name, metric), RATE_WINDOW)), by=by)


def _counter_of(name: MetricName, metric: Metric) -> str:
    return f"{name}{_COUNT}" if metric.type is MetricType.HISTOGRAM else name


def _samples(name: str, window: str) -> Expression:
    """The samples of a window whose length only Grafana knows."""
    return Expression(f"{selector(name, {})}[{window}]")


def _unit_of_counts(metric: Metric) -> Unit | None:
    """The unit of a counter's steps; a histogram counts its observations, whatever their unit."""
    return None if metric.type is MetricType.HISTOGRAM else metric.unit


def _own_labels(metric: Metric) -> tuple[str, ...]:
    """The labels that tell a metric's series apart; for a third party's, `instance` is its own."""
    labels = (*metric.attributes, *metric.labels)
    return labels if labels and metric.from_ is MetricSource.EXTERNAL else (*labels, INSTANCE)


def _legend(panel: Panel) -> str:
    return _labels_as_legend(panel.by) or panel.title


def _labels_as_legend(labels: Sequence[str]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in labels)
