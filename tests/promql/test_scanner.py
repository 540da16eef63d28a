"""Tokens, the names of series, and durations on another clock."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.promql import (
    Kind,
    PromQLError,
    Token,
    metric_names,
    parse_error,
    scale_durations,
    scan,
)

WORDS = (
    "foo foo:bar sum by rate on offset and inf nan _x A9 start group_left bool"
    " 1 .5 5. 1e3 1e-3 0x1F 5m 1h30m 250ms 1d 2w 3y"
    " + - * / % ^ == != <= >= < > = =~ !~ @ ( ) { } [ ] , :"
)
PIECES = st.sampled_from(
    [
        *WORDS.split(),
        *[" ", "\t", "\n", "\r\n", "# a [5m] comment\n", '"a b"', "'it\\'s'", "`raw \\d [5m]`"],
        *['"\\x41\\u00e9\\n"', "é", "$", "!", '"open', "`open", "1.2.3", "5mm", '"\\q"', "\x00"],
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20)


@given(TEXTS)
def test_the_tokens_are_the_whole_text_or_the_error_points_into_it(text: str) -> None:
    error = None
    tokens: tuple[Token, ...] = ()
    try:
        tokens = scan(text)
    except PromQLError as found:
        error = found
    if error is None:
        assert "".join(token.text for token in tokens) == text
        assert all(text[token.start : token.end] == token.text for token in tokens)
    else:
        assert 0 <= error.offset < len(text)
        assert 1 <= error.length <= len(text) - error.offset
        assert str(error)


def test_every_kind_of_token() -> None:
    text = "sum(rate(a{b='c'}[5m:1m])) # end\n> 1e3"
    kinds = [(token.kind, token.text) for token in scan(text) if token.kind is not Kind.SPACE]
    word, sign, time = Kind.IDENTIFIER, Kind.PUNCTUATION, Kind.DURATION
    assert kinds == [
        *[(word, "sum"), (sign, "("), (word, "rate"), (sign, "("), (word, "a"), (sign, "{")],
        *[(word, "b"), (sign, "="), (Kind.STRING, "'c'"), (sign, "}"), (sign, "[")],
        *[(time, "5m"), (sign, ":"), (time, "1m"), (sign, "]"), (sign, ")"), (sign, ")")],
        *[(Kind.COMMENT, "# end"), (sign, ">"), (Kind.NUMBER, "1e3")],
    ]


@pytest.mark.parametrize(
    ("text", "message", "offset", "length"),
    [
        ('a{b="c} > 1', 'the string has no closing "', 4, 7),
        ("a{b='c\n'}", "the string has no closing '", 4, 2),
        ("a{b=`c", "the string has no closing `", 4, 2),
        (r'a{b=~"\d+"}', r"unknown escape `\d` in a string; write `\\` for a backslash", 6, 2),
        (r'a{b="\xZ"}', r"unknown escape `\xZ` in a string; write `\\` for a backslash", 5, 3),
        (
            r'a{b="\ud800"}',
            r"unknown escape `\ud800` in a string; write `\\` for a backslash",
            5,
            6,
        ),
        ("a $ b", "unexpected character `$`", 2, 1),
        ("a ! b", "unexpected character `!`", 2, 1),
        ("é", "unexpected character `é`", 0, 1),
        ("a > 1.0.0", "`1.0.0` is neither a number nor a duration", 4, 5),
        ("a[5min]", "`5min` is neither a number nor a duration", 2, 4),
    ],
)
def test_what_cannot_be_scanned_says_where_and_why(
    text: str, message: str, offset: int, length: int
) -> None:
    with pytest.raises(PromQLError) as caught:
        scan(text)
    error = caught.value
    assert (str(error), error.offset, error.length) == (message, offset, length)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rate(autogpt_errors_total[5m]) > 0.1", "autogpt_errors_total"),
        ("used / limit > 0.9", "used limit"),
        ("sum by (on, by) (rate(a{sum='x', on='y'}[5m]))", "a"),
        ("sum(a) by (b) / count without (c) (d)", "a d"),
        ("a / on (b) group_left (c) d", "a d"),
        ("a and ignoring (b) c unless on () d or e atan2 f", "a c d e f"),
        ("a == bool b", "a b"),
        ("a offset 5m > b @ start() > c offset -1h", "a b c"),
        ("a @ 123 + max_over_time(b[1h:5m] @ end())", "a b"),
        ("topk(3, a) or histogram_quantile(0.9, sum by (le) (rate(b_bucket[5m])))", "a b_bucket"),
        ("sum", "sum"),
        ("sum{a='b'} + by + offset", "sum by offset"),
        ("SUM(a) BY (b) AND c", "a c"),
        ("time() - a > Inf + NaN", "a"),
        ("level:metric:rate5m", "level:metric:rate5m"),
        ('{__name__="a", b="c"}', "a"),
        ("{b='c', __name__='\\x61'}", "a"),
        ("{__name__=~'a|b'}", ""),
        ('{"a.b", c="d"}', "a.b"),
        ('label_replace(a, "dst", "$1", "src", "(b)")', "a"),
        ("a # b\n+ c", "a c"),
        ("-a ^ 2", "a"),
        ("1 + 2", ""),
        ("", ""),
        ("a b", "a"),
        ("sum by", ""),
        ("a{", "a"),
        ("rate(a[", "a"),
    ],
)
def test_metric_names(text: str, names: str) -> None:
    assert [token.text for token in metric_names(text)] == names.split()


def test_a_name_stands_where_it_was_written() -> None:
    first, second = metric_names('rate(a[5m]) / {__name__="a"}')
    assert (first.start, second.start) == (5, 24)


@given(TEXTS)
def test_metric_names_end_on_any_text(text: str) -> None:
    try:
        names = metric_names(text)
    except PromQLError:
        with pytest.raises(PromQLError):
            scan(text)
    else:
        assert all(0 <= name.start < len(text) for name in names)


@pytest.mark.parametrize(
    ("text", "scaled"),
    [
        ("rate(a[5m]) > 0.1", "rate(a[30s]) > 0.1"),
        ("max_over_time(a[30m:1m] offset 1h30m)", "max_over_time(a[3m:6s] offset 9m)"),
        ("a offset -10s @ 123", "a offset -1s @ 123"),
        ("a[1ms]", "a[1ms]"),
        ('a{b="5m", c=`[5m]`} # 5m', 'a{b="5m", c=`[5m]`} # 5m'),
        ("time() - a > 900", "time() - a > 900"),
        ("a5m + b:5m", "a5m + b:5m"),
        ("rate(a[1w])", "rate(a[16h48m])"),
    ],
)
def test_only_durations_change_their_scale(text: str, scaled: str) -> None:
    assert scale_durations(text, Fraction(1, 10)) == scaled


@given(TEXTS)
def test_scale_one_changes_nothing(text: str) -> None:
    assert scale_durations(text, Fraction(1)) == text


@given(
    st.integers(1, 1000),
    st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1000),
)
def test_scaling_there_and_back_changes_nothing(multiple: int, factor: Fraction) -> None:
    length = multiple * factor.denominator
    text = scale_durations(f"rate(a[{length}ms])", Fraction(2))
    assert scale_durations(scale_durations(text, factor), 1 / factor) == text


def test_units_out_of_order_are_refused() -> None:
    with pytest.raises(PromQLError) as caught:
        scale_durations("rate(a[5m1h])", Fraction(2))
    error = caught.value
    message = "`5m1h` is no duration: units go from large to small, each once: y w d h m s ms"
    assert (str(error), error.offset, error.length) == (message, 7, 4)


@pytest.mark.parametrize(
    "text",
    [
        "rate(a[5m]) > 0.1",
        "a{b=~`\\d+`}",
        "holt_winters(a[5m], 0.5, 0.5)",
        "sum by (a, ) (b) / on (a) group_left c",
        "a # b",
        "a @ end() offset 5m",
    ],
)
def test_valid_promql(text: str) -> None:
    assert parse_error(text) is None


@pytest.mark.parametrize(
    ("text", "message", "blamed"),
    [
        (
            "1 + rate(a)",
            "expected type range vector in call to function 'rate', got instant vector",
            "rate",
        ),
        ("1 + nope(a)", "unknown function with name 'nope'", "nope"),
        ("rate(a[5m]", "`(` is never closed", "("),
        ("a) + b", "`)` closes nothing", ")"),
        ("a[5m", "`[` is never closed", "["),
        ("a +", "nothing follows `+`", "+"),
        ("a and", "nothing follows `and`", "and"),
        ("a b", "no operator stands between `a` and `b`", "b"),
        ('a{b=~"("}', "illegal regex for (", '"("'),
        ("a{b=c}", "unexpected identifier 'c' in label matching, expected string", "c"),
        ("a[5m1h]", "not a valid duration string: 5m1h", "5m1h"),
        ("a ! b", "unexpected character `!`", "!"),
        ("1 == 1", "comparisons between scalars must use BOOL modifier", "1 == 1"),
        ("a and on (b) group_left c", "no grouping allowed for 'and' operation", "and"),
        ("rate(a[5m]) by (b)", "not a PromQL expression", "rate(a[5m]) by (b)"),
        ("# nothing", "there is no expression", "# nothing"),
    ],
)
def test_invalid_promql_says_what_and_where(text: str, message: str, blamed: str) -> None:
    error = parse_error(text)
    assert error is not None
    assert str(error) == message
    assert text[error.offset : error.offset + error.length] == blamed


def test_an_expression_too_deep_for_the_parser_is_refused() -> None:
    text = "(" * 100_000 + "1" + ")" * 100_000
    error = parse_error(text)
    assert str(error) == "the expression has 200001 tokens; at most 4000 are supported"


@given(TEXTS)
def test_parse_error_points_into_the_text(text: str) -> None:
    error = parse_error(text)
    assert error is None or (error.length >= 1 and 0 <= error.offset <= max(0, len(text) - 1))
