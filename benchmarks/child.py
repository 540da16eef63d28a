"""The measured end of a benchmark that needs a process of its own; only the standard library.

`python child.py MODULE FUNCTION` makes the subject that the function of `subjects/MODULE.py`
describes, and then does as many operations as each line of its input says. Each answer is a line of
JSON: the CPU time it took, of all threads, and what came out. The garbage collector runs as usual:
what a way leaves behind is its cost too.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable


class Subject(NamedTuple):
    """One way to do the work.

    Attributes:
        run: does so many operations.
        work: what came out of all operations since it was last asked; the same for the same number
            of operations, whatever the way. Sends what waits to be sent.
    """

    run: Callable[[int], None]
    work: Callable[[], dict[str, object]]


def _answer(to: TextIO, **answer: object) -> None:
    to.write(json.dumps(answer) + "\n")
    to.flush()


def _serve(subject: Subject, to: TextIO) -> None:
    gc.collect()
    gc.freeze()  # what was imported is not looked through in each collection
    for line in sys.stdin:
        count = int(line)
        gc.collect()
        start = time.process_time_ns()
        subject.run(count)
        work = subject.work()
        end = time.process_time_ns()
        _answer(to, nanoseconds=end - start, work=work)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us ends us, by closing our input
    module, function = sys.argv[1:]
    # Libraries that print something do not get in between.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as to:
        os.dup2(2, 1)
        try:
            make: Callable[[], Subject] = getattr(
                importlib.import_module(f"subjects.{module}"), function
            )
            subject = make()
        except ImportError as error:
            _answer(to, absent=str(error))
            return
        _answer(to, absent=None)
        _serve(subject, to)


if __name__ == "__main__":
    # The subjects import this module by its name; there is to be but one of it.
    sys.modules["child"] = sys.modules["__main__"]
    main()
    sys.stdout.flush()
    os._exit(0)  # what a library would still like to send at the end is of no interest
