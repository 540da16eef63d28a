"""The hub: passes what happens on to the sinks and the tracing, and keeps their errors in."""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from autogpt_observe.runtime.headroom import Headroom
from autogpt_observe.runtime.heartbeat import Heartbeats

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.events import Event, OnError, Sink, Trace
    from autogpt_observe.runtime.journey import Journey
    from autogpt_observe.runtime.scopes import Scope


class Tracing(Protocol):
    """Makes a span of each scope. Its methods may be called by any thread."""

    def start(self, scope: Scope, /) -> Trace | None:
        """A scope begins: its span becomes the current one. Says which, if it is sampled.

        What was current before stands in `scope.outside`, and `scope.slot` is where.
        """

    def fail(self, scope: Scope, error: BaseException, /) -> None:
        """Something failed in the scope that no scope inside of it has seen; its end follows."""

    def end(self, scope: Scope, event: Event, error: BaseException | None, /) -> None:
        """The scope ended, as ``event`` tells; what was current before it will be so again."""


class Hub:
    """Where scopes report. What a sink or the tracing raises goes to ``on_error``, not on.

    Attributes:
        sinks: who is told of what happens.
        on_error: told of what a sink or the tracing raised.
        reject: told of a call that was dropped: which, why in a word, and why in full.
        clock: seconds that only go forward.
        journeys: what is known of each run in progress, by the run's id.
        headroom: what is left of the providers' rate limits.
        heartbeats: how late the event loops are.
        unfinished: scopes that ended where there was no room to tell of it, and by what error.
    """

    __slots__ = (
        "clock",
        "headroom",
        "heartbeats",
        "journeys",
        "on_error",
        "reject",
        "sinks",
        "tracing",
        "unfinished",
    )

    def __init__(
        self,
        sinks: tuple[Sink, ...],
        *,
        on_error: OnError,
        tracing: Tracing | None = None,
        clock: Callable[[], float] = perf_counter,
        on_reject: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        self.sinks = sinks
        self.on_error = on_error
        self.reject = on_reject
        self.tracing = tracing
        self.clock = clock
        self.journeys: dict[int, Journey] = {}
        self.headroom = Headroom()
        self.unfinished: deque[tuple[Scope, BaseException | None]] = deque()
        self.heartbeats = Heartbeats()

    def heir(self, *sinks: Sink) -> Hub:
        """A hub that takes this one's place, for a forked child; this one is closed.

        What was begun in the parent is ended there, and not here as well. ``sinks`` come last.
        """
        hub = Hub(
            (*self.sinks, *sinks),
            on_error=self.on_error,
            tracing=self.tracing,
            clock=self.clock,
            on_reject=self.reject,
        )
        self.close()
        return hub

    def finish_rest(self) -> None:
        """Tell of the scopes that ended where there was no room for it."""
        while True:
            try:
                scope, error = self.unfinished.popleft()
            except IndexError:  # there are no more, or another thread has them
                return
            try:
                event = scope.conclude(self, error)
            except RecursionError:
                self.unfinished.appendleft((scope, error))
                return
            self.tell(event)
            if self.tracing is not None:
                self.tracing.end(scope, event, error)

    def close(self) -> None:
        """From now on what happens, in scopes that are open too, goes nowhere."""
        self.sinks = ()
        self.tracing = None
        self.journeys.clear()
        self.heartbeats.stop()

    def tell(self, event: Event) -> None:
        """Pass ``event`` on to every sink."""
        for sink in self.sinks:
            try:
                sink.take(event)
            except RecursionError:  # there is no room to do anything about it
                raise
            except Exception as error:  # noqa: BLE001  # a sink never breaks its host
                self.on_error(type(event).__name__, error)

    def trace_failure(self, scope: Scope, failure: BaseException) -> None:
        """Something failed in a scope."""
        try:
            if self.tracing is not None:
                self.tracing.fail(scope, failure)
        except Exception as error:  # noqa: BLE001  # as above
            self.on_error("tracing", error)
