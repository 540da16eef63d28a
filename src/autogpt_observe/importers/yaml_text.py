"""A spec's parts as YAML that people like to read, and that reads back as the same parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import printable
from autogpt_observe.names import PromQL
from autogpt_observe.spec.model import BucketBound
from autogpt_observe.units import Duration, Ratio, format_decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH = 100
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)
_WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_./()%-]*(?: [A-Za-z0-9_./()%-]+)*", re.ASCII)
_RECORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*:[A-Za-z0-9_:]*[A-Za-z0-9_]", re.ASCII)
_NOT_TEXT = re.compile(r"~|null|true|false|yes|no|on|off|y|n", re.IGNORECASE)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class _Bare(str):
    """A text that stands as it is: a number, a duration, a choice."""

    __slots__ = ()


_Plain = str | list["_Plain"] | dict[str, "_Plain"]


def format_part(value: object, depth: int) -> list[str]:
    """The lines of a part's keys, ``depth`` levels deep; keys with their default left out."""
    return list(_lines(_plain(value), depth))


def format_entry(name: str, value: object, depth: int) -> list[str]:
    """The lines of a named part."""
    return list(_entry(name, _plain(value), depth))


def format_comment(text: str, depth: int) -> str:
    """A comment of one line."""
    return f"{'  ' * depth}# {printable(text)}"


# --- parts to plain data ---------------------------------------------------------------------


def _plain(value: object) -> _Plain:
    match value:
        case Ratio():
            return _Bare(value.percent)
        case BucketBound():
            return _Bare(format_decimal(value.value))
        case StrEnum():
            return _Bare(value.value)
        case bool():
            return _Bare("true" if value else "false")
        case int() | Duration():
            return _Bare(value)
        case str():
            return value
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {_key(key): _plain(item) for key, item in value.items()}
        case _:
            return _part(value)


def _key(key: object) -> str:
    return _Bare(key) if isinstance(key, Duration) else str(key)


def _part(value: object) -> _Plain:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(type(value))
    short = getattr(value, "SHORTHANDS", {})
    keys = {field.name: getattr(value, field.name) for field in fields(value)}
    for word, meaning in short.items():
        if keys == meaning:
            return _Bare(word)
    given = (field for field in fields(value) if keys[field.name] != _default(field))
    return {field.name.rstrip("_"): _own(field.name, keys[field.name]) for field in given}


def _default(field: Field[object]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _own(name: str, value: object) -> _Plain:
    """A condition is a map with `expr`; anywhere else an expression stands alone."""
    if isinstance(value, PromQL):
        return {"expr": str(value)} if name == "when" else str(value)
    return _plain(value)


# --- plain data to lines ---------------------------------------------------------------------


def _lines(data: _Plain, depth: int) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _entry(name, value, depth)
    elif isinstance(data, list):
        for item in data:
            yield from _item(item, depth)


def _entry(name: str, value: _Plain, depth: int) -> Iterator[str]:
    shown = name if _RECORD.fullmatch(name) else _text(name, block=False)
    lead = f"{'  ' * depth}{shown}:"
    if isinstance(value, str):
        yield from _scalar(lead, value, depth)
        return
    flow = _flow(value)
    if flow is not None and len(lead) + len(flow) < _WIDTH:
        yield f"{lead} {flow}"
        return
    yield lead
    yield from _lines(value, depth + 1)


def _item(value: _Plain, depth: int) -> Iterator[str]:
    lead = f"{'  ' * depth}-"
    flow = _text(value, block=True) if isinstance(value, str) else _flow(value)
    if flow is not None and (len(lead) + len(flow) < _WIDTH or isinstance(value, str)):
        yield f"{lead} {flow}"
        return
    first, *rest = _lines(value, depth + 1)
    yield f"{lead} {first.lstrip()}"
    yield from rest


def _scalar(lead: str, text: str, depth: int) -> Iterator[str]:
    if isinstance(text, _Bare) or not _is_block(text):
        yield f"{lead} {_text(text, block=True)}"
        return
    yield f"{lead} |{'' if text.endswith(chr(10)) else '-'}"
    indent = "  " * (depth + 1)
    yield from (f"{indent}{line}".rstrip() for line in text.removesuffix("\n").split("\n"))


def _is_block(text: str) -> bool:
    """Whether the text can stand on lines of its own and still be the same."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and bool(lines[0])
        and bool(lines[-1])
        and not lines[0].startswith(" ")
        and all(line.isprintable() and line.rstrip() == line for line in lines)
    )


def _flow(value: _Plain) -> str | None:
    """A map or list of scalars on one line; None for what is better told on several."""
    if isinstance(value, str):
        return None if "\n" in value else _text(value, block=False)
    inner: Sequence[str | None]
    if isinstance(value, list):
        if any(isinstance(item, dict) and len(item) > 1 for item in value):
            return None
        inner = [_flow(item) for item in value]
        joined = ", ".join(item for item in inner if item is not None)
        return None if None in inner else f"[{joined}]"
    inner = [
        None if (flow := _flow(item)) is None else f"{_text(name, block=False)}: {flow}"
        for name, item in value.items()
    ]
    joined = ", ".join(item for item in inner if item is not None)
    return None if None in inner or value.keys() & _ALONE else f"{{{joined}}}"


_ALONE = frozenset({"when", "annotations", "tests", "expr", "events", "latency"})


def _text(text: str, *, block: bool) -> str:
    if isinstance(text, _Bare):
        return text
    words = _WORDS if block else _NAME
    if words.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    return _ESCAPES.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}")
