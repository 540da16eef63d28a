"""What a line says of an exception."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import TypeAlias

from autogpt_observe.runtime.logs.values import MOST_READ, clean, name_of, text_of

Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
MOST_STACK = 20_000
"""Longest stack trace, in characters."""
_MOST_TRACED = 10 * MOST_STACK


def find_error(given: object) -> BaseException | None:
    """The exception that ``exc_info`` means, as structlog and logging take it."""
    if not given:
        return None
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        second = given[1] if len(given) > 1 else None
        return second if isinstance(second, BaseException) else None
    return sys.exc_info()[1]


def message_of(error: BaseException) -> str:
    """What it says, without its class."""
    try:
        return clean(str.__str__(str(error))[:MOST_READ])
    except Exception:  # noqa: BLE001  # the host's exception: it may do anything
        return text_of(error)


def stack_of(error: BaseException) -> str:
    """Its traceback as Python prints it, with causes, groups and notes. Never raises."""
    try:
        lines = traceback.format_exception(error)
    except Exception:  # noqa: BLE001  # a `__str__`, a source that can't be read, too deep groups
        lines = _frames(error)
    return clean("".join(lines).rstrip("\n"))


def _frames(error: BaseException) -> list[str]:
    frames = [
        f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n'
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return ["Traceback (most recent call last):\n", *frames, text_of(error)]


def type_of(error: BaseException) -> str:
    """The name of its class, as the metrics count it."""
    return name_of(type(error))
