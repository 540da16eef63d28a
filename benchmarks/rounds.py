"""Measures several ways to do the same work in turns, so that a busy moment hits all of them."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Case:
    """One way.

    Attributes:
        name: what the table calls it.
        run: does the work once; this alone is measured.
        before: done before each run.
    """

    name: str
    run: Callable[[], object]
    before: Callable[[], object] | None = None


@dataclass(frozen=True)
class Figure:
    """CPU milliseconds of a case."""

    least: float
    median: float


def measure(cases: Sequence[Case], rounds: int) -> dict[str, Figure]:
    """The figures of each case over ``rounds`` rounds, after one that is thrown away."""
    taken: dict[str, list[float]] = {case.name: [] for case in cases}
    for number in range(rounds + 1):
        for case in cases:
            if case.before is not None:
                case.before()
            gc.collect()
            gc.disable()
            start = time.process_time_ns()
            case.run()
            end = time.process_time_ns()
            gc.enable()
            if number > 0:
                taken[case.name].append((end - start) / 1e6)
    return {name: Figure(min(each), statistics.median(each)) for name, each in taken.items()}


def format_table(title: str, figures: dict[str, Figure], peer: str) -> str:
    """The figures as a Markdown table, with how many times faster than ``peer`` each is."""
    lines = [
        f"| {title} | least ms | median ms | peer / this, of medians |",
        "|---|---:|---:|---:|",
    ]
    for name, figure in figures.items():
        ratio = figures[peer].median / figure.median
        lines.append(f"| {name} | {figure.least:.2f} | {figure.median:.2f} | {ratio:.1f} |")
    return "\n".join(lines)
