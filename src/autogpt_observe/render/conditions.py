"""What an alert's condition says in PromQL, and the parts of it that dashboards show."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from autogpt_observe import promql
from autogpt_observe.names import BUCKET_BOUND, HISTOGRAM_SUFFIXES, MetricType, PromQL
from autogpt_observe.render.slo import burn_expr, objective_rules
from autogpt_observe.spec.expansion import alerts_of
from autogpt_observe.spec.model import (
    AbsentCondition,
    Aggregate,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
)

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Selection, Spec, When
    from autogpt_observe.spec.model.conditions import Judged

_BUCKET, _, _COUNT = HISTOGRAM_SUFFIXES


def condition_expr(when: When, spec: Spec) -> str:
    """The expression of an alert; raw PromQL comes back character for character."""
    match when:
        case PromQL():
            return str(when)
        case RatioCondition():
            too_high = promql.above(share_expr(when), when.above.value)
            counted = promql.selector(when.total.metric, when.total.where, window=when.window)
            return promql.both(too_high, _enough(counted, when))
        case RateCondition() | IncreaseCondition():
            return _past(count_expr(when), when)
        case ThresholdCondition() | TrendCondition():
            return _past(level_expr(when), when)
        case QuantileCondition():
            counted = promql.selector(f"{when.metric}{_COUNT}", when.where, window=when.window)
            return promql.both(_past(quantile_expr(when), when), _enough(counted, when))
        case AbsentCondition():
            return _absent(when, spec)
        case StaleCondition():
            return _stale(when)
        case BurnCondition():
            return _burn(when, spec)
        case _:
            assert_never(when)


def share_expr(ratio: RatioCondition) -> promql.Expression:
    """The share of bad events that ``ratio`` judges; nothing where there were no events."""
    bad, total = (_per_second(ratio, selection) for selection in (ratio.bad, ratio.total))
    return promql.divide(bad, total)


def count_expr(when: RateCondition | IncreaseCondition) -> promql.Expression:
    """The events that ``when`` judges, per second or in its window."""
    samples = promql.selector(when.metric, when.where, window=when.window)
    function = promql.rate if isinstance(when, RateCondition) else promql.increase
    return promql.aggregate("sum", function(samples), by=when.by)


def level_expr(when: ThresholdCondition | TrendCondition) -> promql.Expression:
    """The gauge that ``when`` judges, or its share of the gauge that is the whole."""
    part_op, whole_op = aggregates(when)
    if isinstance(when, TrendCondition):
        samples = promql.selector(when.metric, when.where, window=when.window)
        values = promql.predict_linear(samples, when.ahead)
    else:
        values = promql.selector(when.metric, when.where)
    part = promql.aggregate(part_op, values, by=when.by)
    if when.of is None:
        return part
    known = promql.positive(promql.selector(when.of, {}))
    return promql.divide_positive(part, promql.aggregate(whole_op, known, by=when.by))


def aggregates(when: ThresholdCondition | TrendCondition) -> tuple[Aggregate, Aggregate]:
    """How the series of the part, and those of the whole, become one value each."""
    if isinstance(when, ThresholdCondition) and when.aggregate is not None:
        return when.aggregate, when.aggregate
    worst = (Aggregate.MAX, Aggregate.MIN)
    return worst if when.above is not None else (worst[1], worst[0])


def quantile_expr(when: QuantileCondition) -> promql.Expression:
    """The percentile that ``when`` judges."""
    samples = promql.selector(f"{when.metric}{_BUCKET}", when.where, window=when.window)
    buckets = promql.aggregate("sum", promql.rate(samples), by=(*when.by, BUCKET_BOUND))
    return promql.quantile(when.percentile.value, buckets)


def limit_of(when: Judged) -> tuple[Decimal, bool]:
    """The limit, and whether the condition holds above it, not below."""
    if when.above is not None:
        return when.above.value, True
    if when.below is None:  # the reader demands one of them
        raise TypeError(f"no limit for `{when.metric}`")
    return when.below.value, False


def _past(value: promql.Expression, when: Judged) -> promql.Condition:
    limit, above = limit_of(when)
    return promql.above(value, limit) if above else promql.below(value, limit)


def _enough(
    counted: promql.Expression, when: RatioCondition | QuantileCondition
) -> promql.Condition:
    events = promql.aggregate("sum", promql.increase(counted), by=when.by)
    return promql.at_least(events, Decimal(when.min_events))


def _per_second(ratio: RatioCondition, selection: Selection) -> promql.Expression:
    samples = promql.selector(selection.metric, selection.where, window=ratio.window)
    return promql.aggregate("sum", promql.rate(samples), by=ratio.by)


def _absent(when: AbsentCondition, spec: Spec) -> promql.Expression:
    series = promql.selector(absent_series(when, spec), when.where, window=when.window)
    return promql.absent(series) if when.window is None else promql.absent_over_time(series)


def absent_series(when: AbsentCondition, spec: Spec) -> str:
    """The name of the series that must be there; no series has a histogram's bare name."""
    metric = spec.metrics.get(when.metric)
    histogram = metric is not None and metric.type is MetricType.HISTOGRAM
    return f"{when.metric}{_COUNT}" if histogram else when.metric


def _burn(when: BurnCondition, spec: Spec) -> str:
    alerts = alerts_of(spec, when.slo)
    rules = objective_rules(spec, when.slo, spec.slos[when.slo], alerts.values())
    if rules is None:  # the condition itself is among them, once it is declared
        raise TypeError(f"no alert for `{when.slo}`")
    return burn_expr(when, rules)


def _stale(when: StaleCondition) -> promql.Condition:
    newest = promql.aggregate("max", promql.selector(when.metric, when.where), by=when.by)
    old = promql.above(promql.since(newest), when.older_than.seconds)
    if when.while_ is None:
        return old
    doing = promql.selector(when.while_.metric, when.while_.where)
    busy = promql.above(promql.aggregate("max", doing, by=when.by), when.while_.above.value)
    return promql.both(old, busy)
