"""Checks of typed conditions: what they read is declared, and what they judge can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from autogpt_observe.names import MetricSource, MetricType, PromQL
from autogpt_observe.spec.checks.expressions import check_expression
from autogpt_observe.spec.checks.limits import check_length, check_limit, check_unit, check_window
from autogpt_observe.spec.checks.selections import (
    check_labels,
    check_metric,
    check_where,
    labels_of,
)
from autogpt_observe.spec.model import (
    AbsentCondition,
    BurnCondition,
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    RatioCondition,
    StaleCondition,
    ThresholdCondition,
    TrendCondition,
    Unit,
)
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.names import LabelName
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Alert, Metric, Selection
    from autogpt_observe.spec.model.conditions import Activity

__all__ = ["check_condition", "labels_of"]

_EVENTS = "events are counted by a counter"
_HISTOGRAM = "a percentile is taken of a histogram"
_VALUE = "a threshold judges a gauge"
_TREND = "a trend is that of a gauge"
_WHOLE = "the whole is a gauge"
_MOMENT = "a gauge holds the moment"
_ACTIVITY = "activity is told by a gauge"


def check_condition(  # noqa: C901 - a case for each kind of condition
    context: Context, alert: Alert, path: Path
) -> None:
    """Check the condition of the alert at ``path``."""
    when = alert.when
    match when:
        case PromQL():
            check_expression(context, when, (*path, "when", "expr"))
        case RatioCondition():
            _check_ratio(context, when, (*path, "when", "ratio"))
        case RateCondition():
            _check_events(context, when, (*path, "when", "rate"))
        case IncreaseCondition():
            _check_events(context, when, (*path, "when", "increase"))
        case ThresholdCondition():
            _check_level(context, when, (*path, "when", "threshold"), role=_VALUE)
        case QuantileCondition():
            _check_quantile(context, when, (*path, "when", "quantile"))
        case AbsentCondition():
            _check_absent(context, when, (*path, "when", "absent"))
        case StaleCondition():
            _check_stale(context, when, (*path, "when", "stale"))
        case TrendCondition():
            _check_trend(context, when, (*path, "when", "trend"))
        case BurnCondition():
            pass  # `objectives` checks it, with the objective it names
        case _:
            assert_never(when)


def _check_ratio(context: Context, ratio: RatioCondition, path: Path) -> None:
    """Check a ratio condition: its limits, its two selections, and that they differ."""
    if ratio.above.value >= 1:
        message = f"no share can be above {ratio.above.percent}"
        context.error(
            "condition/threshold", message, (*path, "above"), fix="write a share below 100%"
        )
    check_window(context, ratio.window, path)
    for part, selection in (("bad", ratio.bad), ("total", ratio.total)):
        at = (*path, part, "metric")
        metric = check_metric(
            context, selection.metric, at, wanted=MetricType.COUNTER, role=_EVENTS
        )
        if metric is not None:
            check_where(context, selection, metric, (*path, part, "where"))
            check_labels(context, selection.metric, metric, ratio.by, (*path, "by"))
    if ratio.bad.metric == ratio.total.metric:
        _check_part_of_total(context, ratio, (*path, "bad"))


def _check_events(context: Context, when: RateCondition | IncreaseCondition, path: Path) -> None:
    check_window(context, when.window, path)
    metric = _check_selected(context, when, when.by, path, wanted=MetricType.COUNTER, role=_EVENTS)
    check_limit(context, when, metric, path)


def _check_level(
    context: Context, when: ThresholdCondition | TrendCondition, path: Path, *, role: str
) -> None:
    """Check a gauge and its limit, and the gauge that it is a share of."""
    metric = _check_selected(context, when, when.by, path, wanted=MetricType.GAUGE, role=role)
    check_limit(context, when, metric, path, share=when.of is not None)
    if when.of is None:
        return
    at = (*path, "of")
    if when.of == when.metric:
        message = f"`{when.of}` as a share of itself is always 100%"
        context.error("condition/share", message, at, fix="name the gauge that is the whole")
        return
    whole = check_metric(context, when.of, at, wanted=MetricType.GAUGE, role=_WHOLE)
    if whole is None:
        return
    check_labels(context, when.of, whole, when.by, (*path, "by"))
    if metric is not None and None not in (metric.unit, whole.unit) and metric.unit != whole.unit:
        message = f"`{when.metric}` has the unit {metric.unit}, `{when.of}` {whole.unit}"
        context.error("condition/share", message, at, fix="name a gauge of the same unit")


def _check_quantile(context: Context, when: QuantileCondition, path: Path) -> None:
    check_window(context, when.window, path)
    metric = _check_selected(
        context, when, when.by, path, wanted=MetricType.HISTOGRAM, role=_HISTOGRAM
    )
    check_limit(context, when, metric, path)


def _check_absent(context: Context, when: AbsentCondition, path: Path) -> None:
    if when.window is not None:
        check_window(context, when.window, path)
    metric = _check_selected(context, when, (), path)
    if metric is None or metric.from_ is MetricSource.EXTERNAL:
        return
    known = context.spec.attributes
    unlisted = next((a for a in metric.attributes if a in known and not known[a].values), None)
    if unlisted is not None:
        message = (
            f"`{when.metric}` has no series before its first event, as no `values` of `{unlisted}`"
            " are listed; a service that just started would be called absent"
        )
        fix = "watch a metric without attributes, or one whose values are listed"
        context.warn("condition/absent", message, (*path, "metric"), fix=fix)


def _check_stale(context: Context, when: StaleCondition, path: Path) -> None:
    scrape = context.spec.prometheus.scrape_interval
    at = (*path, "older_than")
    if when.older_than.ms <= scrape.ms:
        message = f"a moment that is scraped every {scrape} is often {when.older_than} old"
        fix = f"write more than `{Duration(2 * scrape.ms)}`"
        context.error("condition/window", message, at, fix=fix)
    else:
        check_length(context, when.older_than, path, name="older_than", what="an age")
    metric = _check_selected(context, when, when.by, path, wanted=MetricType.GAUGE, role=_MOMENT)
    if metric is not None and metric.unit not in (None, Unit.SECONDS):
        message = f"`{when.metric}` is in {metric.unit}; a moment is a Unix timestamp in seconds"
        context.error("condition/unit", message, (*path, "metric"))
    if when.while_ is not None:
        _check_activity(context, when, when.while_, path)


def _check_activity(context: Context, when: StaleCondition, activity: Activity, path: Path) -> None:
    at = (*path, "while")
    for label in when.by:
        values, known = activity.where.get(label), when.where.get(label)
        if values and known and not set(values) & set(known):
            message = f"no group has a `{label}` that both `where` and this count"
            context.error("condition/metric", message, (*at, "where", label))
    metric = check_metric(
        context, activity.metric, (*at, "metric"), wanted=MetricType.GAUGE, role=_ACTIVITY
    )
    if metric is not None:
        check_where(context, activity, metric, (*at, "where"))
        check_labels(context, activity.metric, metric, when.by, (*path, "by"))
        check_unit(context, activity, activity.above, metric, (*at, "above"))


def _check_trend(context: Context, when: TrendCondition, path: Path) -> None:
    check_window(context, when.window, path)
    if not when.ahead.ms:
        message = "a trend that looks nowhere ahead is the gauge's value"
        fix = "write how far ahead, or use `threshold`"
        context.error("condition/window", message, (*path, "ahead"), fix=fix)
    _check_level(context, when, path, role=_TREND)


def _check_selected(  # noqa: PLR0913 - a selection, its groups, and what it should be
    context: Context,
    selection: Selection,
    by: Sequence[LabelName],
    path: Path,
    *,
    wanted: MetricType | None = None,
    role: str = "",
) -> Metric | None:
    """The metric of a condition, whose `where` and `by` stand beside it; None if it is no such."""
    at = (*path, "metric")
    metric = check_metric(context, selection.metric, at, wanted=wanted, role=role)
    if metric is None:
        return None
    check_where(context, selection, metric, (*path, "where"))
    check_labels(context, selection.metric, metric, by, (*path, "by"))
    return metric if wanted in (None, metric.type) else None


def _check_part_of_total(context: Context, ratio: RatioCondition, path: Path) -> None:
    """Both sides read one metric: bad events are some of the total, and not all of it."""
    bad, total = ratio.bad.where, ratio.total.where
    for label, values in bad.items():
        outside = next((v for v in values if v not in total.get(label, values)), None)
        if outside is not None:
            message = f"`bad` counts `{outside}`, which `total` leaves out"
            fix = f"let `total` count it too, or drop `{label}` there"
            context.error("condition/metric", message, (*path, "where", label), fix=fix)
            return
    if not any(_leaves_some(context, ratio, label) for label in bad):
        message = "`bad` and `total` count the same events, so the share is always 100%"
        context.error("condition/threshold", message, path, fix="narrow `bad` with `where`")


def _leaves_some(context: Context, ratio: RatioCondition, label: LabelName) -> bool:
    """Whether, of one group, events that are not bad can differ from the bad ones in ``label``."""
    attribute = context.spec.attributes.get(label)
    known = ratio.total.where.get(label) or (attribute.values if attribute is not None else ())
    bad = ratio.bad.where[label]
    return label not in ratio.by and (not known or any(value not in bad for value in known))
