"""Checks of the limits and times of typed conditions: their units, and whether they can be met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.spec.model import (
    IncreaseCondition,
    QuantileCondition,
    RateCondition,
    TrendCondition,
    Unit,
)
from autogpt_observe.units import Amount, AmountKind, Duration, format_decimal

if TYPE_CHECKING:
    from decimal import Decimal

    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Metric
    from autogpt_observe.spec.model.conditions import Judged

_LONGEST = Duration(365 * 24 * 3_600_000)
"""Nobody waits for longer; the derived tests of such times are few, and last seconds."""
_KINDS = {
    AmountKind.DURATION: (Unit.SECONDS, "a duration"),
    AmountKind.BYTES: (Unit.BYTES, "a size"),
    AmountKind.RATIO: (Unit.RATIO, "a share"),
}
_NEVER_NEGATIVE = (Unit.BYTES, Unit.RATIO)


def check_window(context: Context, window: Duration, path: Path, *, name: str = "window") -> None:
    """Report a window, at key ``name``, too short to see anything or too long to be meant."""
    scrape = context.spec.prometheus.scrape_interval
    if window.ms < 2 * scrape.ms:
        message = f"a window of {window} holds no two scrapes, which are {scrape} apart"
        fix = f"write at least `{Duration(2 * scrape.ms)}`; four scrapes outlive a missed one"
        context.error("condition/window", message, (*path, name), fix=fix)
    else:
        check_length(context, window, path, name=name, what="a window")


def check_length(context: Context, length: Duration, path: Path, *, name: str, what: str) -> None:
    """Report a time, at key ``name``, that is too long to be meant."""
    alert = str(path[1])
    held = next((a.for_ for n, a in context.spec.alerts.items() if n == alert), Duration(0))
    if length.ms + held.ms > _LONGEST.ms:
        message = f"{what} of {length} and a `for` of {held} last longer than {_LONGEST}"
        fix = f"keep both together at or below `{_LONGEST}`"
        context.error("condition/window", message, (*path, name), fix=fix)


def check_limit(
    context: Context, when: Judged, metric: Metric | None, path: Path, *, share: bool = False
) -> None:
    """Check the limit at ``path``; ``share`` says that it is one of another metric."""
    key, amount = _limit(when)
    at = (*path, key)
    check_unit(context, when, amount, metric, at, share=share)
    if metric is None:
        return
    refused = _refused(when, amount, metric, above=key == "above", share=share)
    if refused is not None:
        message, fix = refused
        context.error("condition/threshold", message, at, fix=fix)
    elif isinstance(when, QuantileCondition):
        _check_buckets(context, when, metric, path)


def check_unit(  # noqa: PLR0913 - the limit, what it is of, and its place
    context: Context,
    when: object,
    amount: Amount,
    metric: Metric | None,
    at: Path,
    *,
    share: bool = False,
) -> None:
    """Report a limit that is written in another unit than its metric has."""
    if amount.kind is AmountKind.NUMBER or metric is None:
        return
    unit, what = _KINDS[amount.kind]
    if share:
        if amount.kind is not AmountKind.RATIO:
            message = f"`{amount}` is {what}; the limit is a share of `of`"
            context.error("condition/unit", message, at, fix="write a share such as `90%`")
        return
    if isinstance(when, RateCondition) and metric.unit is Unit.SECONDS:
        # Seconds per second: how busy something is.
        if amount.kind is AmountKind.DURATION:
            message = f"`{amount}` is a duration; seconds per second are a share of the time"
            context.error("condition/unit", message, at, fix="write a share such as `80%`")
            return
        unit = Unit.SECONDS
    if metric.unit is not unit:
        has = f"is in {metric.unit}" if metric.unit is not None else "has no unit"
        message = f"`{amount}` is {what}, and the metric {has}"
        fix = f"write a plain number, or declare `unit: {unit}` if it is"
        context.error("condition/unit", message, at, fix=fix)


def _limit(when: Judged) -> tuple[str, Amount]:
    if when.above is not None:
        return "above", when.above
    if when.below is None:  # the reader demands one of the two
        raise TypeError(when.metric)
    return "below", when.below


def _refused(
    when: Judged, amount: Amount, metric: Metric, *, above: bool, share: bool
) -> tuple[str, str] | None:
    """Why a limit tells nothing, and the fix."""
    counts = isinstance(when, RateCondition | IncreaseCondition | QuantileCondition)
    predicted = isinstance(when, TrendCondition)
    never_negative = counts or (not predicted and not share and metric.unit in _NEVER_NEGATIVE)
    if never_negative and not above and amount.value <= 0:
        return f"`{when.metric}` is never below {amount}", "write a limit above 0"
    if never_negative and above and amount.value < 0:
        return f"`{when.metric}` is always above {amount}", "write `0` or more"
    ratio = metric.unit is Unit.RATIO and not (counts or predicted or share)
    if ratio and above and amount.value >= 1:
        return f"`{when.metric}` is a ratio, never above {amount}", "write less than 100%"
    if ratio and not above and amount.value > 1:
        return f"`{when.metric}` is a ratio, always below {amount}", "write at most 100%"
    return None


def _check_buckets(context: Context, when: QuantileCondition, metric: Metric, path: Path) -> None:
    """Report a limit that no percentile of the metric's buckets is past, or that every one is."""
    share = when.percentile.value
    if not 0 < share < 1:
        message = f"{when.percentile.percent} is no percentile"
        fix = "write a share between 0% and 100%, such as `99%`"
        context.error("condition/threshold", message, (*path, "percentile"), fix=fix)
        return
    bounds = () if metric.buckets is None else context.spec.buckets.get(metric.buckets, ())
    if not bounds:
        return
    key, amount = _limit(when)
    # In the first bucket a percentile is interpolated from 0 on, past the last one not at all.
    lowest, highest = share * bounds[0].value, bounds[-1].value
    named = f"the {when.percentile.percent} percentile of `{when.metric}`"
    if amount.value >= highest:
        verdict = "never above" if key == "above" else "always at or below"
        message = f"{named} is {verdict} {_like(highest, amount)}, the last bound of its buckets"
        fix = f"write less, or add a bound above it to `{metric.buckets}`"
        context.error("condition/threshold", message, (*path, key), fix=fix)
    elif amount.value <= lowest:
        verdict = "always at or above" if key == "above" else "never below"
        message = f"{named} is {verdict} {_like(lowest, amount)}, a share of its first bucket"
        fix = f"write more, or add a bound below it to `{metric.buckets}`"
        context.error("condition/threshold", message, (*path, key), fix=fix)


def _like(value: Decimal, amount: Amount) -> str:
    """A number written as ``amount`` is, where that is exact."""
    if amount.kind is AmountKind.DURATION and (value * 1000) % 1 == 0:
        return str(Amount(value, AmountKind.DURATION))
    return format_decimal(value)
