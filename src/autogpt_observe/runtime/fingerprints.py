"""A number that tells equal arguments and results from different ones, whatever they are."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import count, islice

_MOST_PARTS = 500
_DEEPEST = 50
_FEW = 20
_ATOMS = frozenset({str, bytes, int, float, complex, bool, type(None)})
_SEQUENCES = (list, tuple)


def fingerprint(value: object) -> int:
    """The same number for equal values of this process; never raises.

    Values are told by what is in them, up to 500 parts: items, fields, attributes. What shows
    nothing is told by its identity for as long as it lives; an address alone would not do, for the
    next object may have it.
    """
    parts: list[object] = []
    try:
        if type(value) is not tuple or not _flatten(value, parts):
            parts.clear()
            _walk(value, parts, 0)
    except Exception:  # noqa: BLE001  # the host's objects may do anything when looked at
        parts.append(next(_NUMBERS))
    return hash(tuple(parts))


def _flatten(value: tuple[object, ...], parts: list[object]) -> bool:
    """As `_walk`, of tuples of tuples of plain values, which calls mostly are; False of others."""
    parts.append(len(value))
    for item in value:
        kind = type(item)
        if kind in _ATOMS:
            parts.append(item if item != -1 else "-1")
        elif not isinstance(item, tuple) or len(item) > _FEW or not _flatten(item, parts):
            return False
    return len(parts) < _MOST_PARTS


def _walk(value: object, parts: list[object], depth: int) -> None:  # noqa: C901  # a case per kind
    kind = type(value)
    if kind in _ATOMS:
        parts.append(value if value != -1 else "-1")  # whose hash is that of -2
    elif len(parts) >= _MOST_PARTS or depth > _DEEPEST:
        parts.append(kind.__qualname__)
    elif isinstance(value, _SEQUENCES):
        parts.append((kind.__qualname__, len(value)))
        for item in value[:_MOST_PARTS]:
            _walk(item, parts, depth + 1)
    elif isinstance(value, Mapping):
        parts.append((kind.__qualname__, len(value)))
        for name, item in islice(value.items(), _MOST_PARTS):
            _walk(name, parts, depth + 1)
            _walk(item, parts, depth + 1)
    elif isinstance(value, AbstractSet):
        parts.append((kind.__qualname__, len(value)))
        if len(value) <= _MOST_PARTS:
            parts.append(frozenset(map(fingerprint, value)))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts.append(kind.__qualname__)
        for field in dataclasses.fields(value):
            _walk(getattr(value, field.name), parts, depth + 1)
    elif kind.__hash__ not in (None, object.__hash__) and not isinstance(value, type):
        parts.append((kind.__qualname__, hash(value)))  # told by its value: dates, paths, UUIDs
    else:
        _look_into(value, parts, depth)


def _look_into(value: object, parts: list[object], depth: int) -> None:
    """An object that says of itself only what its attributes say."""
    kind = type(value)
    names = [name for each in kind.__mro__ for name in _slots(each)]
    held = getattr(value, "__dict__", None)
    if isinstance(value, type) or callable(value) or not (names or isinstance(held, dict)):
        parts.append(number_of(value))
        return
    parts.append(kind.__qualname__)
    if isinstance(held, dict):
        _walk(held, parts, depth + 1)
    for name in names:
        _walk(getattr(value, name, None), parts, depth + 1)


def _slots(kind: type) -> tuple[str, ...]:
    given = vars(kind).get("__slots__", ())
    names = (given,) if isinstance(given, str) else tuple(given)
    return tuple([name for name in names if name not in ("__dict__", "__weakref__")])


_NUMBERS = count()
_KNOWN: dict[int, tuple[weakref.ref[object], int]] = {}


def number_of(value: object) -> int:
    """A number of this very object; a new one each time where its end can't be seen."""
    known = _KNOWN.get(id(value))
    if known is not None and known[0]() is value:
        return known[1]
    number, address = next(_NUMBERS), id(value)
    try:
        reference = weakref.ref(value, lambda _: _KNOWN.pop(address, None))
    except TypeError:
        return number
    _KNOWN[address] = (reference, number)
    return number
