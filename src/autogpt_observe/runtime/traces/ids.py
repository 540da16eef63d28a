"""Ids of traces and spans."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

from autogpt_observe.runtime.forks import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable


class Ids(Protocol):
    """Makes ids.

    Attributes:
        bits: a random number of so many bits.
    """

    bits: Callable[[int], int]


class RandomIds:
    """Random ids. The host's `random.seed` does not reach them, and a forked child has its own."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311  # ids are no secrets
        self.bits: Callable[[int], int] = self._random.getrandbits
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: go on with other numbers than the parent."""
        self._random.seed()
