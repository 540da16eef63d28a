"""Waits that end: by what was waited for, by time, or by a signal to stop."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

T = TypeVar("T")

POLL_SECONDS = 0.05


class Interrupts:
    """Within this block Ctrl-C, SIGTERM and SIGHUP become a KeyboardInterrupt that waits raise.

    Nothing else raises it: starting and stopping children is never cut in half, and a second
    Ctrl-C during the clean-up changes nothing. A signal that came after the last wait is raised at
    the block's end. A signal the caller ignores (``nohup``) stays ignored. Python allows handlers
    on the main thread only: on any other this block changes nothing.
    """

    def __init__(self) -> None:
        self._noted = False
        self._before: dict[int, Callable[[int, FrameType | None], object] | int] = {}

    def check(self) -> None:
        """Raise KeyboardInterrupt for signals that came since the last check."""
        noted, self._noted = self._noted, False
        if noted:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                before = signal.getsignal(number)
                if before is not None and before is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if kind is None:
            self.check()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._noted = True


def wait_for(probe: Callable[[], T | None], *, within: float, interrupts: Interrupts) -> T | None:
    """The first value of ``probe`` that is not None, or None once ``within`` seconds are over.

    ``probe`` is asked at least twice, the last time after the deadline. What it raises passes
    through, and so do the signals that ``interrupts`` noted.
    """
    deadline = time.monotonic() + within
    while True:
        interrupts.check()
        late = time.monotonic() >= deadline
        found = probe()
        if found is not None or late:
            return found
        time.sleep(POLL_SECONDS)
