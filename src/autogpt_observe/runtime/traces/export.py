"""Puts the export of spans together, from the spec and OpenTelemetry's variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.runtime.traces.sampling import Head, read_head
from autogpt_observe.runtime.traces.variables import ASKING, read_pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.traces.outlet import Way
    from autogpt_observe.runtime.traces.pipeline import Pipeline
    from autogpt_observe.spec.model import Spec

_LOST = {
    "queue_full": "spans are dropped: more end than can be exported; see OTEL_BSP_MAX_QUEUE_SIZE",
    "shutdown": "spans are dropped: they were not exported when the process ended",
    "tail_full": "spans are dropped: tail sampling holds its most; see `traces.tail.max_spans`",
    "trace_full": "spans of a trace are dropped: tail sampling holds its most of it; see"
    " `traces.tail.max_trace_spans`",
}


@dataclass(frozen=True, slots=True)
class Export:
    """Everything that the provider of spans needs.

    Attributes:
        head: which new spans are recorded.
        pipeline: takes them when they have ended.
    """

    head: Head
    pipeline: Pipeline


def open_export(
    spec: Spec,
    environ: Mapping[str, str],
    incidents: Incidents,
    *,
    exporter: SpanExporter | None = None,
    redact: Callable[[str, object], object] | None = None,
) -> Export | None:
    """Set up the export of spans; None where there is nowhere to export them to.

    No thread starts before the first span ends, and without an exporter nothing is loaded.

    Args:
        spec: whose service and `traces` count.
        environ: where the variables are read.
        incidents: told of what is lost.
        exporter: any exporter of the SDK; default: those that OTEL_TRACES_EXPORTER names, which
            is `otlp` where an OTLP endpoint is set, else none.
        redact: takes secrets out of a value, from its attribute's name and itself.

    Raises:
        UsageError: an exporter can't work as it is set up.
    """
    if exporter is None and not any(environ.get(name) for name in ASKING):
        return None
    from autogpt_observe.runtime.traces.exporters import choose_exporters  # noqa: PLC0415  # late

    pace = read_pace(environ)
    exporters = choose_exporters(environ, exporter=exporter, timeout=pace.timeout)
    if exporters is None:
        return None
    # loaded late, as is the SDK below them: a host without an exporter does without
    from autogpt_observe.runtime.traces.limits import read_limits  # noqa: PLC0415
    from autogpt_observe.runtime.traces.outlet import SpanOutlet, Way  # noqa: PLC0415
    from autogpt_observe.runtime.traces.pipeline import Pipeline  # noqa: PLC0415
    from autogpt_observe.runtime.traces.readable import (  # noqa: PLC0415
        SpanReader,
        build_resource,
    )

    limits = read_limits(environ)

    def prepare() -> Way:
        reader = SpanReader(build_resource(spec.service), limits, redact=redact)
        return Way(reader.read, exporters.open())

    def lose(reason: str, count: int) -> None:
        incidents.drop("traces", reason, count, _LOST[reason])

    tail = None if spec.traces is None else spec.traces.tail
    sieve = None
    if tail is not None:
        from autogpt_observe.runtime.traces.tail import TailSampler  # noqa: PLC0415  # as above

        sieve = TailSampler(tail, on_drop=lose)
    outlet = SpanOutlet(prepare, incidents)
    pipeline = Pipeline(outlet, pace=pace, on_drop=lose, on_error=incidents.note, sieve=sieve)
    return Export(read_head(spec.traces, environ), pipeline)
