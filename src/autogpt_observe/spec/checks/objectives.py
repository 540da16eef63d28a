"""Checks of `slos`, and of alerts on the burn rate of one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean
from autogpt_observe.names import (
    ALERT_NAME,
    BUCKET_BOUND,
    OWNER,
    SERVICE,
    SEVERITY,
    MetricType,
    Name,
)
from autogpt_observe.slo import PLANS, burn_threshold, error_budget
from autogpt_observe.spec.checks.conditions import labels_of
from autogpt_observe.spec.expansion import BURN_LABELS, alert_name, reachable_plan
from autogpt_observe.spec.model import BurnCondition, Latency, Unit
from autogpt_observe.units import Duration, Ratio, format_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.names import LabelName
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import BucketBound, Events, Metric, Objective, Selection

_SET_BY_US = frozenset({ALERT_NAME, SEVERITY, OWNER, SERVICE, *BURN_LABELS})
_SUSPICIOUS = Ratio(Decimal("0.5"))
_LONGEST_NAME = 40
"""With what is added to it, an alert's name stays within 63 characters."""


def check_objectives(context: Context) -> None:
    """Check every objective, and every declared alert on the burn rate of one."""
    makers: dict[Name, Name] = {}
    for name, objective in context.spec.slos.items():
        path = ("slos", name)
        _check_promise(context, objective, path)
        _check_window(context, objective, path)
        _check_labels(context, objective, path)
        _check_name(context, name, objective, makers)
        if objective.events is not None:
            _check_events(context, objective, objective.events, (*path, "events"))
        if objective.latency is not None:
            _check_latency(context, objective, objective.latency, (*path, "latency"))
    for declared, alert in context.spec.alerts.items():
        if isinstance(alert.when, BurnCondition):
            _check_burn(context, alert.when, ("alerts", declared, "when", "burn"))


def _check_burn(context: Context, when: BurnCondition, path: Path) -> None:
    """Check the burn condition at ``path``."""
    objective = context.spec.slos.get(when.slo)
    if when.short.ms >= when.long.ms:
        message = f"the short window, {when.short}, is not shorter than the long one, {when.long}"
        fix = f"write about a twelfth of the long one, `{Duration(max(1, when.long.ms // 12))}`"
        context.error("slo/burn", message, (*path, "short"), fix=fix)
    _check_scrapes(context, when.short, (*path, "short"))
    if objective is None:
        known = context.declared("slos")
        if when.slo not in known:  # one that is there could not be read
            message = f"the objective `{when.slo}` is not declared"
            fix = did_you_mean(when.slo, known)
            context.error("slo/burn", message, (*path, "slo"), fix=fix)
        return
    if when.long > objective.window:
        message = f"the long window, {when.long}, is longer than the objective's {objective.window}"
        context.error("slo/burn", message, (*path, "long"), fix="write a shorter one")
    share = objective.objective.value
    limit = burn_threshold(when.factor.value, share)
    if not limit:
        fix = "1 is the factor at which the budget is just used up"
        context.error("slo/threshold", "a budget always burns", (*path, "factor"), fix=fix)
    elif limit >= 1 and 0 < share < 1:
        message = f"no share of bad events can be above {Ratio(limit).percent}"
        most = Ratio(1 / error_budget(share))
        fix = f"write a factor below {format_decimal(round(most.value, 3))}"
        context.error("slo/threshold", message, (*path, "factor"), fix=fix)


def _check_promise(context: Context, objective: Objective, path: Path) -> None:
    share, at = objective.objective, (*path, "objective")
    budget = Ratio(error_budget(share.value))
    if share.value >= 1:
        message = f"an objective of {share.percent} leaves no error budget"
        meant = f"`{share}%`" if 1 < share.value < 100 else "less than 100%, such as `99.9%`"  # noqa: PLR2004 - percent
        context.error("slo/objective", message, at, fix=f"write {meant}")
    elif not share.value:
        message = "an objective of 0% promises nothing"
        context.error("slo/objective", message, at, fix="write the share that must be good")
    elif share < _SUSPICIOUS:
        message = f"an objective of {share.percent} lets {budget.percent} of the events be bad"
        fix = f"write the share that must be good; is it `{budget.percent}`?"
        context.error("slo/objective", message, at, fix=fix)
    elif objective.window in PLANS and not any(b.is_page for b in reachable_plan(objective)):
        message = (
            f"an objective of {share.percent} leaves no alert that pages: nothing burns its budget"
            f" of {budget.percent} fast enough"
        )
        fix = "write a higher objective, or count events of which fewer are bad"
        context.error("slo/threshold", message, at, fix=fix)


def _check_window(context: Context, objective: Objective, path: Path) -> None:
    at = (*path, "window")
    plan = PLANS.get(objective.window)
    if plan is None:
        known = ", ".join(f"`{window}`" for window in PLANS)
        message = f"an objective can't be judged over {objective.window}"
        context.error("slo/window", message, at, fix=f"write one of {known}")
    else:
        _check_scrapes(context, min(burn.short for burn in plan), at)


def _check_scrapes(context: Context, short: Duration, at: Path) -> None:
    clock = context.spec.prometheus
    if short.ms < 2 * clock.scrape_interval.ms:
        message = (
            f"its shortest window, {short}, holds no two scrapes, which are"
            f" {clock.scrape_interval} apart"
        )
        fix = f"scrape every {Duration(short.ms // 4)} at least, or choose longer windows"
        context.error("slo/short-window", message, at, fix=fix)
    elif short.ms < clock.evaluation_interval.ms:
        message = (
            f"its shortest window, {short}, is over before the rules are evaluated again, after"
            f" {clock.evaluation_interval}"
        )
        fix = f"evaluate every {Duration(short.ms // 4)} at least, or choose longer windows"
        context.error("slo/short-window", message, at, fix=fix)


def _check_labels(context: Context, objective: Objective, path: Path) -> None:
    for index, label in enumerate(objective.by):
        if label in _SET_BY_US or label == BUCKET_BOUND:
            message = f"an objective can't be judged by `{label}`: the label has another meaning"
            context.error("slo/label", message, (*path, "by", index), fix="rename the attribute")
        elif label in objective.by[:index]:
            message = f"`by` names `{label}` twice"
            context.error("slo/label", message, (*path, "by", index), fix="remove one of the two")
    for label in objective.labels:
        if label in _SET_BY_US or label in objective.by:
            message = f"the label `{label}` is set by the generator"
            fix = "use the objective's own key `owner`" if label == OWNER else "remove it"
            at = context.key_at((*path, "labels", label))
            context.error("slo/label", message, at, fix=fix)


def _check_name(
    context: Context, name: Name, objective: Objective, makers: dict[Name, Name]
) -> None:
    at = context.key_at(("slos", name))
    if len(name) > _LONGEST_NAME:
        message = f"`{name}` has {len(name)} characters; its alerts are named after it"
        context.error("slo/name", message, at, fix=f"write {_LONGEST_NAME} at most")
    for burn in PLANS.get(objective.window, ()):
        alert = alert_name(name, burn)
        if alert in context.spec.alerts:
            message = f"`{name}` implies the alert `{alert}`, which is declared as well"
            context.error("slo/name", message, at, fix="rename one of the two")
        first = makers.setdefault(alert, name)
        if first != name:
            message = f"`{name}` and `{first}` both imply the alert `{alert}`"
            context.error("slo/name", message, at, fix="rename one of the two")
            return


# --- what is counted -------------------------------------------------------------------------


def _check_events(context: Context, objective: Objective, events: Events, path: Path) -> None:
    for key, selection in (("bad", events.bad), ("total", events.total)):
        metric = _declared_metric(context, "slo/events", selection, (*path, key))
        if metric is None:
            continue
        if metric.type is not MetricType.COUNTER:
            message = f"`{selection.metric}` is a {metric.type}; events are counted by a counter"
            at = (*path, key, "metric")
            context.error("slo/events", message, at, fix=_instead(metric))
        _check_selection(context, "slo/events", selection, metric, (*path, key))
        _check_by(context, "slo/events", objective, (selection.metric, metric), path[:2])
    if events.bad.metric == events.total.metric:
        _check_part_of_total(context, objective, events, (*path, "bad"))


def _instead(metric: Metric) -> str | None:
    if metric.type is MetricType.HISTOGRAM:
        return "count its observations with `latency` instead of `events`"
    return None


def _check_latency(context: Context, objective: Objective, latency: Latency, path: Path) -> None:
    metric = _declared_metric(context, "slo/latency", latency, path)
    if metric is None:
        return
    if metric.type is not MetricType.HISTOGRAM:
        message = f"`{latency.metric}` is a {metric.type}; a latency is read from a histogram"
        context.error("slo/latency", message, (*path, "metric"))
        return
    bounds = context.spec.buckets.get(metric.buckets) if metric.buckets is not None else None
    if bounds and latency.within not in bounds:
        text = _format_bound(latency.within, metric)
        message = f"{text} is no bound of the buckets of `{latency.metric}`"
        context.error("slo/latency", message, (*path, "within"), fix=_near(latency, bounds, metric))
    _check_selection(context, "slo/latency", latency, metric, path)
    _check_by(context, "slo/latency", objective, (latency.metric, metric), path[:2])


def _near(latency: Latency, bounds: Sequence[BucketBound], metric: Metric) -> str:
    below = [bound for bound in bounds if bound.value < latency.within.value][-1:]
    above = [bound for bound in bounds if bound.value > latency.within.value][:1]
    near = " or ".join(f"`{_format_bound(bound, metric)}`" for bound in (*below, *above))
    return f"write {near}, or add the bound to `{metric.buckets}`"


def _format_bound(bound: BucketBound, metric: Metric) -> str:
    ms = bound.value * 1000
    if metric.unit is Unit.SECONDS and ms == int(ms):
        return str(Duration(int(ms)))
    return format_decimal(bound.value)


def _declared_metric(
    context: Context, check: str, selection: Selection, path: Path
) -> Metric | None:
    metric = context.spec.metrics.get(selection.metric)
    declared = context.declared("metrics")
    if metric is None and selection.metric not in declared:  # one there could not be read
        message = f"the metric `{selection.metric}` is not declared"
        fix = did_you_mean(selection.metric, declared)
        context.error(check, message, (*path, "metric"), fix=fix)
    return metric


def _check_selection(
    context: Context, check: str, selection: Selection, metric: Metric, path: Path
) -> None:
    known = labels_of(metric)
    for label, values in selection.where.items():
        place = (*path, "where", label)
        if label not in known:
            message = f"`{selection.metric}` has no label `{label}`"
            context.error(check, message, context.key_at(place), fix=did_you_mean(label, known))
        if not values:
            context.error(check, f"`{label}` lists no value", place)
        attribute = context.spec.attributes.get(label)
        allowed = attribute.values if attribute is not None else ()
        for index, value in enumerate(values):
            if allowed and value not in allowed:
                message = f"`{value}` is no value of `{label}`"
                fix = did_you_mean(value, allowed)
                context.error(check, message, (*place, index), fix=fix)


def _check_by(
    context: Context, check: str, objective: Objective, counted: tuple[str, Metric], path: Path
) -> None:
    name, metric = counted
    known = labels_of(metric)
    for index, label in enumerate(objective.by):
        if label not in known and label not in _SET_BY_US:
            message = f"`{name}` has no label `{label}`"
            fix = did_you_mean(label, known)
            context.error(check, message, (*path, "by", index), fix=fix)


def _check_part_of_total(
    context: Context, objective: Objective, events: Events, path: Path
) -> None:
    """Both sides read one metric: bad events are some of the total, and not all of it."""
    bad, total = events.bad.where, events.total.where
    for label, values in bad.items():
        outside = next((v for v in values if v not in total.get(label, values)), None)
        if outside is not None:
            message = f"`bad` counts `{outside}`, which `total` leaves out"
            fix = f"let `total` count it too, or drop `{label}` there"
            context.error("slo/events", message, (*path, "where", label), fix=fix)
            return
    if not any(_leaves_some(context, objective, events, label) for label in bad):
        message = "`bad` and `total` count the same events, so all of them are bad"
        context.error("slo/events", message, path, fix="narrow `bad` with `where`")


def _leaves_some(context: Context, objective: Objective, events: Events, label: LabelName) -> bool:
    """Whether, of one group, events that are not bad can differ from the bad ones in ``label``."""
    attribute = context.spec.attributes.get(label)
    listed = attribute.values if attribute is not None else ()
    known = events.total.where.get(label) or listed
    bad = events.bad.where[label]
    return label not in objective.by and (not known or any(value not in bad for value in known))
