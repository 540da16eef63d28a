"""`agent`, `step`, `tool` and `llm`: decorators of functions, context managers of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, overload

from autogpt_observe.runtime.guards import OTHER
from autogpt_observe.runtime.journey import Budget
from autogpt_observe.runtime.llm import LLMScope
from autogpt_observe.runtime.numbers import parse_count, parse_number
from autogpt_observe.runtime.runs import RunScope, StepScope, ToolScope
from autogpt_observe.runtime.scopes import CURRENT, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


@overload
def agent(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def agent(name: str, /, *, budget: Budget | None = None) -> RunScope: ...
def agent(
    target: str | Callable[P, R], /, *, budget: Budget | None = None
) -> RunScope | Callable[P, R]:
    """Marks runs of an agent, as a decorator or as a block.

    `@agent`, `@agent("researcher")` or `with agent("researcher") as run:`.

    Decorates plain, async, generator and async generator functions. A run lasts from the call (of
    an async function or a generator: from its first step) to its end; a plain function that returns
    an awaitable ends when it returns. A run's duration is the work's: while a generator waits for
    its consumer, the clock stands, and what the consumer does is no part of the run. Without `init`
    the function runs as if it were not decorated.

    Raises:
        UsageError: the name is empty, or what is decorated is no function. Of a block, a bad name
            counts as `other`, and is raised under test only.
    """
    if not isinstance(target, str) and _is_function(target):
        return RunScope(_name_of(target))(target)
    checked = budget if isinstance(budget, Budget) else None
    scope = _named(RunScope(_text(target), budget=checked), target, "agent", "researcher")
    if scope.wrong is None:
        scope.wrong = _complaint_of(budget)
    return scope


@overload
def step(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def step(name: str, /) -> StepScope: ...
def step(target: str | Callable[P, R], /) -> StepScope | Callable[P, R]:
    """Marks steps of a run, as a decorator or as a block.

    `@step`, `@step("plan")` or `with step("plan"):`.

    Raises:
        UsageError: the name is empty, or what is decorated is no function. Of a block, a bad name
            counts as `other`, and is raised under test only.
    """
    if type(target) is str and target:  # in a hurry
        return StepScope(target)
    if not isinstance(target, str) and _is_function(target):
        return StepScope(_name_of(target))(target)
    return _named(StepScope(_text(target)), target, "step", "plan")


@overload
def tool(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def tool(name: str, /, *, arguments: object = ()) -> ToolScope: ...
def tool(target: str | Callable[P, R], /, *, arguments: object = ()) -> ToolScope | Callable[P, R]:
    """Marks tool calls, as a decorator or as a block.

    `@tool`, `@tool("web_search")` or `with tool("web_search") as call:`.

    A decorated function's arguments and result tell whether a run goes in circles; of a block they
    are ``arguments`` and what `call.returns(value)` is given. They are compared, never kept.

    Raises:
        UsageError: the name is empty, or what is decorated is no function. Of a block, a bad name
            counts as `other`, and is raised under test only.
    """
    if type(target) is str and target:  # in a hurry
        return ToolScope(target, arguments)
    if not isinstance(target, str) and _is_function(target):
        return ToolScope(_name_of(target))(target)
    return _named(ToolScope(_text(target), arguments), target, "tool", "web_search")


def llm(model: str, /, *, provider: str, window: int | None = None) -> LLMScope:
    """Marks calls of a model, as a decorator or as a block.

    `with llm("gpt-4o", provider="openai") as call:`.

    Say inside what only you know: `call.usage(input_tokens=..., output_tokens=..., usd=...)`,
    `call.attempt()` for each HTTP attempt, `call.fail(kind)`, `call.unparseable()`. ``window`` is
    the size of the model's context, in tokens.

    A decorated function finds its call as `obs.current_call()`.

    Raises:
        UsageError: as `agent` does.
    """
    whole = None if window is None else parse_count(window)
    scope = LLMScope(_text(model), provider=_text(provider), window=whole or None)
    _named(_named(scope, model, "llm", "gpt-4o"), provider, "llm", "openai")
    if scope.wrong is None and window is not None and not whole:
        scope.wrong = f"@llm: window: got {window!r:.80}, expected a number of tokens"
    return scope


def current_run() -> RunScope:
    """The run that this happens in; outside of every run, one that does nothing."""
    scope = CURRENT.get()
    if scope is None:
        return RunScope(OTHER)
    return scope if isinstance(scope, RunScope) else scope.run or RunScope(OTHER)


def current_call() -> LLMScope:
    """The model call that this happens in; outside of every one, one that does nothing."""
    scope = CURRENT.get()
    while scope is not None and not isinstance(scope, LLMScope):
        scope = scope.parent
    return LLMScope(OTHER, provider=OTHER) if scope is None else scope


def _name_of(function: object) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _is_function(target: object) -> bool:
    """Whether it is what decorators are given; some of it they refuse, and say how to mend it."""
    return callable(target) or isinstance(target, classmethod | staticmethod)


def _text(name: object) -> str:
    return str.__str__(name) if isinstance(name, str) and name else OTHER


S = TypeVar("S", bound=Scope)


def _named(scope: S, name: object, decorator: str, example: str) -> S:
    """``scope``, with what is wrong with its name: raised where it decorates, else counted."""
    if not isinstance(name, str) or not name:
        got = "an empty name" if name == "" else f"{name!r:.80}"
        scope.wrong = f'@{decorator}: got {got}, expected one such as @{decorator}("{example}")'
    return scope


def _complaint_of(budget: object) -> str | None:
    if budget is None:
        return None
    if not isinstance(budget, Budget):
        example = "obs.Budget(usd=2.0, steps=200)"
        return f"@agent: budget: got {budget!r:.80}, expected one such as {example}"
    for name in ("usd", "tokens", "steps"):
        limit = getattr(budget, name)
        if limit is not None and (isinstance(limit, str) or parse_number(limit) is None):
            return f"@agent: budget: {name}: got {limit!r:.80}, expected a number, not negative"
    return None
