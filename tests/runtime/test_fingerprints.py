"""What tells one call from another."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.runtime.fingerprints import fingerprint, number_of


class Message:
    def __init__(self, text: object) -> None:
        self.text = text


class Slotted:
    __slots__ = ("text",)

    def __init__(self, text: object) -> None:
        self.text = text


class Comparable(Slotted):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparable) and other.text == self.text

    __hash__ = None  # type: ignore[assignment]  # as a class with `__eq__` alone has it


@dataclass
class Query:
    text: object


@dataclass(frozen=True)
class Frozen:
    text: object


KINDS = [Message, Slotted, Comparable, Query, Frozen, list, tuple, set, frozenset, dict.fromkeys]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_objects_are_told_by_what_is_in_them(kind: type) -> None:
    assert fingerprint(kind("ab")) == fingerprint(kind("ab"))
    assert fingerprint(kind("ab")) != fingerprint(kind("ac"))


@pytest.mark.parametrize(
    "different",
    [
        (1, 2),
        (-1, -2),
        ("1", 1),
        (None, False),
        ([1, [2]], [[1], 2]),
        ([1, 2], [2, 1]),
        ([], ()),
        ({"a": 1}, {"a": 2}),
        (date(2026, 1, 1), date(2026, 1, 2)),
        (Path("a"), Path("b")),
        (UUID(int=1), UUID(int=2)),
        (Message(Message(1)), Message(Message(2))),
        (Message("a"), Slotted("a")),
        (["x"] * 600, ["x"] * 601),
    ],
)
def test_different_values_differ(different: tuple[object, object]) -> None:
    first, second = different
    assert fingerprint(first) != fingerprint(second)


def test_an_address_that_is_used_again_is_another_object() -> None:
    seen = set()
    for _ in range(200):
        made = object()
        seen.add(fingerprint(made))
        del made
        gc.collect(0)
    assert len(seen) == 200


def test_what_shows_nothing_is_itself_while_it_lives() -> None:
    def function() -> None: ...

    assert fingerprint(function) == fingerprint(function)
    assert number_of(function) != number_of(len)


def test_deep_large_and_circular_values_end() -> None:
    deep: object = ()
    for _ in range(1_000_000):
        deep = (deep,)
    circle: list[object] = []
    circle.append(circle)
    for value in (deep, circle, Message(circle), list(range(10**6)), set(range(10**6))):
        assert isinstance(fingerprint(value), int)
    while deep:  # else its end would overflow the stack
        deep = deep[0]  # type: ignore[index]  # it is one


class Hostile:
    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError


def test_hostile_objects_differ_each_time() -> None:
    value = Hostile()
    assert fingerprint(value) != fingerprint([value])


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(values)
def test_a_copy_is_the_same(value: object) -> None:
    copy = eval(repr(value), {"inf": float("inf")})  # noqa: S307  # what we have printed
    assert fingerprint(copy) == fingerprint(value)
