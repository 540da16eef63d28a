"""``autogpt-observe exporter``."""

from __future__ import annotations

import logging
import os
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from autogpt_observe.cli.console import Console
from autogpt_observe.cli.options import environment_option, open_spec, spec_argument
from autogpt_observe.errors import ObserveError, UsageError
from autogpt_observe.runtime.exporter import build_registry, parse_targets
from autogpt_observe.runtime.exposition import Endpoint, Request, metrics_app
from autogpt_observe.runtime.exposition.endpoint import METRICS_PATH
from autogpt_observe.runtime.incidents import LOG, Incidents
from autogpt_observe.runtime.server import Server
from autogpt_observe.runtime.settings import Arguments, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry


@click.command(name="exporter")
@spec_argument
@environment_option
@click.option(
    "--pid",
    "pids",
    multiple=True,
    metavar="[NAME=]PID",
    help="Observe the process of this number; may be given several times.",
)
@click.option(
    "--match",
    "patterns",
    multiple=True,
    metavar="[NAME=]REGEX",
    help="Observe the processes with this in their command line; may be given several times.",
)
@click.option("--host", metavar="ADDRESS", help="Address to listen on; 127.0.0.1 unless given.")
@click.option(
    "--port",
    type=int,
    metavar="PORT",
    help="Port to listen on, 0 for a free one; unless given, the spec's metrics_port, else 9464.",
)
@click.option("--once", is_flag=True, help="Print the metrics once, and serve nothing.")
def command(  # noqa: PLR0913, PLR0917 - one argument per option, passed by name
    spec: Path | None,
    environment: str | None,
    pids: tuple[str, ...],
    patterns: tuple[str, ...],
    host: str | None,
    port: int | None,
    *,
    once: bool,
) -> None:
    """Observe agents from outside, for those that can't be changed.

    Reads CPU, memory, threads, open files, children, age and restarts of running processes, and
    serves them at /metrics: the metrics of SPEC that are `from: process...`, each with a label
    `process` that holds NAME, the name of the service unless given. Ctrl-C or SIGTERM ends it.

    \b
    Examples:
      autogpt-observe exporter --match 'python -m autogpt'
      autogpt-observe exporter --pid 4711 --port 9465
      autogpt-observe exporter --match crawler=crawl.py --match writer=write.py
      autogpt-observe exporter --match 'python -m autogpt' --once > autogpt.prom
    """  # noqa: D301 - \b keeps click from refilling the examples
    console = Console()
    if once and (host is not None or port is not None):
        raise UsageError("`--once` serves nothing; leave out --host and --port")
    loaded = open_spec(spec, environment, console)
    settings = read_settings(Arguments(host=host, port=port), os.environ)
    targets = parse_targets(pids, patterns, default=loaded.service.name)
    incidents = Incidents(strict=False)
    notes = _Notes(console)
    LOG.addHandler(notes)
    LOG.setLevel(logging.WARNING if once else logging.INFO)
    try:
        registry = build_registry(loaded, targets, incidents=incidents, once=once)
        if once:
            console.out(_exposition(registry, incidents).removesuffix("\n"))
        else:
            _serve(registry, incidents, console, settings.host, settings.port_for(loaded))
    finally:
        LOG.removeHandler(notes)


class _Notes(logging.Handler):
    """What happens, on the console: a line each, errors without their traces."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Show it."""
        error = record.exc_info[1] if record.exc_info else None
        self._console.note(record.getMessage() + (f": {error}" if error is not None else ""))


def _exposition(registry: CollectorRegistry, incidents: Incidents) -> str:
    endpoint = Endpoint(registry, on_error=incidents.note)
    response = endpoint.answer(Request(method="GET", path=METRICS_PATH))
    if response.status is HTTPStatus.OK:
        return response.body.decode()
    raise ObserveError("the metrics could not be read; the line above says why")


def _serve(
    registry: CollectorRegistry, incidents: Incidents, console: Console, host: str, port: int
) -> None:
    """Until the program is interrupted."""
    server = Server(metrics_app(registry, on_error=incidents.note), host=host, port=port)
    try:
        shown = f"[{server.host}]" if ":" in server.host else server.host
        console.out(f"serving http://{shown}:{server.port}{METRICS_PATH}")
        threading.Event().wait()
    finally:
        server.stop()
