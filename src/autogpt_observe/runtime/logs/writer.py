"""The queue of lines, and the thread that writes them: no host waits for a disk or a pipe."""

from __future__ import annotations

import _thread
import threading
from collections import deque
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.events import OnError

MOST_QUEUED = 16 * 2**20
"""Bytes of lines that wait at the most; urgent ones may take as much again."""
MOST_AT_ONCE = 4 * 2**20
"""Bytes that are written at once.

Under a host that never leaves its thread, each system call of a write costs the writer 5 ms, in
which it waits for the interpreter: few large writes keep up with it, many small ones don't.
"""
PAUSE = 0.01
"""Seconds between two writes: lines that come in between are written together.

It is also how much a process that is killed can lose, unless its output is slow.
"""
_LONGEST_WAIT = 1.0
WRITING = threading.local()
"""Has the attribute `now`, which is true, in a thread that is writing lines to an output."""


class Output(Protocol):
    """Where lines go."""

    def write(self, data: bytes, /) -> int:
        """Write whole lines, or their start; how many bytes are done with. May wait.

        Raises:
            OSError: nothing could be written.
        """

    def renew(self) -> None:
        """In a forked child: have nothing in common with the parent."""

    def close(self) -> None:
        """Let go of what is held. Writing again opens it again."""


class _Mark:
    """Stands in the queue behind the lines that somebody waits for."""

    __slots__ = ("reached",)

    def __init__(self) -> None:
        self.reached = _thread.allocate_lock()
        self.reached.acquire()


class Writer:
    """Takes lines from any thread, at once; writes them in order from a thread of its own.

    The thread starts with the first line, sleeps while there is none, and dies with the process.
    While the output fails it is tried again, and lines wait; those that find no room are dropped.

    Args:
        output: where lines go; used by the thread alone.
        on_drop: told why and how many lines were dropped: `queue_full`, or `output_failed` for
            those that were not written in time at the end.
        on_error: told when the output failed.
    """

    def __init__(
        self, output: Output, *, on_drop: Callable[[str, int], None], on_error: OnError
    ) -> None:
        self._output = output
        self._on_drop = on_drop
        self._on_error = on_error
        self._reset()

    def _reset(self) -> None:
        self._waiting: deque[bytes | _Mark] = deque()
        self._size = 0  # changed without a lock: it is near enough, and right when nothing waits
        self._unwritten = b""
        self._asleep = True
        self._bell = _thread.allocate_lock()
        self._bell.acquire()
        self._starting = threading.RLock()  # a signal handler may log while it is held
        self._thread: threading.Thread | None = None
        self._until: float | None = None
        self._given_up = False

    def put(self, line: bytes) -> None:
        """Take a line, which ends with a line feed."""
        self._size = size = self._size + len(line)
        if size > MOST_QUEUED:
            self._drop(line)
            return
        self._waiting.append(line)
        if self._asleep:
            self._ring()

    def put_urgent(self, line: bytes) -> None:
        """Take a line that is to be written without a pause, and has more room."""
        self._size = size = self._size + len(line)
        if size > 2 * MOST_QUEUED:
            self._drop(line)
            return
        self._waiting.append(line)
        self._ring()

    def _drop(self, line: bytes) -> None:
        self._size -= len(line)
        self._on_drop("queue_full", 1)

    def flush(self, timeout: float) -> bool:
        """Wait until the lines so far are written; whether they are."""
        if self._asleep and not self._waiting:
            return True
        mark = _Mark()
        self._waiting.append(mark)
        self._ring()
        return mark.reached.acquire(timeout=timeout)

    def close(self, timeout: float) -> None:
        """Write what waits, for so many seconds, and stop. What is left then is dropped."""
        self._until = monotonic() + timeout
        thread = self._thread
        if thread is not None:
            self._ring()
            if thread is not threading.current_thread():
                thread.join(timeout)
        self._asleep = True  # so that what still comes, from another thread, is dropped
        self._given_up = True
        self._give_up()

    def renew(self) -> None:
        """In a forked child: the parent writes what waits there, the child has its own thread."""
        self._reset()
        self._output.renew()

    def _ring(self) -> None:
        """Wake the thread, which may have to be started."""
        if self._given_up:
            self._give_up()
            return
        if self._thread is None and not self._start():
            return
        self._asleep = False
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _start(self) -> bool:
        """Start the thread; without one, the caller writes. Whether there is a thread."""
        with self._starting:
            if self._thread is None and not self._given_up:
                thread = threading.Thread(
                    target=self._run, name="autogpt-observe-logs", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError as error:  # no more threads, or the interpreter shuts down
                    self._on_error("log writer", error)
                    self._write_waiting()
                else:
                    self._thread = thread
        return self._thread is not None

    def _run(self) -> None:
        while True:
            try:
                while self._waiting:
                    self._write_waiting()
                    if self._until is None and self._size < MOST_AT_ONCE:
                        self._bell.acquire(timeout=PAUSE)
            except Exception as error:  # noqa: BLE001  # such as MemoryError; the thread goes on
                self._on_error("log writer", error)
            if self._until is not None:
                self._output.close()
                return
            self._asleep = True
            if self._waiting:  # it came in between, and nobody rang for it
                self._asleep = False
            else:
                self._bell.acquire()

    def _write_waiting(self) -> None:
        """Write what waits, or a part that is large enough."""
        lines: list[bytes] = []
        size = 0
        mark: _Mark | None = None
        while self._waiting and size < MOST_AT_ONCE and mark is None:
            each = self._waiting.popleft()
            if isinstance(each, bytes):
                lines.append(each)
                size += len(each)
            else:
                mark = each
        self._size = max(0, self._size - size) if self._waiting else 0
        self._unwritten = b"".join(lines)
        self._write()
        if mark is not None:
            mark.reached.release()

    def _write(self) -> None:
        """Write all of it; while that fails, try again until no time is left."""
        wait = PAUSE
        while self._unwritten and not self._given_up:
            try:
                WRITING.now = True
                try:
                    done = self._output.write(self._unwritten)
                finally:
                    WRITING.now = False
                self._unwritten = self._unwritten[done:]
                wait = PAUSE
            except Exception as error:  # noqa: BLE001  # a disk, a pipe, a stream of the host's
                self._on_error("log output", error)
                if self._until is not None and monotonic() + wait > self._until:
                    self._give_up()
                    return
                self._rest(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def _give_up(self) -> None:
        """Drop what waits."""
        left = self._unwritten.count(b"\n")
        self._unwritten = b""
        while self._waiting:
            each = self._waiting.popleft()
            if isinstance(each, bytes):
                left += 1
            else:
                each.reached.release()
        if left:
            self._on_drop("output_failed", left)

    def _rest(self, seconds: float) -> None:
        """Wait so long, however often it rings, or a moment if there is no time left."""
        until = monotonic() + seconds
        while self._until is None and (left := until - monotonic()) > 0:
            self._bell.acquire(timeout=left)
        if self._until is not None:
            sleep(PAUSE)
