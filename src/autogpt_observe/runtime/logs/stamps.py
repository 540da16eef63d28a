"""When a line was logged, and its id."""

from __future__ import annotations

import itertools
import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NS_PER_MS = 1_000_000
_MS_PER_SECOND = 1_000
_MILLISECOND_BITS = 48
_HIGH_BITS = 34
_TAIL_BITS = 32
_LOW = tuple(f"{low:02x}" for low in range(256))
"""The lowest bits of the counter, as digits."""


class _Block(NamedTuple):
    """What is the same in a block of up to 256 lines of one millisecond, and what is not.

    Attributes:
        timestamp: when they are logged.
        start, end: how their ids begin and end.
        rest: yields the two digits between, for each line once.
    """

    millisecond: int
    timestamp: str
    start: str
    rest: Iterator[str]
    end: str


class Stamps:
    """Says when a line was logged, and gives it an id. Any thread may use it.

    Timestamps are ISO 8601 in UTC, to the millisecond, as Elasticsearch keeps them. Ids are UUIDs
    of version 7 (RFC 9562, section 6.2, method 1): 48 bits of milliseconds, 42 bits of a counter
    that starts anywhere and never goes back, 32 random bits. The ids that one thread gets rise,
    also while the clock is set back.

    Args:
        clock: nanoseconds since the epoch.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._second = (-1, "")
        self.renew()

    def renew(self) -> None:
        """Start anew, as a forked child has to: its ids must not be its parent's."""
        own = random.Random()  # noqa: S311  # ids are no secrets; the host's generator is its own
        self._bits = own.getrandbits
        # The top bit is clear, so that there are eight billion blocks before it starts again.
        self._next_high = itertools.count(own.getrandbits(_HIGH_BITS - 1)).__next__
        self._latest = -1
        self._lock = threading.RLock()  # a signal handler may log while it is held
        self._block = _Block(-1, "", "", iter(()), "")

    def stamp(self) -> tuple[str, str]:
        """The timestamp of now, and a new id."""
        millisecond = self._clock() // _NS_PER_MS
        known, timestamp, start, rest, end = self._block
        low = next(rest, None)
        if low is None or millisecond != known:
            with self._lock:  # blocks are begun and taken into use in the same order
                block = self._begin(millisecond)
                low = next(block.rest)
                self._block = block
            _, timestamp, start, rest, end = block
        return timestamp, f"{start}{low}{end}"

    def _begin(self, millisecond: int) -> _Block:
        self._latest = latest = max(millisecond, self._latest)
        high = self._next_high()
        time_ = f"{latest % (1 << _MILLISECOND_BITS):012x}"
        version = 0x7000 | high >> 22 & 0xFFF
        variant = 0x8000 | high >> 8 & 0x3FFF
        start = f"{time_[:8]}-{time_[8:]}-{version:04x}-{variant:04x}-{high & 0xFF:02x}"
        end = f"{self._bits(_TAIL_BITS):08x}"
        return _Block(millisecond, self._timestamp(millisecond), start, iter(_LOW), end)

    def _timestamp(self, millisecond: int) -> str:
        second, rest = divmod(millisecond, _MS_PER_SECOND)
        known, text = self._second
        if second != known:
            text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = (second, text)
        return f"{text}{rest:03d}Z"
