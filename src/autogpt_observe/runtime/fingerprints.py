"""A number that tells equal arguments and results from different ones, whatever they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

_MOST_PARTS = 500
_ATOMS = (str, bytes, int, float, complex, bool, type(None))


def fingerprint(value: object) -> int:
    """The same number for equal values of this process; never raises.

    What can be hashed is; of the rest, mappings, sequences, sets, dataclasses and objects with
    attributes are walked, up to 500 parts. An object that shows nothing is told by its identity.
    """
    try:
        return hash(value)
    except Exception:  # noqa: BLE001  # unhashable, or the host's own `__hash__` raises
        parts: list[int] = []
        try:
            _walk(value, parts, set())
        except Exception:  # noqa: BLE001  # the host's objects may do anything when looked at
            parts.append(id(value))
        return hash(tuple(parts))


def _walk(  # noqa: C901  # a case for each kind of value
    value: object, parts: list[int], around: set[int]
) -> None:
    if len(parts) >= _MOST_PARTS:
        return
    if isinstance(value, _ATOMS):
        parts.append(hash(value))
        return
    parts.append(hash(type(value)))
    if id(value) in around:
        return
    around.add(id(value))
    if isinstance(value, Mapping):
        for name, item in value.items():
            _walk(name, parts, around)
            _walk(item, parts, around)
    elif isinstance(value, AbstractSet):
        parts.append(hash(frozenset(map(fingerprint, value))))
    elif isinstance(value, list | tuple):
        for item in value:
            _walk(item, parts, around)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _walk(getattr(value, field.name), parts, around)
    elif type(value).__hash__ is None and hasattr(value, "__dict__"):
        _walk(vars(value), parts, around)
    else:
        parts.append(_hash_of(value))
    around.discard(id(value))


def _hash_of(value: object) -> int:
    """The hash of ``value``, or its identity where it has none."""
    try:
        return hash(value)
    except TypeError:
        return id(value)
