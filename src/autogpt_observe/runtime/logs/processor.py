"""The end of a host's own structlog chain: its events become lines like all others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from structlog import DropEvent

from autogpt_observe.runtime.incidents import LOG
from autogpt_observe.runtime.logs.calls import level_of
from autogpt_observe.runtime.logs.failures import find_error
from autogpt_observe.runtime.logs.fields import STACK_TRACE
from autogpt_observe.runtime.logs.lines import About, LineBuilder, Origin
from autogpt_observe.runtime.logs.target import CURRENT
from autogpt_observe.runtime.logs.values import name_of, text_of

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger


def structlog_processor(
    logger: WrappedLogger,  # noqa: ARG001  # structlog's interface
    method: str,
    event_dict: EventDict,
) -> str:
    """Write the event as a line, and end its way: the last processor of a chain of structlog.

    `structlog.configure(processors=[structlog.contextvars.merge_contextvars, ...,
    structlog_processor])`. The level, the time, the exception and the current span are in the line
    anyway: `add_log_level`, `TimeStamper` and `format_exc_info` are not needed before it.

    Returns:
        Without `init`, the event as JSON, for the host's own logger: nothing is lost.

    Raises:
        DropEvent: it is written, or below the least level that is.
    """
    level = level_of(method)
    message = text_of(event_dict.pop("event", ""))
    event_dict.pop("level", None)
    error = find_error(event_dict.pop("exc_info", None))
    name = text_of(event_dict.pop("logger", ""))
    formatted = event_dict.pop("exception", None)  # what `format_exc_info` makes
    stack = None if formatted is None else {STACK_TRACE: text_of(formatted)}
    about = About(error=error, fields=stack)
    target = CURRENT.target
    if target is None:
        return _FALLBACK.build(level, message, event_dict, name, about).decode().rstrip("\n")
    target.log(level, message, event_dict, name, about)
    raise DropEvent


def _tell(place: str, error: Exception) -> None:
    with suppress(Exception):  # a handler or a filter of the host's
        LOG.error("error in %s: %s", place, name_of(type(error)))  # it may hold secrets


_FALLBACK = LineBuilder(Origin("", "", ""), declared={}, redactor=None, on_error=_tell)
