"""A receiver of OTLP over HTTP, on the loopback interface."""

from __future__ import annotations

import gzip
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span


class Receiver:
    """What came, and what is answered.

    Attributes:
        status: of the answers; a list is used up from its start, its last item again and again.
        headers: of the answers.
        body: of the answers.
        delay: seconds until an answer.
        requests: path and headers of each request.
    """

    def __init__(self) -> None:
        self.status = [200]
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.delay = 0.0
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.resources: list[ResourceSpans] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        time.sleep(self.delay)
        status = self.status.pop(0) if len(self.status) > 1 else self.status[0]
        self.requests.append((handler.path, dict(handler.headers)))
        if status == 200:
            if handler.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            self.resources += ExportTraceServiceRequest.FromString(body).resource_spans
        handler.send_response(status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for resource in self.resources
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def receive() -> Iterator[Receiver]:
    """Serve a receiver for a while."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that gave up is part of the test."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
