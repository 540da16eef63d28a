"""Logs what happens: runs, steps, calls of tools and models, and what failed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple, assert_never

from autogpt_observe.runtime.events import (
    Attempt,
    AttemptFailed,
    CostIncurred,
    Failure,
    LLMCall,
    LoopFound,
    Run,
    RunStarted,
    Step,
    TokensUsed,
    ToolCall,
    Unparseable,
)
from autogpt_observe.runtime.failures import Outcome, error_type
from autogpt_observe.runtime.logs.fields import (
    DEBUG,
    ERROR,
    EVENT_ACTION,
    EVENT_DURATION,
    EVENT_OUTCOME,
    INFO,
    WARNING,
)
from autogpt_observe.runtime.logs.lines import About
from autogpt_observe.runtime.logs.spans import format_ids

if TYPE_CHECKING:
    from autogpt_observe.runtime.events import Event
    from autogpt_observe.runtime.logs.target import Target

_LOGGER = "autogpt_observe"
_NO_FIELDS = ("error_type", "retry", "seconds", "trace", "unpriced", "unreported")
"""What of an event stands in ECS fields, or is there for the metrics."""
_NS_PER_SECOND = 1_000_000_000


class _Told(NamedTuple):
    """How an event is told.

    Attributes:
        outcome: how it ended, as ECS has it: `success`, `failure` or `unknown`.
    """

    level: int
    action: str
    message: str
    outcome: str | None = None


class LogsSink:
    """Logs events: what went well at `debug`, but for runs, and what did not at higher levels."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def take(self, event: Event) -> None:
        """Log ``event``, if it is one that says more than the metrics do."""
        told = _tell(event)
        if told is None or told.level < self._target.level:
            return
        fields = {
            name: value
            for name, value in zip(event._fields, event, strict=True)
            if name not in _NO_FIELDS and value not in ("", None)
        }
        self._target.log(told.level, told.message, fields, _LOGGER, _about(event, told))


def _tell(event: Event) -> _Told | None:  # noqa: C901  # a case for each event
    match event:
        case RunStarted():
            return _Told(DEBUG, "run.start", "run started")
        case Run():
            return _tell_run(event.outcome)
        case Step():
            return _tell_work("step.end", "step", event.result)
        case ToolCall():
            return _tell_work("tool.end", "tool call", event.result)
        case LLMCall():
            return _tell_work("llm.end", "model call", event.result)
        case Attempt():
            return _Told(DEBUG, "llm.retry", "model call retried") if event.retry else None
        case AttemptFailed():
            return _Told(WARNING, "llm.error", "attempt of a model call failed", "failure")
        case Unparseable():
            return _Told(WARNING, "llm.unparseable", "output of a model could not be read")
        case Failure():
            return _Told(ERROR, "failure", "failure", "failure")
        case LoopFound():
            return _Told(WARNING, "run.loop", "run goes in circles")
        case TokensUsed() | CostIncurred():  # many, and of use as sums only
            return None
        case _:
            assert_never(event)


def _tell_run(outcome: str) -> _Told:
    match outcome:
        case Outcome.SUCCESS:
            return _Told(INFO, "run.end", "run ended", "success")
        case Outcome.CANCELLED:
            return _Told(INFO, "run.end", "run cancelled", "unknown")
        case Outcome.ERROR:
            return _Told(ERROR, "run.end", "run failed", "failure")
        case _:
            return _Told(WARNING, "run.end", "run ended early", "failure")


def _tell_work(action: str, name: str, result: str) -> _Told:
    match result:
        case "ok":
            return _Told(DEBUG, action, f"{name} ended", "success")
        case "cancelled":
            return _Told(DEBUG, action, f"{name} cancelled", "unknown")
        case _:
            return _Told(WARNING, action, f"{name} failed", "failure")


def _about(event: Event, told: _Told) -> About:
    more: dict[str, object] = {EVENT_ACTION: told.action}
    if told.outcome is not None:
        more[EVENT_OUTCOME] = told.outcome
    seconds = getattr(event, "seconds", None)
    if seconds is not None:
        more[EVENT_DURATION] = int(seconds * _NS_PER_SECOND)
    trace = getattr(event, "trace", None)
    ids = None if trace is None else format_ids(trace.trace_id, trace.span_id)
    error = _raised(event.error_type) if isinstance(event, Failure) else None
    return About(error=error, ids=ids, fields=more)


def _raised(kind: str) -> BaseException | None:
    """The exception that a failure tells of: the one on its way through the scope.

    It is not in the event: whoever keeps events would keep all that the exception's frames hold.
    """
    error = sys.exc_info()[1]
    return error if error is not None and error_type(error) == kind else None
