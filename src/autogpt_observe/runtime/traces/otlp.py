"""OTLP over HTTP, through OpenTelemetry's own exporter, with what this runtime asks of it.

The exporter gets a session of ours. It knows why a request failed, so that this is said once, and
without the headers, which the exporter's own messages can show; and it lets the process end in
time, whatever the other side does.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace.export import SpanExportResult

from autogpt_observe.runtime.traces.outlet import DELIVERED, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from autogpt_observe.runtime.traces.exporters import Endpoint

_LOGGERS = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.common._internal",
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.util.re",
)
_REDIRECTS = 300
_SHORTEST = 0.05
_LONGEST_REASON = 200


class OtlpDestination:
    """An OTLP endpoint.

    Args:
        endpoint: where it is, and how to get there.
        timeout: seconds that one export may take, its repetitions included.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        self.name = endpoint.shown
        self._session = None if endpoint.has_own_session else _Session()
        with _quiet():
            self._exporter = OTLPSpanExporter(
                endpoint=endpoint.url, timeout=timeout, session=self._session
            )
        if self._session is not None:
            self._session.give_up = self._give_up

    def export(self, spans: Sequence[ReadableSpan], /) -> Outcome:
        """Export a batch; what the exporter has to say goes into the outcome."""
        if self._session is not None:
            self._session.outcome = DELIVERED
        with _quiet():
            result = self._exporter.export(spans)
        seen = DELIVERED if self._session is None else self._session.outcome
        if result is not SpanExportResult.SUCCESS and seen.failure is None:
            return Outcome("the exporter reported a failure")
        return seen

    def hurry(self, seconds: float, /) -> None:
        """The process ends: requests get no more time than that, and lost connections no more."""
        if self._session is not None:
            self._session.deadline = time.monotonic() + seconds

    def close(self) -> None:
        """Let go of connections."""
        with _quiet():
            self._give_up()

    def _give_up(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # it is not annotated


class _Session(requests.Session):
    """Notes what became of the last request.

    Attributes:
        outcome: that of the last request.
        deadline: when the process ends, on the monotonic clock; None while it is not known to.
        give_up: makes the exporter stop to repeat a request.
    """

    outcome = DELIVERED
    deadline: float | None = None
    give_up: Callable[[], None] | None = None

    def request(self, *given: Any, **options: Any) -> requests.Response:
        """Send a request of the exporter's, in the time that is left."""
        if self.deadline is not None:
            left = max(_SHORTEST, self.deadline - time.monotonic())
            asked = options.get("timeout")
            options["timeout"] = left if asked is None else min(asked, left)
        try:
            response = super().request(*given, **options)
        except Exception as error:
            self.outcome = Outcome(_explain(error))
            if self.deadline is not None and self.give_up is not None:
                self.give_up()  # nobody is there, and nobody will be in the seconds that are left
            raise
        self.outcome = _judge(response)
        return response


def _judge(response: requests.Response) -> Outcome:
    """What a response says. A redirect is not followed, though the exporter is content with it."""
    code = response.status_code
    if not HTTPStatus.OK <= code < _REDIRECTS:
        return Outcome(f"HTTP {code} {_phrase(code)}".rstrip())
    return _read_partial_success(response.content)


def _read_partial_success(body: bytes) -> Outcome:
    if not body:
        return DELIVERED
    answer = ExportTraceServiceResponse()
    try:
        answer.ParseFromString(body)
    except Exception:  # noqa: BLE001  # protobuf's own class; some answer with a text
        return DELIVERED
    partial = answer.partial_success
    reason = partial.error_message[:_LONGEST_REASON]
    return Outcome(rejected=max(0, partial.rejected_spans), reason=reason)


def _phrase(code: int) -> str:
    """The usual words for a status: those of the server could be anything."""
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return ""


def _explain(error: Exception) -> str:
    """Why a request failed, in words that can't hold a header."""
    match error:
        case requests.exceptions.ConnectTimeout():
            return "no connection in time"
        case requests.exceptions.Timeout():
            return "no answer in time"
        case requests.exceptions.SSLError():
            return "the TLS handshake failed; see OTEL_EXPORTER_OTLP_CERTIFICATE"
        case requests.exceptions.ProxyError():
            return "the proxy can't be reached; see HTTPS_PROXY and NO_PROXY"
        case requests.exceptions.InvalidHeader():
            return "a header can't be sent; see OTEL_EXPORTER_OTLP_HEADERS"
        case requests.exceptions.ConnectionError():
            return "no connection, or it was lost"
        case _:
            return f"{type(error).__name__} in the exporter"


class _Mute(logging.Filter):
    """Keeps back what one thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter logs in this thread: it shows headers, and repeats itself."""
    mute = _Mute()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(mute)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(mute)
