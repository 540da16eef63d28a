"""Whatever is logged, one line of valid JSON comes of it, with ECS fields."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import re
import sys
import traceback
import uuid
from collections import namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_lines import ALWAYS, builder, own, parse

from autogpt_observe.runtime.logs import failures
from autogpt_observe.runtime.logs.lines import MOST_BYTES, MOST_FIELDS, About
from autogpt_observe.runtime.logs.values import MOST_CHARS, NUMBER_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

INFO = 20


def line_of(fields: Mapping[Any, object], message: str = "step_done") -> dict[str, Any]:
    return parse(builder().build(INFO, message, fields))


def placed(value: object) -> dict[str, Any]:
    """Where the field `x` with this value goes."""
    return own(line_of({"x": value}))


def label(value: object) -> Any:
    found = placed(value)
    assert found.keys() - {"log.flags"} == {"labels"}, found
    return found["labels"]["x"]


def number(value: object) -> Any:
    found = placed(value)
    assert found.keys() == {"numeric_labels"}, found
    return found["numeric_labels"]["x"]


def test_a_line_has_the_fields_of_the_schema() -> None:
    line = parse(
        builder().build(INFO, "step_done", {"tokens": 1532, "tool": "search"}, "crawler.x")
    )
    assert list(line)[:3] == ["@timestamp", "log.level", "message"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["@timestamp"])
    assert uuid.UUID(line["event.id"]).version == 7
    assert {field: line[field] for field in ALWAYS - {"@timestamp", "event.id", "process.pid"}} == {
        "log.level": "info",
        "message": "step_done",
        "ecs.version": "8.11.0",
        "service.name": "crawler",
        "service.environment": "production",
        "event.dataset": "crawler",
    }
    assert own(line) == {
        "log.logger": "crawler.x",
        "labels": {"tool": "search"},
        "numeric_labels": {"tokens": 1532},
    }


class Colour(enum.Enum):
    RED = "red"


class Count(enum.IntEnum):
    TWO = 2


@dataclasses.dataclass
class Page:
    url: str
    size: int


Point = namedtuple("Point", "x y")  # noqa: PYI024  # the untyped kind is what is tested


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError


class Scalar:
    """As numpy's scalars are."""

    dtype = "int64"
    shape = ()

    def tolist(self) -> int:
        return 7


def iter_of_nothing() -> Iterator[int]:
    yield from ()


class Index:
    def __index__(self) -> int:
        return 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (-3, -3),
        (2**63 - 1, 2**63 - 1),
        (0.25, 0.25),
        (Decimal("0.05"), 0.05),
        (Count.TWO, 2),
        (dt.timedelta(minutes=1), 60.0),
        ([1, 2.5], [1, 2.5]),
        (Scalar(), 7),
        (Index(), 5),
    ],
)
def test_numbers_are_numeric_labels(value: object, expected: object) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("", ""),
        (None, None),
        (True, "true"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**63, "9223372036854775808"),
        (1e300, "1e+300"),
        (Decimal("sNaN"), "sNaN"),
        (Decimal("1E+500"), "1E+500"),
        (Fraction(1, 3), "1/3"),
        (1 + 2j, "(1+2j)"),
        (b"a\xff", "a\\xff"),
        (bytearray(b"a"), "a"),
        (memoryview(b"ab"), "ab"),
        ("\ud800", "\\ud800"),
        (Colour.RED, "red"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC), "2026-11-20T10:00:00+00:00"),
        (dt.date(2026, 11, 20), "2026-11-20"),
        (Path("/tmp/x"), "/tmp/x"),  # noqa: S108  # nothing is written there
        (ValueError("no"), "ValueError: no"),
        (int, "builtins.int"),
        (label, "test_log_lines.label"),
        (["a", "b"], ["a", "b"]),
        (("a", 1, None), ["a", "1", "null"]),
        ([], []),
        (frozenset({"a"}), ["a"]),
        ([1, float("nan")], ["1", "nan"]),
        ({"a": {"b": 1}}, '{"a":{"b":1}}'),
        ({1: "x", None: "y", (1, 2): b"z"}, '{"1":"x","None":"y","(1, 2)":"z"}'),
        ([{"a": 1}], '[{"a":1}]'),
        (Page("/", 3), '{"url":"/","size":3}'),
        (Point(1, 2), '{"x":1,"y":2}'),
        (Text("x"), "x"),
        (iter_of_nothing(), None),
    ],
)
def test_all_else_is_a_text(value: object, expected: object) -> None:
    found = label(value)
    if expected is None and value is not None:  # a generator: it says who it is, and is not used up
        assert found.startswith("<generator object")
    else:
        assert found == expected


def test_what_utf_8_has_no_bytes_for_is_escaped() -> None:
    lines = builder()
    for _ in range(2):  # the second time the names are known
        found = own(parse(lines.build(INFO, "m", {"x": "\ud800", "y\udfff": "é"}, "\udc80")))
        assert found == {"log.logger": "\\udc80", "labels": {"x": "\\ud800", "y\\udfff": "é"}}
    assert parse(lines.build(INFO, "m\ud800", {}))["message"] == "m\\ud800"


def test_a_huge_number_is_told_in_hexadecimal() -> None:
    assert label(10**6000).startswith("0xbdd4a715")
    assert len(label(1 << 10**6)) <= MOST_CHARS


def test_a_cycle_ends() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    assert label(loop) == ["1", "..."]
    assert label(mapping) == '{"self":"..."}'
    assert placed(loop)["log.flags"] == ["truncated"]


def test_keys_that_mean_the_same_to_elasticsearch_are_kept_apart() -> None:
    fields = {"a.b": "dotted", "a_b": "plain", "a": {"b": "nested"}, "a b": "x", "": "empty"}
    assert own(line_of(fields))["labels"] == {
        "a_b": "plain",
        "a": '{"b":"nested"}',
        "a b": "x",
        "a_b_2": "dotted",
        "_": "empty",
    }


def test_names_of_the_line_itself_are_labels_like_all_others() -> None:
    fields = {"message": "m", "@timestamp": "t", "trace.id": "i", "log.level": "l", "labels": "x"}
    line = line_of(fields)
    assert line["message"] == "step_done"
    assert line["log.level"] == "info"
    assert own(line)["labels"] == {
        "message": "m",
        "@timestamp": "t",
        "labels": "x",
        "trace_id": "i",
        "log_level": "l",
    }


def test_keys_that_are_no_texts() -> None:
    assert own(line_of({1: "a", None: "b", b"c": 3, ("d",): 4})) == {
        "labels": {"1": "a", "None": "b"},
        "numeric_labels": {"c": 3, "('d',)": 4},
    }


def test_an_attribute_of_the_spec_has_the_field_that_it_is_given() -> None:
    lines = builder(site="crawler.site", owner="message", twin="crawler.site")
    line = parse(lines.build(INFO, "m", {"site": "docs", "owner": "me", "twin": "t"}))
    assert line["message"] == "m"
    assert own(line) == {"crawler.site": "docs", "labels": {"owner": "me", "twin": "t"}}
    assert own(parse(lines.build(INFO, "m", {"site": 4}))) == {"crawler.site": "4"}


def test_what_is_long_is_cut_and_says_so() -> None:
    line = line_of({"x": "y" * 10**7, "z": 1}, "m" * 10_000)
    assert line["labels"]["x"] == "y" * (MOST_CHARS - 9) + "... [cut]"
    assert line["message"] == "m" * (MOST_CHARS - 9) + "... [cut]"
    assert line["numeric_labels"] == {"z": 1}
    assert line["log.flags"] == ["truncated"]


def test_a_line_has_its_longest() -> None:
    many = {f"{number}{'k' * 200}": "\x00" * 9_000 for number in range(3 * MOST_FIELDS)}
    line = builder().build(INFO, "\x00" * 9_000, many)
    assert len(line) <= MOST_BYTES
    assert parse(line)["log.flags"] == ["truncated"]
    assert len(parse(line)["labels"]) == MOST_FIELDS


def test_a_line_is_as_long_as_it_may_be_whatever_its_keys() -> None:
    many = {f"{number}{chr(0x10FFFF) * 200}": "\x00" * 9_000 for number in range(MOST_FIELDS)}
    line = builder().build(INFO, "m", many)
    assert len(line) <= MOST_BYTES
    assert parse(line)["log.flags"] == ["truncated"]


def test_lines_end_where_they_end() -> None:
    line = line_of({"x": "a\nb\r\x0b\x0c\x1c\x85\u2028\u2029c"})
    assert line["labels"]["x"] == "a\nb\r\x0b\x0c\x1c\x85\u2028\u2029c"


# --- objects that do their worst -----------------------------------------------------------------


class Hostile:
    def __str__(self) -> str:
        raise ValueError("no text")

    def __repr__(self) -> str:
        caller = sys._getframe(1)  # noqa: SLF001  # hypothesis shows what it tried
        if caller.f_globals["__name__"].startswith("hypothesis"):
            return "Hostile()"
        raise ValueError("no text")


class NoType:
    @property  # type: ignore[misc]  # that is what is tested
    def __class__(self) -> type:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)


class OfMeta(metaclass=Meta):
    pass


class Endless(dict[str, int]):
    def items(self) -> Any:
        number = 0
        while True:
            number += 1
            yield f"k{number}", number


class BrokenItems(dict[str, int]):
    def items(self) -> Any:
        yield "first", 1
        raise ValueError


class BadNumber(int):
    def __lt__(self, other: object) -> bool:
        raise ValueError

    def __int__(self) -> int:
        raise ValueError


def test_hostile_objects() -> None:
    assert label(Hostile()) == "<Hostile that can't be shown: ValueError>"
    assert label(NoType()) == "<NoType that can't be shown: RuntimeError>"
    assert isinstance(label(OfMeta()), str)
    assert json.loads(label(BrokenItems())) == {"first": 1}
    assert label({"inside": Hostile()}) == (
        '{"inside":"<Hostile that can\'t be shown: ValueError>"}'
    )
    assert placed(Endless())["log.flags"] == ["truncated"]
    assert label(BadNumber(3)) == "<BadNumber that can't be shown: ValueError>"


def test_an_object_whose_text_is_no_text() -> None:
    class Bad:
        def __str__(self) -> str:
            return 3  # type: ignore[return-value]  # noqa: PLE0307  # that is what is tested

    assert (
        label(Bad())
        == "<test_an_object_whose_text_is_no_text.<locals>.Bad that can't be shown: TypeError>"
    )


def test_deep_nesting_ends() -> None:
    deep: Any = "x"
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    assert placed(deep)["log.flags"] == ["truncated"]


# --- properties ----------------------------------------------------------------------------------

SURROGATES = st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, exclude_categories=())
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=())) | st.text(SURROGATES)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.complex_numbers()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.just(Hostile())
)
KEYS = ANY_TEXT | st.integers() | st.none() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner)
        | st.sets(st.integers() | ANY_TEXT)
    ),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, VALUES), ANY_TEXT, ANY_TEXT)
def test_one_valid_line_of_anything(fields: dict[Any, Any], message: str, logger: str) -> None:
    line = builder(a="crawler.a", b="crawler.b").build(INFO, message, fields, logger)
    found = parse(line)
    assert len(line) <= MOST_BYTES
    labels, numbers = found.get("labels", {}), found.get("numeric_labels", {})
    declared = [field for field in ("crawler.a", "crawler.b") if field in found]
    assert len(labels) + len(numbers) + len(declared) == len(fields)
    for value in labels.values():
        assert value is None or isinstance(value, str | list)
    for value in numbers.values():
        each = value if isinstance(value, list) else [value]
        assert all(type(one) in (int, float) and abs(one) < NUMBER_LIMIT for one in each)
    assert not any("." in name for name in (*labels, *numbers))


@given(st.dictionaries(st.text("abc_", min_size=1), st.text(max_size=50)))
def test_texts_come_back_as_they_were(fields: dict[str, str]) -> None:
    assert own(line_of(fields)).get("labels", {}) == fields


@given(st.dictionaries(st.text("abc_", min_size=1), st.integers(-(2**63) + 1, 2**63 - 1)))
def test_numbers_come_back_as_they_were(fields: dict[str, int]) -> None:
    assert own(line_of(fields)).get("numeric_labels", {}) == fields


@given(st.binary(max_size=200) | ANY_TEXT)
def test_exceptions_of_any_text(text: str | bytes) -> None:
    error = ValueError(text)
    error.add_note("note" if isinstance(text, bytes) else text)
    line = parse(builder().build(INFO, "m", {}, "", About(error=error)))
    assert line["error.type"] == "ValueError"
    assert "error.message" in line
    assert line["error.stack_trace"].startswith("ValueError")


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExceptionGroup("many", [ValueError("x")] * 100_000),
        lambda: ValueError("x" * 50_000_000),
        lambda: _noted("x" * 50_000_000),
    ],
    ids=["group", "message", "note"],
)
def test_a_huge_exception_is_not_formatted(
    make: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    formatted: list[object] = []
    monkeypatch.setattr(traceback, "format_exception", formatted.append)

    def fail() -> NoReturn:
        raise error

    error = make()
    with pytest.raises(type(error)):
        fail()
    stack = failures.stack_of(error)
    assert formatted == []
    assert "test_a_huge_exception_is_not_formatted" in stack
    assert type(error).__name__ in stack.splitlines()[-1]
    assert len(stack) < 50_000


def _noted(note: str) -> Exception:
    error = ValueError("m")
    error.add_note(note)
    return error


def test_a_few_errors_are_told_in_full() -> None:
    stack = failures.stack_of(ExceptionGroup("few", [ValueError(f"v{n}") for n in range(15)]))
    assert [f"ValueError: v{n}" in stack for n in range(15)] == [True] * 15


def test_a_long_traceback_is_cut_before_it_is_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = ["start\n", "x" * 10_000_000, "\nend\n"]  # a source of one line, as tools make them
    monkeypatch.setattr(traceback, "format_exception", lambda _: shown)
    seen: list[int] = []

    class Counting:
        def text(self, text: str, /) -> str:
            seen.append(len(text))
            return text

        def value(self, _key: str, value: object, /) -> object:
            return value

    lines = builder(redactor=Counting())
    found = parse(lines.build(20, "m", {}, "", About(error=ValueError("m"))))
    assert found["error.stack_trace"].startswith("start\nxxx")
    assert found["error.stack_trace"].endswith("xxx\nend")
    assert max(seen) == 200_000
