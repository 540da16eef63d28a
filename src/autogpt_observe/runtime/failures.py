"""What an exception that leaves an agent's function means: its outcome, and whether it is new."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum

_MARK = "__autogpt_observe_counted__"
"""Attribute of an exception that was counted. It has to sit on the exception itself: built-in
exceptions take no weak references, and one may travel through threads, tasks and pickles."""

_LONGEST_CHAIN = 100
_LONGEST_TYPE = 200

NO_TYPE = "_OTHER"
"""The type of an error that has no name:
https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/registry/attributes/error.md"""


class Outcome(StrEnum):
    """How a run ended; what an exception doesn't tell, `run.finish` does."""

    SUCCESS = "success"
    ERROR = "error"
    CANCELLED = "cancelled"
    MAX_STEPS = "max_steps"
    BUDGET = "budget"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    ABANDONED = "abandoned"


def outcome_of(error: BaseException | None) -> Outcome:
    """The outcome of a run that ``error`` ended; None ended it well.

    What is no `Exception` (`asyncio.CancelledError`, `GeneratorExit`, `KeyboardInterrupt`,
    `SystemExit`, trio's `Cancelled`) is control flow, as is the end of an iterator. A group is
    control flow when all that is in it is. Never raises, whatever the exception does when it is
    looked at; one that can't be looked at is judged by its type alone.
    """
    if error is None:
        return Outcome.SUCCESS
    try:
        cancelled = _is_control_flow(error)
    except Exception:  # noqa: BLE001  # a property of the host's exception, or groups too deep
        cancelled = not issubclass(type(error), Exception)
    return Outcome.CANCELLED if cancelled else Outcome.ERROR


def error_type(error: BaseException) -> str:
    """What metrics, spans and logs call the kind of ``error``: the full name of its class.

    Built-in exceptions have no module in it, as with OpenTelemetry's own SDK. Never raises.
    """
    try:
        kind = type(error)
        module, name = kind.__module__, kind.__qualname__
        full = name if not module or module == "builtins" else f"{module}.{name}"
        return str.__str__(full)[:_LONGEST_TYPE]
    except Exception:  # noqa: BLE001  # a metaclass of the host's
        return NO_TYPE


def take_new_failure(error: BaseException) -> bool:
    """Whether ``error`` is a failure not seen before; from now on it is seen.

    Seen means: this exception, one it was raised `from`, or, for a group, each one in it. An
    exception object that is kept and raised again and again is one failure. Never raises.
    """
    try:
        seen = _is_seen(error)
    except Exception:  # noqa: BLE001  # a property of the host's exception, or groups too deep
        seen = False
    with suppress(Exception):  # unmarkable: counted at each boundary
        # past an overridden __setattr__, such as a frozen dataclass has
        object.__setattr__(error, _MARK, True)
    return not seen


def _is_control_flow(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_control_flow, error.exceptions))
    return not isinstance(error, Exception) or isinstance(error, StopIteration | StopAsyncIteration)


def _is_seen(error: BaseException) -> bool:
    link: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):  # chains may be cyclic
        if link is None:
            return False
        if _MARK in object.__getattribute__(link, "__dict__"):
            return True
        if isinstance(link, BaseExceptionGroup) and all(map(_is_seen, link.exceptions)):
            return True
        link = link.__cause__
    return False
