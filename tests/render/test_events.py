"""When a ratio holds, by counts of events; promtool checks the same stories in test_promtool."""

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
from autogpt_observe.render.events import Judge, Stream
from autogpt_observe.render.ratio_tests import derive_tests
from autogpt_observe.spec.model import Alert, Prometheus, RatioCondition, Selection, Severity
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND = 1000


def judge(**changed: int) -> Judge:
    numbers = {"window": 60, "step": 10, "evaluation": 10, "hold": 0, "keep": 0} | changed
    least = numbers.pop("min_events", 1)
    times = {name: seconds * SECOND for name, seconds in numbers.items()}
    return Judge(above=Fraction(1, 5), min_events=least, **times)


def streams(bad: Sequence[int], good: Sequence[int]) -> list[Stream]:
    return [
        Stream(values=tuple(accumulate(bad)), bad=True, total=True),
        Stream(values=tuple(accumulate(good)), bad=False, total=True),
    ]


def seen(judge_: Judge, bad: Sequence[int], good: Sequence[int], *moments: int) -> str:
    answers = judge_.fires(streams(bad, good), [moment * SECOND for moment in moments])
    return "".join("F" if fires else "." for fires in answers.values())


def test_a_share_above_the_limit_fires_at_once() -> None:
    assert seen(judge(), [0, 3, 3, 3], [0, 9, 9, 9], 0, 10, 20, 30) == ".FFF"


def test_the_limit_itself_is_not_above_it() -> None:
    assert seen(judge(), [0, 2, 2, 2], [0, 8, 8, 8], 10, 20, 30) == "..."


def test_it_must_hold_before_it_fires() -> None:
    assert seen(judge(hold=20), [0, 3, 3, 3], [0, 9, 9, 9], 10, 20, 30) == "..F"


def test_it_clears_when_the_bad_events_leave_the_window() -> None:
    bad, good = [0, 9] + [0] * 9, [0] + [1] * 10
    assert seen(judge(), bad, good, 10, 40, 90, 100) == "FF.."


def test_it_fires_on_while_it_is_kept() -> None:
    bad, good = [0, 9] + [0] * 12, [0] + [1] * 13
    assert seen(judge(keep=30), bad, good, 60, 80, 100, 110) == "FF.."


def test_too_few_events_are_no_verdict() -> None:
    assert seen(judge(min_events=5), [0, 4, 0, 0], [0, 0, 0, 0], 10, 20, 30) == "..."
    assert seen(judge(min_events=5), [0, 5, 0, 0], [0, 0, 0, 0], 10, 20, 30) == "FFF"


def test_no_traffic_is_no_verdict() -> None:
    assert seen(judge(min_events=0), [0, 0, 0], [0, 0, 0], 10, 20) == ".."


def test_a_moment_at_which_versions_differ_is_refused() -> None:
    bad, good = [0, 9] + [0] * 9, [0] * 11
    with pytest.raises(ValueError, match=r"^Prometheus 2 and 3 differ at 60000 ms$"):
        judge(min_events=5).fires(streams(bad, good), [60 * SECOND])


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
        window=Duration(draw(st.integers(4, 400)) * draw(st.sampled_from([250, SECOND, 7000]))),
        above=Ratio(Decimal(draw(st.integers(0, 999))) / 1000),
        min_events=draw(st.integers(0, 500)),
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
    told = derive_tests(spec, alert, ratio, printed=lambda _, share: f"{share:.4g}")
    seen_there = {
        name: [len(firing) for _, firing in sorted(story.seen.items())]
        for name, story in told.items()
    }
    few = seen_there.pop("few_events", None)
    assert few is None if ratio.min_events <= 1 else set(few or [0]) == {0}
    alone = seen_there.pop("one_group_alone", None)
    assert alone == ([0, 1] if ratio.by else None)
    below = seen_there.pop("just_below", None)
    assert below == ([0, 0] if ratio.above.value else None)
    assert seen_there == {"just_above": [0, 1, 0], "no_traffic": [0, 0]}
