"""Any object as what a log line can carry: short, of a known type, and without an exception."""

from __future__ import annotations

import datetime as dt
import operator
import os
from decimal import Decimal
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType

NUMBER_LIMIT = 2.0**63
"""Numbers below it fit a field that Elasticsearch took for `long` by an earlier value."""
MOST_CHARS = 8_191
"""Longest text of a field: in UTF-8 at most 32,766 bytes, the longest keyword of Lucene."""
MOST_READ = 4 * MOST_CHARS
"""How much of a text is looked at: secrets are looked for before the text is cut."""
MOST_ITEMS = 100
"""How many items of a list or a map are kept."""
_MARK = "... [cut]"
_MOST_BITS = 1_000
STOPS = (KeyboardInterrupt, SystemExit)
"""What a host's object may raise through: somebody wants the process to end."""
_FUNCTIONS = (type, FunctionType, MethodType, BuiltinFunctionType)
_DATES = (dt.datetime, dt.date, dt.time)


def cut(text: str, limit: int = MOST_CHARS) -> str:
    """``text``, or its start and a mark: at most ``limit`` characters, if that is room for it."""
    return text if len(text) <= limit else text[: max(0, limit - len(_MARK))] + _MARK


def cut_middle(text: str, limit: int) -> str:
    """``text``, or its start and its end: of a traceback the end says most."""
    if len(text) <= limit:
        return text
    start, end = limit // 4, limit - limit // 4 - len(_MARK) - 2
    return f"{text[:start]}\n{_MARK}\n{text[len(text) - end :]}"


def clean(text: str) -> str:
    """``text`` as UTF-8 can hold it: lone surrogates are written as escapes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def text_of(value: object) -> str:
    """What ``value`` says of itself, as far as :data:`MOST_READ`. Never raises."""
    try:
        return clean(_text_of(value)[:MOST_READ])
    except STOPS:
        raise
    except BaseException as error:  # noqa: BLE001  # the host's object: it may do anything
        return f"<{name_of(type(value))} that can't be shown: {name_of(type(error))}>"


def name_of(type_: type) -> str:
    """The name of a class, whatever its metaclass does."""
    try:
        return str.__str__(type.__dict__["__qualname__"].__get__(type_))
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001  # as above
        return "object"


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value[:MOST_READ]).decode("utf-8", "backslashreplace")
    if isinstance(value, int):
        return _digits(int(value))
    if isinstance(value, _DATES):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, BaseException):
        return f"{name_of(type(value))}: {str(value)[:MOST_READ]}"
    if isinstance(value, _FUNCTIONS):
        return f"{value.__module__}.{value.__qualname__}"
    text = str(value)
    return text if type(text) is str else str.__str__(text)


def _digits(value: int) -> str:
    bits = value.bit_length()
    if bits <= _MOST_BITS:
        return str(value)
    # Python refuses to write a huge number in decimal digits, for that takes quadratic time.
    left_out = max(0, bits - 4 * MOST_READ)
    return f"{hex(value >> left_out)}" + ("..." if left_out else "")


def number_of(value: object) -> int | float | None:
    """``value`` as a number of JSON below :data:`NUMBER_LIMIT`; None if it is no such number.

    May raise what the object raises.
    """
    if isinstance(value, bool | Enum):
        return None
    if isinstance(value, int | float):
        plain = float(value) if isinstance(value, float) else int(value)
        return plain if -NUMBER_LIMIT < plain < NUMBER_LIMIT else None
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() and abs(value) < NUMBER_LIMIT else None
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if hasattr(type(value), "__index__"):
        return number_of(operator.index(value))  # type: ignore[arg-type]  # it has the method
    return None


def array_of(value: object) -> object:
    """A scalar or a small array of numpy and its kin as Python's own objects; others as they are.

    May raise what the object raises.
    """
    type_ = type(value)
    if hasattr(type_, "dtype") and hasattr(type_, "shape") and hasattr(type_, "tolist"):
        size = 1
        for length in value.shape:  # type: ignore[attr-defined]  # it has one
            size *= length
        if size <= MOST_ITEMS:
            plain: object = value.tolist()  # type: ignore[attr-defined]  # as above
            return plain
    return value
