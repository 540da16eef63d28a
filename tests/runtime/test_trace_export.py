"""Spans that arrive at a real receiver, and processes that end in time where none is there."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import textwrap
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otlp_receiver import Receiver, receive
from trace_spans import ended, service_spec

from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.traces.export import Export, open_export
from autogpt_observe.runtime.traces.provider import Provider
from autogpt_observe.spec.model import Tail, Traces
from autogpt_observe.units import Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

SECRET = "hunter" + "2" * 8
PATIENT = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
DROPPED, FAILURES = "autogpt_observe_dropped", "autogpt_observe_export_failures"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_EXPORTER_OTLP_HEADERS"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def exporting(
    variables: Mapping[str, str] | None = None,
    *,
    exporter: SpanExporter | None = None,
    traces: Traces | None = None,
) -> Iterator[tuple[Export, Incidents]]:
    incidents = Incidents(strict=False)
    environ = {**PATIENT, **(variables or {})}
    export = open_export(service_spec(traces), environ, incidents, exporter=exporter)
    assert export is not None
    try:
        yield export, incidents
    finally:
        export.pipeline.shutdown(timeout=10)


def counted(incidents: Incidents) -> dict[tuple[str, ...], float]:
    return {
        (family.name, *sample.labels.values()): sample.value
        for family in incidents.collect()
        for sample in family.samples
    }


def at(receiver: Receiver, **more: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **more}


def fail_inside(tracer: Tracer) -> None:
    with tracer.start_as_current_span("inner") as inner:
        inner.add_event("halfway", {"at": 0.5})
        raise ValueError("broken")


def test_a_trace_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{SECRET}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with receive() as receiver, exporting(at(receiver)) as (export, incidents):
        tracer = Provider(export.head.decide, export.pipeline).get_tracer("lib", "1.0")
        with (
            tracer.start_as_current_span("outer", attributes={"n": 1}) as outer,
            pytest.raises(ValueError, match="broken"),
        ):
            fail_inside(tracer)
        assert export.pipeline.flush(10)
        assert [path for path, _ in receiver.requests] == ["/v1/traces"]
        assert receiver.requests[0][1]["authorization"] == f"Bearer {SECRET}"
        (resource,) = receiver.resources
        (scope,) = resource.scope_spans
        assert (scope.scope.name, scope.scope.version) == ("lib", "1.0")
        described = {a.key: a.value.string_value for a in resource.resource.attributes}
        assert described["service.name"] == "crawler"
        second, first = scope.spans
        assert (first.name, second.name) == ("outer", "inner")
        assert first.span_id == outer.get_span_context().span_id.to_bytes(8, "big")
        assert second.parent_span_id == first.span_id
        assert second.trace_id == first.trace_id
        assert first.parent_span_id == b""
        assert [(a.key, a.value.int_value) for a in first.attributes] == [("n", 1)]
        assert [event.name for event in second.events] == ["halfway", "exception"]
        assert second.status.message == "ValueError: broken"
        assert first.start_time_unix_nano <= second.start_time_unix_nano
        assert second.end_time_unix_nano <= first.end_time_unix_nano
        assert counted(incidents) == {}


def test_every_span_arrives_once_in_batches_when_the_process_ends() -> None:
    with receive() as receiver:
        with exporting(at(receiver, OTEL_BSP_MAX_EXPORT_BATCH_SIZE="100")) as (export, incidents):
            for number in range(1, 1051):
                export.pipeline.offer(ended(f"{number}", span=number))
            assert export.pipeline.shutdown(timeout=30)
        assert sorted(int(span.name) for span in receiver.spans) == [*range(1, 1051)]
        assert len(receiver.requests) == 11
        assert counted(incidents) == {}


def test_failures_are_said_once_and_again_after_it_worked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with receive() as receiver, exporting(at(receiver)) as (export, incidents):
        receiver.status = [400, 401, 200, 400]
        arrived = []
        for name in ("a", "b", "c", "d"):
            export.pipeline.offer(ended(name))
            arrived.append(export.pipeline.flush(10))
        shown = f"{receiver.url}/v1/traces"
    assert arrived == [False, False, True, False]
    again = "it is logged again once it has worked meanwhile"
    assert caplog.messages == [
        f"traces can't be exported to {shown}: HTTP 400 Bad Request; {again}",
        "spans are dropped: they could not be exported; it is logged once",
        f"traces can't be exported to {shown}: HTTP 400 Bad Request; {again}",
    ]
    assert counted(incidents) == {
        (FAILURES, "traces"): 3,
        (DROPPED, "traces", "export_failed"): 3,
    }


@pytest.mark.parametrize(
    ("status", "headers", "cause"),
    [
        (302, {"Location": "http://127.0.0.1:9/"}, "HTTP 302 Found"),
        (404, {}, "HTTP 404 Not Found"),
        (503, {"Retry-After": "3600"}, "HTTP 503 Service Unavailable"),
        (599, {}, "HTTP 599"),
    ],
)
def test_an_answer_that_is_no_success_is_a_failure(
    status: int, headers: dict[str, str], cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    with receive() as receiver, exporting(at(receiver)) as (export, _):
        receiver.status, receiver.headers = [status], headers
        export.pipeline.offer(ended())
        assert not export.pipeline.flush(30)
    assert caplog.messages[0].split(": ", 1)[1] == (
        f"{cause}; it is logged again once it has worked meanwhile"
    )


def test_a_server_that_was_too_busy_gets_the_spans_when_it_said() -> None:
    with receive() as receiver, exporting(at(receiver)) as (export, incidents):
        receiver.status, receiver.headers = [503, 200], {"Retry-After": "0"}
        export.pipeline.offer(ended("a"))
        assert export.pipeline.flush(30)
        assert [span.name for span in receiver.spans] == ["a"]
        assert counted(incidents) == {}


def test_spans_that_are_refused_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 2
    answer.partial_success.error_message = "too old"
    with receive() as receiver, exporting(at(receiver)) as (export, incidents):
        receiver.body = answer.SerializeToString()
        for name in ("a", "b", "c"):
            export.pipeline.offer(ended(name))
        assert not export.pipeline.flush(10)
        assert counted(incidents) == {(DROPPED, "traces", "rejected"): 2}
        assert caplog.messages == [
            f"{receiver.url}/v1/traces refuses spans: too old; it is logged once"
        ]
        receiver.body = b"thank you"
        export.pipeline.offer(ended("d"))
        assert export.pipeline.flush(10)


def test_no_secret_is_logged_whatever_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={SECRET}")
    with caplog.at_level(logging.DEBUG), receive() as receiver:
        port = receiver.url.rsplit(":", 1)[1]
        address = f"http://user:{SECRET}@127.0.0.1:{port}"
        with exporting({"OTEL_EXPORTER_OTLP_ENDPOINT": address}) as (export, _):
            for status in (400, 503, 200):
                receiver.status, receiver.headers = [status], {"Retry-After": "99"}
                export.pipeline.offer(ended())
                export.pipeline.flush(10)
    with caplog.at_level(logging.DEBUG):
        closed = f"http://user:{SECRET}@127.0.0.1:{port}"
        with exporting({"OTEL_EXPORTER_OTLP_ENDPOINT": closed}) as (export, _):
            export.pipeline.offer(ended())
            export.pipeline.shutdown()
    assert len(caplog.messages) > 3
    assert SECRET not in caplog.text


class Broken(SpanExporter):
    """An exporter that fails as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = 0

    def export(self, _spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.error is not None:
            raise self.error
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("error", "cause"),
    [(None, "it reported a failure"), (ValueError(SECRET), "ValueError in the exporter")],
)
def test_an_exporter_of_the_hosts_may_fail(
    error: Exception | None, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = Broken(error)
    with exporting(exporter=exporter) as (export, incidents):
        export.pipeline.offer(ended())
        assert not export.pipeline.flush(10)
        assert counted(incidents)[FAILURES, "traces"] == 1
    assert exporter.closed == 1
    assert caplog.messages[0] == (
        f"traces can't be exported to Broken: {cause}; it is logged again once it has worked"
        " meanwhile"
    )
    assert SECRET not in caplog.text


def test_an_exporter_of_the_hosts_gets_spans_of_the_sdks_kind() -> None:
    exporter = InMemorySpanExporter()
    with exporting(exporter=exporter) as (export, _):
        export.pipeline.offer(ended("a"))
        assert export.pipeline.flush(10)
        (span,) = exporter.get_finished_spans()
        assert '"name": "a"' in span.to_json()
        assert span.resource.attributes["service.name"] == "crawler"


def test_a_span_that_can_not_be_made_ready_is_not_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exporter = InMemorySpanExporter()
    incidents = Incidents(strict=False)

    def redact(key: str, value: object) -> object:
        if key == "bad":
            raise ValueError("no")
        return value

    export = open_export(service_spec(), PATIENT, incidents, exporter=exporter, redact=redact)
    assert export is not None
    for key in ("good", "bad"):
        span = ended(key)
        span.attributes = {key: "text"}
        export.pipeline.offer(span)
    assert not export.pipeline.flush(10)
    assert [span.name for span in exporter.get_finished_spans()] == ["good"]
    assert counted(incidents) == {
        ("autogpt_observe_internal_errors", "traces"): 1,
        (DROPPED, "traces", "unreadable"): 1,
    }
    assert export.pipeline.shutdown()
    assert [message.partition("\n")[0] for message in caplog.messages] == [
        "error in traces; it is logged once",
        "a span is dropped: it could not be made ready; it is logged once",
    ]


def test_tail_sampling_stands_before_the_exporter() -> None:
    exporter = InMemorySpanExporter()
    tail = Traces(tail=Tail(sample=Ratio.parse("0%")))
    with exporting(exporter=exporter, traces=tail) as (export, _):
        export.pipeline.offer(ended("dropped", trace=1, parent=9))
        export.pipeline.offer(ended("held", trace=2, parent=9))
        export.pipeline.offer(ended("root", trace=1))
        assert export.pipeline.flush(10)
        assert exporter.get_finished_spans() == ()
        kept = ended("kept", trace=2)
        kept.keep = True
        export.pipeline.offer(kept)
        assert export.pipeline.flush(10)
        assert [span.name for span in exporter.get_finished_spans()] == ["held", "kept"]


def test_without_an_exporter_nothing_is_loaded() -> None:
    program = """
        import sys
        from autogpt_observe.runtime.traces.export import open_export
        sys.path.insert(0, sys.argv[1])
        from trace_spans import service_spec
        assert open_export(service_spec(), {}, None) is None
        heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "requests", "google.protobuf")
        print([name for name in heavy if name in sys.modules])
    """
    assert run(program).stdout == "[]\n"


AT_THE_END = """
    import atexit, os, sys
    sys.path.insert(0, sys.argv[1])
    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.traces.export import open_export
    from trace_spans import ended, service_spec

    incidents = Incidents(strict=False)
    export = open_export(service_spec(), os.environ, incidents)
    atexit.register(export.pipeline.shutdown)
    for number in range(1, 1301):
        export.pipeline.offer(ended(f"{number}", span=number))
"""


def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program, which has to end long before an exporter's own timeout of 10 seconds."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(Path(__file__).parent)],
        env={"NO_PROXY": "127.0.0.1", **variables},
        capture_output=True,
        text=True,
        timeout=8,
        check=True,
    )


@pytest.mark.parametrize("delay", [0.0, 0.15])
def test_a_process_that_ends_sends_everything(delay: float) -> None:
    with receive() as receiver:
        receiver.delay = delay
        done = run(AT_THE_END, **at(receiver))
        assert sorted(int(span.name) for span in receiver.spans) == [*range(1, 1301)]
    assert (done.stdout, done.stderr) == ("", "")


def test_a_process_ends_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run(AT_THE_END, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    assert done.stderr.splitlines()[0] == (
        f"traces can't be exported to http://127.0.0.1:{port}/v1/traces: no connection, or it was"
        " lost; it is logged again once it has worked meanwhile"
    )


def test_a_process_ends_where_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        port = silent.getsockname()[1]
        done = run(AT_THE_END, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    assert "spans are dropped: they were not exported when the process ended" in done.stderr


@contextmanager
def black_hole() -> Iterator[int]:
    """A port where nothing comes back: its queue is full, so that the system drops what comes."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            client = opened.enter_context(socket.socket())
            client.settimeout(0)
            client.connect_ex(server.getsockname())
        with pytest.raises(TimeoutError):
            socket.create_connection(server.getsockname(), timeout=0.2)
        yield server.getsockname()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems treat a full queue otherwise")
def test_a_process_ends_where_no_packet_comes_back() -> None:
    with black_hole() as port:
        done = run(AT_THE_END, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    assert "spans are dropped: they were not exported when the process ended" in done.stderr


@pytest.mark.parametrize("wait", ["1", "5", "3600"])
def test_a_process_ends_where_the_server_asks_for_patience(wait: str) -> None:
    with receive() as receiver:
        receiver.status, receiver.headers = [503], {"Retry-After": wait}
        done = run(AT_THE_END, **at(receiver))
        assert receiver.requests
    assert "spans are dropped: " in done.stderr


def test_a_process_ends_where_the_server_is_slow() -> None:
    with receive() as receiver:
        receiver.delay = 4.0
        done = run(AT_THE_END, **at(receiver))
    assert "spans are dropped: they were not exported when the process ended" in done.stderr
