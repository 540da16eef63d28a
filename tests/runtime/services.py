"""Services of several processes, run for a test: their metrics, their processes, their end."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from prometheus_client.samples import Sample

PATIENCE = 60.0
"""Seconds that anything may take on a machine that is busy."""

SPEC = """
version: 1
service: {name: crawler, owner: agents-team}
attributes: {agent: {help: Agent name, max_values: 9}}
buckets: {coarse: [1s, 1m]}
metrics:
  runs_total: {type: counter, from: run.start, attributes: [agent], help: Runs}
  run_seconds:
    type: histogram
    from: run.duration
    unit: seconds
    buckets: coarse
    help: Time
    exemplars: true
  runs_active: {type: gauge, from: run.active, help: Runs now}
  run_age_seconds: {type: gauge, from: run.age, unit: seconds, attributes: [agent], help: Age}
  pages_total: {type: counter, from: code, help: Pages}
  memory_bytes: {type: gauge, from: process.memory, unit: bytes, help: Memory}
  threads: {type: gauge, from: process.threads, help: Threads}
"""


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        port: int = taker.getsockname()[1]
    return port


def wait_for(what: Callable[[], bool], said: Callable[[], object]) -> None:
    """Wait until ``what``; what ``said`` says is shown if it never comes."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)


class Service:
    """A service that runs.

    Attributes:
        folder: where its processes keep their values.
        port: of /metrics.
        process: its first one.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path, port: int, log: Path) -> None:
        self.process = process
        self.folder = folder
        self.port = port
        self._log = log
        self._seen: set[int] = {process.pid}

    @property
    def log(self) -> str:
        """What its processes have printed."""
        return self._log.read_text()

    def workers(self) -> list[int]:
        """Its other processes."""
        try:
            found = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        pids = [child.pid for child in found if child.status() != psutil.STATUS_ZOMBIE]
        self._seen |= set(pids)
        return pids

    def listeners(self) -> list[int]:
        """Which of its processes have the port of /metrics open."""
        having = []
        for pid in (self.process.pid, *self.workers()):
            try:
                connections = psutil.Process(pid).net_connections("tcp")
            except psutil.NoSuchProcess:
                continue
            if any(
                each.status == psutil.CONN_LISTEN and each.laddr.port == self.port
                for each in connections
            ):
                having.append(pid)
        return having

    def samples(self) -> list[Sample]:
        """What a scrape shows; nothing while nobody serves."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        try:
            connection.request("GET", "/metrics", headers=accept)
            response = connection.getresponse()
            text = response.read().decode()
        except OSError:
            return []
        finally:
            connection.close()
        assert response.status == 200, text
        families = parse_openmetrics(text)  # type: ignore[no-untyped-call]  # the library's
        return [sample for family in families for sample in family.samples]

    def shown(self) -> dict[str, float]:
        """The sum of the samples of each name."""
        shown: dict[str, float] = {}
        for sample in self.samples():
            if "le" not in sample.labels or sample.labels["le"] == "+Inf":
                shown[sample.name] = shown.get(sample.name, 0.0) + sample.value
        return shown

    def wait_until_shown(self, **values: float) -> None:
        """Wait until a scrape shows these values."""
        last: list[dict[str, float]] = []

        def is_shown() -> bool:
            shown = self.shown()
            last[:] = [{name: shown.get(name, -1.0) for name in values}]
            return last == [values]

        wait_for(is_shown, lambda: f"expected {values}, got {last}\n{self.log}")

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Wait until its processes have printed ``text``."""
        wait_for(
            lambda: self.log.count(text) >= times or self.process.poll() is not None,
            lambda: self.log,
        )
        assert self.log.count(text) >= times, self.log

    def busy_worker(self) -> int:
        """The process that says it has a run in progress."""
        for path in self.folder.glob("gauge_livesum_*.db"):
            entries = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]  # the library's
            if any(value == 1 for _, value, _, _ in entries):
                return int(path.stem.rpartition("_")[2])
        raise AssertionError(self.log)

    def kill_worker(self, pid: int) -> None:
        """Kill one of its processes, and wait until it is gone."""
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in self.workers(), lambda: self.log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end, and wait; its exit code."""
        self.workers()
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def clear_away(self) -> None:
        """Kill what is left of it."""
        self.workers()
        for pid in self._seen:
            try:
                process = psutil.Process(pid)
                if pid == self.process.pid or str(self.folder) in process.environ().values():
                    process.kill()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        self.process.wait(PATIENCE)


@contextmanager
def run_service(
    tmp_path: Path, *command: str, collector: str, environ: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Run ``python -m command`` in ``tmp_path``; its spans go to ``collector``.

    A variable of ``environ`` that is empty is not set.
    """
    folder, port, log = tmp_path / "values", free_port(), tmp_path / "log"
    folder.mkdir(exist_ok=True)
    (tmp_path / "observe.yaml").write_text(SPEC)
    settings = {
        "AUTOGPT_OBSERVE_PORT": str(port),
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "PYTHONUNBUFFERED": "1",
    }
    settings.update(environ or {})
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**kept, **{name: value for name, value in settings.items() if value}},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            text=True,
        )
    service = Service(process, folder, port, log)
    try:
        yield service
    finally:
        service.clear_away()
        if process.stdin is not None:
            process.stdin.close()


def files_left(folder: Path) -> list[str]:
    """The names of the files in the folder, without those of processes and of locks."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix not in (".lock", ".port") and not any(map(str.isdecimal, path.stem))
    )
