"""Puts the tracing together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.runtime.settings import TraceMode
from autogpt_observe.runtime.traces.conventions import Conventions, read_choice
from autogpt_observe.runtime.traces.export import open_export
from autogpt_observe.runtime.traces.provider import Nothing, Provider
from autogpt_observe.runtime.traces.tracing import Tracing

if TYPE_CHECKING:
    from contextlib import ExitStack

    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.redaction import Redactor
    from autogpt_observe.runtime.settings import Settings
    from autogpt_observe.runtime.surroundings import Surroundings
    from autogpt_observe.runtime.traces.pipeline import Pipeline
    from autogpt_observe.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Traces:
    """The tracing of one `init`.

    Attributes:
        tracing: makes a span of each scope.
        provider: makes spans.
        pipeline: exports them; None where there is nowhere to export them to.
    """

    tracing: Tracing
    provider: Provider
    pipeline: Pipeline | None


def open_traces(  # noqa: PLR0913, PLR0917  # the parts it is made of
    spec: Spec,
    settings: Settings,
    around: Surroundings,
    incidents: Incidents,
    redactor: Redactor,
    undo: ExitStack,
) -> Traces:
    """Put the tracing together; ``undo`` gets what takes it away.

    Raises:
        UsageError: a setting of it is wrong.
    """
    environ = around.environ
    choice = read_choice(environ, capture_content=settings.capture_content)
    conventions = Conventions(
        choice.version, dict(spec.attributes.items()), captures_content=choice.captures_content
    )
    provider, pipeline = around.provider, None
    if provider is None:
        export = open_export(
            spec,
            environ,
            incidents,
            exporter=settings.span_exporter,
            redact=redactor.value,
        )
        if export is None:
            nothing = Nothing()
            provider = Provider(nothing.decide, nothing)
        else:
            provider, pipeline = Provider(export.head.decide, export.pipeline), export.pipeline
            undo.callback(pipeline.shutdown)
    tracing = Tracing(
        provider,
        conventions,
        redact=redactor.value,
        uses_host=settings.traces is TraceMode.AUTO,
    )
    return Traces(tracing, provider, pipeline)
