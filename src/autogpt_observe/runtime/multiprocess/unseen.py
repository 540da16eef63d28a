"""Says, once, that forked children count what nobody will see."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from autogpt_observe.runtime.incidents import LOG

if TYPE_CHECKING:
    from autogpt_observe.runtime.events import Event


class Unseen:
    """A sink for the children of a process that serves its metrics from its own memory."""

    def __init__(self) -> None:
        self._told = mmap.mmap(-1, 1)  # all the children have it in common

    def take(self, _: Event, /) -> None:
        """Warn, unless a process of the family has."""
        if not self._told[0]:
            self._told[0] = 1
            LOG.warning(
                "this process was forked from the one that serves /metrics, and what it counts is"
                " shown nowhere; set PROMETHEUS_MULTIPROC_DIR to an empty folder before the first"
                " process starts, or call obs.init in each process; it is logged once for all"
            )
