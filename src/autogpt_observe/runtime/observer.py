"""`init` and `shutdown`: puts the runtime together from a spec, and takes it apart again."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.forks import make_shared_lock_reentrant, renew_all
from autogpt_observe.runtime.handles import check_handles, renew_lock
from autogpt_observe.runtime.hub import Hub
from autogpt_observe.runtime.incidents import LOG, Incidents
from autogpt_observe.runtime.instruments import build_guards, build_instruments
from autogpt_observe.runtime.multiprocess.folder import shared_folder
from autogpt_observe.runtime.process import ProcessReader
from autogpt_observe.runtime.readings import READINGS, Reader, Reading
from autogpt_observe.runtime.recorder import Recorder
from autogpt_observe.runtime.settings import Arguments, Settings, is_disabled, read_settings
from autogpt_observe.runtime.sinks.metrics import MetricsSink
from autogpt_observe.spec.model import Spec

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from prometheus_client.registry import Collector

    from autogpt_observe.runtime.server import Server
    from autogpt_observe.spec.model import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """What `init` set up.

    Attributes:
        spec: the spec in force; None where observation is switched off.
        registry: where the metrics are.
        host: the address /metrics is served on; None if it is not served.
        port: its port; None if it is not served.
    """

    spec: Spec | None
    registry: CollectorRegistry
    host: str | None = None
    port: int | None = None

    def __repr__(self) -> str:
        served = f"/metrics on {self.host}:{self.port}" if self.port is not None else "not served"
        return f"<Observer: {served if self.enabled else 'switched off'}>"

    @property
    def enabled(self) -> bool:
        """False where AUTOGPT_OBSERVE_DISABLED or OTEL_SDK_DISABLED switched observation off."""
        return self.spec is not None


class _State:
    """The observer that is up, and how to take it down."""

    def __init__(self, *, watches_forks: bool = False) -> None:
        self.lock = threading.RLock()  # a signal handler may call shutdown
        self.observer: Observer | None = None
        self.hub: Hub | None = None
        self.server: Server | None = None
        self.folder: Path | None = None
        self.undo = ExitStack()
        self.watches_forks = watches_forks


_STATE = _State()


def init(  # noqa: PLR0913  # each option is one setting of the documented interface
    spec: str | Path | Spec | None = None,
    *,
    environment: str | None = None,
    registry: CollectorRegistry | None = None,
    serve: bool = True,
    host: str | None = None,
    port: int | None = None,
    strict: bool | None = None,
) -> Observer:
    """Start to observe: make the spec's metrics, feed them from now on, serve them at /metrics.

    An argument wins over its environment variable (AUTOGPT_OBSERVE_SPEC, _ENVIRONMENT, _HOST,
    _PORT, _STRICT), that over the spec, that over the default. With AUTOGPT_OBSERVE_DISABLED or
    OTEL_SDK_DISABLED set to `true` nothing is read and nothing happens.

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

    Raises:
        SpecError: the spec has errors.
        UsageError: an argument or setting is wrong, the port is taken, a name is registered
            already, a metric handle is not of this spec, or `init` was called before. Nothing of
            what was begun stays.
    """
    with _STATE.lock:
        if _STATE.observer is not None:
            raise UsageError("obs.init was called before; call obs.shutdown first")
        registry = _check_registry(registry)
        if is_disabled(os.environ):
            _STATE.observer = Observer(spec=None, registry=registry)
            return _STATE.observer
        arguments = Arguments(
            spec=spec, environment=environment, host=host, port=port, strict=strict
        )
        settings = read_settings(arguments, os.environ)
        loaded = _load(settings)
        _STATE.undo.close()  # of a parent, whose metrics a forked child has fed until now
        with ExitStack() as undo:
            observer = _start(loaded, settings, registry, undo, serve=serve)
            undo.callback(atexit.unregister, shutdown)
            atexit.register(shutdown)
            _watch_forks()
            _STATE.observer, _STATE.undo = observer, undo.pop_all()
        return observer


def shutdown() -> None:
    """Undo `init`: decorators and handles are inert again. Without `init` it does nothing."""
    with _STATE.lock:
        undo, _STATE.undo = _STATE.undo, ExitStack()
        _STATE.observer = _STATE.hub = _STATE.server = _STATE.folder = None
        try:
            undo.close()
        except Exception:  # noqa: BLE001  # the host is on its way out
            LOG.exception("error in obs.shutdown")


def _load(settings: Settings) -> Spec:
    if isinstance(settings.spec, Spec):
        return settings.spec
    from autogpt_observe.spec.load import default_path, load_spec  # noqa: PLC0415  # loads YAML

    return load_spec(settings.spec or default_path(Path()), environment=settings.environment)


def _check_registry(registry: CollectorRegistry | None) -> CollectorRegistry:
    if registry is None:
        return CollectorRegistry()
    if not isinstance(registry, CollectorRegistry):
        raise UsageError(f"registry: got {registry!r:.80}, expected a CollectorRegistry or nothing")
    return registry


def _start(
    spec: Spec, settings: Settings, registry: CollectorRegistry, undo: ExitStack, *, serve: bool
) -> Observer:
    """Put everything in place; ``undo`` gets what takes it away, step by step."""
    folder = shared_folder()
    incidents = Incidents(strict=settings.strict)
    guards = build_guards(spec, incidents)
    instruments = build_instruments(spec, guards)
    metrics: dict[str, Metric] = dict(spec.metrics.items())
    recorder = Recorder(metrics, instruments, incidents)
    sink = MetricsSink(metrics, instruments)
    check_handles(recorder)
    hub = Hub((sink,), on_error=incidents.fail)
    undo.callback(hub.close)
    reader = Reader(ProcessReader(), hub)
    for name, metric in metrics.items():
        if name in instruments:
            _register(registry, instruments[name].collector, name, undo)
        elif metric.from_ in READINGS:
            reading = Reading(name, metric, reader=reader, guards=guards, on_error=incidents.note)
            _register(registry, reading, name, undo)
    _register(registry, incidents, "autogpt_observe_...", undo)
    app = _app(registry, folder, incidents) if serve else None
    where = (None, None) if app is None else _serve(spec, settings, app, folder, undo)
    undo.callback(ACTIVE.clear)
    if folder is not None:
        _share(folder)
    _STATE.hub = hub
    ACTIVE.recorder, ACTIVE.hub = recorder, hub
    return Observer(spec=spec, registry=registry, host=where[0], port=where[1])


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
) -> tuple[str, int] | tuple[None, None]:
    """Serve ``app``; where processes share a folder, the first of them does it for all."""
    from autogpt_observe.runtime.server import Server  # noqa: PLC0415  # as above

    port = settings.port_for(spec)
    if folder is not None:
        from autogpt_observe.runtime.multiprocess.locks import hold_port  # noqa: PLC0415  # as above

        if not hold_port(folder, port, undo):
            return None, None
    server = Server(app, host=settings.host, port=port)
    undo.callback(server.stop)
    _STATE.server = server
    return server.host, server.port


def _share(folder: Path) -> None:
    """This process has values in ``folder``, which others read."""
    from autogpt_observe.runtime.multiprocess.owners import sign  # noqa: PLC0415  # as above

    make_shared_lock_reentrant()
    sign(folder)
    _STATE.folder = folder


def _watch_forks() -> None:
    if not _STATE.watches_forks and hasattr(os, "register_at_fork"):
        _STATE.watches_forks = True  # it can't be unregistered
        os.register_at_fork(after_in_child=_start_over)


def _start_over() -> None:
    """In a forked child: a lock held by a thread that it lacks would never open.

    Nobody scrapes it, so it starts inert, without the parent's port, and may call `init` itself.
    But where processes share a folder it goes on counting, for another process to show.
    """
    global _STATE  # noqa: PLW0603  # the old state's lock may be held for ever
    before = _STATE
    try:
        renew_all([] if before.observer is None else [before.observer.registry])
    except Exception:  # noqa: BLE001  # the child lives on, with a lock that may be closed
        LOG.exception("error after a fork")
    renew_lock()
    if before.server is not None:
        before.server.abandon()
    _STATE = _State(watches_forks=True)
    if before.folder is not None and before.hub is not None:
        _share(before.folder)
        _STATE.hub = ACTIVE.hub = before.hub.heir()
        _STATE.undo.callback(_STATE.hub.close)
        _STATE.undo.callback(ACTIVE.clear)
        return
    ACTIVE.clear()
    if before.hub is not None:
        before.hub.close()
