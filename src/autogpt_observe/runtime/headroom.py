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
        if key in self._left or len(self._left) < _MOST:
            self._left[key] = _Left(min(max(share, 0.0), 1.0), until)

    def left(self, now: float) -> dict[tuple[str, ...], float]:
        """The shares that are still true."""
        return {key: left.share for key, left in list(self._left.items()) if now < left.until}
