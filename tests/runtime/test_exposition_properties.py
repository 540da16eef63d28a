"""Whatever a registry holds and whatever happens to it, the bytes are the library's."""

from __future__ import annotations

from array import array

import prometheus_client as prom
import pytest
from exposition_registries import FLOATS, FORMATS, OPENMETRICS, TEXT, World
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from autogpt_observe.runtime.exposition.blocks import LINES_PER_BLOCK
from autogpt_observe.runtime.exposition.formats import negotiate
from autogpt_observe.runtime.exposition.numbers import format_floats

settings.register_profile("exposition", deadline=None, max_examples=60)
SETTINGS = settings.get_profile("exposition")


@SETTINGS
@given(st.data(), st.sampled_from(FORMATS))
def test_sequences_of_operations(data: st.DataObject, format_: object) -> None:
    world = World()
    for _ in range(data.draw(st.integers(1, 4))):
        world.make(data.draw)
    for _ in range(data.draw(st.integers(1, 4))):
        for _ in range(data.draw(st.integers(0, 6))):
            world.move(data.draw)
        if data.draw(st.booleans()):
            world.remove(data.draw)
        world.check(format_)  # type: ignore[arg-type]  # one of FORMATS


@settings(deadline=None, max_examples=500)
@given(st.lists(FLOATS, max_size=20))
def test_floats(floats: list[float]) -> None:
    assert format_floats(array("d", floats)) == [floatToGoString(number) for number in floats]  # type: ignore[no-untyped-call]  # the library's


@pytest.mark.parametrize("format_", [TEXT, OPENMETRICS], ids=["text", "openmetrics"])
def test_label_sets_that_come_and_go_across_blocks(format_: object) -> None:
    world = World()
    gauge = prom.Gauge("g", "", ["a"], registry=world.registry)
    counter = prom.Counter("c", "", ["a"], registry=world.registry)
    for number in range(3 * LINES_PER_BLOCK):
        gauge.labels(str(number)).set(number)
        counter.labels(str(number)).inc(number)
    world.check(format_)  # type: ignore[arg-type]  # as its ids say
    for gone in ("0", "1", str(LINES_PER_BLOCK), str(LINES_PER_BLOCK - 1), "700"):
        gauge.remove(gone)
        counter.remove(gone)
        world.check(format_)  # type: ignore[arg-type]  # as above
    gauge.labels("700").set(1)
    world.check(format_)  # type: ignore[arg-type]  # as above
    for number in range(0, 3 * LINES_PER_BLOCK, 2):
        gauge.remove(str(number))
    world.check(format_)  # type: ignore[arg-type]  # as above
    for number in range(LINES_PER_BLOCK):
        gauge.labels(f"new {number}").set(number)
        if number % 50 == 0:
            world.check(format_)  # type: ignore[arg-type]  # as above
    gauge.clear()
    world.check(format_)  # type: ignore[arg-type]  # as above


@SETTINGS
@given(
    st.lists(
        st.sampled_from(
            [
                "application/openmetrics-text",
                "text/plain",
                "*/*",
                "version=1.0.0",
                "version=0.0.4",
                "version=2.0.0",
                "version=x",
                "q=0.5",
                "escaping=allow-utf-8",
                ",",
                ";",
                "=",
            ]
        ),
        max_size=8,
    )
)
def test_any_accept_header_gets_an_exposition(parts: list[str]) -> None:
    world = World()
    prom.Counter("c", "", registry=world.registry).inc()
    world.check(negotiate(";".join(parts)))
