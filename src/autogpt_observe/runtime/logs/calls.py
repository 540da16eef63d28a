"""The methods of a logger, and what they do with what they are called with."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from autogpt_observe.runtime.logs.failures import find_error, is_true
from autogpt_observe.runtime.logs.fields import ERROR, INFO, LEVELS, nearest_level
from autogpt_observe.runtime.logs.lines import About
from autogpt_observe.runtime.logs.target import CURRENT
from autogpt_observe.runtime.logs.values import STOPS, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType

    from autogpt_observe.runtime.logs.target import Target

    Method = Callable[..., None]
    AsyncMethod = Callable[..., Coroutine[None, None, None]]

ABSENT: Any = object()
"""Stands for the event where none is given."""
_CONTEXTVARS = "structlog.contextvars"
_BOUND = "_CONTEXT_VARS"
"""Where that module keeps what was ever bound; where it does not, its own function is asked."""
_modules = sys.modules


class HasContext(Protocol):
    """A logger.

    Attributes:
        _context: the fields of all its events.
    """

    _context: dict[str, object]


def methods_for(  # noqa: C901  # each call less is felt by every event
    level: int, *, exc_info: bool = False
) -> tuple[Method, AsyncMethod]:
    """A method that logs events at ``level``, and an asynchronous one.

    With ``exc_info`` they say what exception is being handled, unless they are told which one.
    """
    is_special = exc_info or level >= ERROR

    def method(self: HasContext, event: Any = ABSENT, /, *args: Any, **fields: Any) -> None:
        try:
            target = CURRENT.target
            if target is None or level < target.level:
                return
            frame = sys._getframe(1)  # noqa: SLF001  # documented, and what `logging` uses
            if (
                type(event) is not str
                or args
                or is_special
                or "exc_info" in fields
                or "stack_info" in fields
                or (_CONTEXTVARS in _modules and getattr(_modules[_CONTEXTVARS], _BOUND, True))
            ):
                if exc_info:
                    fields.setdefault("exc_info", True)
                report(target, level, (event, *args), {**self._context, **fields}, frame)
                return
            if self._context:
                fields = {**self._context, **fields}
            target.put(target.build(level, event, fields, frame.f_globals.get("__name__", "")))
        except STOPS:
            raise
        except BaseException:  # noqa: BLE001, S110  # no room is left on the stack, not even to say so
            pass

    async def amethod(self: HasContext, event: Any = ABSENT, /, *args: Any, **fields: Any) -> None:
        target = CURRENT.target
        if target is not None and level >= target.level:
            frame = sys._getframe(1)  # noqa: SLF001  # as above
            if exc_info:
                fields.setdefault("exc_info", True)
            report(target, level, (event, *args), {**self._context, **fields}, frame)

    return method, amethod


def level_of(given: object) -> int:
    """The level that a number or a name means; that of plain news for anything else."""
    if isinstance(given, str):
        return LEVELS.get(given.lower(), INFO)
    return nearest_level(given) if isinstance(given, int) else INFO


def report(
    target: Target, level: int, words: tuple[Any, ...], fields: dict[str, Any], frame: FrameType
) -> None:
    """Log an event as structlog does. Never raises."""
    try:
        _report(target, level, words, fields, frame)
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001, S110  # no room is left on the stack, not even to say so
        pass


def _report(
    target: Target, level: int, words: tuple[Any, ...], fields: dict[str, Any], frame: FrameType
) -> None:
    """As `report`.

    Args:
        target: where to.
        level: how bad it is.
        words: the event, and what to put into it.
        fields: what is said of it, with `exc_info` and `stack_info`; is changed.
        frame: the caller's.
    """
    event, args = words[0], words[1:]
    if event is ABSENT:
        event = fields.pop("event", "")
    if args:
        event = _interpolated(event, args, fields)
    error = find_error(fields.pop("exc_info", None))
    if is_true(fields.pop("stack_info", None)):
        fields["stack"] = "".join(traceback.format_stack(frame))
    around = _modules.get(_CONTEXTVARS)
    if around is not None:
        fields = {**around.get_contextvars(), **fields}
    message = event if type(event) is str else text_of(event)
    target.log(level, message, fields, _module(frame), None if error is None else About(error))


def _interpolated(event: Any, args: tuple[Any, ...], fields: dict[str, Any]) -> str:
    """The event with its arguments; where they don't fit, they are kept beside it."""
    try:
        named = len(args) == 1 and isinstance(args[0], Mapping) and args[0]
        return str(event % (args[0] if named else args))
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001  # the host's format, and its objects
        fields["positional_args"] = args
        return text_of(event)


def _module(frame: FrameType) -> str:
    """The name of the module that ``frame`` runs in."""
    name = frame.f_globals.get("__name__", "")
    return name if type(name) is str else text_of(name)
