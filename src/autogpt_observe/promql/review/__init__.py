"""Checks of an expression against what is known of the series it reads, without a Prometheus.

Each check is a function from a `Reading` to findings; an id stands for one thing that holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.promql.review.conditions import check_alert
from autogpt_observe.promql.review.histograms import check_histograms
from autogpt_observe.promql.review.labels import check_labels
from autogpt_observe.promql.review.matching import check_matching
from autogpt_observe.promql.review.reading import Finding, Purpose, Reading, read
from autogpt_observe.promql.review.samples import check_raw_counters, check_samples
from autogpt_observe.promql.review.texts import check_texts
from autogpt_observe.promql.review.types import check_type, check_units
from autogpt_observe.promql.review.versions import check_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "Purpose", "Reading", "read", "review"]


def review(reading: Reading) -> Iterator[Finding]:
    """All that is found in one expression."""
    yield from check_type(reading)
    yield from check_versions(reading)
    yield from check_texts(reading)
    yield from check_labels(reading)
    yield from check_samples(reading)
    yield from check_histograms(reading)
    yield from check_matching(reading)
    yield from check_units(reading)
    if reading.purpose is not Purpose.PANEL:  # a panel may well show what a counter stands at
        yield from check_raw_counters(reading)
    if reading.purpose in (Purpose.ALERT, Purpose.WATCHDOG):
        yield from check_alert(reading)
