"""Reads what the system knows of processes: from /proc on Linux, through psutil elsewhere."""

from __future__ import annotations

import os

from autogpt_observe.runtime.processes.table import GoneError, ProcessTable, Snapshot

__all__ = ["GoneError", "ProcessTable", "Snapshot", "process_table"]


def process_table() -> ProcessTable:
    """The table of this system.

    What it needs is loaded here and not at a reading: an import in one thread while another one
    forks would leave the child a lock that never opens.
    """
    if os.uname().sysname == "Linux":
        from autogpt_observe.runtime.processes.procfs import Procfs  # noqa: PLC0415  # one of both

        return Procfs()
    from autogpt_observe.runtime.processes.portable import PsutilTable  # noqa: PLC0415  # 30 ms

    return PsutilTable()
