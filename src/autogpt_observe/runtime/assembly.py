"""Puts the parts of the runtime together for one `init`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.forks import make_shared_lock_reentrant
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.instruments import build_guards, build_instruments
from autogpt_observe.runtime.logs.pipeline import read_log_settings, start_logs
from autogpt_observe.runtime.multiprocess.folder import shared_folder
from autogpt_observe.runtime.multiprocess.unseen import Unseen
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.propagation.threads import carry_over_threads
from autogpt_observe.runtime.readings import READINGS, Reader, Reading
from autogpt_observe.runtime.recorder import Recorder
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.runtime.serving import Serving
from autogpt_observe.runtime.sinks.metrics import MetricsSink
from autogpt_observe.runtime.surroundings import REAL, Surroundings
from autogpt_observe.runtime.traces.start import open_traces

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

    from autogpt_observe.runtime.logs.pipeline import Logs
    from autogpt_observe.runtime.multiprocess.attendant import Attendant
    from autogpt_observe.runtime.redaction import Redactor
    from autogpt_observe.runtime.server import Server
    from autogpt_observe.runtime.settings import Settings
    from autogpt_observe.runtime.traces.pipeline import Pipeline
    from autogpt_observe.runtime.traces.provider import Provider
    from autogpt_observe.spec.model import Metric, Spec


LOGS_EXIT_SECONDS = 0.5
"""What the end of a process may wait for log lines to be written."""

_LOST_LINES = {
    "queue_full": "log lines are dropped: more are logged than can be written",
    "output_failed": "log lines are dropped: they can't be written",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is up after `init`.

    Attributes:
        hub: where scopes report.
        recorder: where metric handles report.
        server: what serves /metrics; None where nothing does, or another process.
        folder: where the processes that count together keep their values; None for this one alone.
        attendant: does what is to be done for the others of the folder; None without one.
        unseen: warns where forked children count what nobody sees; None where somebody does.
        reader: reads what there is to read at a scrape.
        provider: makes spans.
        pipeline: exports spans; None where there is nowhere to export them to.
        logs: writes log lines.
    """

    hub: Hub
    recorder: Recorder
    server: Server | None
    folder: Path | None
    attendant: Attendant | None
    unseen: Unseen | None
    reader: Reader
    provider: Provider
    pipeline: Pipeline | None
    logs: Logs


def assemble(
    spec: Spec,
    settings: Settings,
    registry: CollectorRegistry,
    undo: ExitStack,
    *,
    around: Surroundings = REAL,
) -> Parts:
    """Put everything in place; ``undo`` gets what takes it away, step by step.

    Raises:
        UsageError: a setting is wrong, the port is taken, or a name is registered already.
    """
    folder = shared_folder()
    if folder is not None:
        share(folder)
    redactor = build_redactor(spec.redaction)
    incidents = Incidents(
        strict=settings.strict, kept_in_files=folder is not None, redact=redactor.text
    )
    guards = build_guards(spec, incidents, redact=redactor.text)
    instruments = build_instruments(spec, guards)
    metrics: dict[str, Metric] = dict(spec.metrics.items())
    recorder = Recorder(metrics, instruments, incidents)
    traces = open_traces(spec, settings, around, incidents, redactor, undo)
    logs = _start_logs(spec, around, incidents, redactor)
    undo.callback(logs.close, LOGS_EXIT_SECONDS)
    logged = () if logs.sink is None else (logs.sink,)
    sinks = (MetricsSink(metrics, instruments), *logged, *around.sinks)
    hub = Hub(
        sinks,
        on_error=incidents.fail,
        tracing=traces.tracing,
        clock=around.clock,
        on_reject=incidents.reject,
    )
    undo.callback(hub.close)
    if settings.propagate_threads:
        carry_over_threads(undo)
    reader = _reader(hub, folder)
    for name, metric in metrics.items():
        if name in instruments:
            _register(registry, instruments[name].collector, name, undo)
        elif metric.from_ in READINGS:
            reading = Reading(name, metric, reader=reader, guards=guards, on_error=incidents.note)
            _register(registry, reading, name, undo)
    _register(registry, incidents, "autogpt_observe_...", undo)
    serving = Serving(
        registry=registry,
        host=settings.host,
        port=settings.port_for(spec),
        folder=folder,
        incidents=incidents,
    )
    attendant = server = unseen = None
    if folder is not None:
        shown = serving if settings.serve else None
        attendant = _attend(folder, shown, reader, spec, incidents)
        undo.callback(attendant.stop)
        attendant.start()
        server = attendant.server
    elif settings.serve:
        server, unseen = serving.open(undo), Unseen()
    return Parts(
        hub=hub,
        recorder=recorder,
        server=server,
        folder=folder,
        attendant=attendant,
        unseen=unseen,
        reader=reader,
        provider=traces.provider,
        pipeline=traces.pipeline,
        logs=logs,
    )


def share(folder: Path) -> None:
    """This process has values in ``folder``, which others read."""
    from autogpt_observe.runtime.multiprocess.owners import sign  # noqa: PLC0415  # seldom needed

    make_shared_lock_reentrant()
    sign(folder)


def _start_logs(spec: Spec, around: Surroundings, incidents: Incidents, redactor: Redactor) -> Logs:
    def lose(reason: str, count: int) -> None:
        incidents.drop("logs", reason, count, _LOST_LINES[reason])

    return start_logs(
        spec,
        read_log_settings(spec, around.environ),
        redactor=redactor,
        on_drop=lose,
        on_error=incidents.note,
        writer=around.writer,
    )


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
    undo.callback(unregister, registry, collector)


def unregister(registry: CollectorRegistry, collector: Collector) -> None:
    """Take ``collector`` off the registry, if it is there."""
    with suppress(KeyError):  # the host may have cleared its registry
        registry.unregister(collector)


def _reader(hub: Hub, folder: Path | None) -> Reader:
    if folder is None:
        return Reader(ProcessReader(), hub)
    from autogpt_observe.runtime.multiprocess.readings import (  # noqa: PLC0415  # seldom needed
        SharedReader,
    )

    return SharedReader(ProcessReader(), hub, folder)


def _attend(
    folder: Path, serving: Serving | None, reader: Reader, spec: Spec, incidents: Incidents
) -> Attendant:
    from autogpt_observe.runtime.multiprocess.attendant import (  # noqa: PLC0415  # seldom needed
        Attendant,
    )
    from autogpt_observe.runtime.multiprocess.readings import (  # noqa: PLC0415  # as above
        ReadingsWriter,
    )

    sources = sorted({metric.from_ for metric in spec.metrics.values()})
    return Attendant(
        take_over=None if serving is None else serving.open,
        is_port_shared=serving is not None and serving.port != 0,
        make_writer=partial(ReadingsWriter, folder, reader, sources),
        on_error=incidents.note,
    )
