"""What the runtime has around it: the one place where a test puts something else there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.runtime.events import Sink
    from autogpt_observe.runtime.logs.writer import Writer
    from autogpt_observe.runtime.traces.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the parts of the runtime take from the world, and whom they tell besides.

    Attributes:
        environ: the environment variables.
        clock: seconds that only go forward, by which work is timed.
        sinks: who is told of events, after the metrics.
        provider: makes spans and keeps them; None for one that exports them, as the variables say.
        writer: takes log lines; None for one that writes them, as the spec says.
    """

    environ: Mapping[str, str]
    clock: Callable[[], float] = perf_counter
    sinks: tuple[Sink, ...] = ()
    provider: Provider | None = None
    writer: Writer | None = None


REAL = Surroundings(environ=os.environ)
"""The process's own."""
