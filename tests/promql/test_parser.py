"""Our parser against the library: both take the same texts, and see the same in them."""

from __future__ import annotations

import promql_parser as library
import pytest
from expressions import EXPRESSIONS, likeness, likeness_of_library
from hypothesis import given, settings
from hypothesis import strategies as st
from test_scanner import TEXTS

from autogpt_observe.promql import PromQLError
from autogpt_observe.promql.parser import MOST_NESTED, MOST_OPERATORS, TooDeepError, parse
from autogpt_observe.promql.scanner import scan
from autogpt_observe.promql.syntax import _plain
from autogpt_observe.promql.tree import canonical, children, walk

WRITTEN = (
    "rate(a_total{job='x'}[5m] offset 1h) > 0.1",
    "sum by (a) (b) / on (a) group_left (c) (max without (d) (e) > 0)",
    "-2 ^ 2 ^ 3",
    "-a * b + c",
    "a - -b",
    "a or b and c unless d == e + f * g ^ h atan2 i",
    "a > bool on (x) group_right b",
    "max_over_time(rate(a[5m])[1h:5m] offset 5m)",
    "(a)[5m:]",
    "a @ 12 offset 5m",
    "a offset -5m @ start()",
    "sum(a) by (b) > 1 and on () c",
    "{__name__='a', b=~'c'}",
    '{"quoted.name", b="c"}',
    "quantile(0.9, a) by (b)",
    'count_values("v", a)',
    "sum + by * offset / start",
    "x[300]",
    "time() - a > 15m",
    "010 + 0x1F + .5e3 + Inf + nan",
    "sum by (a,) (b)",
    "a{b='c',}",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_both_see_the_same(text: str) -> None:
    assert likeness(parse(text)) == likeness_of_library(library.parse(text))


def library_takes(text: str) -> bool:
    try:
        library.parse("".join(_plain(token) for token in scan(text)))
    except (ValueError, PromQLError):
        return False
    return True


@given(EXPRESSIONS)
def test_what_the_library_takes_is_read_alike(text: str) -> None:
    if not library_takes(text):
        parse(text)  # a type that does not fit is the library's to find
        return
    plain = "".join(_plain(token) for token in scan(text))
    assert likeness(parse(text)) == likeness_of_library(library.parse(plain))


def refusal(text: str) -> PromQLError | None:
    try:
        parse(text)
    except PromQLError as error:
        return error
    return None


@given(TEXTS)
def test_garbage_is_refused_with_a_place(text: str) -> None:
    error = refusal(text)
    if error is None:
        assert canonical(parse(text))
    else:
        assert 0 <= error.offset <= max(0, len(text) - 1)
        assert error.length >= 1
        assert str(error)
        assert not library_takes(text)


@given(EXPRESSIONS)
def test_every_node_stands_where_it_says(text: str) -> None:
    root = parse(text)
    for node in walk(root):
        for child in children(node):
            assert node.start <= child.start < child.end <= node.end
        if type(node).__name__ not in ("Selector", "Group"):
            assert likeness(parse(text[node.start : node.end])) == likeness(node)


@given(EXPRESSIONS)
def test_the_canonical_text_means_the_same(text: str) -> None:
    node = parse(text)
    assert canonical(node) == canonical(parse(f"(\n({text}\n))"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sum by (a, b) (x)", "sum(x) by (b, a)", True),
        ("a{x='1', y=\"2\"}", "a{y='2',x='1'}", True),
        ("(a) > 5", "a > 5.0", True),
        ("rate(a[60s])", "rate(a[1m])", True),
        ("a > 5", "a >= 5", False),
        ("a > bool 5", "a > 5", False),
        ("a offset 5m", "a", False),
        ("a @ 5", "a @ 6", False),
        ("sum without (a) (x)", "sum by (a) (x)", False),
        ("a / on (x) b", "a / ignoring (x) b", False),
        ("a - (b - c)", "a - b - c", False),
    ],
)
def test_canonical(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a column
    assert (canonical(parse(one)) == canonical(parse(other))) is same


@pytest.mark.parametrize(
    ("text", "message", "offset", "length"),
    [
        ("", "it ends where an operand should follow", 0, 1),
        ("a +", "it ends where an operand should follow", 2, 1),
        ("sum by (a", "it ends where `,` should follow", 8, 1),
        ("a b", "`b` stands where an operator should", 2, 1),
        ("sum(a", "it ends where `,` should follow", 4, 1),
        ("a{b=5}", "`5` stands where a string should", 4, 1),
        ("a{b}", "`}` stands where one of `=`, `!=`, `=~` and `!~` should", 3, 1),
        ("a[x]", "`x` stands where a duration should", 2, 1),
        (
            "a[2h1d]",
            "`2h1d` is no duration: units go from large to small, each once: y w d h m s ms",
            2,
            4,
        ),
        ("(a)[5m]", "ranges only allowed for vector selectors", 3, 1),
        ("a offset 5m[5m]", "a range stands before `offset` and `@`, not behind them", 11, 1),
        ("a offset 5m offset 5m", "`offset` is given twice", 12, 6),
        ("(a) offset 5m", "`offset` stands behind a series, a range or a subquery only", 4, 6),
        ("a + bool b", "`bool` stands where an operand should", 4, 4),
        ("a and on (x) group_left b", "`group_left` stands where an operand should", 13, 10),
        ("on (a)", "`on` stands where an operand should", 0, 2),
        ("a[0s]", "a range can't be zero", 2, 2),
        ('a{b="c" or d="e"}', "`or` stands where `,` should", 8, 2),
        ("a @ x", "`x` stands where a time in seconds, `start()` or `end()` should", 4, 1),
    ],
)
def test_what_is_refused_says_where_and_why(
    text: str, message: str, offset: int, length: int
) -> None:
    with pytest.raises(PromQLError) as caught:
        parse(text)
    error = caught.value
    assert (str(error), error.offset, error.length) == (message, offset, length)


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MOST_NESTED + 1) + "a" + ")" * (MOST_NESTED + 1),
        " + ".join("a" * (MOST_OPERATORS + 2)),
    ],
)
def test_monsters_are_refused_before_the_stack_ends(text: str) -> None:
    with pytest.raises(TooDeepError, match="are not supported"):
        parse(text)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, MOST_NESTED - 2), st.integers(0, MOST_OPERATORS))
def test_what_is_just_small_enough_can_be_walked(nested: int, operators: int) -> None:
    text = "(" * nested + " + ".join("a" * (operators + 1)) + ")" * nested
    assert canonical(parse(text))
