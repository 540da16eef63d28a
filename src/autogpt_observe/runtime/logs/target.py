"""What loggers report to: the process's one place that says whether, and where, lines go."""

from __future__ import annotations

import atexit
import sys
import threading
from typing import TYPE_CHECKING, Any

from autogpt_observe.runtime.forks import renew_after_fork
from autogpt_observe.runtime.logs.fields import ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.runtime.logs.lines import About, LineBuilder
    from autogpt_observe.runtime.logs.writer import Writer

CLOSE_WITHIN = 1.0
"""Seconds that the end of the process waits at the most for lines that are not written yet."""


class Target:
    """Takes log events, until it is closed; forked children go on with one of their own.

    Args:
        make: makes what builds lines and what writes them; called at the first event, since hosts
            that log nothing need not wait for the modules.
        level: the least level that is written.

    Attributes:
        level: the least level that is written.
        build: makes a line.
        put, put_urgent: take a line; what is urgent waits for no other line.
    """

    def __init__(self, make: Callable[[], tuple[LineBuilder, Writer]], *, level: int) -> None:
        self._make = make
        self._made: tuple[LineBuilder, Writer] | None = None
        self._making = threading.RLock()  # a signal handler may log while it is held
        self.level = level
        self.build: Callable[..., bytes] = self._build_first
        self.put: Callable[[bytes], None] = self._put_first
        self.put_urgent: Callable[[bytes], None] = self._put_first
        renew_after_fork(self)
        atexit.register(self.close)

    def log(
        self,
        level: int,
        message: str,
        fields: Mapping[str, object],
        logger: str,
        about: About | None,
    ) -> None:
        """Write an event, if its level is high enough. Returns at once, and never raises."""
        if level >= self.level:
            put = self.put if level < ERROR else self.put_urgent
            put(self.build(level, message, fields, logger, about))

    def flush(self, timeout: float = CLOSE_WITHIN) -> bool:
        """Wait until what was logged is written; whether it is."""
        return self._made is None or self._made[1].flush(timeout)

    def close(self, timeout: float = CLOSE_WITHIN) -> None:
        """Write what was logged, and take no more."""
        if CURRENT.target is self:
            CURRENT.target = None
        atexit.unregister(self.close)
        if self._made is not None:
            self._made[1].close(timeout)

    def renew_locks(self) -> None:
        """In a forked child: log on, as another process, with another thread."""
        self._making = threading.RLock()
        if self._made is not None:
            self._made[0].renew()
            self._made[1].renew()
        # A child of multiprocessing ends without `atexit`, and forgets what was to be done at its
        # end; what is registered here is done after that.
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(self, _close_at_end)

    def _build_first(self, *event: Any) -> bytes:
        return self._begin()[0].build(*event)

    def _put_first(self, line: bytes) -> None:
        self._begin()[1].put_urgent(line)

    def _begin(self) -> tuple[LineBuilder, Writer]:
        with self._making:
            if self._made is None:
                builder, writer = self._made = self._make()
                self.build = builder.build
                self.put, self.put_urgent = writer.put, writer.put_urgent
            return self._made


def _close_at_end(target: Target) -> None:
    from multiprocessing.util import Finalize  # noqa: PLC0415  # it is loaded in such a process

    Finalize(None, target.flush, exitpriority=0)


class Current:
    """The target that is set up; None while there is none."""

    __slots__ = ("target",)

    def __init__(self) -> None:
        self.target: Target | None = None


CURRENT = Current()
"""`start_logs` sets it; loggers look here at each call, so that they may be made before `init`."""
