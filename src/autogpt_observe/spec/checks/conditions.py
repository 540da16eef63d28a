"""Checks of typed conditions: they read declared counters, and what they judge can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import TARGET_LABELS, MetricType
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.names import LabelName
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Metric, RatioCondition, Selection


_MOST_EVALUATIONS = 200_000
"""A unit test steps through every evaluation: about 35 days at 15 s."""


def check_ratio(context: Context, ratio: RatioCondition, path: Path) -> None:
    """Check a ratio condition: its limits, its two selections, and that they differ."""
    if ratio.above.value >= 1:
        message = f"no share can be above {ratio.above.percent}"
        context.error(
            "condition/threshold", message, (*path, "above"), fix="write a share below 100%"
        )
    _check_window(context, ratio, path)
    for part, selection in (("bad", ratio.bad), ("total", ratio.total)):
        _check_selection(context, selection, (*path, part), ratio)
    if ratio.bad.metric == ratio.total.metric:
        _check_part_of_total(context, ratio, (*path, "bad"))


def _check_window(context: Context, ratio: RatioCondition, path: Path) -> None:
    scrape = context.spec.prometheus.scrape_interval
    evaluation = context.spec.prometheus.evaluation_interval
    name = str(path[1])
    held = next((a.for_ for n, a in context.spec.alerts.items() if n == name), Duration(0))
    at = (*path, "window")
    if ratio.window.ms < 2 * scrape.ms:
        message = f"a window of {ratio.window} holds no two scrapes, which are {scrape} apart"
        fix = f"write at least `{Duration(2 * scrape.ms)}`; four scrapes outlive a missed one"
        context.error("condition/window", message, at, fix=fix)
    elif evaluation.ms and ratio.window.ms + held.ms > _MOST_EVALUATIONS * evaluation.ms:
        message = f"a window of {ratio.window} and a `for` of {held} can't be unit-tested"
        most = Duration(_MOST_EVALUATIONS * evaluation.ms)
        fix = f"keep both together below {most}, or evaluate the rules less often"
        context.error("condition/window", message, at, fix=fix)


def labels_of(metric: Metric) -> tuple[str, ...]:
    """The labels that the series of a metric have once Prometheus scraped them."""
    return (*(metric.attributes or metric.labels), *TARGET_LABELS)


def _check_selection(
    context: Context, selection: Selection, path: Path, ratio: RatioCondition
) -> None:
    metric = context.spec.metrics.get(selection.metric)
    if metric is None:
        declared = context.declared("metrics")
        if selection.metric not in declared:  # one that is there could not be read
            message = f"the metric `{selection.metric}` is not declared"
            fix = did_you_mean(selection.metric, declared)
            context.error("condition/metric", message, (*path, "metric"), fix=fix)
        return
    if metric.type is not MetricType.COUNTER:
        message = f"`{selection.metric}` is a {metric.type}; events are counted by a counter"
        context.error("condition/metric", message, (*path, "metric"))
    places: list[tuple[LabelName, Path]] = [(s, (*path, "where", s)) for s in selection.where]
    places += [(label, (*path[:-1], "by", index)) for index, label in enumerate(ratio.by)]
    for label, place in places:
        if label not in labels_of(metric):
            message = f"`{selection.metric}` has no label `{label}`"
            fix = did_you_mean(label, labels_of(metric))
            at = context.key_at(place) if "where" in place else context.at(place)
            context.error("condition/metric", message, at, fix=fix)
    for label, values in selection.where.items():
        _check_values(context, label, values, (*path, "where", label))


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
