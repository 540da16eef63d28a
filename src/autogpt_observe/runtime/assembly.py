"""Puts the parts of the runtime together for one `init`."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.forks import make_shared_lock_reentrant
from autogpt_observe.runtime.handles import check_handles
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.instruments import build_guards, build_instruments
from autogpt_observe.runtime.multiprocess.folder import shared_folder
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.readings import READINGS, Reader, Reading
from autogpt_observe.runtime.recorder import Recorder
from autogpt_observe.runtime.sinks.metrics import MetricsSink
from autogpt_observe.runtime.traces.start import open_traces

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

    from autogpt_observe.runtime.server import Server
    from autogpt_observe.runtime.settings import Settings
    from autogpt_observe.runtime.traces.pipeline import Pipeline
    from autogpt_observe.runtime.traces.provider import Provider
    from autogpt_observe.spec.model import Metric, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is up after `init`.

    Attributes:
        hub: where scopes report.
        recorder: where metric handles report.
        server: what serves /metrics; None where nothing does, or another process.
        folder: where the processes that count together keep their values; None for this one alone.
        provider: makes spans.
        pipeline: exports spans; None where there is nowhere to export them to.
    """

    hub: Hub
    recorder: Recorder
    server: Server | None
    folder: Path | None
    provider: Provider
    pipeline: Pipeline | None


def assemble(spec: Spec, settings: Settings, registry: CollectorRegistry, undo: ExitStack) -> Parts:
    """Put everything in place; ``undo`` gets what takes it away, step by step.

    Raises:
        UsageError: a setting is wrong, the port is taken, a name is registered already, or a
            metric handle is not of this spec.
    """
    folder = shared_folder()
    incidents = Incidents(strict=settings.strict)
    guards = build_guards(spec, incidents)
    instruments = build_instruments(spec, guards)
    metrics: dict[str, Metric] = dict(spec.metrics.items())
    recorder = Recorder(metrics, instruments, incidents)
    check_handles(recorder)
    traces = open_traces(spec, settings, os.environ, incidents, undo)
    sink = MetricsSink(metrics, instruments)
    hub = Hub((sink,), on_error=incidents.fail, tracing=traces.tracing)
    undo.callback(hub.close)
    reader = Reader(ProcessReader(), hub)
    for name, metric in metrics.items():
        if name in instruments:
            _register(registry, instruments[name].collector, name, undo)
        elif metric.from_ in READINGS:
            reading = Reading(name, metric, reader=reader, guards=guards, on_error=incidents.note)
            _register(registry, reading, name, undo)
    _register(registry, incidents, "autogpt_observe_...", undo)
    server = None
    if settings.serve:
        server = _serve(spec, settings, _app(registry, folder, incidents), folder, undo)
    if folder is not None:
        share(folder)
    return Parts(
        hub=hub,
        recorder=recorder,
        server=server,
        folder=folder,
        provider=traces.provider,
        pipeline=traces.pipeline,
    )


def share(folder: Path) -> None:
    """This process has values in ``folder``, which others read."""
    from autogpt_observe.runtime.multiprocess.owners import sign  # noqa: PLC0415  # seldom needed

    make_shared_lock_reentrant()
    sign(folder)


def _register(
    registry: CollectorRegistry, collector: Collector, name: str, undo: ExitStack
) -> None:
    try:
        registry.register(collector)
    except ValueError as error:
        raise UsageError(
            f"registry: `{name}`, or a series of it, is registered on it already; rename the"
            " metric in the spec, or pass another registry"
        ) from error
    undo.callback(_unregister, registry, collector)


def _unregister(registry: CollectorRegistry, collector: Collector) -> None:
    with suppress(KeyError):  # the host may have cleared its registry
        registry.unregister(collector)


def _app(registry: CollectorRegistry, folder: Path | None, incidents: Incidents) -> WSGIApplication:
    # loaded late: a host that serves its registry itself does without a server
    from autogpt_observe.runtime.exposition import metrics_app  # noqa: PLC0415

    if folder is None:
        return metrics_app(registry, on_error=incidents.note)
    from autogpt_observe.runtime.multiprocess.shared import SharedMetrics  # noqa: PLC0415  # as above

    shared = SharedMetrics(folder, on_error=incidents.note)
    return metrics_app(registry, on_error=incidents.note, substitute=shared)


def _serve(
    spec: Spec, settings: Settings, app: WSGIApplication, folder: Path | None, undo: ExitStack
) -> Server | None:
    """Serve ``app``; where processes share a folder, the first of them does it for all."""
    from autogpt_observe.runtime.server import Server  # noqa: PLC0415  # as above

    port = settings.port_for(spec)
    if folder is not None:
        from autogpt_observe.runtime.multiprocess.locks import hold_port  # noqa: PLC0415  # as above

        if not hold_port(folder, port, undo):
            return None
    server = Server(app, host=settings.host, port=port)
    undo.callback(server.stop)
    return server
