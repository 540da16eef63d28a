"""/metrics: the answer to a request, and the WSGI application around it."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from autogpt_observe.runtime.exposition.calls import PATIENCE, Calls, StuckError
from autogpt_observe.runtime.exposition.compression import accepts_gzip, compress
from autogpt_observe.runtime.exposition.formats import negotiate
from autogpt_observe.runtime.exposition.renderer import Renderer
from autogpt_observe.runtime.forks import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import CollectorRegistry

    from autogpt_observe.runtime.events import OnError
    from autogpt_observe.runtime.exposition.renderer import Substitute

METRICS_PATH = "/metrics"
SCRAPES_AT_ONCE = 3
"""One less than the server has workers: whatever hangs, one is left to say so."""

_PLAIN = "text/plain; charset=utf-8"
_READING = ("GET", "HEAD")
_FAILED = b"a collector failed while the metrics were read; the log of this process has it\n"
_STUCK = b"a collector does not answer; the log of this process says which\n"
_BUSY = b"too many scrapes are in progress\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What counts of an HTTP request; absent headers are empty."""

    method: str
    path: str
    query: str = ""
    accept: str = ""
    accept_encoding: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; of HEAD, all but the body is sent."""

    status: HTTPStatus
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": _PLAIN})


class Endpoint:
    """Answers GET and HEAD on /metrics, in the format and encoding that the headers ask for.

    ``?name[]=x`` shows only the samples of these names, as the library's own applications do.

    A collector that raises makes the scrape fail, for Prometheus to see it in `up`: half the
    metrics would look like none had happened. The error goes to ``on_error``, not to the client.
    So does one that hangs: the scrapes that met it wait on, those after them fail at once.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        on_error: OnError,
        substitute: Substitute | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._registry = registry
        self._on_error = on_error
        self._patience = patience
        self._renderer = Renderer(
            registry, on_error=on_error, substitute=substitute, patience=patience
        )
        self.renew_locks()
        renew_after_fork(self)

    def renew_locks(self) -> None:
        """In a forked child: no scrape is in progress."""
        self._room = threading.BoundedSemaphore(SCRAPES_AT_ONCE)
        self._scrapes = Calls(time.monotonic, patience=self._patience)

    def answer(self, request: Request) -> Response:
        """The response; never raises."""
        if request.path != METRICS_PATH:
            return Response(HTTPStatus.NOT_FOUND, f"not found; see {METRICS_PATH}\n".encode())
        if request.method not in _READING:
            headers = {"Content-Type": _PLAIN, "Allow": ", ".join(_READING)}
            return Response(HTTPStatus.METHOD_NOT_ALLOWED, b"method not allowed\n", headers)
        all_hang = self._scrapes.hanging() >= SCRAPES_AT_ONCE
        if not self._room.acquire(timeout=0 if all_hang else self._patience):
            return self._unavailable(_BUSY)
        try:
            with self._scrapes.watch(object()):
                return self._scrape(request)
        except StuckError as error:
            self._on_error("scrape", error)
            return self._unavailable(_STUCK)
        except Exception as error:  # noqa: BLE001  # whatever a collector of the host raises
            self._on_error("scrape", error)
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED)
        finally:
            self._room.release()

    def _scrape(self, request: Request) -> Response:
        format_ = negotiate(request.accept)
        names = parse_qs(request.query).get("name[]")
        if names is None:
            body = self._renderer.render(format_)
        else:
            body = format_.encode(self._registry.restricted_registry(names))
        headers = {"Content-Type": format_.content_type, "Vary": "Accept, Accept-Encoding"}
        packed = compress(body) if accepts_gzip(request.accept_encoding) else None
        if packed is not None:
            headers["Content-Encoding"] = "gzip"
        return Response(HTTPStatus.OK, body if packed is None else packed, headers)

    def _unavailable(self, body: bytes) -> Response:
        headers = {"Content-Type": _PLAIN, "Retry-After": f"{math.ceil(self._patience)}"}
        return Response(HTTPStatus.SERVICE_UNAVAILABLE, body, headers)


def metrics_app(
    registry: CollectorRegistry,
    *,
    on_error: OnError,
    substitute: Substitute | None = None,
    patience: float = PATIENCE,
) -> WSGIApplication:
    """An :class:`Endpoint` as a WSGI application."""
    endpoint = Endpoint(registry, on_error=on_error, substitute=substitute, patience=patience)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        request = Request(
            method=method,
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            accept=environ.get("HTTP_ACCEPT", ""),
            accept_encoding=environ.get("HTTP_ACCEPT_ENCODING", ""),
        )
        response = endpoint.answer(request)
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        status = f"{response.status.value} {response.status.phrase}"
        start_response(status, list(headers.items()))
        return [] if method == "HEAD" else [response.body]

    return app
