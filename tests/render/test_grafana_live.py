"""Every panel's query, asked of a real Prometheus that scrapes the metrics it is about."""

from __future__ import annotations

import math
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import requests
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from test_grafana import METRICS, in_prometheus, panels_case, queried

from autogpt_observe.names import MetricType
from autogpt_observe.render.emit import format_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from autogpt_observe.render.emit import Document

PATIENCE = 60
"""Seconds until a query that still finds nothing is taken for one that never will."""


class Exposition:
    """The declared metrics, with one set of labels each; `move` is one event of every kind."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._moves: list[Callable[[], None]] = []
        for name, metric in METRICS.items():
            names = (*metric.attributes, *metric.labels)
            values = ["x"] * len(names)
            match metric.type:
                case MetricType.COUNTER:
                    counter = Counter(name, metric.help, names, registry=self.registry)
                    self._moves.append((counter.labels(*values) if names else counter).inc)
                case MetricType.GAUGE:
                    gauge = Gauge(name, metric.help, names, registry=self.registry)
                    self._moves.append((gauge.labels(*values) if names else gauge).inc)
                case MetricType.HISTOGRAM:
                    hist = Histogram(name, metric.help, names, registry=self.registry)
                    child = hist.labels(*values) if names else hist
                    self._moves.append(partial(child.observe, 0.3))

    def move(self) -> None:
        for move in self._moves:
            move()


@contextmanager
def served(registry: CollectorRegistry) -> Iterator[int]:
    """The exposition's port while it is served."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def prometheus(folder: Path, target_port: int) -> Iterator[str]:
    """The address of a Prometheus that scrapes the port."""
    job: Document = {
        "job_name": "crawler",
        "scrape_interval": "200ms",
        "scrape_timeout": "200ms",
        "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}],
    }
    config = folder / "prometheus.yml"
    config.write_text(format_yaml({"scrape_configs": [job]}), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with subprocess.Popen(command) as process:
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def finds_something(session: requests.Session, base: str, expr: str) -> bool:
    """Whether the query is answered with a number for one series or more."""
    try:
        answer = session.get(f"{base}/api/v1/query", params={"query": expr}, timeout=5)
    except requests.ConnectionError:  # not up yet
        return False
    if answer.status_code == requests.codes.unavailable:
        return False
    found = answer.json()
    assert found["status"] == "success", found
    return any(not math.isnan(float(sample["value"][1])) for sample in found["data"]["result"])


def test_no_panel_stays_empty(tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is missing: apt-get install prometheus")
    exprs = {in_prometheus(target["expr"]) for _, target in queried(panels_case())}
    assert len(exprs) > 15
    exposition = Exposition()
    with (
        served(exposition.registry) as port,
        prometheus(tmp_path, port) as base,
        requests.Session() as session,
    ):
        deadline = time.monotonic() + PATIENCE
        empty = exprs
        while empty and time.monotonic() < deadline:
            time.sleep(0.2)
            exposition.move()
            empty = {expr for expr in empty if not finds_something(session, base, expr)}
    assert empty == set()
