"""What a log event costs the thread that logs it: `obs.log` beside what one writes by hand.

Six fields, the ids of the current span, an id of its own, to a file. Before anything is measured,
all ways write the same line, but for its time and its id. The ways by hand take no secrets out and
wait for the disk; `obs.log` does the first, and leaves the second to a thread of its own, whose CPU
is in the column for the whole process. Lines that were dropped end the run.

A burst shares work that lines which come one by one do not share, from the caches of the processor
to the text of the millisecond. So both are measured: a burst, and a line every millisecond.
"""

from __future__ import annotations

import json
import logging
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext
from rounds import Figure, measure
from tables import Headline, Table, format_time, format_times

from autogpt_observe.names import Name
from autogpt_observe.runtime.logs.logger import log
from autogpt_observe.runtime.logs.pipeline import read_log_settings, start_logs
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.spec.model import Logging, LogOutput, Service, Spec
from autogpt_observe.units import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict

PEER = "structlog + orjson"
ORIGIN = {
    "ecs.version": "8.11.0",
    "service.name": "crawler",
    "service.environment": "production",
    "event.dataset": "crawler",
}
FIELDS: dict[str, Any] = {
    "tokens": 1532,
    "seconds": 0.25,
    "attempt": 3,
    "step": "fetch",
    "url": "https://example.com/docs/page",
    "model": "gpt-4o",
}
VARYING = ("@timestamp", "event.id", "log.logger", "process.pid")
_bits = random.Random().getrandbits  # noqa: S311  # ids are no secrets


def complain(place: str, error: object) -> None:
    raise SystemExit(f"{place}: {error!r}")


def event_id() -> str:
    """A UUID of version 7, as one writes it down."""
    digits = f"{time.time_ns() // 10**6:012x}7{_bits(12):03x}{_bits(62) | 1 << 63:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def ecs(event: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """What a line needs beyond its time, level and message."""
    span = trace.get_current_span().get_span_context()
    event["event.id"] = event_id()
    event["trace.id"] = f"{span.trace_id:032x}"
    event["span.id"] = f"{span.span_id:016x}"
    event["labels"] = {key: each for key, each in fields.items() if isinstance(each, str)}
    event["numeric_labels"] = {
        key: each for key, each in fields.items() if isinstance(each, int | float)
    }
    event.update(ORIGIN)
    return event


class Way:
    """One way: host-thread CPU per line; the CPU of the whole process is kept beside it.

    Attributes:
        lines: how many lines are logged at a time.
        apart: whether a millisecond goes by between two lines.
    """

    def __init__(
        self, name: str, path: Path, write: Callable[[], object], finish: Callable[[], object]
    ) -> None:
        self.name = name
        self.path = path
        self.write = write
        self.finish = finish
        self.lines = 0
        self.apart = False
        self.whole: list[float] = []

    def cost(self) -> float:
        """Log; nanoseconds per line."""
        if self.apart:
            return cost_apart(self.write, self.lines)
        write = self.write
        whole = time.process_time_ns()
        start = time.thread_time_ns()
        for _ in range(self.lines):
            write()
        end = time.thread_time_ns()
        self.finish()
        self.whole.append((time.process_time_ns() - whole) / self.lines)
        return (end - start) / self.lines


def cost_apart(write: Callable[[], object], lines: int) -> float:
    """What a line costs that comes alone, in nanoseconds; what it takes to look is taken off."""
    clock = time.thread_time_ns
    costs, looks = [], []
    for number in range(lines):
        until = time.perf_counter_ns() + 10**6
        while time.perf_counter_ns() < until:  # as a host at work, not one that sleeps
            number += 1  # noqa: PLW2901
        start = clock()
        write()
        end = clock()
        costs.append(end - start)
        looks.append(clock() - end)
    return statistics.median(costs) - statistics.median(looks)


def by_structlog(folder: Path, undo: ExitStack) -> Way:
    def to_ecs(_logger: object, method: str, event: EventDict) -> EventDict:
        record = {
            "@timestamp": event.pop("@timestamp"),
            "log.level": method,
            "message": event.pop("event"),
        }
        return ecs(record, dict(event))

    path = folder / "structlog"
    file = undo.enter_context(path.open("wb"))
    logger = structlog.wrap_logger(
        structlog.BytesLogger(file),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", key="@timestamp"),
            to_ecs,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    ).bind()
    return Way(PEER, path, lambda: logger.info("step_done", **FIELDS), file.flush)


def by_logging(folder: Path, undo: ExitStack) -> Way:
    class Ecs(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            when = datetime.fromtimestamp(record.created, UTC)
            line = {
                "@timestamp": when.isoformat(timespec="milliseconds"),
                "log.level": record.levelname.lower(),
                "message": record.getMessage(),
            }
            return json.dumps(ecs(line, vars(record)["fields"]))

    path = folder / "logging"
    handler = logging.FileHandler(path)
    handler.setFormatter(Ecs())
    logger = logging.getLogger("benchmark")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel("INFO")
    undo.callback(handler.close)
    extra = {"fields": FIELDS}
    return Way("logging + json", path, lambda: logger.info("step_done", extra=extra), handler.flush)


def by_floor(folder: Path, undo: ExitStack) -> Way:
    path = folder / "floor"
    file = undo.enter_context(path.open("wb"))
    record = {"@timestamp": "", "log.level": "info", "message": "step_done"}
    record = ecs(record, FIELDS)
    line_feed = orjson.OPT_APPEND_NEWLINE
    return Way(
        "floor: orjson and buffered write",
        path,
        lambda: file.write(orjson.dumps(record, option=line_feed)),
        file.flush,
    )


class Ours(Way):
    """`obs.log`, of which there is one in a process: it is set up anew for each measurement."""

    def __init__(self, name: str, folder: Path, *, redacts: bool) -> None:
        path = folder / ("redacted" if redacts else "plain")
        super().__init__(name, path, lambda: log.info("step_done", **FIELDS), lambda: None)
        self._redactor = build_redactor(None) if redacts else None
        logging_ = Logging(output=LogOutput(str(path)), max_size=Quantity.parse("100Gi"))
        service = Service(name=Name("crawler"), owner=Name("agents-team"))
        self._spec = Spec(version=1, service=service, logging=logging_)

    def cost(self) -> float:
        """As `Way.cost`."""
        logs = start_logs(
            self._spec,
            read_log_settings(self._spec, {}),
            redactor=self._redactor,
            on_drop=complain,
            on_error=complain,
        )
        self.finish = lambda: logs.flush(60)
        log.info("step_done", **FIELDS)  # the thread starts, the file opens
        logs.flush(60)
        try:
            return super().cost()
        finally:
            logs.close(60)


def compare(ways: list[Way]) -> None:
    """All ways write the same line, but for what differs from line to line."""
    shown = {}
    for way in ways:
        way.lines = 1
        way.cost()
        way.whole.clear()
        line = json.loads(way.path.read_bytes().splitlines()[-1])
        shown[way.name] = {key: each for key, each in line.items() if key not in VARYING}
    if any(each != shown[PEER] for each in shown.values()):
        raise SystemExit(f"the lines differ: {shown}")


LINES, APART = 10_000, 200
OURS = "obs.log, redaction on"
ABOUT = """\
A log event with six fields, the ids of the current span, an id of its own, to a file. Before, all
ways write the same line, but for its time and its id; a line that is dropped ends the run. The ways
by hand take no secrets out. CPU time of the thread that logs; `obs.log` leaves the disk to a thread
of its own, which the table of the whole process has in it, until the last line is written. Lines of
a burst share work that lines which come one by one do not."""


def tables(rounds: int) -> list[Table]:
    span = NonRecordingSpan(SpanContext(_bits(128), _bits(64), is_remote=False))
    token = context.attach(trace.set_span_in_context(span))
    with tempfile.TemporaryDirectory() as name, ExitStack() as undo:
        undo.callback(context.detach, token)
        folder = Path(name)
        ways = [
            by_structlog(folder, undo),
            by_logging(folder, undo),
            Ours(OURS, folder, redacts=True),
            Ours("obs.log, redaction off", folder, redacts=False),
            by_floor(folder, undo),
        ]
        compare(ways)
        for way in ways:
            way.lines = LINES
        burst = measure(ways, rounds)
        whole = {way.name: Figure(tuple(way.whole[1:])) for way in ways}
        for way in ways:
            way.lines, way.apart = APART, True
        apart = measure(ways, rounds)
    return [
        Table("Log event, in a burst", ABOUT, burst, PEER, headlines=(_headline(burst),)),
        Table("Log event, in a burst, the whole process", ABOUT, whole, PEER),
        Table("Log event, one every millisecond", ABOUT, apart, PEER),
    ]


def _headline(figures: dict[str, Figure]) -> Headline:
    ours, peer = figures[OURS], figures[PEER]
    return Headline(
        "log event to a file: 6 fields, trace ids, redaction on",
        "<= 4 us",
        f"{format_time(ours.median)}, {format_times(ours.times(peer))} faster",
        f"{PEER}, no redaction {format_time(peer.median)}",
    )
