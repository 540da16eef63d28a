"""What a program pays before its first line of work: to import this package and to call `init`."""

from __future__ import annotations

from processes import Program, find_python, open_programs
from rounds import measure
from tables import Headline, Table, format_time

IMPORTS = "import prometheus_client, opentelemetry.sdk.trace, structlog"
BY_HAND = """
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from prometheus_client import start_http_server
structlog.configure()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
start_http_server(0, addr="127.0.0.1")
"""
LOGFIRE = """
import logfire
logfire.configure(send_to_logfire=False, console=False)
"""
OPENINFERENCE = """
from openinference.instrumentation import TracerProvider
from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument(tracer_provider=TracerProvider())
"""
TRACELOOP = """
import os
os.environ["TRACELOOP_TELEMETRY"] = "false"
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from traceloop.sdk import Traceloop
Traceloop.init("bench", exporter=InMemorySpanExporter(), telemetry_enabled=False)
"""
FLOOR = "floor: `python -c pass`"
PEER = "bare imports of prometheus_client, the SDK, structlog"
OURS = "`obs.init()`, the default spec, /metrics served"
PROGRAMS = {
    FLOOR: "pass",
    PEER: IMPORTS,
    "the same set up by hand, /metrics served": BY_HAND,
    "`import autogpt_observe`": "import autogpt_observe",
    "`obs.init(serve=False)`": "import autogpt_observe as obs; obs.init(serve=False)",
    OURS: "import autogpt_observe as obs; obs.init(port=0)",
    "logfire: import, `configure`": LOGFIRE,
    "openinference: import, `instrument`": OPENINFERENCE,
    "traceloop: import, `init`": TRACELOOP,
}
NEEDS = {
    "logfire: import, `configure`": ("logfire",),
    "openinference: import, `instrument`": ("openinference.instrumentation.openai",),
    "traceloop: import, `init`": ("traceloop.sdk",),
}
MOST_ROUNDS = 5
"""Some of the peers take seconds."""
ABOUT = """\
User and system time of whole processes, start and end included, in an empty folder; byte code is
compiled before. What is beyond the floor is the package's."""


def tables(rounds: int) -> list[Table]:
    python = find_python()
    programs = [
        Program(name, (python, "-c", text), needs=NEEDS.get(name, ()))
        for name, text in PROGRAMS.items()
    ]
    ready, absent = open_programs(programs)
    figures = measure(ready, min(rounds, MOST_ROUNDS))
    floor = figures[FLOOR]
    headline = Headline(
        "import and init, CPU beyond a bare Python",
        "<= 150 ms",
        format_time(figures[OURS].over(floor)),
        f"bare imports {format_time(figures[PEER].over(floor))}",
    )
    table = Table(
        "Import and init", ABOUT, figures, PEER, base=FLOOR, absent=absent, headlines=(headline,)
    )
    return [table]
