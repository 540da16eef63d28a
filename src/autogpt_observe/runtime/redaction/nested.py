"""Walks through nested data, and copies what changes on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING

from autogpt_observe.secrets.findings import PLACEHOLDER, placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

    Items = list[object] | tuple[object, ...] | deque[object] | AbstractSet[object]

MOST_DEPTH = 24
"""Levels of nested data that are read; what lies deeper is replaced."""
MOST_ITEMS = 50_000
"""Texts and containers of one value that are read; what comes after them is replaced."""
CYCLE = "cycle"
TOO_DEEP = "too-deep"
TOO_LARGE = "too-large"

_SCALARS = (int, float, complex, type(None))
_PAIR = 2


class Walk:
    """One pass through nested data; cycles, depth and size are bounded.

    Args:
        redact: redacts a text, and returns the same object where there is nothing to redact.
        kind_of: the kind of secret that stands under a name; None for the name of anything else.
        most_items: how many texts and containers it reads.
    """

    __slots__ = ("_inside", "_kind_of", "_left", "_redact")

    def __init__(
        self, redact: Callable[[str], str], kind_of: Callable[[str], str | None], most_items: int
    ) -> None:
        self._redact = redact
        self._kind_of = kind_of
        self._left = most_items
        self._inside: set[int] = set()

    def under(self, kind: str | None, value: object) -> object:
        """``value``, replaced as a whole if its name says that it is a secret of ``kind``."""
        if kind is None:
            return self.item(value)
        if value is None or isinstance(value, bool) or _is_empty(value) or _is_redacted(value):
            return value
        whole = placeholder(kind)
        return whole.encode() if isinstance(value, bytes) else whole

    def item(self, value: object) -> object:
        """``value``, by what it is."""
        if isinstance(value, _SCALARS):
            return value
        if isinstance(value, str):
            return self._redact(value) if self._may_read() else placeholder(TOO_LARGE)
        if isinstance(value, (bytes, bytearray)):
            return self._bytes(value) if self._may_read() else placeholder(TOO_LARGE)
        if isinstance(value, (Mapping, list, tuple, deque, AbstractSet)):
            return self._container(value)
        return value

    def _may_read(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def _bytes(self, value: bytes | bytearray) -> object:
        text = value.decode("latin-1")
        clean = self._redact(text)
        if clean is text:
            return value
        coded = clean.encode("latin-1")
        return bytearray(coded) if isinstance(value, bytearray) else coded

    def _container(self, value: Mapping[object, object] | Items) -> object:
        if id(value) in self._inside:
            return placeholder(CYCLE)
        if len(self._inside) >= MOST_DEPTH:
            return placeholder(TOO_DEEP)
        if not self._may_read():
            return placeholder(TOO_LARGE)
        self._inside.add(id(value))
        try:
            return self._mapping(value) if isinstance(value, Mapping) else self._items(value)
        finally:
            self._inside.discard(id(value))

    def _mapping(self, value: Mapping[object, object]) -> object:
        copy: dict[object, object] | None = None
        for index, (key, item) in enumerate(value.items()):
            new_key, new = self.item(key), self.under(self._kind(key), item)
            if copy is None:
                if new is item and new_key is key:
                    continue
                copy = dict(islice(value.items(), index))
            copy[_unused(new_key, copy)] = new
        return value if copy is None else copy

    def _kind(self, key: object) -> str | None:
        if isinstance(key, str):
            return self._kind_of(key)
        return self._kind_of(key.decode("latin-1")) if isinstance(key, bytes) else None

    def _items(self, value: Items) -> object:
        items = list(value)
        new = [self.item(item) for item in items]
        if isinstance(value, tuple) and len(value) == _PAIR and isinstance(value[1], (str, bytes)):
            new[1] = self.under(self._kind(value[0]), value[1])  # a header: its name, its value
        if all(after is before for after, before in zip(new, items, strict=True)):
            return value
        if isinstance(value, tuple):
            return tuple(new)
        if isinstance(value, frozenset):
            return frozenset(new)
        return set(new) if isinstance(value, AbstractSet) else new


def _is_empty(value: object) -> bool:
    sized = isinstance(value, (str, bytes, bytearray, Mapping, list, tuple, deque, AbstractSet))
    return sized and len(value) == 0  # type: ignore[arg-type]  # each of them has a length


def _is_redacted(value: object) -> bool:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return isinstance(value, str) and PLACEHOLDER.fullmatch(value) is not None


def _unused(key: object, taken: dict[object, object]) -> object:
    """``key``, numbered if another key became the same by being redacted."""
    free, number = key, 2
    while free in taken:
        free, number = f"{key} ({number})", number + 1
    return free
