"""Records of Python's `logging` as lines, next to the handlers that the host has.

A log-record factory sees every record that a logger makes, after the logger has judged its level
and before any handler. A handler at the root would not do: `logging.basicConfig`, as AutoGPT calls
it, does nothing where one is installed.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

from autogpt_observe.runtime.logs.failures import find_error
from autogpt_observe.runtime.logs.fields import (
    ORIGIN_FILE,
    ORIGIN_FUNCTION,
    ORIGIN_LINE,
    THREAD_NAME,
    nearest_level,
)
from autogpt_observe.runtime.logs.lines import About
from autogpt_observe.runtime.logs.values import STOPS, text_of
from autogpt_observe.runtime.logs.writer import WRITING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from autogpt_observe.runtime.events import OnError
    from autogpt_observe.runtime.logs.target import Target

_MAKES_RECORDS = logging.Logger.makeRecord.__code__
_MOST_FACTORIES = 8
_LOCAL = threading.local()


class Bridge:
    """Passes records on to a target; the records themselves go their way, unchanged.

    What a filter of the logger rejects is passed on all the same: a filter may change records, and
    must not be asked twice.

    Args:
        target: gets the records.
        level: the least level that is passed on.
        on_error: told when a record could not be passed on.
    """

    def __init__(self, target: Target, *, level: int, on_error: OnError) -> None:
        self._target: Target | None = target
        self._level = level
        self._on_error = on_error
        self._inner: Callable[..., logging.LogRecord] = logging.LogRecord

    def install(self) -> None:
        """Take a place in front of the factory that is there."""
        self._inner = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self)

    def remove(self) -> None:
        """Give the place back; where somebody else has taken one in front, only pass through."""
        self._target = None
        if logging.getLogRecordFactory() is self:
            logging.setLogRecordFactory(self._inner)

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record, and pass on what it says.

        A host may have `sys.stderr` write to `logging`: what lines become there is no news.
        """
        record = self._inner(*args, **kwargs)
        target = self._target
        if target is not None and not getattr(_LOCAL, "busy", False) and not _is_writing():
            _LOCAL.busy = True  # what is logged meanwhile, by a `__str__`, is not passed on
            try:
                # `logging.makeLogRecord` asks for a blank record, which has no level
                if type(record.levelno) is int and record.levelno >= self._level:
                    _pass_on(record, target, _extra(sys._getframe(1)))  # noqa: SLF001  # documented
            except Exception as error:  # noqa: BLE001  # a factory's record may be anything
                self._on_error("logging", error)
            finally:
                _LOCAL.busy = False
        return record


def _is_writing() -> bool:
    return getattr(WRITING, "now", False)


def _pass_on(record: logging.LogRecord, target: Target, extra: dict[str, object]) -> None:
    try:
        message = record.getMessage()
    except STOPS:
        raise
    except BaseException:  # noqa: BLE001  # a format that its arguments don't fit, which `logging` tells
        message = text_of(record.msg)
        extra["positional_args"] = record.args
    if record.stack_info:
        extra["stack"] = record.stack_info
    origin = {
        ORIGIN_FILE: record.filename,
        ORIGIN_LINE: record.lineno,
        ORIGIN_FUNCTION: record.funcName,
        THREAD_NAME: record.threadName,
    }
    about = About(error=find_error(record.exc_info), fields=origin)
    target.log(nearest_level(record.levelno), message, extra, record.name, about)


def _extra(frame: FrameType | None) -> dict[str, object]:
    """The call's `extra`, which the logger puts on the record after the factory has made it."""
    for _ in range(_MOST_FACTORIES):
        if frame is None:
            break
        if frame.f_code is _MAKES_RECORDS:
            extra = frame.f_locals.get("extra")
            return dict(extra) if extra else {}
        frame = frame.f_back
    return {}
