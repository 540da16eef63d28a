"""`init` and `shutdown`: puts the runtime together from a spec, and takes it apart again."""

from __future__ import annotations

import atexit
import os
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.assembly import LOGS_EXIT_SECONDS, Parts, assemble, share, unregister
from autogpt_observe.runtime.forks import renew_all
from autogpt_observe.runtime.handles import check_handles, renew_lock
from autogpt_observe.runtime.incidents import LOG
from autogpt_observe.runtime.multiprocess.endings import end_with_fork, end_with_worker
from autogpt_observe.runtime.propagation.environment import join_environment
from autogpt_observe.runtime.settings import Arguments, Settings, is_disabled, read_settings
from autogpt_observe.spec.model import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import TracerProvider

    from autogpt_observe.runtime.multiprocess.attendant import Attendant


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """What `init` set up.

    Attributes:
        spec: the spec in force; None where observation is switched off.
        registry: where the metrics are.
        host: the address /metrics is served on; None if it is not served.
        port: its port; None if it is not served.
        tracer_provider: the runtime's own provider of spans, for other instrumentations to use;
            None where observation is switched off. It is not made OpenTelemetry's global one.
    """

    spec: Spec | None
    registry: CollectorRegistry
    host: str | None = None
    port: int | None = None
    tracer_provider: TracerProvider | None = None

    def __repr__(self) -> str:
        served = f"/metrics on {self.host}:{self.port}" if self.port is not None else "not served"
        return f"<Observer: {served if self.enabled else 'switched off'}>"

    @property
    def url(self) -> str | None:
        """Where /metrics is; None if it is not served by this process."""
        if self.host is None or self.port is None:
            return None
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    @property
    def enabled(self) -> bool:
        """False where AUTOGPT_OBSERVE_DISABLED or OTEL_SDK_DISABLED switched observation off."""
        return self.spec is not None


class Rehearsal(Protocol):
    """A test that observes. Until it is over, `init` and `shutdown` touch nothing else.

    Attributes:
        parts: what is up, whether the code under test calls `init` or not.
        registry: where its metrics are.
    """

    parts: Parts
    registry: CollectorRegistry

    def join(self, spec: Spec, /) -> None:
        """The code under test calls `init`; raises UsageError unless it is with the test's spec."""

    def listen(self, *, to_logs: bool) -> None:
        """Whether what is logged counts from now on; for all else, `ACTIVE` says it."""


class _State:
    """The observer that is up, and how to take it down."""

    def __init__(self, *, watches_forks: bool = False, rehearsal: Rehearsal | None = None) -> None:
        self.lock = threading.RLock()  # a signal handler may call shutdown
        self.observer: Observer | None = None
        self.parts: Parts | None = None
        self.undo = ExitStack()
        self.rehearsal = rehearsal
        self.watches_forks = watches_forks


_STATE = _State()

_LATE_MODULES = (
    "autogpt_observe.diagnostics",
    "autogpt_observe.runtime.logs.failures",
    "autogpt_observe.runtime.logs.files",
    "autogpt_observe.runtime.logs.lines",
    "autogpt_observe.runtime.logs.streams",
    "autogpt_observe.runtime.logs.values",
    "autogpt_observe.runtime.logs.writer",
    "autogpt_observe.secrets.scanner",
)
"""What is loaded when something is logged, redacted or wrong for the first time."""


def init(  # noqa: PLR0913  # each option is one setting of the documented interface
    spec: str | Path | Spec | None = None,
    *,
    environment: str | None = None,
    registry: CollectorRegistry | None = None,
    serve: bool = True,
    host: str | None = None,
    port: int | None = None,
    strict: bool | None = None,
    traces: str | None = None,
    span_exporter: SpanExporter | None = None,
    capture_content: bool | None = None,
    propagate_threads: bool | None = None,
) -> Observer:
    """Start to observe: make the spec's metrics, feed them from now on, serve them at /metrics.

    An argument wins over its environment variable (AUTOGPT_OBSERVE_SPEC, _ENVIRONMENT, _HOST,
    _PORT, _STRICT, _TRACES), that over the spec, that over the default. With
    AUTOGPT_OBSERVE_DISABLED or OTEL_SDK_DISABLED set to `true` nothing is read and nothing happens.

    Args:
        spec: path of the spec, or a spec; default: `observe.yaml` in the current folder if there
            is one, else the packaged default spec.
        environment: which of the spec's environments.
        registry: where to register the metrics; default: a registry of its own.
        serve: whether to serve /metrics.
        host: address to listen on; default: 127.0.0.1.
        port: port to listen on, 0 for a free one; default: the spec's `deployment.metrics_port`,
            else 9464.
        strict: raise what is otherwise only counted and logged, such as a wrong call of a metric
            handle; default: under pytest only.
        traces: whose OpenTelemetry provider spans are made on: `auto`, the default, is the host's
            where it has set one up, else the runtime's own; `own` is always the latter.
        span_exporter: where the runtime's own provider exports spans to; default: where the
            OTEL_* variables say, which is nowhere unless OTEL_TRACES_EXPORTER or an OTLP endpoint
            is set.
        capture_content: whether spans carry prompts, answers, arguments and results; default:
            what OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says, else no.
        propagate_threads: whether threads and pools go on in the run and the trace that started
            them; default: yes.

    Raises:
        SpecError: the spec has errors. What is wrong with alerts, objectives and dashboards alone
            is `autogpt-observe validate`'s to say, and no reason for an agent not to start.
        UsageError: an argument or setting is wrong, the port is taken, a name is registered
            already, a metric handle is not of this spec, or `init` was called before. Nothing of
            what was begun stays.
    """
    with _STATE.lock:
        if _STATE.observer is not None:
            raise UsageError("obs.init was called before; call obs.shutdown first")
        registry = _check_registry(registry)
        if is_disabled(os.environ):
            ACTIVE.clear()
            _STATE.observer = Observer(spec=None, registry=registry)
            return _STATE.observer
        arguments = Arguments(
            spec=spec,
            environment=environment,
            host=host,
            port=port,
            strict=strict,
            serve=serve,
            traces=traces,
            span_exporter=span_exporter,
            capture_content=capture_content,
            propagate_threads=propagate_threads,
        )
        settings = read_settings(arguments, os.environ)
        loaded = _load(settings)
        _STATE.undo.close()  # of a parent, whose metrics a forked child has fed until now
        if _STATE.rehearsal is not None:
            return _join(_STATE.rehearsal, loaded, registry)
        with ExitStack() as undo:
            parts = assemble(loaded, settings, registry, undo)
            check_handles(parts.recorder)
            undo.callback(ACTIVE.clear)
            ACTIVE.recorder, ACTIVE.hub = parts.recorder, parts.hub
            join_environment(os.environ, undo)
            undo.callback(atexit.unregister, shutdown)
            atexit.register(shutdown)
            end_with_worker(undo, shutdown)
            _watch_forks()
            _STATE.parts, _STATE.undo = parts, undo.pop_all()
        server = parts.server
        _STATE.observer = Observer(
            spec=loaded,
            registry=registry,
            host=None if server is None else server.host,
            port=None if server is None else server.port,
            tracer_provider=parts.provider,
        )
        return _STATE.observer


def shutdown() -> None:
    """Undo `init`: decorators and handles are inert again. Without `init` it does nothing."""
    with _STATE.lock:
        undo, _STATE.undo = _STATE.undo, ExitStack()
        _STATE.observer = _STATE.parts = None
        try:
            undo.close()
        except Exception:  # noqa: BLE001  # the host is on its way out
            LOG.exception("error in obs.shutdown")


def flush(timeout: float = 30.0) -> bool:
    """Send the spans that have ended, write what was logged; whether all of it arrived in time.

    For programs that are frozen between two requests, and for tests. Without `init` there is
    nothing to do, and spans on the host's own provider are for the host to flush.

    Args:
        timeout: seconds to wait at the most.
    """
    parts = _STATE.parts
    if parts is None:
        return True
    begun = time.monotonic()
    written = parts.logs.flush(timeout)
    left = max(0.0, timeout - (time.monotonic() - begun))
    return (parts.pipeline is None or parts.pipeline.flush(left)) and written


@contextmanager
def rehearse(rehearsal: Rehearsal) -> Iterator[None]:
    """Observe by ``rehearsal`` until the block ends; what is up waits aside."""
    global _STATE  # noqa: PLW0603  # the code under test calls the very same `init`
    _watch_forks()
    before, recorder, hub = _STATE, ACTIVE.recorder, ACTIVE.hub
    _STATE = _State(watches_forks=before.watches_forks, rehearsal=rehearsal)
    _attach(rehearsal)
    try:
        yield
    finally:
        _STATE.undo.close()
        _STATE, ACTIVE.recorder, ACTIVE.hub = before, recorder, hub


def _attach(rehearsal: Rehearsal) -> None:
    parts = _STATE.parts = rehearsal.parts
    ACTIVE.recorder, ACTIVE.hub = parts.recorder, parts.hub
    rehearsal.listen(to_logs=True)
    _STATE.undo.callback(ACTIVE.clear)
    _STATE.undo.callback(rehearsal.listen, to_logs=False)


def _join(rehearsal: Rehearsal, spec: Spec, registry: CollectorRegistry) -> Observer:
    """What `init` does while a test observes: no port, no exporter, the test's metrics."""
    rehearsal.join(spec)
    check_handles(rehearsal.parts.recorder)
    try:
        registry.register(rehearsal.registry)
    except ValueError as error:
        raise UsageError(
            "registry: a metric of the spec is registered on it already; rename the metric in the"
            " spec, or pass another registry"
        ) from error
    _attach(rehearsal)
    _STATE.undo.callback(unregister, registry, rehearsal.registry)
    provider = rehearsal.parts.provider
    _STATE.observer = Observer(spec=spec, registry=registry, tracer_provider=provider)
    return _STATE.observer


def _load(settings: Settings) -> Spec:
    if isinstance(settings.spec, Spec):
        return settings.spec
    from autogpt_observe.spec.load import default_path, load_telemetry  # noqa: PLC0415  # loads YAML

    return load_telemetry(settings.spec or default_path(Path()), environment=settings.environment)


def _check_registry(registry: CollectorRegistry | None) -> CollectorRegistry:
    if registry is None:
        return CollectorRegistry()
    if not isinstance(registry, CollectorRegistry):
        raise UsageError(f"registry: got {registry!r:.80}, expected a CollectorRegistry or nothing")
    return registry


def _watch_forks() -> None:
    if not _STATE.watches_forks and hasattr(os, "register_at_fork"):
        _STATE.watches_forks = True  # it can't be unregistered
        os.register_at_fork(before=_load_late_modules, after_in_child=_start_over)


def _load_late_modules() -> None:
    """Before a fork: load what is loaded late.

    A thread that imports one of them at that moment holds its lock, for ever in the child.
    """
    if _STATE.parts is not None:
        for name in _LATE_MODULES:
            with suppress(Exception):  # the fork goes on
                import_module(name)  # of one that another thread is loading, this waits for the end


def _start_over() -> None:
    """In a forked child: go on, with nothing that only the parent has.

    A lock held by a thread that the child lacks would never open, so there are new ones. Nobody
    scrapes the child, but where processes share a folder another one shows what it counts; its
    spans are its own to send. It may call `init` itself.
    """
    global _STATE  # noqa: PLW0603  # the old state's lock may be held for ever
    before = _STATE
    try:
        renew_all([at.registry for at in (before.observer, before.rehearsal) if at is not None])
    except Exception:  # noqa: BLE001  # the child lives on, with a lock that may be closed
        LOG.exception("error after a fork")
    renew_lock()
    _STATE = _State(watches_forks=True, rehearsal=before.rehearsal)
    parts = before.parts
    if parts is None:
        return
    if parts.server is not None:
        parts.server.abandon()
    hub = parts.hub.heir() if parts.unseen is None else parts.hub.heir(parts.unseen)
    parts.reader.hub = hub
    attendant = _share_on(parts)
    if attendant is not None:
        _STATE.undo.callback(attendant.stop)
    _STATE.undo.callback(parts.logs.close, LOGS_EXIT_SECONDS)
    if parts.pipeline is not None:
        _STATE.undo.callback(parts.pipeline.shutdown)
    _STATE.parts = replace(parts, hub=hub, server=None, attendant=attendant)
    if _STATE.rehearsal is None:
        _STATE.undo.callback(hub.close)
    else:
        _STATE.rehearsal.parts = _STATE.parts  # which `init` in the child joins
    _STATE.undo.callback(ACTIVE.clear)
    ACTIVE.hub = hub
    end_with_fork(_STATE, shutdown)


def _share_on(parts: Parts) -> Attendant | None:
    """In a forked child: take part in the folder, as the parent does."""
    if parts.folder is None or parts.attendant is None:
        return None
    try:
        share(parts.folder)
        return parts.attendant.heir()
    except Exception:  # noqa: BLE001  # the folder is gone, perhaps
        LOG.exception("error after a fork")
        return None
