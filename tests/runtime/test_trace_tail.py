"""Tail sampling: which traces are exported, and what the bounds cost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_spans import FAILED, SECOND, context, ended, names

from autogpt_observe.runtime.traces.tail import CUT_SPANS, TailSampler
from autogpt_observe.spec.model import Tail
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from autogpt_observe.runtime.traces.spans import Span

ROOT = 1


class Sampling:
    """A sampler on a clock of the test's, and what it let through and lost."""

    def __init__(self, *, remembered: int = 10_000, **options: Any) -> None:
        self.now = 0.0
        self.lost: Counter[str] = Counter()
        tail = Tail(sample=options.pop("sample", Ratio.parse("0%")), **options)
        self.sampler = TailSampler(
            tail,
            on_drop=lambda reason, count: self.lost.update({reason: count}),
            clock=lambda: self.now,
            remembered=remembered,
        )

    def take(self, *spans: Span) -> list[str]:
        return names(self.sampler.take(spans))


def child(name: str, trace: int = 1, *, span: int = 5, failed: bool = False) -> Span:
    made = ended(name, trace=trace, span=span, parent=ROOT)
    if failed:
        made.status = FAILED
    return made


def root(name: str = "root", trace: int = 1, *, keep: bool = False, seconds: int = 1) -> Span:
    made = ended(name, trace=trace, span=ROOT, ended=(1 + seconds) * SECOND)
    made.keep = keep
    return made


def test_a_trace_without_a_reason_is_dropped_and_nothing_of_it_is_held() -> None:
    sampling = Sampling()
    assert sampling.take(child("a"), child("b"), root()) == []
    assert sampling.sampler.held == 0
    assert sampling.take(child("late")) == []
    assert sampling.sampler.held == 0
    assert not sampling.lost


def test_the_share_is_exported_as_it_goes() -> None:
    sampling = Sampling(sample=Ratio.parse("50%"))
    kept, dropped = 2**63 - 1, 2**63
    assert sampling.take(child("kept", kept), child("dropped", dropped)) == ["kept"]
    assert sampling.sampler.held == 1


@pytest.mark.parametrize("batches", ["one", "many"])
def test_a_failure_anywhere_exports_all_of_the_trace(batches: str) -> None:
    sampling = Sampling()
    spans = [child("a"), child("b", failed=True), child("c"), root(), child("late")]
    if batches == "one":
        passed = sampling.take(*spans)
    else:
        passed = [name for span in spans for name in sampling.take(span)]
    assert passed == ["a", "b", "c", "root", "late"]
    assert sampling.sampler.held == 0


def test_failures_are_no_reason_where_the_spec_says_so_but_a_marked_run_is() -> None:
    sampling = Sampling(errors=False)
    assert sampling.take(child("a", failed=True), root()) == []
    assert sampling.take(child("b", 2), root("marked", 2, keep=True)) == ["b", "marked"]


def test_a_slow_trace_is_kept_as_soon_as_it_is_slow() -> None:
    sampling = Sampling(slow=Duration.parse("30s"))
    assert sampling.take(root("exactly", 3, seconds=30)) == []
    assert sampling.take(child("quick", 1), root("slow", 1, seconds=31)) == ["quick", "slow"]
    late = ended("late", trace=2, span=9, parent=ROOT, started=40 * SECOND, ended=41 * SECOND)
    assert sampling.take(child("first", 2), late) == ["first", "late"]


def test_spans_that_ended_just_behind_their_root_are_heard() -> None:
    sampling = Sampling()
    assert sampling.take(root(), child("failed", failed=True)) == ["root", "failed"]


def test_a_late_failure_is_exported_and_so_is_what_follows() -> None:
    sampling = Sampling()
    assert sampling.take(child("a"), root()) == []
    assert sampling.take(child("failed", failed=True), child("b")) == ["failed", "b"]


def test_a_remote_parent_makes_a_local_root() -> None:
    sampling = Sampling()
    local = ended("local root", trace=1, span=7, parent=context(1, 99, remote=True))
    assert sampling.take(child("a"), local) == []
    assert sampling.sampler.held == 0


def test_a_trace_that_goes_on_holds_no_more_than_its_most() -> None:
    sampling = Sampling(max_trace_spans=3)
    for number in range(10):
        assert sampling.take(child(f"{number}")) == []
    assert sampling.sampler.held == 3
    assert sampling.lost == {"trace_full": 7}
    failing = root()
    failing.status = FAILED
    failing.attributes = {"a": 1}
    assert sampling.take(failing) == ["0", "1", "2", "root"]
    assert failing.attributes == {"a": 1, CUT_SPANS: 7}
    assert sampling.sampler.held == 0


def test_when_all_hold_their_most_the_longest_held_go_first() -> None:
    sampling = Sampling(max_spans=4, max_trace_spans=4)
    sampling.take(child("old", 1), child("older", 1))
    sampling.take(child("new", 2), child("new", 2))
    assert sampling.take(child("newest", 3)) == []
    assert sampling.sampler.held == 3
    assert sampling.lost == {"tail_full": 2}
    failing = root("failed", 1, keep=True)
    assert sampling.take(failing) == ["failed"]
    assert failing.attributes == {CUT_SPANS: 2}
    assert sampling.take(root("whole", 2, keep=True)) == ["new", "new", "whole"]


def test_what_was_held_for_too_long_goes_and_its_trace_can_still_be_kept() -> None:
    sampling = Sampling(decide_after=Duration.parse("10m"))
    sampling.take(child("first"))
    sampling.now = 599.9
    sampling.take()
    assert sampling.sampler.held == 1
    sampling.now = 600.0
    sampling.take(child("second"))
    assert sampling.sampler.held == 1
    assert not sampling.lost
    failed = root(keep=True)
    assert sampling.take(failed) == ["second", "root"]
    assert failed.attributes == {CUT_SPANS: 1}


def test_what_was_held_for_long_is_slow_where_slow_is_a_reason() -> None:
    sampling = Sampling(decide_after=Duration.parse("10m"), slow=Duration.parse("5m"))
    sampling.take(child("first"))
    sampling.now = 600.0
    assert sampling.take() == ["first"]
    assert sampling.take(child("second")) == ["second"]


def test_no_more_decisions_are_remembered_than_its_most() -> None:
    sampling = Sampling(remembered=2)
    sampling.take(child("held", 1))
    sampling.take(root("failed", 2, keep=True))
    sampling.take(root("failed", 3, keep=True))
    assert sampling.sampler.held == 0
    assert sampling.lost == {"tail_full": 1}
    assert sampling.take(child("known", 3)) == ["known"]


def test_forgotten_in_a_forked_child() -> None:
    sampling = Sampling()
    sampling.take(child("a"))
    sampling.sampler.clear()
    assert sampling.sampler.held == 0
    assert sampling.take(root(keep=True)) == ["root"]


SPANS = st.tuples(
    st.integers(1, 4),
    st.sampled_from([None, ROOT]),
    st.booleans(),
    st.integers(0, 9).map(lambda number: number == 0),
)


@settings(max_examples=300)
@given(
    batches=st.lists(st.lists(SPANS, max_size=12), max_size=12),
    most=st.integers(1, 12),
    most_of_trace=st.integers(1, 12),
    remembered=st.integers(1, 4),
)
def test_bounds_hold_and_every_span_is_exported_once_or_not_at_all(
    batches: list[list[tuple[int, int | None, bool, bool]]],
    most: int,
    most_of_trace: int,
    remembered: int,
) -> None:
    sampling = Sampling(max_spans=most, max_trace_spans=most_of_trace, remembered=remembered)
    offered: list[Span] = []
    passed: list[Span] = []
    for batch in batches:
        spans = []
        for trace, parent, failed, keep in batch:
            made = ended(f"{len(offered)}", trace=trace, span=5, parent=parent)
            made.status = FAILED if failed else None
            made.keep = keep
            spans.append(made)
            offered.append(made)
        passed += sampling.sampler.take(spans)
        assert sampling.sampler.held <= most
    assert len({id(span) for span in passed}) == len(passed)
    worth_it = [span for span in offered if span.keep or span.status is not None]
    assert {id(span) for span in worth_it} <= {id(span) for span in passed}
    assert sampling.lost.total() + sampling.sampler.held + len(passed) <= len(offered)
