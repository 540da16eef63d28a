"""The events of the runtime, and the hub that passes them on to the sinks."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from autogpt_observe.runtime.failures import Outcome, outcome_of, take_new_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    OnError = Callable[[str, Exception], None]
    """Told of a failure inside: where, and what was raised."""


class Sink(Protocol):
    """Turns events into one kind of telemetry. Its methods may be called by any thread."""

    def run_started(self, run: Run, /) -> None:
        """A run starts."""

    def run_failed(self, run: Run, error: BaseException, /) -> None:
        """A run meets a failure that no boundary below it has seen; its end follows."""

    def run_ended(self, run: Run, outcome: Outcome, seconds: float, /) -> None:
        """A run ends, after ``seconds`` of work."""


class Hub:
    """Passes events on to every sink; what a sink raises goes to ``on_error``, not to the host."""

    __slots__ = ("_on_error", "_sinks", "clock")

    def __init__(
        self,
        sinks: tuple[Sink, ...],
        *,
        on_error: OnError,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._sinks = sinks
        self._on_error = on_error
        self.clock = clock

    def close(self) -> None:
        """From now on events, those of runs in progress too, go nowhere."""
        self._sinks = ()

    def run_started(self, run: Run) -> None:
        """Tell the sinks that ``run`` starts."""
        for sink in self._sinks:
            try:
                sink.run_started(run)
            except Exception as error:  # noqa: BLE001  # a sink never breaks its host
                self._on_error("run_started", error)

    def run_ended(self, run: Run, error: BaseException | None, seconds: float) -> None:
        """Tell the sinks that ``run`` ended, by ``error`` or well, and of a new failure."""
        outcome = outcome_of(error)
        if error is not None and outcome is Outcome.ERROR and take_new_failure(error):
            for sink in self._sinks:
                try:
                    sink.run_failed(run, error)
                except Exception as own:  # noqa: BLE001  # a sink never breaks its host
                    self._on_error("run_failed", own)
        for sink in self._sinks:
            try:
                sink.run_ended(run, outcome, seconds)
            except Exception as own:  # noqa: BLE001  # a sink never breaks its host
                self._on_error("run_ended", own)


class Run:
    """One call of a function under `@agent`: announced when made, and ended exactly once.

    It is also the stopwatch of the work: running from the start, halted by `pause`.
    """

    __slots__ = ("_hub", "_resumed", "_worked", "agent")

    def __init__(self, agent: str, hub: Hub) -> None:
        self._hub: Hub | None = None  # until it is announced, there is nothing to end
        self.agent = agent
        self._worked = 0.0
        hub.run_started(self)
        self._resumed: float | None = hub.clock()
        self._hub = hub

    def pause(self) -> None:
        """The work halts: control went to the consumer of a generator."""
        if self._hub is not None and self._resumed is not None:
            self._worked += self._hub.clock() - self._resumed
            self._resumed = None

    def resume(self) -> None:
        """The work goes on."""
        if self._hub is not None:
            self._resumed = self._hub.clock()

    def end(self, error: BaseException | None) -> None:
        """The run is over, by ``error`` or well; later calls do nothing."""
        self.pause()
        hub, self._hub = self._hub, None
        if hub is not None:
            hub.run_ended(self, error, self._worked)

    def __del__(self) -> None:
        # A frame can die without running its `finally`: an async generator whose event loop is
        # closed, a coroutine that awaits while it is being closed. The run ends here then.
        if self._hub is not None:
            self.end(GeneratorExit())
