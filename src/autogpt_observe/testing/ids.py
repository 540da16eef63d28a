"""Ids that are the same in every run."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SPAN_BITS = 64


class CountingIds:
    """Counts from 1: traces, and spans for themselves.

    Attributes:
        bits: the next id of so many bits, as the runtime asks for them.
    """

    def __init__(self) -> None:
        traces, spans = count(1), count(1)

        def bits(size: int) -> int:
            return next(spans if size == _SPAN_BITS else traces)  # either is atomic

        self.bits: Callable[[int], int] = bits
