"""`log`: a logger with the interface of structlog's bound loggers, bound late.

It is no wrapper of structlog's chain: that costs three times as much for each event, and structlog
takes 30 ms of CPU to import, which hosts that don't use it would pay. Hosts that do keep their
configuration, and what they bound with `structlog.contextvars` is in these lines, too.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from autogpt_observe.runtime.logs.calls import ABSENT, level_of, methods_for, report
from autogpt_observe.runtime.logs.fields import CRITICAL, DEBUG, ERROR, INFO, WARNING
from autogpt_observe.runtime.logs.target import CURRENT

_NEVER = 100


class Logger:
    """Writes log events as lines of JSON, once `init` was called; before, it drops them.

    Its methods are those of structlog's `FilteringBoundLogger`: `info(event, *args, **fields)` and
    so on; `exc_info` and `stack_info` mean what they mean there. None of them waits, or raises,
    whatever is logged; so the asynchronous ones, such as `ainfo`, do not wait either.
    """

    __slots__ = ("_context",)

    debug, adebug = methods_for(DEBUG)
    info, ainfo = methods_for(INFO)
    warning, awarning = methods_for(WARNING)
    error, aerror = methods_for(ERROR)
    critical, acritical = methods_for(CRITICAL)
    exception, aexception = methods_for(ERROR, exc_info=True)
    msg, amsg = info, ainfo
    warn, awarn = warning, awarning
    err = error
    fatal, afatal = critical, acritical

    def __init__(self, context: dict[str, object] | None = None) -> None:
        self._context = {} if context is None else context

    def bind(self, /, **new_values: object) -> Logger:
        """A logger whose events have these fields as well."""
        return Logger({**self._context, **new_values})

    def unbind(self, /, *keys: str) -> Logger:
        """A logger without these fields.

        Raises:
            KeyError: there is no such field.
        """
        context = self._context.copy()
        for key in keys:
            del context[key]
        return Logger(context)

    def try_unbind(self, /, *keys: str) -> Logger:
        """A logger without these fields, if it has them."""
        return Logger({key: each for key, each in self._context.items() if key not in keys})

    def new(self, /, **new_values: object) -> Logger:
        """A logger whose events have these fields alone."""
        return Logger(new_values)

    def log(self, level: int | str, event: Any = ABSENT, *args: Any, **fields: Any) -> None:
        """Log an event at a level, which is a number of Python's logging or a name.

        As with structlog, no field can be called `level` or `event` here.
        """
        with suppress(Exception):  # no room is left on the stack, or the level is a hostile object
            target, number = CURRENT.target, level_of(level)
            if target is not None and number >= target.level:
                frame = sys._getframe(1)  # noqa: SLF001  # documented, and what `logging` uses
                report(target, number, (event, *args), {**self._context, **fields}, frame)

    async def alog(self, level: int | str, event: Any = ABSENT, *args: Any, **fields: Any) -> None:
        """As `log`."""
        target, number = CURRENT.target, level_of(level)
        if target is not None and number >= target.level:
            frame = sys._getframe(1)  # noqa: SLF001  # as above
            report(target, number, (event, *args), {**self._context, **fields}, frame)

    def get_effective_level(self) -> int:
        """The least level that is written; above every level while nothing is."""
        target = CURRENT.target
        return _NEVER if target is None else target.level

    def is_enabled_for(self, level: int) -> bool:
        """Whether events of this level are written."""
        return level >= self.get_effective_level()

    def __repr__(self) -> str:
        return f"<obs.log({', '.join(self._context)})>"


log = Logger()
"""The logger; `log.bind` makes others."""
