"""`agent`, `step`, `tool` and `llm`: decorators of functions, context managers of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, overload

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.llm import LLMScope
from autogpt_observe.runtime.runs import RunScope, StepScope, ToolScope

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.journey import Budget

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
        UsageError: the name is empty, or what is decorated is no function.
    """
    if not isinstance(target, str):
        return RunScope(_name_of(target))(target)
    return RunScope(_checked(target, "agent", "researcher"), budget=budget)


@overload
def step(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def step(name: str, /) -> StepScope: ...
def step(target: str | Callable[P, R], /) -> StepScope | Callable[P, R]:
    """Marks steps of a run, as a decorator or as a block.

    `@step`, `@step("plan")` or `with step("plan"):`.

    Raises:
        UsageError: the name is empty, or what is decorated is no function.
    """
    if type(target) is str and target:  # in a hurry
        return StepScope(target)
    if not isinstance(target, str):
        return StepScope(_name_of(target))(target)
    return StepScope(_checked(target, "step", "plan"))


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
        UsageError: the name is empty, or what is decorated is no function.
    """
    if type(target) is str and target:  # in a hurry
        return ToolScope(target, arguments)
    if not isinstance(target, str):
        return ToolScope(_name_of(target))(target)
    return ToolScope(_checked(target, "tool", "web_search"), arguments)


def llm(model: str, /, *, provider: str, window: int | None = None) -> LLMScope:
    """Marks calls of a model, as a decorator or as a block.

    `with llm("gpt-4o", provider="openai") as call:`.

    Say inside what only you know: `call.usage(input_tokens=..., output_tokens=..., usd=...)`,
    `call.attempt()` for each HTTP attempt, `call.fail(kind)`, `call.unparseable()`. ``window`` is
    the size of the model's context, in tokens.

    Raises:
        UsageError: the model's or the provider's name is empty.
    """
    _checked(provider, "llm", "openai")
    return LLMScope(_checked(model, "llm", "gpt-4o"), provider=provider, window=window)


def _name_of(function: object) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _checked(name: object, decorator: str, example: str) -> str:
    if not isinstance(name, str) or not name:
        got = "an empty name" if name == "" else f"{name!r:.80}"
        raise UsageError(f'@{decorator}: got {got}, expected one such as @{decorator}("{example}")')
    return name
