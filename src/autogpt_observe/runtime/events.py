"""What happened, as frozen facts, and the protocol of those who are told.

The first fields of an event are attributes, named as in `names.SIGNALS`: metrics take their label
values from there. What else there is follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    OnError = Callable[[str, Exception], None]
    """Told of a failure inside: where, and what was raised."""


class Trace(NamedTuple):
    """The sampled span that an event belongs to: what an exemplar shows."""

    trace_id: int
    span_id: int


class RunStarted(NamedTuple):
    """A run starts."""

    agent: str


class Run(NamedTuple):
    """A run ended, after so many seconds of work."""

    agent: str
    outcome: str
    seconds: float
    trace: Trace | None


class Step(NamedTuple):
    """A step of a run ended."""

    agent: str
    step: str
    result: str
    seconds: float
    trace: Trace | None


class ToolCall(NamedTuple):
    """A tool call ended."""

    agent: str
    tool: str
    result: str
    seconds: float
    trace: Trace | None


class LLMCall(NamedTuple):
    """A logical call of a model ended.

    Attributes:
        provider, model: those that were asked for.
        context_share: the share of the context window that the input took; None if not known.
        unreported: 1 where no usage was reported, else 0.
        unpriced: 1 where usage was reported without a cost, else 0.
    """

    agent: str
    provider: str
    model: str
    result: str
    seconds: float
    trace: Trace | None
    context_share: float | None
    unreported: int
    unpriced: int


class Attempt(NamedTuple):
    """An attempt of a model call starts; ``retry`` is 1 where it repeats a failed one, else 0."""

    agent: str
    provider: str
    model: str
    retry: int


class AttemptFailed(NamedTuple):
    """An attempt of a model call failed."""

    agent: str
    provider: str
    model: str
    error_kind: str


class TokensUsed(NamedTuple):
    """A model call reported tokens of one type."""

    agent: str
    provider: str
    model: str
    token_type: str
    tokens: int


class CostIncurred(NamedTuple):
    """A model call cost something, in US dollars."""

    agent: str
    provider: str
    model: str
    usd: float


class Unparseable(NamedTuple):
    """A model's output could not be read as what was asked for."""

    agent: str
    provider: str
    model: str


class Failure(NamedTuple):
    """Something failed that no boundary below had seen; the end of its scope follows."""

    agent: str
    error_type: str
    trace: Trace | None


class LoopFound(NamedTuple):
    """A run went into a loop."""

    agent: str
    pattern: str


Event = (
    RunStarted
    | Run
    | Step
    | ToolCall
    | LLMCall
    | Attempt
    | AttemptFailed
    | TokensUsed
    | CostIncurred
    | Unparseable
    | Failure
    | LoopFound
)


class Sink(Protocol):
    """Turns events into one kind of telemetry. May be called by any thread, also while it is."""

    def take(self, event: Event, /) -> None:
        """Something happened."""
