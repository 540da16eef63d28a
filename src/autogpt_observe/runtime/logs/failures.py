"""What a line says of an exception."""

from __future__ import annotations

import sys
import traceback
from itertools import islice
from types import TracebackType
from typing import TypeAlias, cast

from autogpt_observe.runtime.logs.values import (
    MOST_READ,
    STOPS,
    clean,
    cut_middle,
    name_of,
    text_of,
)

Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
MOST_STACK = 20_000
"""Longest stack trace, in characters."""
_MOST_TRACED = 10 * MOST_STACK
"""How much of a stack trace is looked at: secrets are looked for before it is cut."""
_MOST_ERRORS = 100


def find_error(given: object) -> BaseException | None:
    """The exception that ``exc_info`` means, as structlog and logging take it."""
    type_ = type(given)  # an object may lie about its `__class__`, or raise
    if issubclass(type_, BaseException):
        return cast("BaseException", given)
    if issubclass(type_, tuple):
        second = next(islice(cast("tuple[object, ...]", given), 1, None), None)
        return second if isinstance(second, BaseException) else None
    if not is_true(given):
        return None
    return sys.exc_info()[1]


def is_true(given: object) -> bool:
    """Whether it counts as true; an object that can't tell does. Never raises."""
    try:
        return bool(given)
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001  # the host's object: it may do anything
        return True


def message_of(error: BaseException) -> str:
    """What it says, without its class."""
    try:
        return clean(str.__str__(str(error))[:MOST_READ])
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001  # the host's exception: it may do anything
        return text_of(error)


def stack_of(error: BaseException) -> str:
    """Its traceback as Python prints it, with causes, groups and notes. Never raises.

    Of one that would take long, because much hangs together with it, the frames and the message.
    """
    try:
        lines = traceback.format_exception(error) if _is_modest(error) else _frames(error)
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001  # a `__str__`, a source that can't be read, deep groups
        lines = _frames(error)
    return clean(cut_middle("".join(lines).rstrip("\n"), _MOST_TRACED))


def _is_modest(error: BaseException) -> bool:
    """Whether it is one of few errors, with little to say each."""
    left, room = _MOST_ERRORS, MOST_READ
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and left >= 0 and room >= 0:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        room -= len(str(each)) + sum(map(len, map(str, getattr(each, "__notes__", ()))))
        waiting += (each.__cause__, each.__context__)
        left -= 1
        if isinstance(each, BaseExceptionGroup):
            left -= len(each.exceptions)
            waiting += each.exceptions[:_MOST_ERRORS]
    return left >= 0 and room >= 0


def _frames(error: BaseException) -> list[str]:
    frames = [
        f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n'
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return ["Traceback (most recent call last):\n", *frames, text_of(error)]


def type_of(error: BaseException) -> str:
    """The name of its class, as the metrics count it."""
    return name_of(type(error))
