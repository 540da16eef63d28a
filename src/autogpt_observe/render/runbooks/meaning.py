"""A condition in plain words: what has to be so before the alert fires."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.names import PromQL
from autogpt_observe.render.conditions import aggregates, limit_of
from autogpt_observe.render.markdown import code, codes, prose
from autogpt_observe.slo import time_to_exhaustion
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
from autogpt_observe.units import AmountKind, Ratio, format_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.spec.model import Alert, Selection, Spec, When
    from autogpt_observe.spec.model.conditions import Judged

_AGGREGATES = {
    Aggregate.MAX: "The largest",
    Aggregate.MIN: "The smallest",
    Aggregate.SUM: "The sum of",
    Aggregate.AVG: "The mean of",
}
_ORDINALS = {"1": "st", "2": "nd", "3": "rd"}
_TEENS = ("11", "12", "13")


def describe_alert(alert: Alert, spec: Spec) -> str:
    """Everything that has to be so, as a paragraph of Markdown."""
    if alert.watchdog:
        return "It always fires. Its silence means that alerts no longer arrive."
    sentences = [describe_condition(alert.when, spec)]
    if alert.for_.ms:
        sentences.append(f"That must hold for {alert.for_} without a break.")
    if alert.keep_firing_for is not None and alert.keep_firing_for.ms:
        sentences.append(f"After it cleared, the alert fires on for {alert.keep_firing_for}.")
    return " ".join(sentences)


def describe_condition(when: When, spec: Spec) -> str:
    """When a condition holds, in sentences of Markdown."""
    match when:
        case PromQL():
            return "The query below has a result: one alert for each of its series."
        case RatioCondition():
            return _join(_ratio(when, spec), _judged(when.by), _fewest(when.min_events))
        case RateCondition():
            grew = f"per second, on average over the last {when.window}"
            return _join(
                f"{_metric(when, spec)} rose by {_past(when, spec)} {grew}", _judged(when.by)
            )
        case IncreaseCondition():
            rose = f"{_metric(when, spec)} rose by {_past(when, spec)} in the last {when.window}"
            return _join(rose, _judged(when.by))
        case ThresholdCondition() | TrendCondition():
            return _join(_level(when, spec), _judged(when.by))
        case QuantileCondition():
            share = f"The {_ordinal(when.percentile)} percentile of {_metric(when, spec)}"
            over = f"over the last {when.window} is {_past(when, spec)}"
            return _join(f"{share} {over}", _judged(when.by), _fewest(when.min_events))
        case AbsentCondition():
            since = (
                f"was there in the last {when.window}" if when.window is not None else "is there"
            )
            return f"No series of {_metric(when, spec)} {since}: nothing reports it."
        case StaleCondition():
            return _join(_stale(when, spec), _judged(when.by))
        case BurnCondition():
            return _burn(when, spec)
        case _:
            assert_never(when)


def describe_selection(selection: Selection) -> str:
    """The labels that a selection asks for: `outcome` is `error` or `empty`; nothing for all."""
    asked = (f"{code(n)} is {codes(v, last='or')}" for n, v in selection.where.items() if v)
    return " and ".join(asked)


def _join(first: str, *others: str) -> str:
    return " ".join((f"{first}.", *filter(None, others)))


def _ratio(when: RatioCondition, spec: Spec) -> str:
    total, share = _metric(when.total, spec), when.above.percent
    if when.bad.metric != when.total.metric:
        counted = f"{_metric(when.bad, spec)} counted more than {share} of what {total} counted"
        return f"In the last {when.window}, {counted}"
    bad = f"those where {describe_selection(when.bad)}" if when.bad.where else "all of them"
    return f"In the last {when.window}, more than {share} of {total} were bad: {bad}"


def _level(when: ThresholdCondition | TrendCondition, spec: Spec) -> str:
    level = f"{_AGGREGATES[aggregates(when)[0]]} {_metric(when, spec)}"
    limit = _past(when, spec, share=when.of is not None)
    if when.of is not None:
        limit = f"{limit} of {code(when.of)}"
    if isinstance(when, ThresholdCondition):
        return f"{level} is {limit}"
    return f"{level} will be {limit} in {when.ahead}, if it goes on as in the last {when.window}"


def _stale(when: StaleCondition, spec: Spec) -> str:
    old = f"The newest moment that {_metric(when, spec)} holds is longer ago than {when.older_than}"
    if when.while_ is None:
        return old
    return f"{old}, while {_metric(when.while_, spec)} is above {when.while_.above}"


def _burn(when: BurnCondition, spec: Spec) -> str:
    objective = spec.slos.get(when.slo)
    factor = format_decimal(when.factor.value)
    fast = "faster than it may" if factor == "1" else f"more than {factor} times as fast as it may"
    windows = f"over the last {when.long}, and over the last {when.short} as well"
    said = f"The error budget of the objective {code(when.slo)} burns {fast}, {windows}."
    if objective is None:
        return said
    spent = _rounded(when.factor.value * when.long.ms / objective.window.ms * 100)
    left = time_to_exhaustion(when.factor.value, objective.window)
    promise = f"{objective.objective.percent} of the events in {objective.window} are to be good"
    pace = f"At that pace {spent}% of the budget goes in {when.long}, and all of it in {left}"
    return _join(f"{said} {promise}. {pace}", _judged(objective.by), _fewest(objective.min_events))


def _metric(selection: Selection, spec: Spec) -> str:
    """A metric with what it says in brackets, and the labels that were asked for."""
    metric = spec.metrics.get(selection.metric)
    told = f" ({prose(metric.help)})" if metric is not None else ""
    asked = describe_selection(selection)
    return f"{code(selection.metric)}{told}" + (f" where {asked}" if asked else "")


def _past(when: Judged, spec: Spec, *, share: bool = False) -> str:
    limit, above = limit_of(when)
    given = when.above if when.above is not None else when.below
    metric = spec.metrics.get(when.metric)
    unit = metric.unit if metric is not None else None
    shown = str(given)
    if share:
        shown = Ratio(limit).percent
    elif given is not None and given.kind is AmountKind.NUMBER and unit is not None:
        shown = f"{shown} {unit}"
    counted = isinstance(when, RateCondition | IncreaseCondition)
    words = ("more than", "less than") if counted else ("above", "below")
    return f"{words[0] if above else words[1]} {shown}"


def _judged(by: Sequence[str]) -> str:
    if not by:
        return ""
    kind = "combination of " if len(by) > 1 else ""
    return f"Each {kind}{codes(by)} is judged alone."


def _fewest(events: int) -> str:
    return f"Fewer than {events} events are too few for a verdict." if events > 1 else ""


def _ordinal(percentile: Ratio) -> str:
    number = percentile.percent.removesuffix("%")
    teen = number.endswith(_TEENS) or "." in number
    return number + ("th" if teen else _ORDINALS.get(number[-1], "th"))


def _rounded(value: Decimal) -> str:
    return format_decimal(value.quantize(Decimal("0.1")))
