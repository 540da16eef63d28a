"""How late the event loop is: a heartbeat in it, read by whoever scrapes."""

from __future__ import annotations

import sys
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_BEAT = 0.25
"""Seconds between heartbeats: a stall is seen to this precision, at some 40 us of work a second."""
_REMEMBERED = 60.0
"""Seconds that a late heartbeat is remembered: scrapes come more often."""


class Heartbeats:
    """Watches the event loops in which the runtime's scopes begin."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Heartbeat] = (
            weakref.WeakKeyDictionary()
        )
        self._stopped = False

    def watch(self) -> None:
        """Begin a heartbeat in the loop that runs here, unless it has one.

        What a loop raises that has no timers goes on, once for each loop.
        """
        asyncio = sys.modules.get("asyncio")  # where it isn't loaded, none of its loops runs
        try:
            loop = asyncio.get_running_loop() if asyncio is not None else None
        except RuntimeError:  # another library's loop
            return
        if loop is not None and loop not in self._watched and not self._stopped:
            heartbeat = self._watched[loop] = _Heartbeat(loop, self._clock)
            heartbeat.begin(loop)

    def stop(self) -> None:
        """End all heartbeats, each with its next beat; no loop is touched from another thread."""
        self._stopped = True
        for heartbeat in list(self._watched.values()):
            heartbeat.stopped = True

    def lag(self) -> float | None:
        """The longest delay of the last minute, in seconds; None without an open loop."""
        beats = list(self._watched.items())
        lags = [beat.lag() for loop, beat in beats if not (beat.stopped or loop.is_closed())]
        return max(lags, default=None)


class _Heartbeat:
    """One loop's heartbeat."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float]) -> None:
        self._loop = weakref.ref(loop)
        self._clock = clock
        self._late: deque[tuple[float, float]] = deque()
        self.stopped = True  # until it has begun
        self._due = 0.0

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have it beat from now on."""
        self._due = self._clock() + _BEAT
        loop.call_later(_BEAT, self._beat)
        self.stopped = False

    def lag(self) -> float:
        """The longest delay remembered, the one of now included."""
        now = self._clock()
        known = [late for when, late in list(self._late) if now - when <= _REMEMBERED]
        return max([now - self._due, 0.0, *known])

    def _beat(self) -> None:
        now = self._clock()
        loop = self._loop()
        late = now - self._due
        while self._late and (now - self._late[0][0] > _REMEMBERED or self._late[0][1] <= late):
            self._late.popleft()
        if late > _BEAT / 10:
            self._late.append((now, late))
        if not self.stopped and loop is not None and not loop.is_closed():
            self._due = now + _BEAT
            loop.call_later(_BEAT, self._beat)
