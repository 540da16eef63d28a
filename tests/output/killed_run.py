"""Carries out runs that meet a mishap; reads the jobs as JSON, prints how each one ended.

A job has ``root``, ``files`` (left out: recover instead) and any of ``kill_at``, ``fail_at``,
``interrupt_at`` (the number of the step before which the process kills itself, fails, or gets a
Ctrl-C), ``largest`` (a limit on the size of files) and ``unprivileged`` (give up being root).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from bundles import artifacts

from autogpt_observe.errors import OutputError
from autogpt_observe.output.apply import apply_plan, recover
from autogpt_observe.output.plan import plan_bundle

NOBODY = 65534


class Mishap:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.count = -1

    def __call__(self, doing: str, /) -> None:
        self.count += 1
        if self.count == self.job.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.count == self.job.get("interrupt_at"):
            os.kill(os.getpid(), signal.SIGINT)
        if self.count == self.job.get("fail_at"):
            raise OutputError(f"planted before: {doing}")


def carry_out(job: dict[str, Any]) -> str:
    if "largest" in job:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["largest"], job["largest"]))
    if job.get("unprivileged") and os.geteuid() == 0:
        os.seteuid(NOBODY)
    root = Path(job["root"])
    try:
        if "files" not in job:
            return str(recover(root, step=Mishap(job)))
        apply_plan(plan_bundle(root, artifacts(job["files"])), step=Mishap(job))
    except OutputError as exc:
        return str(exc)
    except KeyboardInterrupt:
        return "interrupted"
    return "done"


def run(job: dict[str, Any]) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, carry_out(job).encode())
        finally:
            os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    return (
        f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else said
    )


if __name__ == "__main__":
    # a shell's background jobs start with Ctrl-C ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    json.dump([run(job) for job in json.load(sys.stdin)], sys.stdout)
