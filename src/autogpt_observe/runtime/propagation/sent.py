"""Functions on their way to another process: what goes along is the trace and the agent's name.

A run is of the process that began it. In another one its steps and calls count to its agent, and
their spans are parts of its trace; its progress and its budget they don't touch.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from autogpt_observe.runtime.active import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context.context import Context

    from autogpt_observe.runtime.scopes import Scope

P = ParamSpec("P")
R = TypeVar("R")

Luggage = tuple[dict[str, str], str]
"""The headers of the trace, and the agent's name."""


class Sent:
    """A function that was sent to a pool of processes.

    Where nobody listens it is just called: a pool's process pays nothing for what it does not use.
    """

    __slots__ = ("_agent", "_function", "_headers")

    def __init__(
        self, function: Callable[..., object], headers: dict[str, str], agent: str
    ) -> None:
        self._function = function
        self._headers = headers
        self._agent = agent

    def __call__(self, /, *args: Any, **kwargs: Any) -> object:
        """Run the function."""
        if ACTIVE.hub is None and "opentelemetry.trace" not in sys.modules:
            return self._function(*args, **kwargs)
        return arrive(self._function, self._headers, self._agent)(*args, **kwargs)

    def __reduce__(self) -> tuple[type[Sent], tuple[object, ...]]:
        return Sent, (self._function, self._headers, self._agent)


def pack(scope: Scope | None, context: Context) -> Luggage:
    """What another process can be told of ``scope`` and ``context``."""
    from autogpt_observe.runtime.propagation.formats import write  # noqa: PLC0415  # as below

    return write(context), "" if scope is None else scope.agent


def arrive(function: Callable[P, R], headers: Mapping[str, str], agent: str) -> Callable[P, R]:
    """``function``, to run in this process as a part of what was going on in the other one."""
    # loaded late: unpickling a `Sent` alone loads nothing
    from opentelemetry.context.context import Context  # noqa: PLC0415

    from autogpt_observe.runtime.propagation.carried import Bound  # noqa: PLC0415
    from autogpt_observe.runtime.propagation.formats import read  # noqa: PLC0415
    from autogpt_observe.runtime.runs import RunScope  # noqa: PLC0415

    # a run that never begins here: it has a name, and neither a journey nor an end
    scope = RunScope(agent) if agent else None
    return Bound(function, scope, read(headers, Context()))
