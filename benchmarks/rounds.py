"""Measures several ways to do the same work in turns, so that a busy moment hits all of them."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MILLISECOND = 1e6


class Way(Protocol):
    """One way to do the work.

    Attributes:
        name: what the table calls it.
    """

    @property
    def name(self) -> str: ...

    def cost(self) -> float:
        """Do the work; what it took, in nanoseconds per operation."""


@dataclass(frozen=True)
class Case:
    """A way in this process, measured in CPU time.

    Attributes:
        run: does the work; this alone is measured.
        before: done before each run.
        operations: how many operations one run is.
    """

    name: str
    run: Callable[[], object]
    before: Callable[[], object] | None = None
    operations: int = 1

    def cost(self) -> float:
        if self.before is not None:
            self.before()
        gc.collect()
        gc.disable()
        try:
            start = time.process_time_ns()
            self.run()
            end = time.process_time_ns()
        finally:
            gc.enable()
        return (end - start) / self.operations


@dataclass(frozen=True)
class Figure:
    """What one way took, in nanoseconds per operation.

    Attributes:
        rounds: each round's.
    """

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def least(self) -> float:
        return min(self.rounds)

    @property
    def most(self) -> float:
        return max(self.rounds)

    def over(self, other: Figure) -> float:
        """How much more than ``other``: each round is compared with the other's same round."""
        return statistics.median(
            own - its for own, its in zip(self.rounds, other.rounds, strict=True)
        )

    def times(self, other: Figure) -> float:
        """How many times as much ``other`` takes, compared in the same way."""
        return statistics.median(
            its / own for own, its in zip(self.rounds, other.rounds, strict=True)
        )


def measure(ways: Sequence[Way], rounds: int) -> dict[str, Figure]:
    """The figures of each way over ``rounds`` rounds, after one that is thrown away."""
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(rounds + 1):
        for way in ways:
            cost = way.cost()
            if number > 0:
                taken[way.name].append(cost)
    return {name: Figure(tuple(each)) for name, each in taken.items()}


def format_table(title: str, figures: Mapping[str, Figure], peer: str) -> str:
    """The figures as a Markdown table, with how many times faster than ``peer`` each is."""
    lines = [
        f"| {title} | least ms | median ms | peer / this |",
        "|---|---:|---:|---:|",
    ]
    for name, figure in figures.items():
        least, median = figure.least / _MILLISECOND, figure.median / _MILLISECOND
        lines.append(f"| {name} | {least:.2f} | {median:.2f} | {figure.times(figures[peer]):.1f} |")
    return "\n".join(lines)
