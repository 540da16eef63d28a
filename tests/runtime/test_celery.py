"""Real Celery, with a broker in its memory: its pool's processes come and go."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from otlp_receiver import receive
from services import Service, files_left, run_service, wait_for

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from otlp_receiver import Receiver

APP = """
import os, sys, threading
import autogpt_observe as obs
from celery import Celery, signals

app = Celery("service", broker="memory://")
app.conf.update(task_ignore_result=True, worker_send_task_events=False)
pages = obs.metric("pages_total")

if os.environ["INIT"] == "main":
    signals.worker_init.connect(lambda **_: obs.init(), weak=False)
if os.environ["INIT"] == "process":
    signals.worker_process_init.connect(lambda **_: obs.init(), weak=False)

@app.task
@obs.agent("work")
def work():
    pages.add(1)

@app.task
@obs.agent("hang")
def hang():
    import time
    time.sleep(600)

def send():
    for line in sys.stdin:
        name, times = line.split()
        for _ in range(int(times)):
            app.tasks[f"service.{name}"].delay()

@signals.worker_ready.connect
def begin(**_):
    threading.Thread(target=send, daemon=True).start()
"""
PREFORK = "celery -A service worker -c 2"
SOLO = "celery -A service worker -P solo"
QUIET = "--without-gossip --without-mingle --without-heartbeat -l info"


def send(service: Service, task: str, times: int) -> None:
    """Let it run ``task`` some times."""
    service.wait_for_log(" ready.")  # what comes before is lost
    assert service.process.stdin is not None
    service.process.stdin.write(f"{task} {times}\n")
    service.process.stdin.flush()


@pytest.mark.parametrize("init", ["main", "process"])
def test_what_the_processes_of_a_pool_do_is_shown_once(tmp_path: Path, init: str) -> None:
    with receive() as collector, prefork(tmp_path, collector, init) as service:
        send(service, "work", 10)
        service.wait_until_shown(runs_total=10, run_seconds_count=10, pages_total=10, runs_active=0)
        assert collector.spans == []  # they wait for ten minutes, or for the end of their process
        listeners = service.listeners()
        assert len(listeners) == 1
        assert (listeners == [service.process.pid]) == (init != "process")
        assert service.stop() == 0
        assert len(collector.spans) == 10
        assert "Traceback" not in service.log
        assert "error in" not in service.log


def test_a_process_that_is_killed_and_the_one_in_its_place(tmp_path: Path) -> None:
    with receive() as collector, prefork(tmp_path, collector, "process") as service:
        send(service, "work", 10)
        service.wait_until_shown(runs_total=10, pages_total=10)
        before = set(service.workers())
        send(service, "hang", 1)
        service.wait_until_shown(runs_total=11, runs_active=1)
        # Celery, having lost a process with this broker, may not end by itself: it is left to it
        service.kill_worker(service.busy_worker())
        service.wait_until_shown(runs_total=11, run_seconds_count=10, runs_active=0, pages_total=10)
        wait_for(
            lambda: len(service.workers()) == 2 and set(service.workers()) != before,
            lambda: service.log,
        )
        wait_for(lambda: len(service.listeners()) == 1, service.listeners)
        assert files_left(service.folder) == ["counter_dead.db", "histogram_dead.db"]


def prefork(tmp_path: Path, collector: Receiver, init: str) -> AbstractContextManager[Service]:
    """Celery with two processes, which keep their spans for ten minutes or until their end."""
    (tmp_path / "service.py").write_text(APP)
    environ = {"INIT": init, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    return run_service(
        tmp_path, *f"{PREFORK} {QUIET}".split(), collector=collector.url, environ=environ
    )


def test_solo_needs_no_folder(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(APP)
    with (
        receive() as collector,
        run_service(
            tmp_path,
            *f"{SOLO} {QUIET}".split(),
            collector=collector.url,
            environ={"INIT": "main", "PROMETHEUS_MULTIPROC_DIR": ""},
        ) as service,
    ):
        send(service, "work", 5)
        service.wait_until_shown(runs_total=5, run_seconds_count=5, pages_total=5, runs_active=0)
        assert service.stop(signal.SIGTERM) == 0
        assert len(collector.spans) == 5
        assert "Traceback" not in service.log
        assert list(service.folder.iterdir()) == []
