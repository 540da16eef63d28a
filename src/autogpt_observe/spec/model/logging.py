"""What the runtime logs, and where to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from autogpt_observe.spec.keys import key, part
from autogpt_observe.units import Quantity

_PATH = re.compile(r"[^\x00-\x1f\x7f]*/[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f/]")
MEBIBYTE = 2**20


class LogLevel(StrEnum):
    """How much an event matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class LogOutput:
    """Where log lines go: a stream of the process, or a file."""

    EXPECTED: ClassVar[str] = "`stderr`, `stdout`, or the path of a file with a `/` in it"

    text: str

    @classmethod
    def parse(cls, text: str) -> LogOutput:
        """Read an output; raises ValueError for a word that is no path."""
        if text not in ("stderr", "stdout") and _PATH.fullmatch(text) is None:
            raise ValueError(f"write `./{text}` for a file here" if text.isidentifier() else "")
        return cls(text)

    def __str__(self) -> str:
        return self.text


@part
class Logging:
    """What the runtime logs: one line of JSON in the Elastic Common Schema for each event."""

    level: LogLevel = key("Least level that is written", default=LogLevel.INFO)
    output: LogOutput = key(
        "Where lines go: `stderr`, `stdout` or the path of a file, such as `./logs/crawler.jsonl`",
        default=LogOutput("stderr"),
    )
    max_size: Quantity = key(
        "Size at which a file is set aside as `FILE.1` and another one begun",
        default=Quantity.parse("100Mi"),
    )
    max_files: int = key("Files that are kept set aside", default=5, bounds=(1, 1_000))
    events: bool = key(
        "Whether runs, steps, tool calls, model calls and their failures are logged", default=True
    )
    stdlib: LogLevel | None = key(
        "Least level from which records of Python's `logging` are written as well; they reach the"
        " service's own handlers as before",
        default=None,
    )
    dataset: str | None = key(
        "Value of `event.dataset`; the service's name unless given", default=None
    )
