"""What a scrape of several processes costs: this package's merge beside prometheus_client's.

Each of the processes has the same series, a third counters, a third gauges (of the mode `sum`), a
third histograms' lines. What both sides show is parsed and compared before anything is measured.
The floor is to read the files.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import prometheus_client as prom
from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.values import MultiProcessValue
from rounds import Case, measure
from tables import Headline, Table, format_time, format_times

from autogpt_observe.runtime.exposition.formats import negotiate
from autogpt_observe.runtime.multiprocess.shared import SharedMetrics

TEXT = negotiate("")
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
FAMILIES = 10
BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
LINES = len(BOUNDS) + 3


def fail(place: str, error: Exception) -> None:
    raise SystemExit(f"{place}: {error!r}") from error


class Worker:
    """The metrics of one process; its values are kept as if it were one."""

    def __init__(self, pid: int, series: int) -> None:
        values.ValueClass = MultiProcessValue(lambda: pid)  # type: ignore[no-untyped-call]  # the library's
        self._random = random.Random(pid)  # noqa: S311  # the same numbers in each run
        self._counters: list[prom.Counter] = []
        self._gauges: list[prom.Gauge] = []
        self._histograms: list[prom.Histogram] = []
        for number in range(FAMILIES):
            names = ["agent", "tool"]
            each = series // 3 // FAMILIES
            counter = prom.Counter(f"calls_{number}", "Calls", names, registry=None)
            gauge = prom.Gauge(
                f"depth_{number}", "Depth", names, registry=None, multiprocess_mode="sum"
            )
            histogram = prom.Histogram(
                f"call_{number}_seconds", "Time", names, registry=None, buckets=BOUNDS
            )
            for index in range(each):
                self._counters.append(counter.labels("researcher", f"tool_{index}"))
                self._gauges.append(gauge.labels("researcher", f"tool_{index}"))
            for index in range(each // LINES + 1):
                self._histograms.append(histogram.labels("researcher", f"tool_{index}"))
        self.move_all()

    def move_all(self) -> None:
        """Give every series another value."""
        for counter in self._counters:
            counter.inc(self._random.random())
        for gauge in self._gauges:
            gauge.set(self._random.uniform(0, 1000))
        for histogram in self._histograms:
            for bound in BOUNDS:
                histogram.observe(bound * self._random.uniform(0.6, 1))


def parsed(text: bytes) -> dict[object, object]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): (family.type, sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def merged_by_library(folder: Path) -> bytes:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]  # the library's
    return TEXT.encode(registry)


def read_all(folder: Path) -> int:
    return sum(len(path.read_bytes()) for path in folder.glob("*.db"))


PROCESSES, SERIES = 8, 10_000
PEER, MOVED = "prometheus_client", "every value moved"
ABOUT = """\
A scrape of several processes that share a folder. Each has the same series, a third counters, a
third gauges (of the mode `sum`), a third lines of histograms. CPU time; what both sides show is
parsed and compared before. The floor is to read the files."""


def tables(rounds: int) -> list[Table]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, value_class = os.environ.get(VARIABLE), values.ValueClass
        os.environ[VARIABLE] = name
        try:
            workers = [Worker(1000 + number, SERIES) for number in range(PROCESSES)]
            return [_measure(folder, workers, rounds)]
        finally:
            values.ValueClass = value_class
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def _measure(folder: Path, workers: list[Worker], rounds: int) -> Table:
    warm, still = (SharedMetrics(folder, on_error=fail) for _ in range(2))

    def move_all() -> None:
        for worker in workers:
            worker.move_all()

    expected: dict[object, object] = {}
    for _ in range(2):
        move_all()
        expected = parsed(merged_by_library(folder))
        for merge in (warm, still):
            if parsed(b"".join(merge.render(TEXT))) != expected:
                raise SystemExit("the two sides do not show the same")
    cases = [
        Case(PEER, lambda: merged_by_library(folder), move_all),
        Case(MOVED, lambda: b"".join(warm.render(TEXT)), move_all),
        Case(
            "no value moved",
            lambda: b"".join(still.render(TEXT)),
            lambda: still.render(TEXT),
        ),
        Case(
            "first scrape",
            lambda: b"".join(SharedMetrics(folder, on_error=fail).render(TEXT)),
        ),
        Case("floor: read the files", lambda: read_all(folder)),
    ]
    title = f"Multiprocess: {len(workers)} processes, {len(expected):,} samples of each"
    figures = measure(cases, rounds)
    moved = figures[MOVED]
    headline = Headline(
        title,
        "<= 15 ms",
        f"{format_time(moved.median)}, {format_times(moved.times(figures[PEER]))} faster",
        f"{PEER} {format_time(figures[PEER].median)}",
    )
    return Table(title, ABOUT, figures, PEER, headlines=(headline,))
