"""A clock that stands still until the test lets time pass."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from autogpt_observe.errors import UsageError

START = datetime(2024, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NS_PER_US = 1_000
_NS_PER_SECOND = 1_000_000_000


class FakeClock:
    """Stopwatch and time of day in one; any thread may read it and move it.

    Args:
        start: the time of day at which it starts, with its zone.

    Raises:
        UsageError: ``start`` has no zone.
    """

    def __init__(self, start: datetime = START) -> None:
        if start.tzinfo is None:
            raise UsageError(f"FakeClock: got {start!r}, expected a time with a zone, such as UTC")
        self._start = (start - _EPOCH) // _MICROSECOND * _NS_PER_US
        self._passed = 0
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, to the nanosecond.

        Raises:
            UsageError: they are negative, or not finite.
        """
        if not 0 <= seconds < float("inf"):
            raise UsageError(f"clock.advance: got {seconds!r}, expected seconds that can pass")
        with self._lock:
            self._passed += round(seconds * _NS_PER_SECOND)

    def __call__(self) -> float:
        """Seconds since its start."""
        return self._passed / _NS_PER_SECOND

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, as `time.time_ns`."""
        return self._start + self._passed

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return _EPOCH + self.time_ns() // _NS_PER_US * _MICROSECOND

    def __repr__(self) -> str:
        return f"<FakeClock: {self.now().isoformat()}>"
