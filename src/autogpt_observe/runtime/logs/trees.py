"""A host's nested value as what JSON has: bounded, without cycles, without an exception."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from autogpt_observe.runtime.logs.values import (
    MOST_ITEMS,
    MOST_READ,
    STOPS,
    array_of,
    cut,
    number_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Tree: TypeAlias = "str | bool | int | float | list[Tree] | dict[str, Tree] | None"
"""What JSON has."""

MOST_KEY = 128
"""Longest name of a field, in characters."""
_MOST_NODES = 1_000
_MOST_DEPTH = 8
_LEAST_TEXT = 32
_LISTS = (list, tuple, set, frozenset, deque)


class Walk:
    """Walks through one value.

    Attributes:
        was_cut: whether anything was left out: items, what lies too deep, ends of texts.
    """

    def __init__(self) -> None:
        self.was_cut = False
        self._nodes = _MOST_NODES
        self._room = MOST_READ
        self._above: list[object] = []

    def tree(self, value: object) -> Tree:
        """``value`` as far as it goes. Never raises."""
        try:
            return self._tree(value)
        except STOPS:
            raise
        except BaseException:  # noqa: BLE001  # the host's object: it may do anything
            return self._text(value)

    def _tree(self, value: object) -> Tree:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self.tree(value.value)
        number = number_of(value)
        if number is not None:
            return number
        plain = array_of(value)
        if plain is not value:
            return self.tree(plain)
        if isinstance(value, _LISTS) and not hasattr(value, "_fields"):
            return self._list(value)
        parts = parts_of(value)
        return self._text(value) if parts is None else self._map(value, parts)

    def _list(self, value: Iterable[object]) -> Tree:
        if not self._enter(value):
            return "..."
        items: list[Tree] = []
        try:
            for item in islice(value, MOST_ITEMS + 1):
                if not self._has_room(len(items)):
                    break
                items.append(self.tree(item))
        finally:
            self._above.pop()
        return items

    def _map(self, value: object, parts: Iterable[tuple[object, object]]) -> Tree:
        if not self._enter(value):
            return "..."
        items: dict[str, Tree] = {}
        try:
            for key, part in islice(parts, MOST_ITEMS + 1):
                if not self._has_room(len(items)):
                    break
                name = free_name(cut(text_of(key), MOST_KEY), items)
                self._room -= len(name)
                items[name] = self.tree(part)
        except STOPS:
            raise
        except BaseException:  # noqa: BLE001  # changed by another thread, or a mapping of the host's
            self.was_cut = True
        finally:
            self._above.pop()
        return items

    def _enter(self, value: object) -> bool:
        """Go into ``value``, unless it is being walked through already, or lies too deep."""
        if len(self._above) >= _MOST_DEPTH or any(each is value for each in self._above):
            self.was_cut = True
            return False
        self._above.append(value)
        return True

    def _has_room(self, taken: int) -> bool:
        self._nodes -= 1
        if taken >= MOST_ITEMS or self._nodes < 0 or self._room < 0:
            self.was_cut = True
            return False
        return True

    def _text(self, value: object) -> str:
        text = text_of(value)
        room = max(self._room, _LEAST_TEXT)
        if len(text) > room:
            self.was_cut = True
            text = cut(text, room)
        self._room -= len(text)
        return text


def parts_of(value: object) -> Iterable[tuple[object, object]] | None:
    """The named parts of a mapping, dataclass, named tuple, attrs class or pydantic model."""
    if isinstance(value, Mapping):
        return value.items()
    type_ = type(value)
    if isinstance(value, type):
        return None
    if hasattr(type_, "__pydantic_fields__"):
        return vars(value).items()
    names: Iterable[str] = ()
    if hasattr(type_, "__dataclass_fields__"):
        names = type_.__dataclass_fields__
    elif isinstance(value, tuple):
        names = getattr(type_, "_fields", ())
    elif hasattr(type_, "__attrs_attrs__"):
        names = [field.name for field in type_.__attrs_attrs__]
    else:
        return None
    return ((name, getattr(value, name, None)) for name in names)


def free_name(name: str, taken: Mapping[str, object]) -> str:
    """``name``, with a number behind it if it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
