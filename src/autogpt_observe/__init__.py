"""Observability for LLM agents: one spec, the bundle it implies, and the runtime that feeds it."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "Budget",
    "ObserveError",
    "Observer",
    "SpecError",
    "UsageError",
    "__version__",
    "agent",
    "bind",
    "continue_trace",
    "current_call",
    "current_run",
    "environment",
    "flush",
    "init",
    "inject",
    "llm",
    "log",
    "metric",
    "shutdown",
    "step",
    "structlog_processor",
    "tool",
]

# Type checkers take the name for typing.TYPE_CHECKING; importing `typing` is most of the cost of
# this module, which every command and every decorated library pays.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from autogpt_observe.diagnostics import SpecError
    from autogpt_observe.errors import ObserveError, UsageError
    from autogpt_observe.runtime.boundaries import agent, current_call, current_run, llm, step, tool
    from autogpt_observe.runtime.handles import metric
    from autogpt_observe.runtime.journey import Budget
    from autogpt_observe.runtime.logs.logger import log
    from autogpt_observe.runtime.logs.processor import structlog_processor
    from autogpt_observe.runtime.observer import Observer, flush, init, shutdown
    from autogpt_observe.runtime.propagation.carried import bind
    from autogpt_observe.runtime.propagation.environment import environment
    from autogpt_observe.runtime.propagation.headers import continue_trace, inject

_HOMES = {
    "Budget": "autogpt_observe.runtime.journey",
    "ObserveError": "autogpt_observe.errors",
    "Observer": "autogpt_observe.runtime.observer",
    "SpecError": "autogpt_observe.diagnostics",
    "UsageError": "autogpt_observe.errors",
    "agent": "autogpt_observe.runtime.boundaries",
    "bind": "autogpt_observe.runtime.propagation.carried",
    "continue_trace": "autogpt_observe.runtime.propagation.headers",
    "current_call": "autogpt_observe.runtime.boundaries",
    "current_run": "autogpt_observe.runtime.boundaries",
    "environment": "autogpt_observe.runtime.propagation.environment",
    "flush": "autogpt_observe.runtime.observer",
    "init": "autogpt_observe.runtime.observer",
    "inject": "autogpt_observe.runtime.propagation.headers",
    "llm": "autogpt_observe.runtime.boundaries",
    "log": "autogpt_observe.runtime.logs.logger",
    "metric": "autogpt_observe.runtime.handles",
    "shutdown": "autogpt_observe.runtime.observer",
    "step": "autogpt_observe.runtime.boundaries",
    "structlog_processor": "autogpt_observe.runtime.logs.processor",
    "tool": "autogpt_observe.runtime.boundaries",
}
"""Where each public name is defined; its module is imported when the name is first used."""


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # nothing is loaded before it is used

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
