"""Bounds of numbers are sound, values of labels combine, patterns are read as written."""

from __future__ import annotations

import math
from decimal import Decimal
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from autogpt_observe.promql.buckets import format_bound
from autogpt_observe.promql.regexes import Alternative, alternatives, compiled
from autogpt_observe.promql.values import (
    ABSENT,
    ANY,
    PRESENT,
    Interval,
    Values,
    always_holds,
    computed,
    join,
    meet,
    narrowed,
)

NUMBERS = st.integers(-9, 9).map(float) | st.sampled_from([math.inf, -math.inf, 0.5])
SIGNS = {"+": add, "-": sub, "*": mul, "/": truediv}
TESTS = {">": gt, ">=": ge, "<": lt, "<=": le, "==": eq, "!=": ne}
SETS: st.SearchStrategy[Values] = st.sampled_from([ANY, PRESENT]) | st.frozensets(
    st.sampled_from(["", "a", "b"]), min_size=1
)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, float]:
    """An interval and a finite number in it."""
    number = float(draw(st.integers(-9, 9)))
    return Interval(min(number, draw(NUMBERS)), max(number, draw(NUMBERS))), number


@given(intervals(), st.sampled_from([*SIGNS]), intervals())
def test_a_result_lies_in_the_computed_bounds(
    left: tuple[Interval, float], op: str, right: tuple[Interval, float]
) -> None:
    bounds = computed(left[0], op, right[0])
    if op != "/" or right[1]:
        result = SIGNS[op](left[1], right[1])
        assert bounds.low <= result <= bounds.high


@given(intervals(), st.sampled_from([*TESTS]), intervals())
def test_what_passes_a_comparison_is_in_the_narrowed_bounds(
    left: tuple[Interval, float], op: str, right: tuple[Interval, float]
) -> None:
    bounds = narrowed(left[0], op, right[0])
    passes = TESTS[op](left[1], right[1])
    if passes:
        assert bounds.low <= left[1] <= bounds.high
        assert not bounds.is_empty
    else:
        assert not always_holds(left[0], op, right[0])


def members(values: Values) -> set[str]:
    if isinstance(values, frozenset):
        return set(values)
    return {"a", "b", "c"} | (set(ABSENT) if values is ANY else set())


@given(SETS, SETS)
def test_label_values_meet_and_join_as_sets_do(left: Values, right: Values) -> None:
    assert members(meet(left, right)) == members(left) & members(right)
    assert members(join(left, right)) >= members(left) | members(right)
    assert ("" in members(join(left, right))) is ("" in members(left) | members(right))


@pytest.mark.parametrize(
    ("pattern", "listed"),
    [
        ("a", [Alternative("a", 0, 1)]),
        ("a|bc", [Alternative("a", 0, 1), Alternative("bc", 2, 4)]),
        ("(a|bc)", [Alternative("a", 1, 2), Alternative("bc", 3, 5)]),
        ("(?:a|b)", [Alternative("a", 3, 4), Alternative("b", 5, 6)]),
        (r"a\.b", [Alternative("a.b", 0, 4)]),
        ("", [Alternative("", 0, 0)]),
        ("|a", [Alternative("", 0, 0), Alternative("a", 1, 2)]),
    ],
)
def test_what_a_pattern_lists(pattern: str, listed: list[Alternative]) -> None:
    assert alternatives(pattern) == tuple(listed)


@pytest.mark.parametrize("pattern", ["a.*", "[ab]", "a+|b", "(a|b)c", r"\d", "^a$", "((a)|b)"])
def test_what_is_more_than_a_list(pattern: str) -> None:
    assert alternatives(pattern) is None


@pytest.mark.parametrize("pattern", [r"\pL", "[[:alpha:]]", r"\Qa.b\E", "(?-i)a", "a++", "(?=a)"])
def test_what_python_reads_another_way_is_not_tried(pattern: str) -> None:
    assert compiled(pattern) is None


def test_a_dot_matches_a_line_end() -> None:
    pattern = compiled("a.b")
    assert pattern is not None
    assert pattern.fullmatch("a\nb")


@given(st.decimals("1e-9", "1e17", places=9) | st.integers(1, 10**9).map(Decimal))
def test_bounds_are_written_as_the_client_writes_them(bound: Decimal) -> None:
    written = floatToGoString(float(bound))  # type: ignore[no-untyped-call]  # the client has none
    assert format_bound(bound) == written
