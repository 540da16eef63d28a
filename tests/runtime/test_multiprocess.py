"""Merged metrics of several processes are those that the library merges, and have exemplars."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import prometheus_client as prom
import pytest
from exposition_registries import OPENMETRICS, TEXT, TEXTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.values import MultiProcessValue

from autogpt_observe.runtime.exposition.renderer import Renderer
from autogpt_observe.runtime.multiprocess.exemplars import ExemplarWriter, read_exemplars
from autogpt_observe.runtime.multiprocess.files import CorruptFileError
from autogpt_observe.runtime.multiprocess.histogram import SharedHistogram
from autogpt_observe.runtime.multiprocess.shared import SharedMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Mode = Literal[
    "all",
    "liveall",
    "min",
    "livemin",
    "max",
    "livemax",
    "sum",
    "livesum",
    "mostrecent",
    "livemostrecent",
]
M = TypeVar("M", bound=prom.metrics.MetricWrapperBase)
MODES: tuple[Mode, ...] = get_args(Mode)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Values are kept here, while the test lasts."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def told(place: str, error: Exception) -> None:
    raise AssertionError(place) from error


class Process:
    """Metrics whose values are kept as those of the process ``pid``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._class = MultiProcessValue(lambda: pid)  # type: ignore[no-untyped-call]  # the library's
        self._metrics: dict[str, prom.metrics.MetricWrapperBase] = {}

    @contextmanager
    def __call__(self) -> Iterator[Process]:
        before = values.ValueClass
        values.ValueClass = self._class
        try:
            yield self
        finally:
            values.ValueClass = before

    def counter(self, name: str, *labels: str) -> prom.Counter:
        return self._keep(name, lambda: prom.Counter(name, "A counter", labels, registry=None))

    def gauge(self, name: str, mode: Mode, *labels: str) -> prom.Gauge:
        return self._keep(
            name, lambda: prom.Gauge(name, "", labels, registry=None, multiprocess_mode=mode)
        )

    def summary(self, name: str, *labels: str) -> prom.Summary:
        return self._keep(name, lambda: prom.Summary(name, "", labels, registry=None))

    def histogram(self, name: str, *labels: str, buckets: tuple[float, ...]) -> prom.Histogram:
        return self._keep(
            name, lambda: prom.Histogram(name, "", labels, registry=None, buckets=buckets)
        )

    def _keep(self, name: str, make: Callable[[], M]) -> M:
        metric = self._metrics.get(name)
        if metric is None:
            with self():
                metric = self._metrics[name] = make()
        return metric  # type: ignore[return-value]  # a name has one class


def merged_by_library(folder: Path) -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]  # the library's
    return registry


def parsed(text: bytes) -> dict[tuple[str, str, str], list[tuple[object, ...]]]:
    return {
        (family.name, family.type, family.documentation): sorted(
            (sample.name, tuple(sorted(sample.labels.items())), repr(sample.value))
            for sample in family.samples
        )
        for family in parse_text(text.decode())
    }


class Unwanted:
    def __init__(self, *_: object) -> None:
        pytest.fail("the library merges")


def check(folder: Path, shared: SharedMetrics, *, by: type = Unwanted) -> str:
    """Both ways to merge show the same; what that is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autogpt_observe.runtime.multiprocess.shared.MultiProcessCollector", by)
        text = b"".join(shared.render(TEXT))
        openmetrics = b"".join(shared.render(OPENMETRICS)) + b"# EOF\n"
    registry = merged_by_library(folder)
    assert parsed(text) == parsed(TEXT.encode(registry))
    expected = OPENMETRICS.encode(registry)
    assert sorted(openmetrics.splitlines()) == sorted(expected.splitlines())
    return text.decode()


def test_every_kind_of_metric(folder: Path) -> None:
    shared = SharedMetrics(folder, on_error=told)
    for pid, amount in ((11, 2.0), (12, 5.0)):
        process = Process(pid)
        with process():
            process.counter("c", "a").labels("x").inc(amount)
            for mode in MODES:
                process.gauge(f"g_{mode}", mode).set(amount)
            process.histogram("h", "a", buckets=(3.0, 9.0)).labels("x").observe(amount)
            process.summary("s").observe(amount)
    text = check(folder, shared)
    assert 'c_total{a="x"} 7.0\n' in text
    assert 'g_all{pid="11"} 2.0\n' in text
    assert 'g_liveall{pid="12"} 5.0\n' in text
    for rule, value in {"min": 2.0, "max": 5.0, "sum": 7.0, "mostrecent": 5.0}.items():
        assert f"g_{rule} {value}\n" in text
        assert f"g_live{rule} {value}\n" in text
    assert 'h_bucket{a="x",le="3.0"} 1.0\n' in text
    assert 'h_bucket{a="x",le="9.0"} 2.0\n' in text
    assert 'h_count{a="x"} 2.0\n' in text
    assert 'h_sum{a="x"} 7.0\n' in text
    assert "s_count 2.0\n" in text


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_sequences_of_operations(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("values")
    before = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    try:
        shared = SharedMetrics(folder, on_error=told)
        processes: dict[int, Process] = {}
        for _ in range(data.draw(st.integers(1, 4))):
            for _ in range(data.draw(st.integers(0, 5))):
                pid = data.draw(st.integers(1, 3))
                operate(processes.setdefault(pid, Process(pid)), data)
            if processes and data.draw(st.integers(0, 3)) == 0:
                pid = data.draw(st.sampled_from(sorted(processes)))
                mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library's
                del processes[pid]
            check(folder, shared)
    finally:
        if before is None:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
        else:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = before


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.sampled_from(
    [0.0, -0.0, 1e6, 1e-7]
)


def operate(process: Process, data: st.DataObject) -> None:
    """Move one metric of a process."""
    value, label = data.draw(NUMBERS), data.draw(TEXTS)
    with process():
        match data.draw(st.sampled_from(["counter", "gauge", "histogram", "summary"])):
            case "counter":
                process.counter("c", "a").labels(label).inc(abs(value))
            case "gauge":
                mode = data.draw(st.sampled_from(MODES))
                gauge = process.gauge(f"g_{mode}", mode, "a").labels(label)
                if data.draw(st.booleans()):  # else it is made, and never set
                    gauge.set(value)
            case "histogram":
                buckets = data.draw(st.sampled_from([(1.0,), (-1.0, 1.0, 5.0)]))
                process.histogram("h", "a", buckets=buckets).labels(label).observe(value)
            case _:
                process.summary("s").observe(value)


def test_nan(folder: Path) -> None:
    shared = SharedMetrics(folder, on_error=told)
    for pid, value in ((1, float("nan")), (2, 1.0), (3, float("inf"))):
        process = Process(pid)
        with process():
            for mode in MODES:
                process.gauge(f"g_{mode}", mode).set(value)
    check(folder, shared)


def test_process_that_takes_the_place_of_another(folder: Path) -> None:
    shared = SharedMetrics(folder, on_error=told)
    for pid in (1, 2):
        process = Process(pid)
        with process():
            process.gauge("g", "liveall").set(pid)
        assert f'g{{pid="{pid}"}} {pid}.0\n' in check(folder, shared)
        mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library's


def test_metric_of_two_kinds_is_left_to_the_library(folder: Path) -> None:
    shared = SharedMetrics(folder, on_error=told)
    one, other = Process(1), Process(2)
    with one():
        one.gauge("g", "sum").set(1)
    with other():
        other.gauge("g", "max").set(2)
    check(folder, shared, by=MultiProcessCollector)


def test_file_that_is_corrupt(folder: Path) -> None:
    shared = SharedMetrics(folder, on_error=told)
    process = Process(7)
    with process():
        process.counter("c").inc()
    path = folder / "counter_7.db"
    content = bytearray(path.read_bytes())
    content[8:12] = (1 << 20).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(CorruptFileError) as caught:
        shared.render(TEXT)
    assert str(caught.value) == f"{path}: an entry reaches beyond what is used"


def test_registry_that_merges_is_merged_here(folder: Path) -> None:
    process = Process(7)
    registry = merged_by_library(folder)
    with process():
        process.counter("c").inc()
        prom.Counter("d", "", registry=registry)  # as init has it
        prom.Info("build", "", registry=registry).info({"version": "1"})
        shared = SharedMetrics(folder, on_error=told)
        text = Renderer(registry, on_error=told, substitute=shared).render(TEXT).decode()
    assert text.count("# TYPE c_total counter\nc_total 1.0\n") == 1
    assert text.count("d_total 0.0") == 1
    assert 'build_info{version="1"} 1.0\n' in text


# --- exemplars -----------------------------------------------------------------------------------


def test_latest_exemplar_of_all_processes(folder: Path) -> None:
    shared = SharedMetrics(folder, on_error=told)
    keys = []
    for pid in (1, 2):
        process = Process(pid)
        with process():
            histogram = process.histogram("h", "a", buckets=(1.0, 5.0)).labels("x")
            histogram.observe(3)
            keys.append(histogram._buckets[1]._key)  # noqa: SLF001  # what names it in the files
    assert keys[0] == keys[1]
    for pid, trace in ((1, "early"), (2, "late")):
        writer = ExemplarWriter(folder)
        writer._path = folder / f"{pid}.exemplars"  # noqa: SLF001  # as if it were of that process
        writer.put(keys[0], {"trace_id": trace}, 3.0)
        writer.close()
    text = b"".join(shared.render(OPENMETRICS)) + b"# EOF\n"
    (family,) = parse_openmetrics(text.decode())  # type: ignore[no-untyped-call]  # the library's
    shown = {
        sample.labels.get("le"): sample.exemplar for sample in family.samples if sample.exemplar
    }
    assert list(shown) == ["5.0"]
    assert (shown["5.0"].labels, shown["5.0"].value) == ({"trace_id": "late"}, 3.0)
    assert b"trace_id" not in b"".join(shared.render(TEXT))


def test_histogram_of_the_runtime_writes_exemplars(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(os.getpid())
    with process():
        histogram = SharedHistogram("h", "", registry=None, buckets=(1.0, 5.0))
        histogram.observe(3.0, (0xAB, 0xCD))
        histogram.observe(float("nan"), (1, 2))
        shared = SharedMetrics(folder, on_error=told)
        text = b"".join(shared.render(OPENMETRICS)).decode()
    (line,) = (line for line in text.splitlines() if "#" in line[1:])
    exemplar = f'{{span_id="{0xCD:016x}",trace_id="{0xAB:032x}"}} 3.0 '
    assert line.startswith(f'h_bucket{{le="5.0"}} 1.0 # {exemplar}')
    assert "h_sum 3.0\n" in text
    monkeypatch.undo()


def test_exemplars_are_bounded(tmp_path: Path) -> None:
    writer = ExemplarWriter(tmp_path, most_bytes=10_000)
    for number in range(100):
        writer.put(f"key {number}", {"a": "b"}, number)
    writer.put("key 0", {"a": "x" * 300}, 1)
    writer.close()
    (path,) = tmp_path.iterdir()
    found = dict(read_exemplars(path))
    assert path.stat().st_size <= 1 << 16
    assert found.keys() == {f"key {number}".encode() for number in range(len(found))}
    assert 30 < len(found) < 40
    assert found[b"key 0"].labels == {"a": "b"}


def test_exemplar_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    writer = ExemplarWriter(tmp_path)
    writer.put("one", {"trace_id": "abc"}, 1)
    writer.put("two", {"trace_id": "def"}, 1)
    writer.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b"abc", b"abd"))
    assert [key for key, _ in read_exemplars(path)] == [b"two"]
    assert list(read_exemplars(tmp_path / "gone")) == []
