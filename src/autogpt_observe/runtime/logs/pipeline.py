"""Puts the logs together from a spec, and takes them apart again.

What builds and writes lines is loaded with the first of them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.names import SETTING_PREFIX
from autogpt_observe.runtime.logs.fields import LEVELS
from autogpt_observe.runtime.logs.target import CLOSE_WITHIN, CURRENT, Target
from autogpt_observe.spec.model import Logging, LogOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.runtime.events import OnError, Sink
    from autogpt_observe.runtime.logs.lines import LineBuilder
    from autogpt_observe.runtime.logs.places import Redactor
    from autogpt_observe.runtime.logs.writer import Output, Writer
    from autogpt_observe.spec.model import Spec

LOG_LEVEL = f"{SETTING_PREFIX}LOG_LEVEL"
LOG_OUTPUT = f"{SETTING_PREFIX}LOG_OUTPUT"
_LEAST_SIZE = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged, and where to.

    Attributes:
        level: the least level that is written.
        output: where lines go.
        logging: what else the spec says; None where it says nothing, and only `obs.log` is written.
    """

    level: int
    output: LogOutput
    logging: Logging | None


def read_log_settings(spec: Spec, environ: Mapping[str, str]) -> LogSettings:
    """The spec's `logging`, over which the environment wins; an empty variable counts as unset.

    Raises:
        UsageError: a variable does not have the form it must have.
    """
    logging = Logging() if spec.logging is None else spec.logging
    level = environ.get(LOG_LEVEL, "").lower() or logging.level.value
    if level not in LEVELS:
        words = ", ".join(f"`{name}`" for name in LEVELS)
        raise UsageError(f"{LOG_LEVEL}: got {level!r:.80}, expected one of {words}")
    return LogSettings(
        level=LEVELS[level], output=_read_output(logging, environ), logging=spec.logging
    )


def _read_output(logging: Logging, environ: Mapping[str, str]) -> LogOutput:
    text = environ.get(LOG_OUTPUT, "")
    if not text:
        return logging.output
    try:
        return LogOutput.parse(text)
    except ValueError as error:
        hint = f"; {error}" if str(error) else ""
        message = f"{LOG_OUTPUT}: got {text!r:.80}, expected {LogOutput.EXPECTED}{hint}"
        raise UsageError(message) from None


class Logs:
    """The logs of an observer.

    Attributes:
        sink: logs what the hub tells of; None where that is switched off.
    """

    def __init__(self, target: Target, sink: Sink | None, undo: ExitStack) -> None:
        self._target = target
        self._undo = undo
        self.sink = sink

    def flush(self, timeout: float = CLOSE_WITHIN) -> bool:
        """Wait until what was logged is written; whether it is."""
        return self._target.flush(timeout)

    def close(self, timeout: float = CLOSE_WITHIN) -> None:
        """Write what was logged, for so many seconds at the most, and take no more."""
        self._undo.close()
        self._target.close(timeout)


def start_logs(  # noqa: PLR0913  # each is one thing that logs need
    spec: Spec,
    settings: LogSettings,
    *,
    redactor: Redactor | None,
    on_drop: Callable[[str, int], None],
    on_error: OnError,
    writer: Writer | None = None,
) -> Logs:
    """Start to log: from now on loggers are heard. No thread starts, no file opens before a line.

    Args:
        spec: whose service logs.
        settings: what, and where to.
        redactor: takes secrets out of all that is logged; None takes nothing out.
        on_drop: told why and how many lines were dropped.
        on_error: told of the failures that are kept from the host.
        writer: takes the lines; default: one that writes them where ``settings`` say.
    """

    def make() -> tuple[LineBuilder, Writer]:
        return _make_builder(spec, settings, redactor, on_error), writer or _make_writer(
            settings, on_drop, on_error
        )

    logging = settings.logging
    target = Target(make, level=settings.level)
    undo = ExitStack()
    sink: Sink | None = None
    if logging is not None and logging.events:
        from autogpt_observe.runtime.sinks.logs import LogsSink  # noqa: PLC0415  # as said

        sink = LogsSink(target)
    if logging is not None and logging.stdlib is not None:
        from autogpt_observe.runtime.logs.stdlib import Bridge  # noqa: PLC0415  # as said

        bridge = Bridge(target, level=LEVELS[logging.stdlib.value], on_error=on_error)
        undo.callback(bridge.remove)
        bridge.install()
    if CURRENT.target is not None:  # a parent's, which a forked child went on with
        CURRENT.target.close()
    CURRENT.target = target
    return Logs(target, sink, undo)


def _make_builder(
    spec: Spec, settings: LogSettings, redactor: Redactor | None, on_error: OnError
) -> LineBuilder:
    from autogpt_observe.runtime.logs.lines import LineBuilder, Origin  # noqa: PLC0415  # as said

    service = spec.service
    dataset = None if settings.logging is None else settings.logging.dataset
    return LineBuilder(
        Origin(service.name, service.environment, dataset or service.name),
        declared={name: each.log for name, each in spec.attributes.items() if each.log},
        redactor=redactor,
        apart=spec.redaction is not None and bool(spec.redaction.patterns),
        on_error=on_error,
    )


def _make_writer(
    settings: LogSettings, on_drop: Callable[[str, int], None], on_error: OnError
) -> Writer:
    from autogpt_observe.runtime.logs.writer import Writer  # noqa: PLC0415  # as said

    return Writer(_output(settings, on_error), on_drop=on_drop, on_error=on_error)


def _output(settings: LogSettings, on_error: OnError) -> Output:
    match settings.output.text:
        case "stderr" | "stdout" as name:
            from autogpt_observe.runtime.logs.streams import Stream  # noqa: PLC0415  # as said

            return Stream(name)
        case path:
            from autogpt_observe.runtime.logs.files import LogFile  # noqa: PLC0415  # as said

            logging = settings.logging or Logging()
            return LogFile(
                Path.cwd() / path,  # the host may change its folder later
                max_size=max(_LEAST_SIZE, int(logging.max_size.value)),
                max_files=logging.max_files,
                on_error=on_error,
            )
