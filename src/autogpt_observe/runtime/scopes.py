"""What is going on: the scope that every run, step, tool call and model call is.

A scope is the work between its `begin` and its `end`, on the stopwatch of that work. The scopes of
one thread or task form a chain in a context variable, which asyncio copies to new tasks by itself.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.events import Failure
from autogpt_observe.runtime.failures import Outcome, error_type, outcome_of, take_new_failure

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.context.context import Context
    from opentelemetry.trace import Span

    from autogpt_observe.runtime.events import Event, Trace
    from autogpt_observe.runtime.hub import Hub
    from autogpt_observe.runtime.runs import RunScope
    from autogpt_observe.runtime.traces.conventions import Beginning

CURRENT: ContextVar[Scope | None] = ContextVar("autogpt_observe_scope", default=None)
"""The innermost scope of this thread or task."""

ABSENT = object()
"""Stands for what is not known, where None is a value."""

OK = "ok"
"""How a step or call ends that nothing ends early."""

NO_AGENT = ""
"""The agent of what happens outside of every run."""


class Scope:
    """Work in progress. Begun when it is entered, ended exactly once; inert without `init`.

    Attributes:
        name: what is worked on: the agent, the step, the tool, the model.
        is_run: whether it is a run.
        wrong: what is wrong with how it was made; None if nothing is.
        parent: the scope around it, None for the outermost.
        run: the run it belongs to; of a run, the one around it.
        span: its span, if there is tracing.
        beginning: how its span began.
        is_remarkable: whether, when it has ended, somebody will want to look at its trace.
        outside, inside: OpenTelemetry's contexts around it and in it, while the other is current.
        trace: the span's ids, where it is sampled.
        arguments: what the work is given, where that is known; None when it has ended.
        returned: what came out of it; `ABSENT` until that is known, None when it has ended.
    """

    # As defaults of the class they cost nothing when a scope is made.
    is_run = False
    is_remarkable = False
    wrong: str | None = None
    parent: Scope | None = None
    run: RunScope | None = None
    span: Span | None = None
    outside: Context | None = None
    inside: Context
    beginning: Beginning
    trace: Trace | None = None
    arguments: object = ()
    returned: object = ABSENT
    _hub: Hub | None = None  # until it has begun, there is nothing to end
    _outer: Scope | None = None
    _inner: Scope | None = None
    _worked = 0.0
    _resumed: float | None = None

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def agent(self) -> str:
        """The agent whose run this belongs to."""
        return self.run.name if self.run is not None else NO_AGENT

    def returns(self, value: object) -> None:
        """Say what came out of the work, where that tells anything."""

    def begin(self, hub: Hub) -> None:
        """Start the work: from now on this is the innermost scope."""
        parent = CURRENT.get()
        if parent is not None:
            self._outer = self.parent = parent
            self.run = parent if parent.is_run else parent.run  # type: ignore[assignment]  # it is one
        if self.is_run:
            self._enclose(hub)
        tracing = hub.tracing
        if tracing is not None:
            try:
                self.trace = tracing.start(self)
            except Exception as error:  # noqa: BLE001  # telemetry never breaks its host
                hub.on_error("tracing", error)
        CURRENT.set(self)
        if self.is_run:
            self._announce(hub)
        self._resumed = hub.clock()
        self._hub = hub

    def pause(self) -> None:
        """The work halts: control goes to the consumer of a generator, into its own scope."""
        hub = self._hub
        if hub is not None and self._resumed is not None:
            now = hub.clock()
            self._worked += now - self._resumed
            self._resumed = None
            self._inner = CURRENT.get()
            CURRENT.set(self._outer)
            self._halt(now)
            hub.trace_pause(self)

    def resume(self) -> None:
        """The work goes on, in the scope it was left in."""
        hub = self._hub
        if hub is not None and self._resumed is None:
            self._outer = CURRENT.get()
            CURRENT.set(self._inner)
            hub.trace_resume(self)
            self._resumed = now = hub.clock()
            self._go_on(now)

    def end(self, error: BaseException | None) -> None:
        """The work is over, by ``error`` or well; later calls do nothing."""
        hub, self._hub = self._hub, None
        if hub is None:
            return
        now = hub.clock()
        if self._resumed is not None:
            self._worked += now - self._resumed
        if CURRENT.get() is self:
            CURRENT.set(self._outer)
        else:  # it ends in the garbage collector or a thread: what is current there stays
            self.outside = None
        outcome = Outcome.SUCCESS
        if error is not None:
            outcome = outcome_of(error)
            if outcome is Outcome.ERROR and take_new_failure(error):
                hub.trace_failure(self, error)
                hub.tell(Failure(self.agent, error_type(error), self.trace))
        event: Event | None = None
        try:
            event = self._conclude(hub, outcome, error, now)
        except Exception as own:  # noqa: BLE001  # telemetry never breaks its host
            hub.on_error("scope", own)
        if event is not None:
            hub.tell(event)
        tracing = hub.tracing
        if tracing is not None:
            try:
                tracing.end(self, event, error)
            except Exception as own:  # noqa: BLE001  # as above
                hub.on_error("tracing", own)
        self.arguments = self.returned = None

    def __enter__(self) -> Self:
        hub = ACTIVE.hub
        if hub is not None and self._hub is None:
            if self.wrong is not None:
                hub.reject("block", "name", self.wrong)
            self.begin(hub)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(error)

    def __del__(self) -> None:
        # A frame can die without running its `finally`: an async generator whose event loop is
        # closed, a coroutine that awaits while it is being closed. The work ends here then.
        if self._hub is not None:
            self.end(GeneratorExit())

    def _check(self) -> None:
        """Where it decorates: raise UsageError for what is wrong with how it was made."""
        if self.wrong is not None:
            raise UsageError(self.wrong)

    def _enclose(self, hub: Hub) -> None:
        """Of a run: take its place among the scopes around it."""

    def _announce(self, hub: Hub) -> None:
        """Of a run: tell that it starts, when its span is there."""

    def _halt(self, now: float) -> None:
        """The stopwatch stands."""

    def _go_on(self, now: float) -> None:
        """The stopwatch runs again."""

    def _conclude(
        self, hub: Hub, outcome: Outcome, error: BaseException | None, now: float
    ) -> Event:
        """Leave its mark on the run; what happened, for the sinks."""
        raise NotImplementedError


def result_of(outcome: Outcome, error: BaseException | None) -> str:
    """How a step or call ended: `ok`, `error`, `timeout` or `cancelled`."""
    if outcome is Outcome.SUCCESS:
        return OK
    if outcome is Outcome.CANCELLED:
        return "cancelled"
    return "timeout" if isinstance(error, TimeoutError) else "error"
