"""Memory, its limit and CPU of the process, from files of the tests' own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from runtime_specs import Clock, metric, observing, samples, spec

from autogpt_observe.runtime.cgroups import ControlGroups, _parse_quota
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.readings import Reader, Reading

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1024**3
MACHINE = psutil.virtual_memory().total
UNLIMITED_V1 = 9_223_372_036_854_771_712


def control_groups(root: Path, membership: str, files: dict[str, str]) -> ControlGroups:
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(membership)
    mount = root / "cgroup"
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text + "\n")
    return ControlGroups(proc=root / "proc", mount=mount)


@pytest.mark.parametrize(
    ("membership", "files", "limit"),
    [
        pytest.param(
            "0::/kubepods/pod1/agent\n",
            {
                "kubepods/memory.max": "max",
                "kubepods/pod1/memory.max": "268435456",
                "kubepods/pod1/agent/memory.max": "536870912",
            },
            GIB // 4,
            id="v2-lowest-of-the-groups-above",
        ),
        pytest.param("0::/\n", {"memory.max": "536870912"}, GIB // 2, id="v2-inside-a-container"),
        pytest.param(
            "0::/../pod1\n",
            {"memory.max": "536870912", "../memory.max": "1"},
            GIB // 2,
            id="v2-outside-its-root",
        ),
        pytest.param("0::/a\n", {"a/memory.max": "max"}, MACHINE, id="v2-no-limit"),
        pytest.param(
            "5:cpu,cpuacct:/d\n4:memory:/docker/1\n0::/\n",
            {
                "memory/docker/1/memory.limit_in_bytes": "268435456",
                "memory/memory.limit_in_bytes": str(UNLIMITED_V1),
                "d/memory.max": "1",
            },
            GIB // 4,
            id="v1",
        ),
        pytest.param(
            "4:memory:/docker/1\n",
            {"memory/memory.limit_in_bytes": "268435456"},
            GIB // 4,
            id="v1-inside-a-container",
        ),
        pytest.param(
            "4:memory:/\n",
            {"memory/memory.limit_in_bytes": str(UNLIMITED_V1)},
            MACHINE,
            id="v1-no-limit",
        ),
        pytest.param(
            "4:memory:/\n0::/\n",
            {"memory/memory.limit_in_bytes": "536870912", "memory.max": "268435456"},
            GIB // 4,
            id="both",
        ),
        pytest.param("0::/\n", {"memory.max": "a lot"}, MACHINE, id="not-a-number"),
        pytest.param("0::/\n", {"memory.max/x": ""}, MACHINE, id="not-a-file"),
        pytest.param("\n:\nnonsense\n0:\n", {"memory.max": "1"}, MACHINE, id="no-membership"),
    ],
)
def test_memory_limit(tmp_path: Path, membership: str, files: dict[str, str], limit: int) -> None:
    groups = control_groups(tmp_path, membership, files)
    assert ProcessReader(groups=groups).memory_limit() == limit


def test_memory_limit_without_control_groups(tmp_path: Path) -> None:
    groups = ControlGroups(proc=tmp_path / "none", mount=tmp_path / "none")
    assert ProcessReader(groups=groups).memory_limit() == MACHINE


@pytest.mark.parametrize(
    ("membership", "files", "quotas"),
    [
        ("0::/a\n", {"a/cpu.max": "150000 100000", "cpu.max": "max 100000"}, [1.5]),
        ("0::/a\n", {"a/cpu.max": "300000 100000", "cpu.max": "50000 100000"}, [3.0, 0.5]),
        (
            "3:cpu,cpuacct:/d\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "25000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            [0.25],
        ),
        (
            "3:cpu,cpuacct:/d\n",
            {"cpu/d/cpu.cfs_quota_us": "25000", "cpu/d/cpu.cfs_period_us": "50000"},
            [0.5],
        ),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, []),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "100000"}, []),
        ("0::/\n", {"cpu.max": "100000 0"}, []),
    ],
)
def test_cpu_quota(
    tmp_path: Path, membership: str, files: dict[str, str], quotas: list[float]
) -> None:
    assert control_groups(tmp_path, membership, files).cpu_quotas() == quotas


@given(st.text())
def test_any_text_is_a_quota_or_none(text: str) -> None:
    quota = _parse_quota(text)
    assert quota is None or quota > 0


def reader(tmp_path: Path, clock: Clock, cpu_clock: Clock, quota: str) -> ProcessReader:
    groups = control_groups(tmp_path, "0::/\n", {"cpu.max": quota})
    return ProcessReader(groups=groups, clock=clock, cpu_clock=cpu_clock)


def test_cpu_is_a_share_of_the_quota(tmp_path: Path) -> None:
    clock, used = Clock(), Clock()
    process = reader(tmp_path, clock, used, "50000 100000")
    assert process.cpu() == 0
    clock.now, used.now = clock.now + 10, used.now + 2
    assert process.cpu() == pytest.approx(0.4)
    clock.now, used.now = clock.now + 10, used.now + 5
    assert process.cpu() == pytest.approx(1.0)


def test_cpu_without_quota_is_a_share_of_the_usable_cpus(tmp_path: Path) -> None:
    clock, used = Clock(), Clock()
    process = reader(tmp_path, clock, used, "max 100000")
    process.cpu()
    clock.now, used.now = clock.now + 10, used.now + 1
    assert process.cpu() == pytest.approx(0.1 / len(os.sched_getaffinity(0)))


def test_second_scraper_sees_the_same_cpu(tmp_path: Path) -> None:
    clock, used = Clock(), Clock()
    process = reader(tmp_path, clock, used, "100000 100000")
    process.cpu()
    clock.now, used.now = clock.now + 10, used.now + 5
    assert process.cpu() == pytest.approx(0.5)
    clock.now, used.now = clock.now + 0.001, used.now + 0.001
    assert process.cpu() == pytest.approx(0.5)
    clock.now, used.now = clock.now + 9.999, used.now + 0.999
    assert process.cpu() == pytest.approx(0.1)


def test_scrape_shows_this_process() -> None:
    observed = spec(
        memory_bytes=metric("gauge", "process.memory"),
        memory_limit_bytes=metric("gauge", "process.memory_limit"),
        cpu_ratio=metric("gauge", "process.cpu"),
    )
    with observing(observed) as observer:
        shown = samples(observer.registry)
    assert list(shown) == ["memory_bytes", "memory_limit_bytes", "cpu_ratio"]
    assert 1_000_000 < shown["memory_bytes"] <= shown["memory_limit_bytes"] <= MACHINE
    assert shown["cpu_ratio"] == 0


def test_reading_that_fails_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> float:
        raise PermissionError("no clock")

    incidents, registry = Incidents(strict=False), CollectorRegistry()
    hub = Hub((), on_error=incidents.fail)
    read = Reader(ProcessReader(cpu_clock=fail), hub)
    for name, source in (("cpu_ratio", "process.cpu"), ("memory_bytes", "process.memory")):
        declared = metric("gauge", source)
        registry.register(Reading(name, declared, reader=read, guards={}, on_error=incidents.note))
    registry.register(incidents)
    generate_latest(registry)
    shown = samples(registry)
    assert list(shown) == [
        "memory_bytes",
        "autogpt_observe_internal_errors_total{place=process.cpu}",
    ]
    assert shown["autogpt_observe_internal_errors_total{place=process.cpu}"] == 2
    (record,) = caplog.records
    lines = record.getMessage().splitlines()
    assert (lines[0], lines[-1]) == (
        "error in process.cpu; it is logged once",
        "PermissionError: no clock",
    )
