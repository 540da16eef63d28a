"""What scrapers see of a registry: the library's bytes, its negotiation, and failures."""

from __future__ import annotations

import gzip
import http.client
import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import prometheus_client as prom
import pytest
from exposition_registries import OPENMETRICS, TEXT
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import exposition as openmetrics

from autogpt_observe.runtime.exposition import Endpoint, Request, metrics_app
from autogpt_observe.runtime.exposition.compression import accepts_gzip
from autogpt_observe.runtime.exposition.families import CachedFamily
from autogpt_observe.runtime.exposition.renderer import Renderer
from autogpt_observe.runtime.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from autogpt_observe.runtime.exposition.formats import Format

FORMATS = pytest.mark.parametrize("format_", [TEXT, OPENMETRICS], ids=["text", "openmetrics"])


class Errors:
    """What the renderer complained of."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, place: str, error: Exception) -> None:
        self.told.append(f"{place}: {error}")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The metrics that were rendered the fast way, in turn."""
    rendered: list[str] = []
    render = CachedFamily.render

    def spy(self: CachedFamily) -> list[bytes]:
        parts = render(self)
        rendered.append(self._collector._name)  # noqa: SLF001  # nothing public tells it
        return parts

    monkeypatch.setattr(CachedFamily, "render", spy)
    return rendered


def rendered(renderer: Renderer, registry: CollectorRegistry, format_: Format) -> bytes:
    shown = renderer.render(format_)
    assert shown == format_.encode(registry)
    return shown


@FORMATS
def test_metrics_of_the_library_take_the_fast_way(format_: Format, fast: list[str]) -> None:
    registry, errors = CollectorRegistry(), Errors()
    prom.Counter("c", "", ["a"], registry=registry).labels("x").inc(exemplar={"trace_id": "1"})
    prom.Gauge("g", "", registry=registry).set(math.nan)
    prom.Histogram("h", "", registry=registry).observe(1, {"trace_id": "2"})
    prom.Summary("s", "", registry=registry).observe(1)
    renderer = Renderer(registry, on_error=errors)
    rendered(renderer, registry, format_)
    del fast[:]
    rendered(renderer, registry, format_)
    assert fast == ["c", "g", "h", "s"]
    assert errors.told == []


def test_the_default_registry(fast: list[str]) -> None:
    counter = prom.Counter("host_requests", "The host's, on the registry of the process")
    try:
        text = Renderer(prom.REGISTRY, on_error=Errors()).render(TEXT).decode()
    finally:
        prom.REGISTRY.unregister(counter)
    assert "python_gc_objects_collected_total" in text
    assert "host_requests_total 0.0\n" in text
    assert "host_requests" in fast


@FORMATS
def test_gauge_that_gets_a_function_after_a_scrape(format_: Format) -> None:
    registry = CollectorRegistry()
    gauge = prom.Gauge("g", "", ["a"], registry=registry)
    gauge.labels("x").set(1)
    alone = prom.Gauge("alone", "", registry=registry)
    renderer = Renderer(registry, on_error=Errors())
    rendered(renderer, registry, format_)
    gauge.labels("x").set_function(lambda: 42)
    alone.set_function(lambda: 43)
    shown = rendered(renderer, registry, format_)
    assert b'g{a="x"} 42.0\n' in shown
    assert b"alone 43.0\n" in shown


@FORMATS
def test_counter_that_is_reset_after_a_scrape(format_: Format) -> None:
    registry = CollectorRegistry()
    counter = prom.Counter("c", "", ["a"], registry=registry)
    counter.labels("x").inc(3)
    renderer = Renderer(registry, on_error=Errors())
    before = rendered(renderer, registry, format_)
    counter.labels("x").reset()  # its value is a whole number from then on, and its birth is now
    after = rendered(renderer, registry, format_)
    assert b'c_total{a="x"} 0.0\n' in after
    births = [
        [line for line in shown.splitlines() if line.startswith(b"c_created{")]
        for shown in (before, after)
    ]
    assert births[0] != births[1]


@FORMATS
def test_label_set_that_is_replaced(format_: Format) -> None:
    registry = CollectorRegistry()
    gauge = prom.Gauge("g", "", ["a"], registry=registry)
    for label in "xyz":
        gauge.labels(label).set(1)
    renderer = Renderer(registry, on_error=Errors())
    rendered(renderer, registry, format_)
    gauge.remove("y")
    gauge.labels("new").set(1)
    assert b"new" in rendered(renderer, registry, format_)


@FORMATS
def test_created_series_switched_off_and_on(format_: Format) -> None:
    registry = CollectorRegistry()
    prom.Counter("c", "", registry=registry)
    prom.Histogram("h", "", ["a"], registry=registry).labels("x").observe(1)
    renderer = Renderer(registry, on_error=Errors())
    assert b"_created" in rendered(renderer, registry, format_)
    prom.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
    try:
        assert b"_created" not in rendered(renderer, registry, format_)
    finally:
        prom.enable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
    assert b"_created" in rendered(renderer, registry, format_)


@FORMATS
def test_metric_that_moves_from_zero_to_minus_zero(format_: Format) -> None:
    registry = CollectorRegistry()
    gauge = prom.Gauge("g", "", registry=registry)
    renderer = Renderer(registry, on_error=Errors())
    assert b"g 0.0\n" in rendered(renderer, registry, format_)
    gauge.set(-0.0)
    assert b"g -0.0\n" in rendered(renderer, registry, format_)


@FORMATS
def test_classes_of_the_host_are_left_to_the_library(format_: Format, fast: list[str]) -> None:
    class Doubled(prom.Counter):
        def collect(self) -> Iterable[prom.Metric]:
            for family in super().collect():
                family.samples = [sample._replace(value=84.0) for sample in family.samples]
                yield family

    registry = CollectorRegistry()
    Doubled("c", "", registry=registry).inc(42)
    patched = prom.Counter("p", "", registry=registry)
    patched.collect = list  # type: ignore[method-assign]  # as a host may
    renderer = Renderer(registry, on_error=Errors())
    shown = rendered(renderer, registry, format_)
    assert b"c_total 84.0\n" in shown
    assert b"p_total" not in shown
    assert "c" not in fast
    assert "p" not in fast


def test_class_of_the_library_that_somebody_patched(
    monkeypatch: pytest.MonkeyPatch, fast: list[str]
) -> None:
    registry = CollectorRegistry()
    prom.Counter("c", "", registry=registry).inc()
    renderer = Renderer(registry, on_error=Errors())
    rendered(renderer, registry, TEXT)
    assert fast.pop() == "c"
    del fast[:]
    samples = prom.Counter._child_samples  # noqa: SLF001  # what instrumentation patches

    def louder(self: prom.Counter) -> Iterable[object]:
        return [sample._replace(value=1000.0) for sample in samples(self)]

    monkeypatch.setattr(prom.Counter, "_child_samples", louder)
    assert b"c_total 1000.0\n" in rendered(renderer, registry, TEXT)
    assert fast == []


def test_internals_of_another_type(fast: list[str]) -> None:
    class Value:
        _value = 1.0

        def get(self) -> float:
            return 7.0

        def get_exemplar(self) -> None:
            return None

    registry, errors = CollectorRegistry(), Errors()
    counter = prom.Counter("c", "", registry=registry)
    counter._value = Value()  # noqa: SLF001  # a release of the library might
    renderer = Renderer(registry, on_error=errors)
    assert b"c_total 7.0\n" in rendered(renderer, registry, TEXT)
    assert "c" not in fast
    assert errors.told == []


def test_internals_that_are_missing_are_told_once(fast: list[str]) -> None:
    registry, errors = CollectorRegistry(), Errors()
    summary = prom.Summary("s", "", registry=registry)
    renderer = Renderer(registry, on_error=errors)
    rendered(renderer, registry, TEXT)
    assert fast.pop() == "s"
    del fast[:]
    del summary._created  # noqa: SLF001  # a release of the library might
    prom.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
    try:
        rendered(renderer, registry, TEXT)
    finally:
        prom.enable_created_metrics()  # type: ignore[no-untyped-call]  # the library's
    for _ in range(2):
        with pytest.raises(AttributeError):
            renderer.render(TEXT)
    assert errors.told == ["exposition: 'Summary' object has no attribute '_created'"]


def test_library_that_writes_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that escapes another character, say."""
    escape = openmetrics._escape  # noqa: SLF001  # as above

    def other(text: str, escaping: str, is_valid: Callable[[str, int], bool]) -> str:
        return escape(text, escaping, is_valid).replace("%", r"\%")

    monkeypatch.setattr(openmetrics, "_escape", other)
    registry, errors = CollectorRegistry(), Errors()
    prom.Counter("c", "", ["a"], registry=registry).labels("%").inc()
    renderer = Renderer(registry, on_error=errors)
    for _ in range(2):
        assert rb'c_total{a="\%"} 1.0' in rendered(renderer, registry, TEXT)
    (told,) = errors.told
    assert told == (
        "exposition: counter:check is not rendered as prometheus_client does it; from now on it"
        " renders every metric"
    )


def test_registry_with_ways_of_its_own() -> None:
    class Doubled(CollectorRegistry):
        def collect(self) -> Iterable[prom.Metric]:
            yield from super().collect()
            yield from super().collect()

    registry = Doubled()
    prom.Counter("c", "", registry=registry).inc()
    shown = rendered(Renderer(registry, on_error=Errors()), registry, TEXT)
    assert shown.count(b"c_total 1.0\n") == 2


# --- requests ------------------------------------------------------------------------------------


@contextmanager
def endpoint(*, patience: float = 5.0) -> Iterator[tuple[CollectorRegistry, Endpoint, Errors]]:
    registry, errors = CollectorRegistry(), Errors()
    yield registry, Endpoint(registry, on_error=errors, patience=patience), errors


def get(query: str = "", accept: str = "", accept_encoding: str = "") -> Request:
    return Request(
        method="GET",
        path="/metrics",
        query=query,
        accept=accept,
        accept_encoding=accept_encoding,
    )


def test_some_names_only() -> None:
    with endpoint() as (registry, at, _):
        for name in "abc":
            prom.Gauge(name, "Help", registry=registry).set(1)
        body = at.answer(get("name[]=a&name[]=c&name[]=none")).body
        openmetrics_body = at.answer(get("name[]=b", OPENMETRICS.content_type)).body
    assert sorted(line for line in body.decode().splitlines() if line[0] != "#") == [
        "a 1.0",
        "c 1.0",
    ]
    assert openmetrics_body == b"# HELP b Help\n# TYPE b gauge\nb 1.0\n# EOF\n"


def test_large_answers_are_compressed_where_that_is_welcome() -> None:
    with endpoint() as (registry, at, _):
        gauge = prom.Gauge("g", "", ["a"], registry=registry)
        for number in range(2000):
            gauge.labels(str(number)).set(number)
        plain, packed = at.answer(get()), at.answer(get(accept_encoding="br, gzip"))
        gauge.clear()
        small = at.answer(get(accept_encoding="gzip"))
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    for response in (plain, small):
        assert "Content-Encoding" not in response.headers
    for response in (plain, packed, small):
        assert response.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5, deflate", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q=0.001", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("gzip2", False),
        (",;=,", False),
    ],
)
def test_accept_encoding(header: str, *, accepts: bool) -> None:
    assert accepts_gzip(header) is accepts


class Gate:
    """A collector that hangs until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def __repr__(self) -> str:
        return "<Gate>"

    def collect(self) -> Iterable[prom.Metric]:
        self.entered.release()
        self.open.wait(60)
        return []

    def describe(self) -> Iterable[prom.Metric]:
        return []


def test_collector_that_hangs_fails_the_scrapes_after_it_at_once() -> None:
    with endpoint(patience=0.05) as (registry, at, errors):
        gate = Gate()
        registry.register(gate)
        stuck = threading.Thread(target=at.answer, args=[get()])
        stuck.start()
        assert gate.entered.acquire(timeout=30)
        threading.Event().wait(0.1)
        responses = [at.answer(get()) for _ in range(5)]
        gate.open.set()
        stuck.join(30)
        healed = at.answer(get())
    for response in responses:
        assert (response.status, response.body) == (
            503,
            b"a collector does not answer; the log of this process says which\n",
        )
        assert response.headers["Retry-After"] == "1"
    assert errors.told == ["scrape: <Gate> has not answered for 0 s"] * 5
    assert healed.status == 200


def test_scrapes_that_hang_together_leave_room_to_say_so() -> None:
    with endpoint(patience=0.05) as (registry, at, _):
        gates = [Gate() for _ in range(3)]
        stuck = []
        for gate in gates:
            registry.register(gate)
            stuck.append(threading.Thread(target=at.answer, args=[get()]))
            stuck[-1].start()
            assert gate.entered.acquire(timeout=30)
            registry.unregister(gate)
        response = at.answer(get())
        for gate in gates:
            gate.open.set()
        for thread in stuck:
            thread.join(30)
        assert at.answer(get()).status == 200
    assert (response.status, response.body) == (503, b"too many scrapes are in progress\n")


def status_of(server: Server) -> int:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status
    finally:
        connection.close()


def test_two_collectors_that_hang_do_not_silence_the_server() -> None:
    registry, gates = CollectorRegistry(), [Gate(), Gate()]
    app = metrics_app(registry, on_error=Errors(), patience=0.2)
    server = Server(app, host="127.0.0.1", port=0)
    stuck = []
    try:
        for gate in gates:
            registry.register(gate)
            stuck.append(threading.Thread(target=status_of, args=[server]))
            stuck[-1].start()
            assert gate.entered.acquire(timeout=30)
            registry.unregister(gate)
        for gate in gates:
            registry.register(gate)
        threading.Event().wait(0.3)
        hanging = [status_of(server) for _ in range(10)]
        for gate in gates:
            gate.open.set()
        for thread in stuck:
            thread.join(30)
        assert status_of(server) == 200
    finally:
        server.stop()
    assert hanging == [503] * 10
