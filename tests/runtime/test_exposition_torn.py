"""Histograms that are written while they are read show one moment, not two."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import prometheus_client as prom
import pytest
from exposition_registries import OPENMETRICS, TEXT
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from runtime_specs import metric, observing, spec

import autogpt_observe as obs
from autogpt_observe.runtime.atomic import AtomicHistogram
from autogpt_observe.runtime.exposition.renderer import Renderer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.samples import Sample

AMOUNT = 3.0
SCRAPES = 400


@pytest.fixture(autouse=True)
def _busy_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@contextmanager
def observed(histogram: prom.Histogram) -> Iterator[None]:
    """While two threads observe the same amount again and again."""
    stop = threading.Event()

    def observe() -> None:
        while not stop.is_set():
            for _ in range(50):
                histogram.observe(AMOUNT)

    threads = [threading.Thread(target=observe) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def is_torn(samples: list[Sample]) -> bool:
    values = {sample.name + sample.labels.get("le", ""): sample.value for sample in samples}
    count = values["h_count"]
    return not (
        count == values["h_bucket+Inf"] == values["h_bucket5.0"]
        and values["h_bucket1.0"] == 0
        and values["h_sum"] == AMOUNT * count
    )


def scrape(renderer: Renderer) -> list[Sample]:
    text = renderer.render(TEXT).decode()
    (family,) = text_string_to_metric_families(text)
    return [sample for sample in family.samples if not sample.name.endswith("_created")]


def collect(histogram: prom.Histogram) -> list[Sample]:
    (family,) = histogram.collect()
    return family.samples


def told(_: str, error: Exception) -> None:
    raise error


def test_own_histogram_is_never_torn() -> None:
    registry = CollectorRegistry()
    histogram = AtomicHistogram("h", "", registry=registry, buckets=(1, 5))
    renderer = Renderer(registry, on_error=told)
    with observed(histogram):
        fast = [scrape(renderer) for _ in range(SCRAPES)]
        slow = [collect(histogram) for _ in range(SCRAPES)]
    assert [samples for samples in fast + slow if is_torn(samples)] == []
    assert fast[-1] != fast[0]


def test_histogram_of_the_library_is_torn() -> None:
    """Else the test above would show nothing."""
    histogram = prom.Histogram("h", "", registry=None, buckets=(1, 5))
    with observed(histogram):
        torn = sum(is_torn(collect(histogram)) for _ in range(20 * SCRAPES))
    assert torn > 0


def test_no_observation_is_lost() -> None:
    histogram = AtomicHistogram("h", "", registry=None, buckets=(1, 5))

    def observe() -> None:
        for _ in range(2000):
            histogram.observe(AMOUNT)

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.snapshot() == [0.0, 8000.0, 0.0, 8000 * AMOUNT]


@pytest.mark.parametrize("amount", ["nan", "inf", "-inf"])
def test_observation_that_is_not_finite_spoils_nothing(amount: str) -> None:
    histogram = AtomicHistogram("h", "", registry=None, buckets=(1, 5))
    histogram.observe(AMOUNT)
    histogram.observe(float(amount))
    assert histogram.snapshot() == [0.0, 1.0, 0.0, AMOUNT]


@pytest.mark.parametrize(("amount", "bucket"), [(1, "1.0"), (1.1, "5.0"), (5, "5.0"), (6, "+Inf")])
def test_buckets_are_those_of_the_library(amount: float, bucket: str) -> None:
    library = prom.Histogram("h", "", registry=None, buckets=(1, 5))
    own = AtomicHistogram("h", "", registry=None, buckets=(1, 5))
    for histogram in (library, own):
        histogram.observe(amount, {"trace_id": "1"})
    shown = [s for s in collect(library) if not s.name.endswith("_created")]
    assert [s[:3] for s in collect(own)] == [s[:3] for s in shown]
    marked = [s.labels["le"] for s in collect(own) if s.exemplar]
    assert marked == [bucket]


def test_exemplar_tells_the_span_of_an_observation() -> None:
    registry = CollectorRegistry()
    histogram = AtomicHistogram("h", "", registry=registry, buckets=(1, 5))
    renderer = Renderer(registry, on_error=told)
    renderer.render(OPENMETRICS)
    histogram.observe(AMOUNT, (0xAB, 0xCD))
    for _ in range(2):
        shown = renderer.render(OPENMETRICS)
        assert shown == OPENMETRICS.encode(registry)
        exemplar = b'{span_id="00000000000000cd",trace_id="' + b"0" * 30 + b'ab"} 3.0 '
        assert shown.count(exemplar) == 1


def test_instruments_of_the_spec_are_such() -> None:
    with observing(spec(page_seconds=metric("histogram", "code", buckets="coarse"))) as observer:
        obs.metric("page_seconds").observe(2)
        (histogram,) = (
            each
            for each in observer.registry._collector_to_names  # noqa: SLF001  # nothing public shows it
            if isinstance(each, AtomicHistogram)
        )
        assert histogram.snapshot() == [0.0, 1.0, 0.0, 0.0, 2.0]
