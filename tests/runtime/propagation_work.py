"""What the tests of propagation run in other threads, processes and programs."""

from __future__ import annotations

from typing import NamedTuple

from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

import autogpt_observe as obs
from autogpt_observe.runtime.scopes import CURRENT


class Place(NamedTuple):
    """Where some code ran: in which scope, trace and span; empty where there was none."""

    scope: str
    agent: str
    trace: str
    span: str


NOWHERE = Place("", "", "", "")


def here() -> Place:
    scope = CURRENT.get()
    ids = get_current_span().get_span_context()
    trace, span = format_trace_id(ids.trace_id), format_span_id(ids.span_id)
    return Place(
        "" if scope is None else scope.name,
        "" if scope is None else scope.agent,
        trace if ids.is_valid else "",
        span if ids.is_valid else "",
    )


def here_for(_: object) -> Place:
    return here()


def there() -> tuple[Place, Place]:
    """Where a step ran that this process began, and where it was begun."""
    with obs.step("there"):
        inside = here()
    return inside, here()


def observe() -> None:
    """Starts a process of a pool."""
    obs.init(serve=False)


def observe_and_be_there() -> tuple[Place, Place]:
    obs.init(serve=False)
    return there()


def fail() -> None:
    raise LookupError("nothing found")
