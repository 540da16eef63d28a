"""Worker processes of every kind: multiprocessing's, executors', forked ones, orphans."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest
from otlp_receiver import receive
from services import run_service, wait_for

if TYPE_CHECKING:
    from pathlib import Path

WORK = """
import multiprocessing as mp, os, signal, sys, time, warnings
from concurrent.futures import ProcessPoolExecutor
import autogpt_observe as obs

warnings.simplefilter("ignore")  # newer Pythons warn of forks with threads

@obs.agent
def work(_=None):
    obs.metric("pages_total").add(1)

@obs.agent
def hang():
    print("hangs", os.getpid(), flush=True)
    time.sleep(600)

def alone():
    obs.init()
    work()

def wait():
    print("ready", flush=True)
    sys.stdin.read()
"""

POOLS = """
def main(method, initializer):
    context = mp.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context, initializer=initializer) as executor:
        list(executor.map(work, range(6)))
    pool = context.Pool(2, initializer, maxtasksperchild=2)
    pool.map(work, range(6), chunksize=1)
    pool.close()
    pool.join()
    process = context.Process(target=alone)
    process.start()
    process.join()
    assert process.exitcode == 0
    wait()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing(tmp_path: Path, method: str) -> None:
    initializer = "None" if method == "fork" else "obs.init"
    code = f"""{WORK}{POOLS}
if __name__ == "__main__":
    obs.init()
    main({method!r}, {initializer})
"""
    (tmp_path / "program.py").write_text(code)
    with (
        receive() as collector,
        run_service(
            tmp_path,
            "program",
            collector=collector.url,
            environ={"OTEL_BSP_SCHEDULE_DELAY": "600000"},
        ) as service,
    ):
        service.wait_for_log("ready")
        service.wait_until_shown(runs_total=13, run_seconds_count=13, pages_total=13, runs_active=0)
        wait_for(lambda: len(collector.spans) == 13, lambda: len(collector.spans))
        assert service.listeners() == [service.process.pid]
        counted = [path.name for path in service.folder.glob("counter_*")]
        assert sorted(counted) == [f"counter_{service.process.pid}.db", "counter_dead.db"]
        assert service.log == "ready\n"


ORPHAN = (
    WORK
    + """
obs.init()
work()
if os.fork() == 0:
    work()
    print("ready", flush=True)
    hang()
wait()
"""
)


def test_a_child_takes_the_port_over_when_its_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(ORPHAN)
    with (
        receive() as collector,
        run_service(tmp_path, "program", collector=collector.url) as service,
    ):
        service.wait_for_log("ready", 2)
        service.wait_until_shown(runs_total=3, run_seconds_count=2, pages_total=2, runs_active=1)
        (child,) = service.workers()
        assert service.listeners() == [service.process.pid]
        service.process.kill()
        service.process.wait()
        service.wait_until_shown(runs_total=3, run_seconds_count=2, pages_total=2, runs_active=1)
        assert service.shown()["run_age_seconds"] > 0
        wait_for(
            lambda: {path.stem for path in service.folder.glob("*.owner")} == {str(child)},
            service.shown,
        )


READINGS = (
    WORK
    + """
obs.init()
if os.fork() == 0:
    for _ in range(2):
        obs.metric("pages_total").add(-1)  # is refused
    hang()
wait()
"""
)


def test_what_is_read_at_a_scrape_is_read_of_every_process(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(READINGS)
    with (
        receive() as collector,
        run_service(tmp_path, "program", collector=collector.url) as service,
    ):
        service.wait_for_log("hangs")
        wait_for(lambda: service.shown().get("run_age_seconds", 0) > 0, service.shown)
        (child,) = service.workers()
        first = service.shown()
        os.kill(child, signal.SIGSTOP)  # it writes no more
        wait_for(
            lambda: service.shown()["run_age_seconds"] > first["run_age_seconds"] + 2, service.shown
        )
        assert first["autogpt_observe_rejected_calls_total"] == 2
        assert first["memory_bytes"] > psutil.Process(service.process.pid).memory_info().rss * 1.2
        threads = [psutil.Process(pid).num_threads() for pid in (service.process.pid, child)]
        assert first["threads"] == sum(threads)
        service.kill_worker(child)
        service.wait_until_shown(runs_active=0, autogpt_observe_rejected_calls_total=2)
        assert "run_age_seconds" not in service.shown()
        assert not list(service.folder.glob("*.readings"))


UNSEEN = (
    WORK
    + """
obs.init()
work()
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit()
    assert os.waitpid(pid, 0)[1] == 0
wait()
"""
)


def test_without_a_folder_children_warn_once_that_nobody_sees_them(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(UNSEEN)
    with (
        receive() as collector,
        run_service(
            tmp_path,
            "program",
            collector=collector.url,
            environ={"PROMETHEUS_MULTIPROC_DIR": ""},
        ) as service,
    ):
        service.wait_for_log("ready")
        service.wait_until_shown(runs_total=1, pages_total=1)
        wait_for(lambda: len(collector.spans) == 3, lambda: len(collector.spans))
        assert service.log == (
            "this process was forked from the one that serves /metrics, and what it counts is shown"
            " nowhere; set PROMETHEUS_MULTIPROC_DIR to an empty folder before the first process"
            " starts, or call obs.init in each process; it is logged once for all\nready\n"
        )


GAUGES = """
version: 1
service: {name: crawler, owner: agents-team}
metrics:
  each_gauge: {type: gauge, from: code, help: A}
  sum_gauge: {type: gauge, from: code, help: A, processes: sum}
  max_gauge: {type: gauge, from: code, help: A, processes: max}
  latest_gauge: {type: gauge, from: code, help: A, processes: latest}
  latest_added_gauge: {type: gauge, from: code, help: A, processes: latest}
"""
SETTING = """
import os, sys
import autogpt_observe as obs

obs.init("gauges.yaml")

def set_all(value):
    for name in ("each", "sum", "max", "latest"):
        obs.metric(f"{name}_gauge").set(value)
    obs.metric("latest_added_gauge").add(value)

go, tell = os.pipe()
if os.fork() == 0:
    set_all(5)
    os.write(tell, b"x")
    sys.stdin.read()
    os._exit(0)
os.read(go, 1)
set_all(3)
print("ready", flush=True)
sys.stdin.read()
"""


def test_how_the_gauges_of_several_processes_are_joined(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(SETTING)
    (tmp_path / "gauges.yaml").write_text(GAUGES)
    with (
        receive() as collector,
        run_service(tmp_path, "program", collector=collector.url) as service,
    ):
        service.wait_for_log("ready")
        (child,) = service.workers()
        each = {
            sample.labels.get("pid"): sample.value
            for sample in service.samples()
            if sample.name == "each_gauge"
        }
        assert each == {str(service.process.pid): 3.0, str(child): 5.0}
        service.wait_until_shown(
            each_gauge=8, sum_gauge=8, max_gauge=5, latest_gauge=3, latest_added_gauge=3
        )
        service.kill_worker(child)
        service.wait_until_shown(
            each_gauge=3, sum_gauge=3, max_gauge=3, latest_gauge=3, latest_added_gauge=3
        )
