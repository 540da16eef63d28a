"""Notices collectors that do not come back."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 5.0
"""Seconds; a call that took longer, and still does, hangs."""


class StuckError(Exception):
    """A call hangs, so another one would too."""


class Calls:
    """The calls in progress. A thread can't be stopped, but the next one can be spared."""

    def __init__(self, clock: Callable[[], float], *, patience: float) -> None:
        self._clock = clock
        self._patience = patience
        self._started: dict[object, tuple[object, float]] = {}
        self._lock = threading.RLock()

    @contextmanager
    def watch(self, callee: object) -> Iterator[None]:
        """While ``callee`` is called.

        Raises:
            StuckError: an earlier call of it hangs.
        """
        call = object()
        with self._lock:
            now = self._clock()
            ages = [now - since for other, since in self._started.values() if other is callee]
            if max(ages, default=0.0) > self._patience:
                raise StuckError(f"{callee!r:.200} has not answered for {max(ages):.0f} s")
            self._started[call] = (callee, now)
        try:
            yield
        finally:
            with self._lock:
                del self._started[call]

    def hanging(self) -> int:
        """How many calls hang."""
        with self._lock:
            now = self._clock()
            return sum(now - since > self._patience for _, since in self._started.values())
