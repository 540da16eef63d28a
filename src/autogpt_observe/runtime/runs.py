"""Runs, their steps, and the tool calls in them."""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from autogpt_observe.runtime.events import LoopFound, Run, RunStarted, Step, ToolCall
from autogpt_observe.runtime.failures import Outcome, error_type
from autogpt_observe.runtime.fingerprints import fingerprint, number_of
from autogpt_observe.runtime.journey import Budget, Journey
from autogpt_observe.runtime.scopes import ABSENT, NO_AGENT, OK, Scope, result_of
from autogpt_observe.runtime.wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.events import Event
    from autogpt_observe.runtime.hub import Hub

P = ParamSpec("P")
R = TypeVar("R")

_new = tuple.__new__  # a NamedTuple's own `__new__` takes more than twice as long
_OWNERS = (("self",), ("cls",))
_UNREMARKABLE = (Outcome.SUCCESS, Outcome.CANCELLED)


class RunScope(Scope):
    """A run of an agent.

    Attributes:
        journey: what is known of its way; None before it has begun.
    """

    is_run = True
    given = ("name", "wrong", "budget")
    journey: Journey | None = None
    _outcome: Outcome | None = None

    def __init__(self, name: str, *, budget: Budget | None = None) -> None:
        super().__init__(name)
        self.budget = budget

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """As a decorator: each call of ``function`` is such a run."""
        self._check()
        name, budget = self.name, self.budget
        return wrap(function, lambda _, __: RunScope(name, budget=budget), decorator="@agent")

    @property
    def agent(self) -> str:
        """Its name."""
        return self.name

    def finish(self, outcome: str) -> None:
        """Say why the run ends, such as `max_steps`; the first reason stands.

        A word that is no outcome is dropped and counted; under test it is raised.
        """
        try:
            reason = Outcome(outcome)
        except ValueError:
            if self._hub is not None:
                known = ", ".join(f"`{each}`" for each in Outcome)
                message = f"run.finish: got {outcome!r:.80}, expected one of {known}"
                self._hub.reject("run.finish", "value", message)
            return
        if self._outcome is None:
            self._outcome = reason

    def pass_by(self, mark: int, now: float) -> None:
        """Something ended well in this run: progress here, and in the runs around it, if new."""
        run: RunScope | None = self
        while run is not None and run.journey is not None:
            run.journey.pass_by(mark, now)
            run = run.run

    def _enclose(self, hub: Hub) -> None:
        self.journey = Journey(self.name, self.budget, hub.clock())
        hub.journeys[id(self)] = self.journey

    def _announce(self, hub: Hub) -> None:
        hub.tell(RunStarted(self.name))

    def _halt(self, now: float) -> None:
        if self.journey is not None:
            self.journey.pause(now)

    def _go_on(self, now: float) -> None:
        if self.journey is not None:
            self.journey.resume(now)

    def _conclude(
        self,
        hub: Hub,
        outcome: Outcome,
        error: BaseException | None,  # noqa: ARG002  # other scopes use it
        now: float,  # noqa: ARG002  # as above
    ) -> Event:
        hub.journeys.pop(id(self), None)
        journey, outcome = self.journey, self._outcome or outcome
        # it ended badly, went in circles, or used more than its budget
        self.is_remarkable = outcome not in _UNREMARKABLE or (
            journey is not None and (journey.looped or (journey.budget_used or 0.0) > 1.0)
        )
        return Run(self.name, outcome.value, self._worked, self.trace)


class StepScope(Scope):
    """A step of a run."""

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """As a decorator: each call of ``function`` is such a step."""
        self._check()
        name = self.name
        return wrap(function, lambda _, __: StepScope(name), decorator="@step")

    def _conclude(
        self,
        hub: Hub,  # noqa: ARG002  # other scopes use it
        outcome: Outcome,
        error: BaseException | None,
        now: float,
    ) -> Event:
        run, agent = self.run, NO_AGENT
        if run is not None:
            agent, journey = run.name, run.journey
            if journey is not None:
                journey.steps += 1
                mark = hash((StepScope, self.name))
                if outcome is Outcome.SUCCESS and mark not in journey.passed:
                    run.pass_by(mark, now)
        result = OK if error is None else result_of(outcome, error)
        return _new(Step, (agent, self.name, result, self._worked, self.trace))


class Arguments(NamedTuple):
    """What a function was called with: by position, and by name.

    Attributes:
        parameters: those that may be given by position.
        owner: tells the object that a method was called on from others; 0 for none.
    """

    parameters: tuple[str, ...]
    positional: tuple[object, ...]
    named: tuple[tuple[str, object], ...]
    owner: int = 0

    def by_name(self) -> dict[str, object]:
        """All of them by name; those beyond the parameters by their position."""
        names = [*self.parameters, *map(str, range(len(self.parameters), len(self.positional)))]
        return {**dict(zip(names, self.positional, strict=False)), **dict(self.named)}


class ToolScope(Scope):
    """A call of a tool, with these arguments."""

    def __init__(self, name: str, arguments: object = ()) -> None:
        self.name = name
        self.arguments = arguments

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """As a decorator: each call of ``function`` is a call of the tool."""
        self._check()
        name, parameters = self.name, _parameters(function)

        def make(args: tuple[object, ...], kwargs: dict[str, object]) -> ToolScope:
            return ToolScope(name, Arguments(parameters, args, tuple(kwargs.items())))

        def make_of_method(args: tuple[object, ...], kwargs: dict[str, object]) -> ToolScope:
            owner = number_of(args[0]) if args else 0
            named = tuple(kwargs.items())
            return ToolScope(name, Arguments(parameters[1:], args[1:], named, owner))

        is_method = parameters[:1] in _OWNERS
        return wrap(function, make_of_method if is_method else make, decorator="@tool")

    def returns(self, value: object) -> None:
        """Say what the tool returned: the same call with the same result again is no progress."""
        self.returned = value

    def _conclude(
        self, hub: Hub, outcome: Outcome, error: BaseException | None, now: float
    ) -> Event:
        run, agent = self.run, NO_AGENT
        if run is not None:
            agent, journey = run.name, run.journey
            if journey is not None:
                given, answer = self.arguments, self.returned
                if error is None and answer is ABSENT and given == ():
                    mark = hash((ToolScope, self.name))
                elif error is None:
                    said = () if answer is ABSENT else (answer,)
                    mark = fingerprint((self.name, given, said))
                else:
                    mark = fingerprint((self.name, given, error_type(error)))
                pattern = journey.call_tool(mark)
                if pattern is not None:
                    hub.tell(LoopFound(agent, pattern))
                if outcome is Outcome.SUCCESS and mark not in journey.passed:
                    run.pass_by(mark, now)
        result = OK if error is None else result_of(outcome, error)
        return _new(ToolCall, (agent, self.name, result, self._worked, self.trace))


def _parameters(function: object) -> tuple[str, ...]:
    """The parameters that may be given by position; none where that can't be seen."""
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount] if isinstance(code, CodeType) else ()
