"""The unit tests of a ratio condition, derived from its numbers.

Each test is a story told in counts of events, and the moments at which it is looked at; what must
be seen then is worked out by `events`. Counts are whole numbers, chosen so that the printed share
has no noise in its last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.events import Judge, Stream
from autogpt_observe.render.ratio_series import Labels, RatioSeries, format_samples, ratio_series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autogpt_observe.spec.model import Alert, RatioCondition, Spec

    Printed = Callable[[Labels, float], object]

_A_LITTLE = Fraction(1, 20)
"""How far the tests keep from the threshold, as a share of it: less than a tenth."""
_SAMPLES_IN_A_WINDOW = 40
_FEWEST_IN_A_WINDOW = 4
_MOST_SCALES = 60
_FEWER_BY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A derived test.

    Attributes:
        step: time between samples, in milliseconds.
        series: for each series, its samples in promtool's notation.
        seen: for each moment in milliseconds, the firing groups and their share of bad events.
    """

    step: int
    series: Mapping[str, str]
    seen: Mapping[int, Sequence[tuple[Labels, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The numbers that all stories of one alert share.

    Attributes:
        lead: samples before the first event.
        busy: samples with events, enough for the alert to fire.
        fires_at: when it fires if the condition holds from the first event on.
        high, low: shares just above and just below the threshold.
    """

    series: RatioSeries
    judge: Judge
    lead: int
    busy: int
    fires_at: int
    high: Fraction
    low: Fraction

    @property
    def ill(self) -> Labels:
        return self.series.groups[0]

    def streams(self, group: Labels, bad: Sequence[int], total: Sequence[int]) -> list[Stream]:
        return [stream for _, stream in self.series.streams(group, bad, total)]


def derive_tests(
    spec: Spec, alert: Alert, ratio: RatioCondition, *, printed: Printed
) -> dict[str, Story]:
    """The tests by name; ``printed`` gives what a firing alert shows for its labels and share.

    Raises ObserveError where no such tests exist: a threshold that no share is above, bad events
    that are all events, texts that print more digits than all versions of Prometheus agree on.
    """
    if ratio.above.value >= 1:
        raise ObserveError(f"no share can be above {ratio.above.percent}; write less than 100%")
    plan = _plan(spec, alert, ratio)
    bad, total = _just_above(plan, printed)
    stories = {"just_above": _fires_and_resolves(plan, bad, total)}
    if plan.low:
        stories["just_below"] = _stays_below(plan)
    stories["no_traffic"] = _no_traffic(plan)
    few = _few_events(plan)
    if few is not None:
        stories["few_events"] = few
    if len(plan.series.groups) > 1:
        stories["one_group_alone"] = _one_group_alone(plan, bad, total)
    return stories


def _plan(spec: Spec, alert: Alert, ratio: RatioCondition) -> _Plan:
    evaluation, window = spec.prometheus.evaluation_interval.ms, ratio.window.ms
    step = _step(window, evaluation)
    threshold = Fraction(ratio.above.value)
    judge = Judge(
        window=window,
        above=threshold,
        min_events=ratio.min_events,
        step=step,
        evaluation=evaluation,
        hold=alert.for_.ms,
        keep=alert.keep_firing_for.ms if alert.keep_firing_for is not None else 0,
    )
    lead = max(1, evaluation // step)
    held = _up_to(alert.for_.ms, evaluation)
    high = threshold * (1 + _A_LITTLE) or _A_LITTLE
    return _Plan(
        series=ratio_series(spec, ratio),
        judge=judge,
        lead=lead,
        busy=_up_to(held, step) // step + 2,
        fires_at=lead * step + held,
        high=high if high < 1 else (threshold + 1) / 2,
        low=threshold * (1 - _A_LITTLE),
    )


def _step(window: int, evaluation: int) -> int:
    """Time between samples: evaluations fall on samples, and a window has some, not too many."""
    if window >= _FEWEST_IN_A_WINDOW * evaluation:
        return evaluation * max(1, window // (evaluation * _SAMPLES_IN_A_WINDOW))
    parts = max(1, -(-_FEWEST_IN_A_WINDOW * evaluation // window))
    return next((evaluation // n for n in range(parts, evaluation) if evaluation % n == 0), 1)


def _up_to(length: int, unit: int) -> int:
    return -(-length // unit) * unit


def _counts(plan: _Plan, share: Fraction, scale: int = 0) -> tuple[int, int]:
    """Bad and all events at each sample: enough for a verdict, and for each series to see some."""
    least = max(
        -(-plan.judge.min_events // share.denominator),
        -(-len(plan.series.bad) // share.numerator),
        -(-len(plan.series.rest) // (share.denominator - share.numerator)),
    )
    return share.numerator * (least + scale), share.denominator * (least + scale)


def _just_above(plan: _Plan, printed: Printed) -> tuple[int, int]:
    """Counts just above the threshold whose share prints alike on every Prometheus."""
    exact = printed(plan.ill, float(plan.high))
    for scale in range(_MOST_SCALES):
        bad, total = _counts(plan, plan.high, scale)
        lead, busy = [0] * plan.lead, plan.busy
        streams = plan.streams(plan.ill, lead + [bad] * busy, lead + [total] * busy)
        shares = plan.judge.shares(streams, plan.fires_at)
        if all(printed(plan.ill, share) == exact for share in shares):
            return bad, total
    raise ObserveError(
        "the share prints with digits that differ between versions of Prometheus; show it as"
        " `{{ $value | humanizePercentage }}`"
    )


def _fires_and_resolves(plan: _Plan, bad: int, total: int) -> Story:
    judge = plan.judge
    stops = (plan.lead + plan.busy) * judge.step
    # Just above the threshold, the share is below it long before the window is over.
    clears = max(judge.window // 4, 2 * judge.step) if plan.low else judge.window + judge.step
    over = _up_to(stops + clears + judge.keep + judge.evaluation, judge.evaluation)
    idle = over // judge.step - plan.lead - plan.busy + 2
    events = (
        [0] * plan.lead + [bad] * plan.busy + [0] * idle,
        [0] * plan.lead + [total] * (plan.busy + idle),
    )
    moments = (plan.fires_at - judge.evaluation, plan.fires_at, over)
    return _story(plan, [(plan.ill, *events)], moments, Fraction(bad, total))


def _stays_below(plan: _Plan) -> Story:
    bad, total = _counts(plan, plan.low)
    lead = [0] * plan.lead
    events = (lead + [bad] * plan.busy, lead + [total] * plan.busy)
    moments = (plan.fires_at, plan.fires_at + plan.judge.evaluation)
    return _story(plan, [(plan.ill, *events)], moments, plan.low)


def _no_traffic(plan: _Plan) -> Story:
    nothing = [0] * (plan.lead + plan.busy)
    moments = (plan.fires_at, plan.fires_at + plan.judge.evaluation)
    return _story(plan, [(plan.ill, nothing, nothing)], moments, Fraction(0))


def _few_events(plan: _Plan) -> Story | None:
    """Bad events only, and too few for a verdict; None where even one is enough."""
    judge = plan.judge
    spread = max(1, judge.window // judge.step)
    # Between samples an increase is extrapolated, the less so the longer the counter is known.
    lead = plan.lead if judge.step <= judge.evaluation else max(plan.lead, spread // 2)
    at_once = spread > plan.busy + 2
    few = judge.min_events - 1
    while few > 0:
        counts = [0] * lead + (
            [few] + [0] * plan.busy
            if at_once
            else [(n + 1) * few // spread - n * few // spread for n in range(plan.busy + spread)]
        )
        if not judge.ever_holds(plan.streams(plan.ill, counts, counts)):
            end = (len(counts) - 1) * judge.step // judge.evaluation * judge.evaluation
            return _story(plan, [(plan.ill, counts, counts)], (plan.fires_at, end), Fraction(1))
        few -= max(1, few // _FEWER_BY)
    return None


def _one_group_alone(plan: _Plan, bad: int, total: int) -> Story:
    """One group is ill; together with any of the healthy ones it would not be above."""
    lead = [0] * plan.lead
    everything, nothing = lead + [total] * plan.busy, [0] * (plan.lead + plan.busy)
    events = [(plan.ill, lead + [bad] * plan.busy, everything)]
    events += [(group, nothing, everything) for group in plan.series.groups[1:]]
    moments = (plan.fires_at - plan.judge.evaluation, plan.fires_at)
    return _story(plan, events, moments, Fraction(bad, total))


def _story(
    plan: _Plan,
    events: Sequence[tuple[Labels, Sequence[int], Sequence[int]]],
    moments: Sequence[int],
    share: Fraction,
) -> Story:
    """The story of these events, bad and all, by group; ``share`` is that of a group that fires."""
    series: dict[str, str] = {}
    seen: dict[int, list[tuple[Labels, float]]] = {moment: [] for moment in moments}
    for group, bad, total in events:
        streams = dict(plan.series.streams(group, bad, total))
        series |= {name: format_samples(stream.values) for name, stream in streams.items()}
        for moment, fires in plan.judge.fires(list(streams.values()), moments).items():
            seen[moment] += [(group, float(share))] if fires else []
    return Story(step=plan.judge.step, series=series, seen=seen)
