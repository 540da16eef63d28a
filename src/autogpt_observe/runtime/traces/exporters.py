"""Which exporters the variables of OpenTelemetry ask for, and whether they can be had.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.incidents import LOG
from autogpt_observe.runtime.traces.variables import ENDPOINT, EXPORTERS, TRACES_ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

    from autogpt_observe.runtime.traces.outlet import Destination

PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
TRACES_HEADERS = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
TRACES_TIMEOUT = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"
CREDENTIAL_PROVIDERS = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
)
"""Where one is named, OpenTelemetry's exporter makes a session by itself."""

OTLP, CONSOLE, NONE = "otlp", "console", "none"
_NAMES = {
    OTLP: OTLP,
    "otlp_proto_http": OTLP,
    CONSOLE: CONSOLE,
    NONE: NONE,
}
_GRPC_NAME = "otlp_proto_grpc"
_HTTP = "http/protobuf"
_GRPC_PORT = 4317
_DEFAULT_ENDPOINT = "http://localhost:4318"
_PATH = "v1/traces"
_DEFAULT_TIMEOUT = 10.0
_PACKAGE = "opentelemetry.exporter.otlp.proto.http"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*", re.ASCII)
"""As OpenTelemetry's exporter reads it: printable, without the signs that the format uses."""
_SENT_VALUE = re.compile(r"[\x20-\x7e]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where spans go over OTLP.

    Attributes:
        url: the whole address, which may hold a password.
        shown: the address as messages show it.
        timeout: seconds that one export may take.
        has_own_session: whether the exporter makes its session, as a credential provider asks.
    """

    url: str
    shown: str
    timeout: float
    has_own_session: bool


@dataclass(frozen=True, slots=True)
class Exporters:
    """What to export to; an exporter of the SDK's kind stands for itself."""

    chosen: tuple[Endpoint | SpanExporter | str, ...]

    def open(self) -> tuple[Destination, ...]:
        """Set them up."""
        return tuple(_open(chosen) for chosen in self.chosen)


def choose_exporters(
    environ: Mapping[str, str], *, exporter: SpanExporter | None = None, timeout: float
) -> Exporters | None:
    """The exporter that was passed, else what the variables ask for; None for none at all.

    ``timeout`` is the most seconds that one export may take.

    Raises:
        UsageError: an exporter or a protocol is not known, its package is missing, or it is set
            up in a way that can't work.
    """
    if exporter is not None:
        _check_exporter(exporter)
        return Exporters((exporter,))
    chosen: list[Endpoint | SpanExporter | str] = [
        name if name == CONSOLE else _read_endpoint(environ, timeout)
        for name in _read_names(environ)
    ]
    return Exporters(tuple(chosen)) if chosen else None


def _open(chosen: Endpoint | SpanExporter | str) -> Destination:
    from autogpt_observe.runtime.traces.outlet import Given  # noqa: PLC0415  # loaded late

    if isinstance(chosen, Endpoint):
        from autogpt_observe.runtime.traces.otlp import OtlpDestination  # noqa: PLC0415  # as above

        return OtlpDestination(chosen, timeout=chosen.timeout)
    if isinstance(chosen, str):
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter  # noqa: PLC0415  # as above

        return Given(ConsoleSpanExporter())
    return Given(chosen)


def _check_exporter(exporter: object) -> None:
    missing = [n for n in ("export", "shutdown") if not callable(getattr(exporter, n, None))]
    if missing or isinstance(exporter, type):
        raise UsageError(
            f"span_exporter: got {exporter!r:.80}, expected an exporter of OpenTelemetry's SDK,"
            " such as `InMemorySpanExporter()`"
        )


def _read_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The exporters asked for, each once."""
    text = environ.get(EXPORTERS, "").strip().lower()
    if not text:
        return (OTLP,) if environ.get(TRACES_ENDPOINT) or environ.get(ENDPOINT) else ()
    given = [name.strip() for name in text.split(",") if name.strip()]
    if _GRPC_NAME in given:
        raise _grpc_error(EXPORTERS, _GRPC_NAME, "otlp")
    unknown = next((name for name in given if name not in _NAMES), None)
    if unknown is not None:
        expected = f"expected `{OTLP}`, `{CONSOLE}`, `{NONE}` or several of the first two"
        raise UsageError(f"{EXPORTERS}: got {unknown!r:.40}, {expected}")
    names = tuple(dict.fromkeys(_NAMES[name] for name in given))
    if NONE in names and len(names) > 1:
        raise UsageError(f"{EXPORTERS}: `{NONE}` can't be combined with others; leave it out")
    return tuple(name for name in names if name != NONE)


def _read_endpoint(environ: Mapping[str, str], timeout: float) -> Endpoint:
    _check_protocol(environ)
    variable = TRACES_ENDPOINT if environ.get(TRACES_ENDPOINT) else ENDPOINT
    text = environ.get(variable) or _DEFAULT_ENDPOINT
    url = text if variable == TRACES_ENDPOINT else f"{text.removesuffix('/')}/{_PATH}"
    shown = _check_address(url, variable)
    for name in (TRACES_HEADERS, HEADERS):
        _check_headers(environ.get(name, ""), name)
    if not _is_installed():
        raise UsageError(
            "traces go to an OTLP endpoint, but its exporter is not installed; run"
            " `pip install 'autogpt-observe[otlp]'`, or set OTEL_TRACES_EXPORTER=none"
        )
    return Endpoint(
        url=url,
        shown=shown,
        timeout=min(_read_timeout(environ), timeout),
        has_own_session=any(environ.get(name) for name in CREDENTIAL_PROVIDERS),
    )


def _is_installed() -> bool:
    try:
        return find_spec(_PACKAGE) is not None
    except ModuleNotFoundError:  # not even the packages around it
        return False


def _check_protocol(environ: Mapping[str, str]) -> None:
    name = TRACES_PROTOCOL if environ.get(TRACES_PROTOCOL) else PROTOCOL
    text = environ.get(name, "").strip().lower()
    if text == "grpc":
        raise _grpc_error(name, text, _HTTP)
    if text and text != _HTTP:
        raise UsageError(f"{name}: got {text!r:.40}, expected `{_HTTP}`")


def _grpc_error(variable: str, got: str, expected: str) -> UsageError:
    return UsageError(
        f"{variable}: got `{got}`, expected `{expected}`: spans are sent over HTTP; collectors take"
        f" them on port 4318, so set {variable}={expected} and {ENDPOINT}=http://<collector>:4318"
    )


def _check_address(url: str, variable: str) -> str:
    """The address without what may be secret in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        # The address is not shown: there may be a password in it.
        raise UsageError(
            f"{variable}: expected an http or https address such as `{_DEFAULT_ENDPOINT}`"
        )
    if port == _GRPC_PORT:
        LOG.warning("%s: port 4317 is usually that of gRPC; OTLP over HTTP has 4318", variable)
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{'' if port is None else f':{port}'}{parts.path}"


def _check_headers(text: str, variable: str) -> None:
    """Refuse what the exporter would log and leave out, without showing it."""
    for number, entry in enumerate(text.split(","), start=1):
        name, separator, value = entry.strip().partition("=")
        if not entry.strip(" \t"):
            continue
        sent = unquote(value.strip())
        fits = _HEADER_NAME.fullmatch(name.strip()) and _HEADER_VALUE.fullmatch(value.strip())
        if not separator or not fits or not _SENT_VALUE.fullmatch(sent):
            raise UsageError(
                f"{variable}: header {number} can't be read, expected `name=value`, the value"
                " percent-encoded where it holds other signs than letters and digits"
            )


def _read_timeout(environ: Mapping[str, str]) -> float:
    """In seconds, as OpenTelemetry's exporter for Python reads it."""
    name = TRACES_TIMEOUT if environ.get(TRACES_TIMEOUT) else TIMEOUT
    text = environ.get(name, "").strip()
    try:
        seconds = float(text or _DEFAULT_TIMEOUT)
    except ValueError:
        seconds = 0.0
    if seconds > 0:
        return seconds
    LOG.warning("%s: got %.40r, expected seconds; it is %g", name, text, _DEFAULT_TIMEOUT)
    return _DEFAULT_TIMEOUT
