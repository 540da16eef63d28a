"""Logs for one test: where lines go, and what stands in them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from autogpt_observe.names import Name
from autogpt_observe.runtime.logs.lines import LineBuilder, Origin
from autogpt_observe.runtime.logs.pipeline import read_log_settings, start_logs
from autogpt_observe.spec.model import Logging, LogLevel, LogOutput, Service, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autogpt_observe.names import LabelName
    from autogpt_observe.runtime.logs.pipeline import Logs
    from autogpt_observe.runtime.logs.places import Redactor
    from autogpt_observe.spec.model import Attribute

Line = dict[str, Any]

ALWAYS = {"@timestamp", "log.level", "message", "event.id", "ecs.version", "service.name"} | {
    "service.environment",
    "event.dataset",
    "process.pid",
}


def fail(place: str, error: Exception) -> None:
    raise AssertionError(place) from error


def builder(*, redactor: Redactor | None = None, **declared: str) -> LineBuilder:
    origin = Origin("crawler", "production", "crawler")
    return LineBuilder(origin, declared=declared, redactor=redactor, on_error=fail)


def parse(line: bytes) -> Line:
    """The one line that ``line`` is, read by a reader that refuses a key that comes twice."""
    assert line.endswith(b"\n")
    text = line.decode("utf-8")
    assert len(text.splitlines()) == 1
    found: Line = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), pairs
    return found


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def own(line: Line) -> Line:
    """What of a line is not in every line."""
    return {field: value for field, value in line.items() if field not in ALWAYS}


class LogRun:
    """Logs that go to a file."""

    def __init__(self, logs: Logs, path: Path) -> None:
        self.logs = logs
        self.path = path
        self.drops: list[tuple[str, int]] = []
        self.errors: list[tuple[str, str]] = []

    def lines(self) -> list[Line]:
        """What was written so far."""
        assert self.logs.flush(10)
        return read(self.path)


def read(path: Path) -> list[Line]:
    return [parse(line) for line in path.read_bytes().splitlines(keepends=True)]


def log_spec(logging: Logging | None, attributes: dict[LabelName, Attribute] | None = None) -> Spec:
    return Spec(
        version=1,
        service=Service(name=Name("crawler"), owner=Name("agents-team")),
        attributes=attributes or {},
        logging=logging,
    )


@contextmanager
def logging_to(
    path: Path,
    *,
    level: str = "debug",
    stdlib: str | None = None,
    attributes: dict[LabelName, Attribute] | None = None,
    redactor: Redactor | None = None,
) -> Iterator[LogRun]:
    """Logs to ``path``, until the block ends."""
    spec = log_spec(
        Logging(
            level=LogLevel(level),
            output=LogOutput(str(path)),
            stdlib=None if stdlib is None else LogLevel(stdlib),
        ),
        attributes,
    )
    drops: list[tuple[str, int]] = []
    errors: list[tuple[str, str]] = []
    logs = start_logs(
        spec,
        read_log_settings(spec, {}),
        redactor=redactor,
        on_drop=lambda reason, count: drops.append((reason, count)),
        on_error=lambda place, error: errors.append((place, repr(error))),
    )
    run = LogRun(logs, path)
    run.drops, run.errors = drops, errors
    try:
        yield run
    finally:
        logs.close()
