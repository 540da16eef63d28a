"""The folder in which processes keep their values, and the names of the files there.

prometheus_client decides when it is imported whether values are kept in memory or in files of
this folder: ``{type}_{pid}.db``, and ``gauge_{mode}_{pid}.db``. The runtime's metrics write through
the same files, so that whoever reads the folder, this package or the library, sees all of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import values

from autogpt_observe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
VALUES = ".db"
EXEMPLARS = ".exemplars"
OWNER = ".owner"
READINGS = ".readings"
DEAD = "dead"
"""Stands for the process in the names of files that hold what several dead processes left."""


def shared_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where this process keeps its values; None if in its memory.

    Raises:
        UsageError: the folder is not there.
    """
    if not getattr(values.ValueClass, "_multiprocess", False):
        return None
    folder = Path(environ.get(VARIABLE) or "")
    if not environ.get(VARIABLE) or not folder.is_dir():
        raise UsageError(
            f"{VARIABLE}: got {str(environ.get(VARIABLE, ''))!r}, expected a folder that is there"
            " and empty when the service starts; make it before the first process starts"
        )
    return folder


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file of values holds.

    Attributes:
        type: the metric type.
        mode: of gauges, how the values of several processes become one; else empty.
    """

    type: str
    mode: str = ""

    @property
    def dies_with_process(self) -> bool:
        """Whether the values of a dead process are no longer shown."""
        return self.mode.startswith("live")

    @property
    def rule(self) -> str:
        """``sum``, ``min``, ``max``, ``mostrecent``, or ``all`` for a value per process."""
        return self.mode.removeprefix("live") if self.type == "gauge" else "sum"

    def file_name(self, process: str) -> str:
        """The name of a process's file."""
        return "_".join([part for part in (self.type, self.mode, process) if part]) + VALUES


def parse_file_name(name: str) -> tuple[Kind, str]:
    """Kind and process of a file of values, as the library reads its name."""
    first, *rest = name.removesuffix(VALUES).split("_")
    if first == "gauge" and len(rest) > 1:
        return Kind(first, rest[0]), rest[1]
    return Kind(first), rest[0] if rest else ""
