"""Run a program that ends with its parent: ``python -IS launch.py PARENT_PID PROGRAM ARG...``.

Replaces itself by the program, so the process id is the program's. On Linux the kernel kills it
when the thread that started it ends, however that ends; elsewhere it is only run. A file of its
own, because code between fork and exec is unsafe once the parent has threads. Imports nothing of
the package: it runs without site-packages.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    """Ask to be killed with the parent, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes  # noqa: PLC0415 - a Python built without it still runs the program

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel knew
            sys.exit(f"the parent process {parent} has ended")
    try:
        os.execv(program, sys.argv[2:])  # noqa: S606 - no shell is wanted
    except OSError as exc:
        sys.exit(f"can't run {program}: {exc.strerror}")


if __name__ == "__main__":
    main()
