"""Where ended spans wait, and the thread that takes them from there.

The thread that ends a span appends it to a queue, and that is all it does. One daemon thread, which
starts with the first span, does the rest: tail sampling, redaction, encoding, sending.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Protocol

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from autogpt_observe.runtime.forks import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autogpt_observe.runtime.traces.spans import Span
    from autogpt_observe.runtime.traces.variables import Pace

THREAD_NAME = "autogpt-observe-traces"
FLUSH_SECONDS = 30.0
EXIT_SECONDS = 1.2
"""What the end of a process may wait for spans to be sent."""

_SHUT, _FULL = "shutdown", "queue_full"


class Outlet(Protocol):
    """Where spans leave the process. Only the exporter thread calls it, but for `hurry`."""

    def send(self, spans: Sequence[Span], /) -> bool:
        """Send a batch; whether it arrived. Raises nothing."""

    def hurry(self, seconds: float, /) -> None:
        """The process ends; give up what would take longer. Returns at once."""

    def close(self) -> None:
        """Let go of connections."""

    def renew(self) -> None:
        """In a forked child: leave the parent's connections alone."""


class Sieve(Protocol):
    """Holds spans back until it is known whether their trace is kept."""

    def take(self, spans: Sequence[Span], /) -> Sequence[Span]:
        """Take spans that ended; gives those that can be exported now, these or earlier ones."""

    def clear(self) -> None:
        """Forget everything."""


class _Request:
    """Somebody waits until everything offered so far was sent."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.delivered = False


class Pipeline:
    """Takes spans that ended from any thread, and exports them from its own.

    Args:
        outlet: where spans go.
        pace: how many wait, and for how long.
        on_drop: told the reason and the number of spans that were lost.
        on_error: told of errors of our own that were kept from the host.
        sieve: what decides which spans are exported; None for all.
    """

    def __init__(
        self,
        outlet: Outlet,
        *,
        pace: Pace,
        on_drop: Callable[[str, int], None],
        on_error: Callable[[str, Exception], None],
        sieve: Sieve | None = None,
    ) -> None:
        self._outlet = outlet
        self._pace = pace
        self._on_drop = on_drop
        self._on_error = on_error
        self._sieve = sieve
        self._closed = self._abandoned = False
        self._begin()
        renew_after_fork(self)

    def _begin(self) -> None:
        self._queue: deque[Span] = deque()
        self._calm = 0  # the queue's length from which on `offer` has more to do than append
        self._overflow = count()  # of both, `next` is atomic, which `+= 1` is not
        self._overflow_seen = 0
        self._ready: list[Span] = []
        self._requests: deque[_Request] = deque()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        # Held while there is nothing to do; released, it wakes the thread. An Event would have a
        # lock inside, on which a signal handler or finalizer that ends a span could wait for ever.
        self._sleep = threading.Lock()
        self._sleep.acquire()

    def offer(self, span: Span, /) -> None:
        """Take a sampled span that has ended. Never waits; where the queue is full, it is lost."""
        queue = self._queue
        if len(queue) < self._calm:
            queue.append(span)
        else:
            self._attend(span)

    def flush(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Send what was offered before now; whether all of it arrived within ``timeout`` seconds.

        Spans that tail sampling holds back, for their trace goes on, are not waited for.
        """
        if self._closed or threading.current_thread() is self._thread:
            return False
        request = _Request()
        self._requests.append(request)
        if not self._start():
            self._work(everything=True)
            return request.delivered
        self._wake()
        return request.done.wait(timeout) and request.delivered

    def shutdown(self, timeout: float = EXIT_SECONDS) -> bool:
        """Send what there is, and end; whether all of it arrived within ``timeout`` seconds.

        What did not is counted as dropped, and so is what is offered later.
        """
        if self._closed:
            return False
        deadline = time.monotonic() + timeout
        request = _Request()
        self._requests.append(request)
        self._closed, self._calm = True, 0
        self._outlet.hurry(timeout)
        if self._thread is None and not (self._queue and self._start()):
            # There is nothing to send, or Python is on its way out and starts no thread any more.
            self._work(everything=True)
            self._finish()
        self._wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
        self._abandoned = True
        lost = len(self._queue) + len(self._ready)
        if lost:
            self._on_drop(_SHUT, lost)
        return request.delivered and not lost

    def renew_locks(self) -> None:
        """In a forked child: the spans that wait are the parent's, and so is the thread."""
        self._begin()
        if self._sieve is not None:
            self._sieve.clear()
        self._outlet.renew()

    def _attend(self, span: Span) -> None:
        """Take a span where the thread has to be started or woken, or where there is no room."""
        waiting = len(self._queue)
        if self._closed:
            self._on_drop(_SHUT, 1)
        elif waiting >= self._pace.queue:
            next(self._overflow)
        else:
            self._queue.append(span)
            if self._thread is None:
                self._start()
            if waiting + 1 >= self._pace.batch:
                self._wake()

    def _wake(self) -> None:
        if self._sleep.locked():
            with suppress(RuntimeError):  # another thread was first
                self._sleep.release()

    def _start(self) -> bool:
        """See to it that the thread runs; False where none can be started."""
        if self._thread is not None:
            return True
        if not self._starting.acquire(blocking=False):
            return True  # another thread is about to, or this one, below a signal handler
        thread: threading.Thread | None = None
        try:
            thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
            self._thread = thread
            thread.start()
            self._calm = 0 if self._closed else self._pace.batch - 1
        except BaseException as error:  # a signal handler may raise anything, anywhere in here
            self._thread = None
            if thread is not None and thread.is_alive():  # only the wait for it was cut short
                self._thread = thread
            elif isinstance(error, RuntimeError):  # there is no thread, or no stack, to be had
                return False
            raise
        else:
            return True
        finally:
            self._starting.release()

    def _run(self) -> None:
        own = threading.current_thread()
        if self._thread is None:
            self._thread = own  # who started it was interrupted, and thinks it did not start
        elif self._thread is not own:
            return  # the same, and another was started instead
        try:
            self._loop()
        finally:  # should an exporter end its thread, the next span starts another
            if not self._closed:
                self._thread, self._calm = None, 0

    def _loop(self) -> None:
        due = time.monotonic() + self._pace.delay
        while True:
            self._sleep.acquire(timeout=max(0.0, due - time.monotonic()))
            is_last = self._closed  # asked before the work: what was offered before gets done
            is_due = is_last or bool(self._requests) or time.monotonic() >= due
            self._work(everything=is_due)
            if is_last:
                break
            if is_due:
                due = time.monotonic() + self._pace.delay
        self._finish()

    def _work(self, *, everything: bool) -> None:
        """Send full batches, or all there is."""
        requests = [self._requests.popleft() for _ in range(len(self._requests))]
        delivered = False
        try:
            with _uninstrumented():
                delivered = self._drain(everything=everything)
            self._report_overflow()
        except Exception as error:  # noqa: BLE001  # the thread has to live on
            self._on_error("traces", error)
        for request in requests:
            request.delivered = delivered
            request.done.set()

    def _drain(self, *, everything: bool) -> bool:
        batch, delivered = self._pace.batch, True
        left = len(self._queue)  # what comes meanwhile is for the next time, or there were no end
        while left > 0:
            taken = [self._queue.popleft() for _ in range(min(left, batch))]
            left -= len(taken)
            self._ready += taken if self._sieve is None else self._sieve.take(taken)
            while len(self._ready) >= batch and not self._abandoned:
                delivered = self._send(batch) and delivered
        if everything and self._sieve is not None:
            self._ready += self._sieve.take(())  # time passed for those that it holds
        while everything and self._ready and not self._abandoned:
            delivered = self._send(batch) and delivered
        return delivered

    def _send(self, size: int) -> bool:
        try:
            return self._outlet.send(self._ready[:size])
        finally:  # until now they count as waiting
            del self._ready[:size]

    def _report_overflow(self) -> None:
        seen = next(self._overflow)  # counts this call as well
        lost = seen - self._overflow_seen
        self._overflow_seen = seen + 1
        if lost:
            self._on_drop(_FULL, lost)

    def _finish(self) -> None:
        try:
            self._outlet.close()
        except Exception as error:  # noqa: BLE001  # as above
            self._on_error("traces", error)


@contextmanager
def _uninstrumented() -> Iterator[None]:
    """Keep instrumentation from making spans of the requests that carry spans."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))  # noqa: FBT003  # the interface's
    try:
        yield
    finally:
        detach(token)
