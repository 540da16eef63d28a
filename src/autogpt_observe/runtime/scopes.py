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
    from autogpt_observe.runtime.traces.context import ContextSlot
    from autogpt_observe.runtime.traces.conventions import Beginning

CURRENT: ContextVar[Scope | None] = ContextVar("autogpt_observe_scope", default=None)
"""The innermost scope of this thread or task."""

_TWICE = "a block is entered that is entered already; make one for each: `with obs.step(...)`"
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
        has_ended: whether it has ended.
        is_late: whether it began after its parent had ended, in a thread that outlives it.
        parent: the scope around it, None for the outermost.
        outer: the scope that is current when it is not: ``parent``, or that of a consumer.
        run: the run it belongs to; of a run, the one around it.
        span: its span, if there is tracing.
        slot: where OpenTelemetry's current context is kept.
        beginning: how its span began.
        given: the attributes that it was made with.
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
    outer: Scope | None = None
    _inner: Scope | None = None
    _worked = 0.0
    _resumed: float | None = None
    _entered = 0
    _has_begun = False
    has_ended = False
    is_late = False
    slot: ContextSlot
    given: tuple[str, ...] = ("name", "wrong")

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
        if self.has_ended:
            self._renew()
        self._hub = hub  # first: what fails below is ended like everything else
        CURRENT.set(self)
        try:
            if parent is not None:
                self.outer = self.parent = parent
                if parent.has_ended:
                    self.is_late = True
                self.run = parent if parent.is_run else parent.run  # type: ignore[assignment]  # so
            if self.is_run:
                self._enclose(hub)
            tracing = hub.tracing
            if tracing is not None:
                try:
                    self.trace = tracing.start(self)
                except Exception as error:  # noqa: BLE001  # telemetry never breaks its host
                    hub.on_error("tracing", error)
            if self.is_run:
                self._announce(hub)
            self._resumed = hub.clock()
            self._has_begun = True
        except BaseException as error:  # an interrupt, or under test what was wrong
            self.end(error)
            raise

    def pause(self) -> None:
        """The work halts: control goes to the consumer of a generator, into its own scope."""
        hub = self._hub
        if hub is not None and self._resumed is not None:
            now = hub.clock()
            self._worked += now - self._resumed
            self._resumed = None
            self._inner = CURRENT.get()
            CURRENT.set(self.outer)
            if self.outside is not None:
                self.inside = self.slot.get()
                self.slot.set(self.outside)
            self._halt(now)

    def resume(self) -> None:
        """The work goes on, in the scope it was left in."""
        hub = self._hub
        if hub is not None and self._resumed is None:
            self.outer = CURRENT.get()
            CURRENT.set(self._inner)
            if self.outside is not None:
                self.outside = self.slot.get()
                self.slot.set(self.inside)
            self._resumed = now = hub.clock()
            self._go_on(now)

    def end(  # noqa: C901  # it is as flat as can be: the stack may be at its end
        self, error: BaseException | None
    ) -> None:
        """The work is over, by ``error`` or well; later calls do nothing."""
        hub, self._hub = self._hub, None
        if hub is None:
            return
        event: Event | None = None
        try:
            event = self.conclude(hub, error)
            if self._has_begun:
                hub.tell(event)
            if hub.tracing is not None:
                hub.tracing.end(self, event, error)
        except RecursionError:  # there is no room to say how it ended: the scope around it has more
            if self._has_begun and event is None:
                hub.unfinished.append((self, error))
        except Exception as own:  # noqa: BLE001  # telemetry never breaks its host
            hub.on_error("scope", own)
        finally:  # only what needs no room on the stack
            if CURRENT.get() is self:  # else it ends in the garbage collector, or in a thread
                scope, outer, context = self, self.outer, self.outside
                while outer is not None and outer.has_ended and not scope.is_late:
                    # what was begun first ended first
                    context = outer.outside if outer.outside is not None else context
                    scope, outer = outer, outer.outer
                CURRENT.set(outer)
                if context is not None:
                    self.slot.set(context)
            self.arguments = self.returned = None
            self.has_ended = True
        if hub.unfinished:
            hub.finish_rest()

    def conclude(self, hub: Hub, error: BaseException | None) -> Event:
        """Stop the clock and tell of a failure; what happened, for the sinks."""
        now = hub.clock()
        if self._resumed is not None:
            self._worked += now - self._resumed
            self._resumed = None
        outcome = Outcome.SUCCESS
        if error is not None:
            outcome = outcome_of(error)
            if outcome is Outcome.ERROR and take_new_failure(error):
                hub.trace_failure(self, error)
                hub.tell(Failure(self.agent, error_type(error), self.trace))
        return self._conclude(hub, outcome, error, now)

    def _renew(self) -> None:
        """Be as if just made: a block that has ended is entered again."""
        kept = {name: value for name, value in vars(self).items() if name in self.given}
        vars(self).clear()
        vars(self).update(kept)

    def __enter__(self) -> Self:
        hub = ACTIVE.hub
        if hub is not None:
            if self._hub is not None:
                self._entered += 1
                hub.reject("block", "entered twice", _TWICE)
                return self
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
        if self._entered:
            self._entered -= 1
        else:
            self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

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
    is_late = issubclass(type(error), TimeoutError)  # its `__class__` may be the host's to answer
    return "timeout" if is_late else "error"
