"""Real gunicorn: its workers come and go, and /metrics shows what all of them have counted."""

from __future__ import annotations

import http.client
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from otlp_receiver import receive
from services import Service, files_left, run_service, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otlp_receiver import Receiver

APP = """
import os, time
import autogpt_observe as obs

if os.environ["INIT"] in ("app", "both"):
    obs.init()
pages = obs.metric("pages_total")

@obs.agent
def work(seconds):
    pages.add(1)
    time.sleep(seconds)

def app(environ, start_response):
    work(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""
CONFIG = """
import os

def post_fork(server, worker):
    if os.environ["INIT"] in ("post_fork", "both"):
        import autogpt_observe as obs
        obs.init()
"""


class Unix(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receive() as receiver:
        yield receiver


class Gunicorn:
    """It, and a client of it."""

    def __init__(self, service: Service, place: Path) -> None:
        self.service = service
        self.place = place / "g"

    def ask(self, times: int) -> None:
        """Make requests."""
        for _ in range(times):
            connection = Unix(self.place)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()

    def wait_for_workers(self, *, old: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]  # read only
        """Wait until two workers, none of them ``old``, answer; which."""
        wait_for(
            lambda: len(self.service.workers()) == 2 and not old & set(self.service.workers()),
            lambda: self.service.log,
        )
        return set(self.service.workers())


CASES = {
    "sync-each-worker": ("sync", "app", ()),
    "gthread-post-fork": ("gthread", "post_fork", ()),
    "sync-preload": ("sync", "app", ("--preload",)),
    "gthread-preload-and-post-fork": ("gthread", "both", ("--preload",)),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_or_doubled_while_workers_come_and_go(
    tmp_path: Path, collector: Receiver, case: str
) -> None:
    kind, init, options = CASES[case]
    (tmp_path / "service.py").write_text(APP)
    (tmp_path / "gunicorn.conf.py").write_text(CONFIG)
    command = f"gunicorn service:app -b unix:g -w 2 -k {kind} --max-requests 5 --no-control-socket"
    with run_service(
        tmp_path,
        *command.split(),
        *options,
        collector=collector.url,
        environ={"INIT": init},
    ) as service:
        gunicorn = Gunicorn(service, tmp_path)
        service.wait_for_log("Booting worker", 2)
        served_by_master = "--preload" in options and init != "post_fork"

        # workers are replaced after about five requests each
        gunicorn.ask(11)
        service.wait_for_log("Booting worker", 3)
        service.wait_until_shown(
            runs_total=11,
            run_seconds_count=11,
            run_seconds_bucket=11,
            pages_total=11,
            runs_active=0,
        )
        wait_for(lambda: len(collector.spans) == 11, lambda: len(collector.spans))

        # one is killed in the middle of a run
        killed = _kill_at_work(gunicorn)
        gunicorn.ask(2)
        service.wait_until_shown(runs_total=14, run_seconds_count=13, runs_active=0, pages_total=14)
        wait_for(lambda: len(collector.spans) == 13, lambda: len(collector.spans))

        # all are replaced; the new ones start before the old ones end
        before = gunicorn.wait_for_workers(old={killed})
        service.process.send_signal(signal.SIGHUP)
        gunicorn.wait_for_workers(old=before)
        gunicorn.ask(2)
        service.wait_until_shown(runs_total=16, run_seconds_count=15, runs_active=0, pages_total=16)
        listeners = service.listeners()
        assert len(listeners) == 1
        assert (listeners == [service.process.pid]) == served_by_master
        wait_for(lambda: len(collector.spans) == 15, lambda: len(collector.spans))
        _check_exemplars(service, collector)
        wait_for(lambda: _is_tidy(service), lambda: sorted(service.folder.iterdir()))

        # one ends, and none comes in its place
        service.process.send_signal(signal.SIGTTOU)
        wait_for(lambda: len(service.workers()) == 1, lambda: service.log)
        service.wait_until_shown(runs_total=16, run_seconds_count=15, runs_active=0, pages_total=16)
        assert len(service.listeners()) == 1

        assert service.stop() == 0
        assert "Traceback" not in service.log
        assert "error in" not in service.log
        assert len(collector.spans) == 15
        assert files_left(service.folder) == ["counter_dead.db", "histogram_dead.db"]


def _kill_at_work(gunicorn: Gunicorn) -> int:
    """Kill a worker while it is busy; which."""
    connection = Unix(gunicorn.place)
    connection.request("GET", "/?30")
    gunicorn.service.wait_until_shown(runs_active=1.0)
    shown = gunicorn.service.shown
    wait_for(lambda: shown().get("run_age_seconds", 0.0) > 0, shown)
    busy = gunicorn.service.busy_worker()
    gunicorn.service.kill_worker(busy)
    connection.close()
    return busy


def _is_tidy(service: Service) -> bool:
    """Whether a scrape leaves no file of a process that is gone."""
    service.shown()
    alive = {str(pid) for pid in (service.process.pid, *service.workers())}
    names = {path.stem.rpartition("_")[2] for path in service.folder.glob("*.db")}
    return names - {"dead"} <= alive


def _check_exemplars(service: Service, collector: Receiver) -> None:
    exemplars = [
        sample.exemplar for sample in service.samples() if sample.name == "run_seconds_bucket"
    ]
    ids = {each.labels["trace_id"] for each in exemplars if each is not None}
    assert ids
    assert ids <= {span.trace_id.hex() for span in collector.spans}
