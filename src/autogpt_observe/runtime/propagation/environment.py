"""`environment()`: a trace goes on in a program that this one starts.

After https://opentelemetry.io/docs/specs/otel/context/env-carriers/: the headers' names in upper
case, TRACEPARENT, TRACESTATE and BAGGAGE, in a copy of the environment, read at the child's start.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.traces.context import SLOT, ids_of, span_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from opentelemetry.context.context import Context

_OTEL_PROPAGATORS = "OTEL_PROPAGATORS"
_USUAL = ("TRACEPARENT", "BAGGAGE")
_NOT_IN_NAMES = re.compile("[^A-Za-z0-9_]")


def environment(base: Mapping[str, str] | None = None, /) -> dict[str, str]:
    """The environment for a program to be started: it goes on with the current trace.

    `subprocess.run(command, env=obs.environment())`. It is a copy of ``base``, or else of this
    process's environment, with TRACEPARENT, TRACESTATE and BAGGAGE in the place of what it had of
    them. The program's `init` reads them, and so do other OpenTelemetry tools. Without `init` or a
    current span it is an unchanged copy.
    """
    copy = dict(os.environ if base is None else base)
    if ACTIVE.hub is None:
        return copy
    # loaded late: `init` loads this module, and has mostly no use for the propagators
    from autogpt_observe.runtime.propagation.formats import names, write  # noqa: PLC0415

    written = write(SLOT.get())
    if written:
        for name in names():
            copy.pop(variable(name), None)
        copy.update({variable(name): value for name, value in written.items()})
    return copy


def join_environment(environ: Mapping[str, str], undo: ExitStack) -> None:
    """Make the span that ``environ`` tells of the current one here, unless there is one."""
    outside = SLOT.get()
    is_told = any(map(environ.get, (*_USUAL, _OTEL_PROPAGATORS)))
    if not is_told or ids_of(span_in(outside)) is not None:
        return
    from autogpt_observe.runtime.propagation.formats import names, read  # noqa: PLC0415  # as above

    told = {name.lower(): environ.get(variable(name), "") for name in names()}
    inside = read({name: value for name, value in told.items() if value}, outside)
    if inside is not outside:
        SLOT.set(inside)
        undo.callback(_leave, inside, outside)


def _leave(inside: Context, outside: Context) -> None:
    if SLOT.get() is inside:  # else it is another task's or thread's context, or the host's by now
        SLOT.set(outside)


def variable(name: str) -> str:
    """The variable for the header ``name``, normalised as the specification says."""
    normal = _NOT_IN_NAMES.sub("_", name).upper()
    return f"_{normal}" if not normal or normal[0].isdigit() else normal
