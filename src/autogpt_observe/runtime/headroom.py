"""What providers' latest responses said of their rate limits."""

from __future__ import annotations

from typing import NamedTuple

_MOST = 1000


class _Left(NamedTuple):
    share: float
    until: float


class Headroom:
    """The share of each limit that was left, until it is reset; by provider, model, limit."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: dict[tuple[str, str, str], _Left] = {}

    def tell(self, key: tuple[str, str, str], share: float, until: float) -> None:
        """The latest response; ``until`` is the time of the reset on the hub's clock."""
        if len(self._left) >= _MOST and key not in self._left:
            self._evict()
        self._left[key] = _Left(min(max(share, 0.0), 1.0), until)

    def _evict(self) -> None:
        """Make room for one: what was reset already goes first, then what will be soonest."""
        first, _ = min(list(self._left.items()), key=lambda known: known[1].until)
        self._left.pop(first, None)  # another thread may have been faster

    def left(self, now: float) -> dict[tuple[str, ...], float]:
        """The shares that are still true."""
        return {key: left.share for key, left in list(self._left.items()) if now < left.until}
