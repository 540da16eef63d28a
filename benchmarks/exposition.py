"""What a scrape costs: this package's renderer beside prometheus_client's, on the same registry.

A third of the series are counters, a third gauges, a third histograms' lines. The bytes of both
sides are compared before anything is measured. That every value moves between two scrapes, and
every exemplar, is the worst case; it is worse still where the values are fractions of 17 digits,
which take long to write. The floor is to join ready lines and encode them.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import prometheus_client as prom
from prometheus_client import CollectorRegistry
from rounds import Case, measure
from tables import Headline, Table, format_time, format_times

from autogpt_observe.runtime.exposition.formats import Format, negotiate
from autogpt_observe.runtime.exposition.renderer import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Figure

FORMATS = {
    "text": negotiate(""),
    "OpenMetrics": negotiate("application/openmetrics-text;version=1.0.0"),
}
PEER = "prometheus_client"
FAMILIES = 10
BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
LINES = len(BOUNDS) + 3


def fail(place: str, error: Exception) -> None:
    raise SystemExit(f"{place}: {error!r}") from error


class Service:
    """A registry with ``series`` series, without those that say when a series was made."""

    def __init__(self, series: int) -> None:
        self.registry = CollectorRegistry()
        self._random = random.Random(1)  # noqa: S311  # the same numbers in each run
        self.counters: list[prom.Counter] = []
        self.gauges: list[prom.Gauge] = []
        self.histograms: list[prom.Histogram] = []
        for number in range(FAMILIES):
            names = ["agent", "tool"]
            each = series // 3 // FAMILIES
            self.newest = prom.Counter(f"calls_{number}", "Calls", names, registry=self.registry)
            gauge = prom.Gauge(f"depth_{number}", "Depth", names, registry=self.registry)
            histogram = prom.Histogram(
                f"call_{number}_seconds", "Time", names, buckets=BOUNDS, registry=self.registry
            )
            for index in range(each):
                self.counters.append(self.newest.labels("researcher", f"tool_{index}"))
                self.gauges.append(gauge.labels("researcher", f"tool_{index}"))
            for index in range(each // LINES + 1):
                self.histograms.append(histogram.labels("researcher", f"tool_{index}"))
        self._added = 0
        self.move_all()

    def move_all(self) -> None:
        """Give every series another value, a whole number, and every bucket another exemplar."""
        for counter in self.counters:
            counter.inc()
        for gauge in self.gauges:
            gauge.set(self._random.randrange(1000))
        self._observe()

    def move_fractions(self) -> None:
        """As `move_all`, with values that are no whole numbers."""
        for counter in self.counters:
            counter.inc(self._random.random())
        for gauge in self.gauges:
            gauge.set(self._random.uniform(0, 1000))
        self._observe()

    def _observe(self) -> None:
        for histogram in self.histograms:
            for bound in BOUNDS:
                trace = f"{self._random.getrandbits(128):032x}"
                histogram.observe(bound * self._random.uniform(0.6, 1), {"trace_id": trace})

    def move_some(self) -> None:
        """Move one series in a hundred."""
        for counter in self.counters[::100]:
            counter.inc(self._random.random())

    def add(self) -> None:
        """Begin one more label set."""
        self._added += 1
        self.newest.labels("researcher", f"new {self._added}").inc()


def compare(service: Service, format_: Format) -> int:
    """How many samples there are; both ways show the same, before and after all changes."""
    renderer = Renderer(service.registry, on_error=fail)
    for change in (service.move_fractions, service.move_all, service.move_some, service.add):
        change()
        expected = format_.encode(service.registry)
        if not renderer.render(format_) == renderer.render(format_) == expected:
            raise SystemExit("the two sides do not show the same")
    return sum(not line.startswith(b"#") for line in renderer.render(format_).splitlines())


def cases(service: Service, format_: Format) -> list[Case]:
    """The ways that are measured."""
    renderer = Renderer(service.registry, on_error=fail)
    lines = format_.encode(service.registry).decode().splitlines(keepends=True)

    def scrape() -> bytes:
        return renderer.render(format_)

    def library() -> bytes:
        return format_.encode(service.registry)

    def after(change: Callable[[], None]) -> Callable[[], None]:
        """Make sure that nothing but this change is new."""

        def prepare() -> None:
            scrape()
            change()

        return prepare

    return [
        Case(PEER, library, service.move_all),
        Case(MOVED, scrape, after(service.move_all)),
        Case("one in 100 moved", scrape, after(service.move_some)),
        Case("no value moved", scrape, after(lambda: None)),
        Case(NEW, scrape, after(service.add)),
        Case("first scrape", lambda: Renderer(service.registry, on_error=fail).render(format_)),
        Case("floor: join and encode", lambda: "".join(lines).encode()),
    ]


def fraction_cases(service: Service, format_: Format) -> list[Case]:
    """The worst case."""
    renderer = Renderer(service.registry, on_error=fail)
    renderer.render(format_)
    return [
        Case(PEER, lambda: format_.encode(service.registry), service.move_fractions),
        Case(MOVED, lambda: renderer.render(format_), service.move_fractions),
    ]


MOVED, NEW = "every value moved", "one new label set"
TARGETS = {
    (10_000, "text"): {MOVED: ">= 24x", NEW: ">= 10x"},
    (10_000, "OpenMetrics"): {MOVED: ">= 15x", NEW: ">= 10x"},
    (100_000, "text"): {MOVED: ">= 25x"},
}
"""The sizes and formats that are measured, and what is wanted of them."""
ABOUT = """\
A scrape of a registry, a third of its series counters, a third gauges, a third lines of histograms
with exemplars. CPU time; the bytes of both sides are the same before and after every change. That
all values move between two scrapes is the worst case, worse still where they are fractions of 17
digits, which take long to write. The floor joins ready lines and encodes them."""
FEWER = 3
"""Rounds with the larger size, whose peer takes a second for each scrape."""


def tables(rounds: int) -> list[Table]:
    prom.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
    found = []
    for (size, name), targets in TARGETS.items():
        few = min(rounds, FEWER) if size > 10_000 else rounds  # noqa: PLR2004  # as above
        service, format_ = Service(size), FORMATS[name]
        samples = compare(service, format_)
        title = f"Exposition: {name}, {samples:,} samples"
        figures = measure(cases(service, format_), few)
        headlines = tuple(
            Headline(f"{title}: {case}", target, _faster(figures, case), _peer(figures))
            for case, target in targets.items()
        )
        found.append(Table(title, ABOUT, figures, PEER, headlines=headlines))
        if few == rounds:
            figures = measure(fraction_cases(service, format_), few)
            found.append(Table(f"{title} of 17 digits", ABOUT, figures, PEER))
    return found


def _faster(figures: dict[str, Figure], case: str) -> str:
    return (
        f"{format_times(figures[case].times(figures[PEER]))}: {format_time(figures[case].median)}"
    )


def _peer(figures: dict[str, Figure]) -> str:
    return f"{PEER} {format_time(figures[PEER].median)}"
