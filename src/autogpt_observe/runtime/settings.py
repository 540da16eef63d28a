"""What `init` was told: its arguments over environment variables over the spec over defaults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.names import SETTING_PREFIX
from autogpt_observe.spec.model import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

SPEC = f"{SETTING_PREFIX}SPEC"
ENVIRONMENT = f"{SETTING_PREFIX}ENVIRONMENT"
HOST = f"{SETTING_PREFIX}HOST"
PORT = f"{SETTING_PREFIX}PORT"
STRICT = f"{SETTING_PREFIX}STRICT"
DISABLED = f"{SETTING_PREFIX}DISABLED"
TRACES = f"{SETTING_PREFIX}TRACES"
PROPAGATE_THREADS = f"{SETTING_PREFIX}PROPAGATE_THREADS"
OTEL_DISABLED = "OTEL_SDK_DISABLED"

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9464

_HIGHEST_PORT = 65_535
_PORT_EXPECTED = f"a port number from 0 to {_HIGHEST_PORT}, 0 taking a free one"
_SWITCH = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


class TraceMode(StrEnum):
    """Whose provider of OpenTelemetry spans are made on."""

    AUTO = "auto"
    """The host's where it has set one up, before `init` or later, else the runtime's own."""
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What `init` was called with, as it came."""

    spec: str | Path | Spec | None = None
    environment: str | None = None
    host: str | None = None
    port: int | None = None
    strict: bool | None = None
    serve: bool = True
    traces: str | None = None
    span_exporter: SpanExporter | None = None
    capture_content: bool | None = None
    propagate_threads: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one `init`, checked.

    Attributes:
        spec: a spec, or the path of one; None for the default one.
        environment: which of the spec's environments; None for the spec as it is.
        host: address to listen on.
        port: port to listen on, 0 for a free one; None for the one the spec says.
        strict: whether incidents raise; None for under pytest only.
        serve: whether to serve /metrics.
        traces: whose provider spans are made on.
        span_exporter: where spans go; None for where OpenTelemetry's variables say.
        capture_content: whether spans carry content; None for what OpenTelemetry's variable says.
        propagate_threads: whether threads and pools take the context along.
    """

    spec: Spec | Path | None
    environment: str | None
    host: str
    port: int | None
    strict: bool | None
    serve: bool
    traces: TraceMode
    span_exporter: SpanExporter | None
    capture_content: bool | None
    propagate_threads: bool

    def port_for(self, spec: Spec) -> int:
        """The port to listen on, 0 for a free one."""
        if self.port is not None:
            return self.port
        return DEFAULT_PORT if spec.deployment is None else spec.deployment.metrics_port


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the one off switch is set, by this package's variable or else OpenTelemetry's.

    Raises:
        UsageError: this package's variable is neither on nor off.
    """
    own = _read_switch(environ, DISABLED)
    if own is not None:
        return own
    # the OpenTelemetry specification takes everything but `true` for false
    return environ.get(OTEL_DISABLED, "").lower() == "true"


def read_settings(given: Arguments, environ: Mapping[str, str]) -> Settings:
    """The arguments, completed from the environment; an empty variable counts as unset.

    Raises:
        UsageError: an argument or a variable does not have the form it must have.
    """
    _check_text("environment", given.environment)
    _check_text("host", given.host)
    port, strict = given.port, given.strict
    if port is not None and (type(port) is not int or not 0 <= port <= _HIGHEST_PORT):
        raise UsageError(f"port: got {port!r:.80}, expected {_PORT_EXPECTED}")
    return Settings(
        spec=_read_spec(given, environ),
        environment=given.environment or environ.get(ENVIRONMENT) or None,
        host=given.host or environ.get(HOST) or DEFAULT_HOST,
        port=_read_port(environ) if port is None else port,
        strict=_read_switch(environ, STRICT) if strict is None else strict,
        serve=given.serve,
        traces=_read_traces(given.traces, environ),
        span_exporter=given.span_exporter,
        capture_content=given.capture_content,
        propagate_threads=_read_propagate_threads(given, environ),
    )


def _read_propagate_threads(given: Arguments, environ: Mapping[str, str]) -> bool:
    if given.propagate_threads is not None:
        return given.propagate_threads
    return _read_switch(environ, PROPAGATE_THREADS) is not False


def _read_traces(given: str | None, environ: Mapping[str, str]) -> TraceMode:
    name, text = ("traces", given) if given is not None else (TRACES, environ.get(TRACES, ""))
    if not text and given is None:
        return TraceMode.AUTO
    try:
        return TraceMode(text)
    except ValueError:
        modes = " or ".join(f"`{mode}`" for mode in TraceMode)
        raise UsageError(f"{name}: got {text!r:.80}, expected {modes}") from None


def _read_spec(given: Arguments, environ: Mapping[str, str]) -> Spec | Path | None:
    match given.spec:
        case Spec():
            if given.environment is not None:
                raise UsageError("environment: the Spec that was passed is of one already")
            return given.spec
        case Path():
            return given.spec
        case str() if given.spec:
            return Path(given.spec)
        case None:
            text = environ.get(SPEC, "")
            return Path(text) if text else None
        case _:
            raise UsageError(f"spec: got {given.spec!r:.80}, expected a path or a Spec")


def _check_text(argument: str, value: object) -> None:
    if value is not None and (not isinstance(value, str) or not value):
        raise UsageError(f"{argument}: got {value!r:.80}, expected a text that is not empty")


def _read_port(environ: Mapping[str, str]) -> int | None:
    text = environ.get(PORT, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or not 0 <= int(text[:9]) <= _HIGHEST_PORT:
        raise UsageError(f"{PORT}: got {text!r:.80}, expected {_PORT_EXPECTED}")
    return int(text[:9])


def _read_switch(environ: Mapping[str, str], name: str) -> bool | None:
    text = environ.get(name, "")
    if not text:
        return None
    switch = _SWITCH.get(text.lower())
    if switch is None:
        raise UsageError(f"{name}: got {text!r:.80}, expected `true` or `false`")
    return switch
