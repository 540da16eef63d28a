"""When conditions hold, by their samples alone; promtool checks the same in test_promtool."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_specs import small_spec

from autogpt_observe.names import LabelName, MetricName
from autogpt_observe.render.derive import derive_stories
from autogpt_observe.render.derive.absences import AbsenceJudge
from autogpt_observe.render.derive.ages import AgeJudge
from autogpt_observe.render.derive.clock import Clock, UnsteadyError
from autogpt_observe.render.derive.events import EventJudge
from autogpt_observe.render.derive.gauges import GaugeJudge
from autogpt_observe.render.derive.levels import Limit
from autogpt_observe.render.derive.quantiles import value_at
from autogpt_observe.render.derive.ratio import RatioJudge
from autogpt_observe.render.derive.ratio_series import Stream
from autogpt_observe.render.derive.samples import format_samples, round_number
from autogpt_observe.render.derive.trends import Gauge
from autogpt_observe.spec.model import (
    Aggregate,
    Alert,
    Prometheus,
    RatioCondition,
    Selection,
    Severity,
)
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.render.derive.clock import Judge

SECOND = 1000


def fires(judge: Judge, *moments: int, hold: int = 0, keep: int = 0) -> str:
    """What is seen at these seconds: F fires, . doesn't, ? depends on the Prometheus."""
    clock = Clock(evaluation=10 * SECOND, hold=hold * SECOND, keep=keep * SECOND)
    seen = ""
    for moment in moments:
        try:
            seen += "F" if clock.fires(judge, moment * SECOND) else "."
        except UnsteadyError:
            seen += "?"
    return seen


# --- shares of events, and the way from pending to firing -------------------------------------


def ratio(bad: Sequence[int], good: Sequence[int], *, least: int = 1) -> RatioJudge:
    streams = [
        Stream(values=tuple(accumulate(bad)), bad=True, total=True),
        Stream(values=tuple(accumulate(good)), bad=False, total=True),
    ]
    return RatioJudge(
        streams=streams,
        window=60 * SECOND,
        above=Fraction(1, 5),
        least=least,
        step=10 * SECOND,
        grain=1,
    )


def test_a_share_above_the_limit_fires_at_once() -> None:
    assert fires(ratio([0, 3, 3, 3], [0, 9, 9, 9]), 0, 10, 20, 30) == ".FFF"


def test_the_limit_itself_is_not_above_it() -> None:
    assert fires(ratio([0, 2, 2, 2], [0, 8, 8, 8]), 10, 20, 30) == "..."


def test_it_must_hold_before_it_fires() -> None:
    assert fires(ratio([0, 3, 3, 3], [0, 9, 9, 9]), 10, 20, 30, hold=20) == "..F"
    assert fires(ratio([0, 3, 3, 3], [0, 9, 9, 9]), 10, 20, 30, hold=11) == "..F"


def test_it_clears_when_the_bad_events_leave_the_window() -> None:
    judge = ratio([0, 9] + [0] * 9, [0] + [1] * 10)
    assert fires(judge, 10, 40, 90, 100) == "FF.."


def test_it_fires_on_while_it_is_kept() -> None:
    judge = ratio([0, 9] + [0] * 12, [0] + [1] * 13)
    assert fires(judge, 60, 80, 100, 110, keep=30) == "FF.."


def test_kept_firing_it_need_not_hold_anew() -> None:
    moments = {10, 20, 30, 60, 70}

    class Judged:
        def holds(self, now: int, *, closed: bool) -> bool:
            del closed
            return now // SECOND in moments

        def values(self, now: int) -> tuple[float, set[float]]:
            return now, {now}

    assert fires(Judged(), *range(0, 120, 10), hold=20, keep=30) == "...FFFFFFFF."
    assert fires(Judged(), *range(0, 120, 10), hold=20, keep=10) == "...FF......."


def test_too_few_events_are_no_verdict() -> None:
    assert fires(ratio([0, 4, 0, 0], [0, 0, 0, 0], least=5), 10, 20, 30) == "..."
    assert fires(ratio([0, 5, 0, 0], [0, 0, 0, 0], least=5), 10, 20, 30) == "FFF"


def test_no_traffic_is_no_verdict() -> None:
    assert fires(ratio([0, 0, 0], [0, 0, 0], least=0), 10, 20) == ".."


def test_a_moment_at_which_versions_differ_is_refused() -> None:
    judge = ratio([0, 9] + [0] * 9, [0] * 11, least=5)
    assert fires(judge, 50, 60, 90) == "F?."
    clock = Clock(evaluation=10 * SECOND, hold=0, keep=0)
    with pytest.raises(UnsteadyError, match=r"^Prometheus 2 and 3 differ at 60000 ms$"):
        clock.fires(judge, 60 * SECOND)


# --- the other kinds --------------------------------------------------------------------------


def events(values: Sequence[int], limit: int, *, above: bool = True) -> EventJudge:
    return EventJudge(
        streams=[values],
        step=10 * SECOND,
        grain=1,
        window=60 * SECOND,
        limit=Limit(Fraction(limit), above),
        per_second=True,
    )


def test_events_are_extrapolated_to_the_window() -> None:
    rising = [6 * n for n in range(20)]
    assert fires(events(rising, 35), 50, 60, 100) == ".FF"
    assert fires(events(rising, 36), 60, 100) == ".."
    exact, possible = events(rising, 35).values(100 * SECOND)
    assert exact == 0.6
    assert {round(value, 12) for value in possible} == {0.6}


def test_a_counter_is_not_extrapolated_to_before_it_was_zero() -> None:
    assert fires(events([0, 5, 5, 5], 5, above=False), 10, 20, 30) == "..."
    assert fires(events([0, 4, 4, 4], 5, above=False), 10, 20, 30) == "FFF"


def test_at_its_limit_a_rate_may_fall_on_either_side() -> None:
    """Ten series that make 1 together: in floats they do, or make a little less."""
    streams = [list(range(20))] * 10

    def judge(limit: int) -> EventJudge:
        return EventJudge(
            streams=streams,
            step=10 * SECOND,
            grain=1,
            window=60 * SECOND,
            limit=Limit(Fraction(limit), above=False),
            per_second=True,
        )

    assert fires(judge(60), 100) == "?"
    assert fires(judge(61), 100) == "F"
    assert fires(judge(59), 100) == "."


def test_a_gauge_is_seen_for_five_minutes() -> None:
    judge = GaugeJudge(
        streams=[[0, 40], [0, 60]],
        step=10 * SECOND,
        grain=10,
        op=Aggregate.SUM,
        whole=Fraction(20),
        limit=Limit(Fraction(45, 100), above=True),
    )
    assert fires(judge, 0, 10, 300, 310, 320) == ".FF?."
    assert judge.values(10 * SECOND) == (0.5, {0.5})


@pytest.mark.parametrize(
    ("op", "value"),
    [(Aggregate.MAX, 6), (Aggregate.MIN, 4), (Aggregate.SUM, 10), (Aggregate.AVG, 5)],
)
def test_gauges_are_taken_together(op: Aggregate, value: float) -> None:
    judge = GaugeJudge(
        streams=[[4], [6]],
        step=SECOND,
        grain=1,
        op=op,
        whole=Fraction(1),
        limit=Limit(Fraction(0), above=True),
    )
    assert judge.values(0) == (value, {value})


def test_a_percentile_lies_on_the_line_through_its_bucket() -> None:
    bounds = [Fraction(1), Fraction(3), Fraction(10)]
    assert value_at(Fraction(1, 2), bounds, [0, 4, 4, 4]) == 2
    assert value_at(Fraction(1, 2), bounds, [8, 8, 8, 8]) == Fraction(1, 2)
    assert value_at(Fraction(9, 10), bounds, [1, 2, 3, 100]) == 10
    assert value_at(Fraction(1, 2), bounds, [0, 0, 0, 0]) is None


@given(
    values=st.lists(st.integers(-1000, 1000), min_size=2, max_size=30),
    now=st.integers(0, 400),
    window=st.integers(10, 200),
    closed=st.booleans(),
)
def test_a_trend_is_the_least_squares_line(
    values: list[int], now: int, window: int, *, closed: bool
) -> None:
    """Against the normal equations, solved for the samples in the window one by one."""
    step, ahead = 10, 70
    start = now - window
    seen = [
        (n * step, value)
        for n, value in enumerate(values)
        if (start <= n * step if closed else start < n * step) and n * step <= now
    ]
    found = Gauge.of(values, step).predicted(now, window=window, ahead=ahead, closed=closed)
    if len(seen) < 2:
        assert found is None
        return
    count, xs, ys = len(seen), sum(x for x, _ in seen), sum(y for _, y in seen)
    xx, xy = sum(x * x for x, _ in seen), sum(x * y for x, y in seen)
    slope = Fraction(count * xy - xs * ys, count * xx - xs * xs)
    assert found == Fraction(ys, count) + slope * (now + ahead - Fraction(xs, count))


def test_an_age_is_that_of_the_newest_moment_of_a_busy_group() -> None:
    moments = [[0, 10_000, 10_000, 10_000], [0, 0, 0, 0]]
    judge = AgeJudge(moments=moments, activity=[1, 1, 1, 0], step=10 * SECOND, oldest=15 * SECOND)
    assert fires(judge, 10, 20, 30) == "..."
    young = AgeJudge(moments=moments, activity=[1, 1, 1, 0], step=10 * SECOND, oldest=9 * SECOND)
    assert fires(young, 10, 20, 30) == ".F."
    assert young.values(20 * SECOND) == (10.0, {10.0})


def test_absence_begins_where_a_series_is_marked_as_ended() -> None:
    marked = AbsenceJudge(samples=[0, 10_000, 40_000], ends=[20_000], window=None)
    assert fires(marked, 0, 10, 20, 30, 40) == "..FF."
    unmarked = AbsenceJudge(samples=[0, 10_000], ends=[], window=None)
    assert fires(unmarked, 10, 300, 310, 320) == "..?F"


def test_absence_over_a_window_ignores_such_marks() -> None:
    judge = AbsenceJudge(samples=[0, 10_000], ends=[20_000], window=35_000)
    assert fires(judge, 20, 40, 50) == "..F"
    assert fires(AbsenceJudge(samples=[], ends=[], window=35_000), 0, 10) == "FF"


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        ("103", "107", "105"),
        ("1030", "1070", "1050"),
        ("2211908157", "2297807011", "2250000000"),
        ("0.103", "0.107", "0.10546875"),
        ("-107", "-103", "-105"),
        ("-1", "1", "0"),
    ],
)
def test_numbers_are_round(low: str, high: str, found: str) -> None:
    assert round_number(Fraction(low), Fraction(high)) == Fraction(found)


@given(st.fractions(-1000, 1000), st.fractions(Fraction(1, 1000), 100))
def test_a_round_number_is_between(low: Fraction, width: Fraction) -> None:
    found = round_number(low, low + width)
    assert low < found < low + width
    assert found.denominator & (found.denominator - 1) == 0


@pytest.mark.parametrize(
    ("values", "grain", "text"),
    [
        ([3], 1, "3"),
        ([0, 1, 2, 2, 2], 1, "0+1x2 2x1"),
        ([5, 4, 3], 4, "1.25-0.25x2"),
        ([7, 7, 7, -1], 2, "3.5x2 -0.5"),
    ],
)
def test_samples_in_promtools_notation(values: list[int], grain: int, text: str) -> None:
    assert format_samples(values, grain) == text


@st.composite
def alerts(draw: st.DrawFn) -> tuple[Alert, RatioCondition, int]:
    runs = MetricName("runs_total")
    outcome = LabelName("outcome")
    bad = tuple(draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True)))
    evaluation = draw(st.sampled_from([1, 5, 10, 15, 30, 60])) * SECOND
    ratio = RatioCondition(
        bad=Selection(metric=runs, where={outcome: bad}),
        total=Selection(metric=runs),
        by=tuple(draw(st.lists(st.sampled_from([LabelName("x"), LabelName("y")]), unique=True))),
        window=Duration(
            max(
                2 * evaluation,
                draw(st.integers(4, 400)) * draw(st.sampled_from([250, SECOND, 7000])),
            )
        ),
        above=Ratio(Decimal(draw(st.integers(0, 999))) / 1000),
        min_events=draw(st.integers(1, 500)),
    )
    alert = Alert(
        when=ratio,
        for_=Duration(draw(st.integers(0, 60)) * draw(st.sampled_from([SECOND, evaluation]))),
        keep_firing_for=draw(st.none() | st.builds(Duration, st.integers(0, 600_000))),
        severity=Severity.WARNING,
        annotations={},
    )
    return alert, ratio, evaluation


@settings(max_examples=60, deadline=None)
@given(alerts())
def test_derived_tests_see_every_side(drawn: tuple[Alert, RatioCondition, int]) -> None:
    alert, ratio, evaluation = drawn
    spec = small_spec(prometheus=Prometheus(evaluation_interval=Duration(evaluation)))
    told = derive_stories(spec, alert, printed=lambda _, share: f"{share:.4g}")
    seen_there = {
        name: [len(firing) for _, firing in sorted(story.seen.items())]
        for name, story in told.items()
    }
    few = seen_there.pop("few_events", None)
    assert few is None if ratio.min_events <= 1 else set(few or [0]) == {0}
    assert seen_there.pop("enough_events", [0, 1]) == [0, 1]
    alone = seen_there.pop("one_group_alone", None)
    assert alone == ([0, 1] if ratio.by else None)
    below = seen_there.pop("just_below", None)
    assert below == ([0, 0] if ratio.above.value else None)
    assert seen_there == {"just_above": [0, 1, 0], "no_traffic": [0, 0]}
