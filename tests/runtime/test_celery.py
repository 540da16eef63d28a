"""Real Celery, with a broker in its memory: its pool's processes come and go."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from otlp_receiver import receive
from services import Service, files_left, run_service, wait_for

if TYPE_CHECKING:
    from pathlib import Path

APP = """
import os, sys, threading
import autogpt_observe as obs
from celery import Celery, signals

app = Celery("service", broker="memory://")
app.conf.update(task_ignore_result=True, worker_send_task_events=False)
pages = obs.metric("pages_total")

if os.environ["INIT"] in ("main", "both"):
    signals.worker_init.connect(lambda **_: obs.init(), weak=False)
if os.environ["INIT"] in ("process", "both"):
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
PREFORK = "celery -A service worker -c 2 --max-tasks-per-child 3"
SOLO = "celery -A service worker -P solo"
QUIET = "--without-gossip --without-mingle --without-heartbeat -l info"


def send(service: Service, task: str, times: int) -> None:
    """Let it run ``task`` some times."""
    service.wait_for_log(" ready.")  # what comes before is lost
    assert service.process.stdin is not None
    service.process.stdin.write(f"{task} {times}\n")
    service.process.stdin.flush()


@pytest.mark.parametrize("init", ["main", "process", "both"])
def test_nothing_is_lost_or_doubled_while_processes_come_and_go(
    tmp_path: Path, init: str
) -> None:
    (tmp_path / "service.py").write_text(APP)
    with (
        receive() as collector,
        run_service(
            tmp_path,
            *f"{PREFORK} {QUIET}".split(),
            collector=collector.url,
            environ={"INIT": init, "OTEL_BSP_SCHEDULE_DELAY": "600000"},
        ) as service,
    ):
        send(service, "work", 10)
        service.wait_until_shown(runs_total=10, run_seconds_count=10, pages_total=10, runs_active=0)
        # spans wait for ten minutes, or for the end of their process
        wait_for(lambda: len(collector.spans) >= 6, lambda: len(collector.spans))

        send(service, "hang", 1)
        service.wait_until_shown(runs_total=11, runs_active=1)
        service.kill_worker(_busy(service))
        service.wait_until_shown(runs_total=11, run_seconds_count=10, runs_active=0)
        listeners = service.listeners()
        assert len(listeners) == 1
        assert (listeners == [service.process.pid]) == (init != "process")

        assert service.stop() == 0
        assert len(collector.spans) in (9, 10)  # at most one waited in the one that was killed
        assert "Traceback" not in service.log.replace("Traceback (most recent call last)", "", 1)
        assert "error in" not in service.log
        assert files_left(service.folder) == ["counter_dead.db", "histogram_dead.db"]


def _busy(service: Service) -> int:
    paths = service.folder.glob("gauge_livesum_*.db")
    return next(int(path.stem.rpartition("_")[2]) for path in paths if _holds_one(path))


def _holds_one(path: Path) -> bool:
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415

    entries = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
    return any(value == 1 for _, value, _, _ in entries)


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
