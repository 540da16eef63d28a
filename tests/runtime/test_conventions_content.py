"""Content and exceptions on spans: in full, cut short, and of objects that do as they please."""

from __future__ import annotations

import json
from collections import UserDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.runtime.events import LLMCall, ToolCall
from autogpt_observe.runtime.failures import error_type
from autogpt_observe.runtime.llm import LLMScope
from autogpt_observe.runtime.runs import Arguments, ToolScope
from autogpt_observe.runtime.traces.conventions import (
    Conventions,
    Version,
    error_description,
    exception_event,
)
from autogpt_observe.runtime.traces.conventions.content import format_content
from autogpt_observe.runtime.traces.conventions.texts import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDED = ToolCall("", "search", "ok", 0.5, None)


def search(arguments: object, returned: object) -> ToolScope:
    scope = ToolScope("search", arguments=arguments)
    scope.returns(returned)
    return scope


def test_content_is_not_on_spans() -> None:
    conventions, scope = Conventions(Version.MAIN), search({"query": "x"}, ["y"])
    assert conventions.begin(scope).attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
    }
    assert conventions.finish(scope, ENDED, None) == {"autogpt.call.result": "ok"}
    assert conventions.messages(asked="Hello", answered="Hi") == {}


@pytest.mark.parametrize("version", list(Version))
def test_content_that_is_asked_for_is_on_the_span_of_its_call_alone(version: Version) -> None:
    conventions = Conventions(version, captures_content=True)
    expected = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    scope = search({"query": "Köln", "most": 3}, [{"title": "Dom"}])
    assert conventions.begin(scope).attributes == {
        **expected,
        "gen_ai.tool.call.arguments": '{"query":"Köln","most":3}',
    }
    assert conventions.begin(ToolScope("search")).attributes == expected
    assert conventions.finish(scope, ENDED, None) == {
        "autogpt.call.result": "ok",
        "gen_ai.tool.call.result": '[{"title":"Dom"}]',
    }
    assert conventions.finish(ToolScope("search"), ENDED, None) == {"autogpt.call.result": "ok"}
    failed = ENDED._replace(result="error")
    assert conventions.finish(ToolScope("search"), failed, ValueError()) == {
        "autogpt.call.result": "error",
        "error.type": "ValueError",
    }


def test_arguments_of_a_decorated_tool_are_shown_by_name() -> None:
    conventions = Conventions(Version.MAIN, captures_content=True)
    given = Arguments(("query", "most"), ("Köln", 3, "beyond"), (("safe", True),))
    assert conventions.begin(search(given, None)).attributes["gen_ai.tool.call.arguments"] == (
        '{"query":"Köln","most":3,"2":"beyond","safe":true}'
    )


@pytest.mark.parametrize("captures", [True, False])
def test_what_was_said_is_on_the_span_of_the_call_where_content_is_captured(
    *, captures: bool
) -> None:
    conventions = Conventions(Version.MAIN, captures_content=captures)
    call = LLMScope("gpt-5", provider="openai")
    call.messages(asked="Hello")
    call.messages(answered="Hi")
    ended = LLMCall("", "openai", "gpt-5", "ok", 0.5, None, None, 1, 0)
    said = conventions.finish(call, ended, None)
    assert said is not None
    assert {name: text for name, text in said.items() if "messages" in name} == (
        {
            "gen_ai.input.messages": '[{"role":"user","parts":'
            '[{"type":"text","content":"Hello"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":'
            '[{"type":"text","content":"Hi"}]}]',
        }
        if captures
        else {}
    )
    call.end(None)
    assert (call.asked, call.answered) == (None, None)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (
            Version.LEGACY,
            {
                "gen_ai.prompt": '[{"role":"system","content":"Be brief"},'
                '{"role":"user","content":"Hello"}]',
                "gen_ai.completion": '[{"role":"assistant","content":"Hi"}]',
            },
        ),
        (
            Version.MAIN,
            {
                "gen_ai.input.messages": '[{"role":"system","parts":[{"type":"text",'
                '"content":"Be brief"}]},{"role":"user","parts":[{"type":"text",'
                '"content":"Hello"}]}]',
                "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text",'
                '"content":"Hi"}]}]',
            },
        ),
    ],
)
def test_messages_have_the_shape_of_the_version(version: Version, expected: dict[str, str]) -> None:
    conventions = Conventions(version, captures_content=True)
    asked = [{"role": "system", "content": "Be brief"}, "Hello"]
    assert conventions.messages(asked=asked, answered="Hi") == expected
    assert conventions.messages() == {}


def test_messages_in_the_conventions_own_shape_stay_as_they_are() -> None:
    conventions = Conventions(Version.MAIN, captures_content=True)
    call = {"type": "tool_call", "name": "search", "arguments": {"query": "x"}}
    answered = [{"role": "assistant", "parts": [call]}]
    assert conventions.messages(answered=answered) == {
        "gen_ai.output.messages": json.dumps(answered, separators=(",", ":"))
    }


@dataclass
class Query:
    text: str
    secret: str = field(default="hidden", repr=False)


class Plain:
    def __init__(self) -> None:
        self.shown = 1
        self._hidden = 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ([True, 1, 2.5, None], "[true,1,2.5,null]"),
        ([float("nan"), float("-inf")], '["nan","-inf"]'),
        ([10**100, "\ud800"], '["<long number>","?"]'),
        ({1: "a", "b": {"c": ()}}, '{"1":"a","b":{"c":[]}}'),
        (UserDict({"a": frozenset({1})}), '{"a":[1]}'),
        ([b"abc", Decimal("1.5")], '["<3 bytes>","1.5"]'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02 00:00:00+00:00"'),
        (Query("x"), '{"text":"x"}'),
        (Plain(), '{"shown":1}'),
        ([object(), Plain, len], '["<object>","<type>","<builtin_function_or_method>"]'),
    ],
)
def test_values_as_json(value: object, expected: str) -> None:
    assert format_content(value) == expected


def test_long_content_is_cut_inside_and_stays_json() -> None:
    pages = ["word " * 20, "word " * 20, "x"]
    assert format_content({"pages": pages, "total": 3, "more": 1}, most=150) == (
        f'{{"pages":["{pages[0]}","{"word " * 6}word…","…"],"…":null}}'
    )


def test_a_value_in_itself_comes_to_an_end() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert format_content(endless) == f'{"[" * 13}"…"{"]" * 13}'


class HostileError(Exception):
    """Raises, whatever is done to it."""

    def __str__(self) -> str:
        raise SystemExit("not with me")

    def __repr__(self) -> NoReturn:
        raise RuntimeError("nor so")

    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError(name)


class HostileDict(UserDict[str, object]):
    def __iter__(self) -> Iterator[str]:
        yield "one"
        raise RuntimeError("no more")


class HostileText(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def encode(self, *_: object) -> bytes:
        raise RuntimeError("no bytes")


class HostileObject:
    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError(name)  # of `__class__` too, so that `isinstance` raises


HOSTILE = (
    HostileDict({"one": 1}),
    HostileText("text"),
    HostileObject(),
    HostileError(),
    10**5_000,
    Plain,
)


@dataclass(frozen=True)
class Place:
    """Where a hostile value comes in; Hypothesis itself would stumble over it."""

    which: int


def haunted(value: object) -> object:
    if isinstance(value, Place):
        return HOSTILE[value.which]
    if isinstance(value, dict):
        return {name: haunted(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(haunted, value))
    return value


PLACES = st.builds(Place, st.integers(0, len(HOSTILE) - 1))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | PLACES,
    lambda values: (
        st.lists(values, max_size=5)
        | st.dictionaries(st.text() | st.integers(), values, max_size=5)
        | st.tuples(values)
    ),
    max_leaves=30,
)


@given(value=VALUES, most=st.integers(min_value=1, max_value=2_000))
def test_any_value_is_json_of_bounded_length(value: object, most: int) -> None:
    text = format_content([haunted(value)], most=most)
    assert isinstance(json.loads(text), list)
    assert len(text) <= most + 250
    text.encode()


def test_one_value_that_raises_takes_no_other_with_it() -> None:
    assert format_content([1, HostileObject(), HostileDict({"one": 1}), 2]) == (
        '[1,"<unreadable>","<unreadable>",2]'
    )
    assert format_content(HostileObject()) == '"<unreadable>"'


@given(text=st.text(), most=st.integers(min_value=0, max_value=100))
def test_a_shortened_text_is_short_and_starts_alike(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    assert text.encode("utf-8", "replace").decode().startswith(short.removesuffix("…"))


def test_a_text_is_not_cut_inside_of_a_word() -> None:
    secret = "sk-" + "a" * 48
    assert shorten(f"the key is {secret} and more", 30) == "the key is…"
    assert shorten(f"the key is {secret} and more", 63) == f"the key is {secret}…"
    assert shorten("x" * 1_000, 500) == "x" * 499 + "…"


class NoHitsError(Exception):
    """Of the host."""


def fail(error: BaseException) -> NoReturn:
    raise error


def raised(error: BaseException) -> BaseException:
    """``error``, after it was raised."""
    try:
        fail(error)
    except BaseException as caught:  # noqa: BLE001  # whatever it is
        return caught


def test_an_exception_is_an_event() -> None:
    error = raised(NoHitsError("nothing found"))
    assert exception_event(error) == (
        "exception",
        {
            "exception.type": f"{__name__}.NoHitsError",
            "exception.message": "nothing found",
            "exception.stacktrace": "Traceback (most recent call last):\n"
            f'  File "{__file__}", line {raised.__code__.co_firstlineno + 3}, in raised\n'
            "    fail(error)\n"
            f'  File "{__file__}", line {fail.__code__.co_firstlineno + 1}, in fail\n'
            "    raise error\n"
            f"{__name__}.NoHitsError: nothing found\n",
        },
    )
    assert error_description(error) == "NoHitsError: nothing found"


def test_the_chain_of_an_exception_is_in_its_stack() -> None:
    error = NoHitsError("nothing found")
    error.__cause__ = raised(KeyError("hits"))
    stack = str(exception_event(raised(error))[1]["exception.stacktrace"])
    assert stack.count("Traceback (most recent call last):") == 2
    assert "KeyError: 'hits'\n\nThe above exception was the direct cause" in stack


def test_built_in_exceptions_have_no_module_and_no_message_none_in_the_description() -> None:
    assert error_type(TimeoutError()) == "TimeoutError"
    assert error_type(json.JSONDecodeError("x", "y", 0)) == "json.decoder.JSONDecodeError"
    assert error_description(TimeoutError()) == "TimeoutError"
    assert exception_event(TimeoutError()) == (
        "exception",
        {
            "exception.type": "TimeoutError",
            "exception.message": "",
            "exception.stacktrace": "TimeoutError\n",
        },
    )


def test_a_hostile_exception_is_told_by_its_class() -> None:
    unreadable = "<the exception has no message that can be read>"
    name, attributes = exception_event(HostileError())
    assert name == "exception"
    assert attributes["exception.type"] == f"{__name__}.HostileError"
    assert attributes["exception.message"] == unreadable
    assert error_description(HostileError()) == f"HostileError: {unreadable}"


def test_the_keyboard_is_heard_while_a_message_is_read() -> None:
    class SlowError(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exception_event(SlowError())


def deep(depth: int) -> None:
    if depth:
        deep(depth - 1)
    raise NoHitsError("nothing found")


def endless() -> BaseException:
    first, second = NoHitsError("first"), NoHitsError("second")
    first.__cause__, second.__cause__ = second, first
    return first


def chain(length: int) -> BaseException:
    error = NoHitsError("last")
    for _ in range(length):
        before, error = error, NoHitsError("next")
        error.__cause__ = before
    return error


def from_the_deep() -> BaseException:
    try:
        deep(500)
    except NoHitsError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        NoHitsError("x" * 1_000_000),
        NoHitsError("line\n" * 100_000),
        NoHitsError(HostileText("text")),
        ExceptionGroup("many", [NoHitsError("word " * 100)] * 100_000),
        ExceptionGroup("some", [NoHitsError("word " * 1_000)] * 10),
        ExceptionGroup("different", [NoHitsError("word " * 1_000) for _ in range(10_000)]),
        endless(),
        chain(50_000),
        from_the_deep(),
        RecursionError("deep"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "\udcff"),
    ],
    ids=lambda error: f"{type(error).__name__} {str(error)[:10]!r}",
)
def test_an_event_is_bounded_whatever_the_exception(error: BaseException) -> None:
    _, attributes = exception_event(error)
    assert set(attributes) == {"exception.type", "exception.message", "exception.stacktrace"}
    assert attributes["exception.type"] == error_type(error)
    assert len(str(attributes["exception.message"])) <= 2_000
    assert len(str(attributes["exception.stacktrace"])) <= 12_010
    assert error_type(error).rpartition(".")[2] in str(attributes["exception.stacktrace"])
    json.dumps(attributes, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (ExceptionGroup("many", [NoHitsError("x")] * 1_000), "many (1000 sub-exceptions)"),
        (ExceptionGroup("many", [NoHitsError("x") for _ in range(31)]), "many (31 sub-exceptions)"),
        (chain(50), "next"),
    ],
    ids=["one again and again", "group", "chain"],
)
def test_of_an_exception_that_many_hang_on_only_itself_is_told(
    error: BaseException, last: str
) -> None:
    stack = str(exception_event(raised(error))[1]["exception.stacktrace"])
    assert [line.strip() for line in stack.splitlines()] == [
        "Traceback (most recent call last):",
        f'File "{__file__}", line {raised.__code__.co_firstlineno + 3}, in raised',
        "fail(error)",
        f'File "{__file__}", line {fail.__code__.co_firstlineno + 1}, in fail',
        "raise error",
        f"{type(error).__name__}: {last}",
    ]


def test_of_a_small_group_every_exception_is_told() -> None:
    stack = str(exception_event(ExceptionGroup("few", [NoHitsError("a"), KeyError("b")])))
    assert "NoHitsError: a" in stack
    assert "KeyError: 'b'" in stack


def test_of_a_deep_stack_the_innermost_frames_are_told() -> None:
    stack = str(exception_event(from_the_deep())[1]["exception.stacktrace"])
    here = deep.__code__.co_firstlineno
    places = [line.split(", ")[1] for line in stack.splitlines() if ", in deep" in line]
    assert places[-1] == f"line {here + 3}"
    assert set(places[:-1]) == {f"line {here + 2}"}
    assert "in from_the_deep" not in stack


@given(message=st.text())
def test_any_message_can_be_sent(message: str) -> None:
    _, attributes = exception_event(NoHitsError(message))
    assert attributes["exception.message"] == message.encode("utf-8", "replace").decode()
    error_description(NoHitsError(message)).encode()
