"""Compares both ways of rendering on a small registry, before the fast one is trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import prometheus_client as prom

from autogpt_observe.runtime.exposition.families import CachedFamily

if TYPE_CHECKING:
    from prometheus_client.metrics import MetricWrapperBase

    from autogpt_observe.runtime.exposition.formats import Format

_NUMBERS = (
    *(0.0, 3.0, 1e-7, 2.5e-5, 0.1 + 0.2, -1e6, 1e6, 1234567.875, 1e16, 1e300),
    *(math.nan, math.inf, -math.inf),
)
_ODD = ("", 'a"b\\c\nd', "100 %s", "\N{SNOWMAN}")


class DifferenceError(Exception):
    """The fast way does not write what the library writes."""


def check_fast_path(format_: Format) -> None:
    """Raise DifferenceError unless both ways write the same bytes, before and after a change."""
    checked = _Checked()
    families = [CachedFamily(collector, format_) for collector in checked.collectors]
    for move in (checked.move, checked.stand_still):
        for family, collector in zip(families, checked.collectors, strict=True):
            if b"".join(family.render()) != format_.encode_part(collector):
                raise DifferenceError(
                    f"{collector} is not rendered as prometheus_client does it; from now on it"
                    " renders every metric"
                )
        move()


class _Checked:
    """Metrics of every class, with odd labels and numbers."""

    def __init__(self) -> None:
        self.counter = prom.Counter("check", 'A "b" \\ c\nd', ["b", "a"], registry=None)
        self.gauge = prom.Gauge("check", "%s", ["a"], unit="seconds", registry=None)
        self.histogram = prom.Histogram("check", "", ["a"], registry=None, buckets=(0.5, 1e6))
        self.falling = prom.Histogram("check", "", registry=None, buckets=(-1.5, 1))
        self.summary = prom.Summary("check", "", ["a"], registry=None)
        for number in _NUMBERS:
            self.gauge.labels(str(number)).set(number)
        for text in _ODD:
            self.counter.labels(text, text).inc(2.5, exemplar={"trace_id": "0af7", "b": text})
            self.histogram.labels(text).observe(3.5, exemplar={"a": text})
            self.summary.labels(text).observe(4.25)

    @property
    def collectors(self) -> tuple[MetricWrapperBase, ...]:
        """One of each class."""
        return self.counter, self.gauge, self.histogram, self.falling, self.summary

    def move(self) -> None:
        """Change some values, and add and remove label sets."""
        self.counter.labels("new", "new").inc(1e9)
        self.gauge.labels("0.0").set(-0.0)
        self.gauge.remove("3.0")
        self.histogram.labels("").observe(7e6, exemplar={"a": "1"})
        self.falling.observe(-2)
        self.summary.labels("").observe(1)

    def stand_still(self) -> None:
        """Change nothing."""
