"""`observe`: sets the runtime up for one test, apart from all that is around it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import opentelemetry.trace as otel
from prometheus_client import CollectorRegistry

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.assembly import assemble
from autogpt_observe.runtime.logs.target import CURRENT as CURRENT_TARGET
from autogpt_observe.runtime.multiprocess.folder import VARIABLE, shared_folder
from autogpt_observe.runtime.observer import rehearse
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.settings import Arguments, TraceMode, read_settings
from autogpt_observe.runtime.surroundings import Surroundings
from autogpt_observe.runtime.traces.context import SLOT, span_in, with_span
from autogpt_observe.runtime.traces.spans import Span
from autogpt_observe.spec.model import Spec
from autogpt_observe.testing.clock import FakeClock
from autogpt_observe.testing.ids import CountingIds
from autogpt_observe.testing.logs import Lines
from autogpt_observe.testing.metrics import Metrics
from autogpt_observe.testing.observed import Observed
from autogpt_observe.testing.recording import RecordingProvider, RecordingSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autogpt_observe.runtime.assembly import Parts
    from autogpt_observe.testing.spans import Reading


@contextmanager
def observe(  # noqa: PLR0913  # each option is one setting of the documented interface
    spec: str | Path | Spec | None = None,
    *,
    environment: str | None = None,
    variables: Mapping[str, str] | None = None,
    capture_content: bool = False,
    strict: bool = True,
    clock: FakeClock | None = None,
) -> Iterator[Observed]:
    """Observe what happens until the block ends.

    While it does, `obs.init` of the code under test joins in and `obs.shutdown` leaves: neither
    opens a port, exports anything, or starts a thread. What was up before is up again afterwards.

    Args:
        spec: path of the spec, or a spec; default: as `obs.init` has it.
        environment: which of the spec's environments.
        variables: the environment variables to go by, such as OTEL_SPAN_EVENT_COUNT_LIMIT; those of
            the process are not read.
        capture_content: whether spans carry prompts, answers, arguments and results.
        strict: whether errors inside the runtime and wrong calls of metric handles are raised.
        clock: the clock to go by; default: one that starts on 1 January 2024.

    Raises:
        SpecError: the spec has errors.
        UsageError: an argument or a variable is wrong, or values are kept in files.
    """
    _check_values_in_memory()
    given = {} if variables is None else dict(variables)
    arguments = Arguments(
        spec=spec,
        environment=environment,
        strict=strict,
        serve=False,
        traces=TraceMode.OWN,
        capture_content=capture_content,
    )
    settings = read_settings(arguments, given)
    loaded = _load(settings.spec, settings.environment)
    clock = FakeClock() if clock is None else clock
    registry, sink, lines = CollectorRegistry(), RecordingSink(), Lines(clock)
    provider = RecordingProvider(clock, CountingIds())
    with ExitStack() as undo:
        undo.enter_context(_apart())
        around = Surroundings(
            environ=given, clock=clock, sinks=(sink,), provider=provider, writer=lines
        )
        parts = assemble(loaded, settings, registry, undo, around=around)
        metrics = Metrics(loaded, registry)
        observed = Observed(
            spec=loaded,
            registry=registry,
            clock=clock,
            metrics=metrics,
            provider=provider,
            reading=partial(_make_reading, loaded, given),
            sink=sink,
            lines=lines,
        )
        undo.enter_context(rehearse(_Rehearsal(loaded, parts, registry, lines)))
        undo.callback(metrics.close)
        yield observed


class _Rehearsal:
    """The test, to `init` and `shutdown` of the code under test."""

    def __init__(self, spec: Spec, parts: Parts, registry: CollectorRegistry, lines: Lines) -> None:
        self._spec = spec
        self._lines = lines
        self.parts = parts
        self.registry = registry

    def join(self, spec: Spec, /) -> None:
        """The code under test starts ``spec``, which must be the one that is observed."""
        if spec != self._spec:
            raise UsageError(
                "obs.init: got another spec than the one that the test observes; give the test the"
                " same one, and its environment: @pytest.mark.observe(SPEC, environment=...)"
            )

    def listen(self, *, to_logs: bool) -> None:
        """Whether log lines are kept."""
        self._lines.is_listening = to_logs


@contextmanager
def _apart() -> Iterator[None]:
    """Begin outside of all scopes; those that are still open at the end are left."""
    scope, context, target = CURRENT.get(), SLOT.get(), CURRENT_TARGET.target
    CURRENT.set(None)
    CURRENT_TARGET.target = None
    if isinstance(span_in(context), Span):  # a scope's, and not the host's own
        SLOT.set(with_span(otel.INVALID_SPAN, context))
    try:
        yield
    finally:
        CURRENT.set(scope)
        SLOT.set(context)
        CURRENT_TARGET.target = target


def _check_values_in_memory() -> None:
    folder = shared_folder()
    if folder is not None:
        raise UsageError(
            f"{VARIABLE}: got {str(folder)!r}, expected none in a test: values in files outlive it;"
            " unset it before pytest starts"
        )


def _load(spec: Spec | Path | None, environment: str | None) -> Spec:
    if isinstance(spec, Spec):
        return spec
    from autogpt_observe.spec.load import default_path, load_spec  # noqa: PLC0415  # loads YAML

    return load_spec(spec or default_path(Path()), environment=environment)


def _make_reading(spec: Spec, environ: Mapping[str, str]) -> Reading:
    # loaded late: a test that asks for no span does without OpenTelemetry's SDK
    from autogpt_observe.testing.spans import Reading  # noqa: PLC0415

    return Reading(redact=build_redactor(spec.redaction).value, environ=environ)
