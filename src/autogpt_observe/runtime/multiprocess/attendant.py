"""What a process does for the others that share its folder, once a second, in one thread.

Whoever serves the port does it for all. Should that process end, another one takes the port over:
not only one that starts later, for a server that reloads starts the new workers first.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.events import OnError
    from autogpt_observe.runtime.multiprocess.readings import ReadingsWriter
    from autogpt_observe.runtime.server import Server

    TakeOver = Callable[[ExitStack], Server | None]
    """Serves the port, unless another process does; the stack gets what ends that."""

THREAD_NAME = "autogpt-observe-attendant"
_SECONDS = 1.0
_STOP_SECONDS = 1.0


class _Guard:
    """Keeps forks away while a server is being made: a child would have the port open for ever."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a signal handler may fork
        self._is_watching = False

    def watch(self) -> None:
        """From now on forks wait for the lock."""
        if not self._is_watching and hasattr(os, "register_at_fork"):
            self._is_watching = True  # it can't be unregistered
            os.register_at_fork(
                before=self._take, after_in_parent=self._leave, after_in_child=self._renew
            )

    def _take(self) -> None:
        self.lock.acquire()

    def _leave(self) -> None:
        self.lock.release()

    def _renew(self) -> None:
        self.lock = threading.RLock()


_GUARD = _Guard()


class Attendant:
    """One process's; begun by `start`, ended by `stop`.

    Args:
        take_over: None where the port is none of this process's business.
        is_port_shared: whether forked children take it over; not where each would get another one.
        make_writer: makes what writes down this process's readings.
        on_error: told of what went wrong in the thread.

    Attributes:
        server: what this process serves the port with; None while another one does, or nobody.
    """

    def __init__(
        self,
        *,
        take_over: TakeOver | None,
        is_port_shared: bool,
        make_writer: Callable[[], ReadingsWriter],
        on_error: OnError,
    ) -> None:
        self.server: Server | None = None
        self._take_over = take_over
        self._is_port_shared = is_port_shared
        self._make_writer = make_writer
        self._writer = make_writer()
        self._on_error = on_error
        self._undo = ExitStack()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve, if nobody else does; else stand by.

        Raises:
            UsageError: the port is taken by another program.
        """
        _GUARD.watch()
        if not self._try_to_serve():
            self._stand_by()

    def stop(self) -> None:
        """Stop serving, or standing by."""
        self._stop.set()
        with _GUARD.lock:  # the thread may be taking over
            undo, self._undo = self._undo, ExitStack()
        undo.close()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_STOP_SECONDS)
        self._writer.close()

    def heir(self) -> Attendant:
        """In a forked child: the attendant of its own, which stands by.

        The port is its parent's, unless that one ends.
        """
        if self.server is not None:
            self.server.abandon()
        self._writer.abandon()
        heir = Attendant(
            take_over=self._take_over if self._is_port_shared else None,
            is_port_shared=self._is_port_shared,
            make_writer=self._make_writer,
            on_error=self._on_error,
        )
        heir._stand_by()
        return heir

    def _stand_by(self) -> None:
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the system has no threads left, or Python is ending
            self._thread = None
            self._on_error("multiprocess", error)

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS):
            try:
                self._writer.write()
                if self._try_to_serve():
                    self._writer.close()
                    return
            except Exception as error:  # noqa: BLE001  # it is tried again
                self._on_error("multiprocess", error)

    def _try_to_serve(self) -> bool:
        if self._take_over is None:
            return False
        with _GUARD.lock:
            if self._stop.is_set():
                return False
            with ExitStack() as undo:
                self.server = self._take_over(undo)
                self._undo = undo.pop_all()
        return self.server is not None
