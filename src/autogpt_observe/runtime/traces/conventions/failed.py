"""What spans say of exceptions. Nothing here raises, whatever an exception does when looked at.

https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/exceptions/exceptions-spans.md
"""

from __future__ import annotations

from traceback import TracebackException, format_tb
from typing import TYPE_CHECKING

from autogpt_observe.runtime.failures import error_type
from autogpt_observe.runtime.traces.conventions.texts import ELLIPSIS, clean, shorten

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

EXCEPTION = "exception"
TYPE = "exception.type"
MESSAGE = "exception.message"
STACKTRACE = "exception.stacktrace"

_MOST_DESCRIPTION = 500
_MOST_MESSAGE = 2_000
_MOST_STACK = 12_000
_MOST_FRAMES = 30
_MOST_ERRORS = 30
_NO_MESSAGE = "<the exception has no message that can be read>"


def error_description(error: BaseException) -> str:
    """The description of the status of a span that ``error`` ended."""
    text = _message(error)
    name = error_type(error).rpartition(".")[2]
    return shorten(f"{name}: {text}" if text else name, _MOST_DESCRIPTION)


def exception_event(error: BaseException) -> tuple[str, dict[str, AttributeValue]]:
    """The name and the attributes of the event that ``error`` is, its texts bounded in length."""
    described: dict[str, AttributeValue] = {
        TYPE: clean(error_type(error)),
        MESSAGE: shorten(_message(error), _MOST_MESSAGE),
    }
    stack = _stack(error)
    if stack:
        described[STACKTRACE] = stack
    return EXCEPTION, described


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))[: 2 * _MOST_MESSAGE]  # a copy of no subclass's making
    except KeyboardInterrupt:
        raise  # somebody is at the keyboard
    except BaseException:  # noqa: BLE001  # the host's `__str__` may raise just anything
        return _NO_MESSAGE


def _stack(error: BaseException) -> str:
    """What Python prints of ``error``: of each in its chain, the innermost frames."""
    try:
        if _is_modest(error):
            lines = TracebackException(
                type(error), error, error.__traceback__, limit=-_MOST_FRAMES, compact=True
            ).format()
            return _cut_middle("".join(lines))
        frames = "".join(format_tb(error.__traceback__, limit=-_MOST_FRAMES))
        head = "Traceback (most recent call last):\n" if frames else ""
        return _cut_middle(f"{head}{frames}{error_description(error)}\n")
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  # as above, and the stack may be at its end
        return ""


def _is_modest(error: BaseException) -> bool:
    """Whether few errors hang together with ``error``: all of a large group would take long."""
    left = _MOST_ERRORS
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and left >= 0:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        waiting += (each.__cause__, each.__context__)
        left -= 1
        if isinstance(each, BaseExceptionGroup):
            left -= len(each.exceptions)
            waiting += each.exceptions[:_MOST_ERRORS]
    return left >= 0


def _cut_middle(text: str) -> str:
    """The start and the end of ``text``, cut between lines: the end says what was raised."""
    if len(text) <= _MOST_STACK:
        return clean(text)
    half = _MOST_STACK // 2
    start, end = text[: half - 2], text[-half:]
    head, _, _ = start.rpartition("\n")
    _, _, tail = end.partition("\n")
    return f"{shorten(head or start, half)}\n{ELLIPSIS}\n{clean(tail or end)}"
