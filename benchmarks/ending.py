"""How long a program takes to end while the backend of its spans is down.

Two kinds of down: nothing listens, so that connections are refused; and somebody listens and never
answers. The programs that wait for long wait at the same time, for they do nothing else.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from processes import find_python
from rounds import Figure
from tables import Headline, Table, format_time

SPANS = 1000
END = """
import time
print(time.monotonic(), flush=True)
"""
OURS_TEXT = f"""
import logging
logging.disable()
import autogpt_observe as obs
obs.init(serve=False)
with obs.agent("researcher"):
    for _ in range({SPANS}):
        with obs.step("plan"):
            pass
"""
BY_HAND = f"""
import logging
logging.disable()
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("bench")
with tracer.start_as_current_span("run"):
    for _ in range({SPANS}):
        with tracer.start_as_current_span("plan"):
            pass
"""
LOGFIRE = f"""
import logging
logging.disable()
import logfire
logfire.configure(send_to_logfire=False, console=False)
with logfire.span("run"):
    for _ in range({SPANS}):
        with logfire.span("plan"):
            pass
"""
OURS, HAND, LOGFIRE_NAME = "this package", "by hand: the SDK, OTLP over HTTP", "logfire"
FLOOR = "floor: a program without spans"
SLOW = {HAND: BY_HAND, LOGFIRE_NAME: LOGFIRE}
QUICK = {OURS: OURS_TEXT, FLOOR: ""}
PATIENCE = 120.0
ABOUT = f"""\
Time that passes from the end of the work, {SPANS:,} spans in one run, to the end of the process. Of
one run each: some wait for ten seconds and more."""


@dataclass(frozen=True)
class Ending:
    """What one program does at its end while its backend is down."""

    name: str
    text: str
    port: int

    def start(self) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "NO_PROXY": "127.0.0.1",
        }
        return subprocess.Popen(
            (find_python(), "-c", self.text + END),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, program: subprocess.Popen[str]) -> float:
        """Nanoseconds from the end of its work to its own."""
        output, errors = program.communicate(timeout=PATIENCE)
        end = time.monotonic()
        if program.returncode != 0:
            raise SystemExit(f"{self.name} exited {program.returncode}:\n{errors}")
        return 1e9 * (end - float(output.split()[-1]))


def finish_all(endings: list[Ending]) -> list[float]:
    """What all of them take, at the same time."""
    programs: list[subprocess.Popen[str]] = []
    with ThreadPoolExecutor(len(endings)) as pool:
        try:
            programs += (each.start() for each in endings)
            return list(pool.map(Ending.finish, endings, programs))
        finally:
            for program in programs:
                program.kill()  # those that an interrupt left, so that the pool can end


def tables(_: int) -> list[Table]:
    with socket.socket() as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        closed.bind(("127.0.0.1", 0))  # nobody else takes it, and it refuses nevertheless
        ports = {
            "Exit, connections refused": closed.getsockname()[1],
            "Exit, no answer": silent.getsockname()[1],
        }
        present = {name: text for name, text in SLOW.items() if _is_present(name)}
        slow = [
            Ending(name, text, port) for port in ports.values() for name, text in present.items()
        ]
        quick = [
            Ending(name, text, port) for port in ports.values() for name, text in QUICK.items()
        ]
        costs = [cost for each in quick for cost in finish_all([each])] + finish_all(slow)
    taken = {(each.port, each.name): cost for each, cost in zip(quick + slow, costs, strict=True)}
    return [_table(title, port, taken) for title, port in ports.items()]


def _is_present(name: str) -> bool:
    if name != LOGFIRE_NAME:
        return True
    command = (find_python(), "-c", "import logfire")
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _table(title: str, port: int, taken: dict[tuple[int, str], float]) -> Table:
    names = (HAND, OURS, LOGFIRE_NAME, FLOOR)
    figures = {name: Figure((taken[port, name],)) for name in names if (port, name) in taken}
    absent = {name: "not installed" for name in names if name not in figures}
    headline = Headline(
        title,
        "<= 2 s",
        format_time(figures[OURS].median),
        f"by hand {format_time(figures[HAND].median)}",
    )
    return Table(title, ABOUT, figures, HAND, absent=absent, headlines=(headline,))
