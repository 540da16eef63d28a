"""The WSGI application that shows a registry at /metrics."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import CollectorRegistry

    from autogpt_observe.runtime.events import OnError

METRICS_PATH = "/metrics"
_PLAIN = "text/plain; charset=utf-8"
_READING = ("GET", "HEAD")


def metrics_app(registry: CollectorRegistry, *, on_error: OnError) -> WSGIApplication:
    """Answers GET and HEAD on /metrics, in the format that the Accept header asks for.

    A collector that raises makes the scrape fail, for Prometheus to see it in `up`: half the
    metrics would look like none had happened. The error goes to ``on_error``, not to the client.
    """

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = _respond(environ, registry, on_error)
        headers["Content-Length"] = str(len(body))
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return app


def _encoder(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    try:
        return choose_encoder(accept)
    except Exception:  # noqa: BLE001  # the library's parser gives up in many ways; any will do
        return choose_encoder("")


def _respond(
    environ: WSGIEnvironment, registry: CollectorRegistry, on_error: OnError
) -> tuple[HTTPStatus, dict[str, str], bytes]:
    plain = {"Content-Type": _PLAIN}
    if environ["PATH_INFO"] != METRICS_PATH:
        return HTTPStatus.NOT_FOUND, plain, f"not found; see {METRICS_PATH}\n".encode()
    if environ["REQUEST_METHOD"] not in _READING:
        allow = ", ".join(_READING)
        return HTTPStatus.METHOD_NOT_ALLOWED, {**plain, "Allow": allow}, b"method not allowed\n"
    try:
        encode, content_type = _encoder(environ.get("HTTP_ACCEPT", ""))
        return HTTPStatus.OK, {"Content-Type": content_type}, encode(registry)
    except Exception as error:  # noqa: BLE001  # whatever a collector of the host raises
        on_error("scrape", error)
        text = b"a collector failed while the metrics were read; the log of this process has it\n"
        return HTTPStatus.INTERNAL_SERVER_ERROR, plain, text
