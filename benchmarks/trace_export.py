"""What an exported span costs its process: this package's pipeline beside the SDK's own.

Both send over OTLP to a receiver in another process, batches of one size, spans with the same six
attributes. The cost in the host's threads (to start and end a span) and that of the export (to make
it ready, encode and send it) are measured apart. That every span arrived is asserted before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from rounds import Case, measure
from tables import Table

from autogpt_observe.names import Name
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.traces.export import open_export
from autogpt_observe.runtime.traces.provider import Provider
from autogpt_observe.spec.model import Service, Spec, Tail, Traces
from autogpt_observe.units import Ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

BATCH = 511
"""One less than what wakes a thread, so that the export happens when it is measured."""
NEVER = 3_600_000
ATTRIBUTES: Mapping[str, AttributeValue] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "web_search",
    "gen_ai.agent.name": "researcher",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 812,
}
PEER = "OpenTelemetry SDK"
RECEIVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

seen = 0
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        global seen
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                seen += sum(len(span.attributes) == 6 for span in scope.spans)
        self.answer(b"")
    def do_GET(self):
        self.answer(str(seen).encode())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def receiver() -> Iterator[str]:
    """Serve a receiver in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True
    ) as up:
        assert up.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(up.stdout.readline())}"
        finally:
            up.terminate()


def received(url: str) -> int:
    return int(requests.get(url, timeout=10).text)


class Side:
    """A tracer, and how to send what it made."""

    def __init__(self, name: str, tracer: Tracer, flush: Callable[[], bool]) -> None:
        self.name = name
        self.flush = flush
        self._start = tracer.start_span

    def make(self) -> None:
        """Make the spans of a batch."""
        for _ in range(BATCH):
            self._start("execute_tool web_search", attributes=ATTRIBUTES).end()

    def hosts(self) -> Case:
        """The host's share of the cost."""
        return Case(self.name, self.make, before=self.flush, operations=BATCH)

    def exports(self) -> Case:
        """The exporter's share."""

        def before() -> None:
            self.flush()
            self.make()

        return Case(self.name, self.flush, before=before, operations=BATCH)


def peer(url: str) -> Side:
    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces")
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=NEVER)
    provider.add_span_processor(processor)
    return Side(PEER, provider.get_tracer("benchmark"), processor.force_flush)


def ours(url: str, name: str, traces: Traces | None = None) -> Side:
    service = Service(name=Name("benchmark"), owner=Name("benchmark"))
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": str(NEVER)}
    incidents = Incidents(strict=True)
    export = open_export(Spec(version=1, service=service, traces=traces), environ, incidents)
    assert export is not None
    tracer = Provider(export.head.decide, export.pipeline).get_tracer("benchmark")
    return Side(name, tracer, export.pipeline.flush)


ABOUT = """\
A span with six attributes, sent over OTLP to a receiver in another process, in batches of one size.
CPU time in the host's thread, to start and end it, and that of the export, to make it ready, encode
and send it, are measured apart. That every span arrived with its attributes is asserted before."""
MORE = 3
"""An export is quick: that many times as many rounds as elsewhere are taken."""


def tables(rounds: int) -> list[Table]:
    os.environ["NO_PROXY"] = "127.0.0.1"
    keep = Traces(tail=Tail(sample=Ratio.parse("99.9999%")))
    drop = Traces(tail=Tail(sample=Ratio.parse("0%")))
    with receiver() as url:
        sides = [peer(url), ours(url, "autogpt-observe"), ours(url, "with tail sampling", keep)]
        for number, side in enumerate(sides, start=1):
            side.make()
            side.flush()
            assert received(url) == number * BATCH, f"{side.name}: {received(url)} spans arrived"
        dropping = ours(url, "dropped by tail sampling", drop)
        hosts = measure([side.hosts() for side in sides], MORE * rounds)
        exports = measure([side.exports() for side in (*sides, dropping)], MORE * rounds)
    return [
        Table("Span in the host's thread", ABOUT, hosts, PEER),
        Table("Export of a span", ABOUT, exports, PEER),
    ]
