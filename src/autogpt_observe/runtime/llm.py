"""Calls of a model: attempts, usage, and what the provider says of its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from autogpt_observe.runtime.events import (
    Attempt,
    AttemptFailed,
    CostIncurred,
    LLMCall,
    TokensUsed,
    Unparseable,
)
from autogpt_observe.runtime.failures import Outcome
from autogpt_observe.runtime.fingerprints import fingerprint
from autogpt_observe.runtime.numbers import parse_count, parse_number, parse_seconds
from autogpt_observe.runtime.scopes import Scope, result_of
from autogpt_observe.runtime.wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from autogpt_observe.runtime.events import Event
    from autogpt_observe.runtime.hub import Hub


P = ParamSpec("P")
R = TypeVar("R")


class Response(NamedTuple):
    """What a model's response says of itself; what is None or empty it does not say."""

    model: str | None
    id: str | None
    finish_reasons: tuple[str, ...]


class Usage(NamedTuple):
    """Tokens of one call by disjoint types, and what they cost, if that is known."""

    tokens: dict[str, int]
    usd: float | None


class LLMScope(Scope):
    """A logical call of a model: one answer, however many attempts it takes.

    The methods are inert outside of `begin` and `end`. What they are told that can't be is dropped
    and counted in `autogpt_observe_rejected_calls_total`; under test it is raised.

    Attributes:
        provider: who serves the model.
        window: how many tokens its context has room for; None if not known.
        attempts: how many HTTP attempts there were, as far as they were told.
        used: the tokens and the money; None as long as it is not told.
        asked, answered: the messages, as they were told; None as long as they were not.
        response: what the response says of itself; None as long as it is not told.
    """

    given = ("name", "wrong", "provider", "window")
    asked: object = None
    answered: object = None
    response: Response | None = None
    attempts = 0
    used: Usage | None = None
    _failed = False
    _answer: object = None

    def __init__(self, model: str, *, provider: str, window: int | None = None) -> None:
        super().__init__(model)
        self.provider = provider
        self.window = window

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """As a decorator: each call of ``function`` is a call of the model."""
        self._check()
        model, provider, window = self.name, self.provider, self.window

        def make(_: object, __: object) -> LLMScope:
            return LLMScope(model, provider=provider, window=window)

        return wrap(function, make, decorator="@llm")

    def end(self, error: BaseException | None) -> None:
        """The call is over; the answer is not kept."""
        super().end(error)
        self._answer = self.asked = self.answered = None

    def returns(self, value: object) -> None:
        """Say what the model answered: the same answer again is no progress."""
        self._answer = value

    def attempt(self) -> None:
        """An HTTP attempt starts."""
        hub = self._hub
        if hub is not None:
            retry = int(self._failed)
            self.attempts += 1
            self._failed = False
            hub.tell(Attempt(self.agent, self.provider, self.name, retry))

    def fail(self, error_kind: str) -> None:
        """The attempt failed, of a kind that the spec's attribute `error_kind` lists."""
        hub = self._hub
        if hub is not None:
            if not self.attempts:
                self.attempt()
            self._failed = True
            hub.tell(AttemptFailed(self.agent, self.provider, self.name, error_kind))

    def usage(  # the types of tokens that providers bill
        self,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
        usd: float | Decimal | None = None,
    ) -> None:
        """What the call used, or used besides: what is told in several calls adds up.

        Args:
            input_tokens: those of the input that no cache gave or took. Some providers, such as
                OpenAI, report the cached ones as a part of the input: subtract them.
            output_tokens: those of the output.
            cache_read_tokens: those of the input that a cache gave.
            cache_write_tokens: those of the input that a cache took.
            usd: the cost in US dollars, if it is known.
        """
        given = {
            "input": input_tokens,
            "output": output_tokens,
            "cache_read": cache_read_tokens,
            "cache_write": cache_write_tokens,
        }
        before = Usage({}, None) if self.used is None else self.used
        tokens = dict(before.tokens)
        for kind, value in given.items():
            count = parse_count(value)
            if count is None:
                self._reject("usage", f"{kind}_tokens", value, "a whole number, not negative")
            elif count:
                tokens[kind] = tokens.get(kind, 0) + count
        cost = None if usd is None else parse_number(usd)
        if usd is not None and cost is None:
            self._reject("usage", "usd", usd, "a number that is not negative")
        known = [each for each in (before.usd, cost) if each is not None]
        self.used = Usage(tokens, sum(known) if known else None)

    def responded(
        self,
        *,
        model: str | None = None,
        id: str | None = None,  # noqa: A002  # the conventions' name for it
        finish_reasons: str | Iterable[str] = (),
    ) -> None:
        """What the response says of itself: which model answered, its id, why it stopped."""
        self.response = Response(
            model if isinstance(model, str) else None,
            id if isinstance(id, str) else None,
            (finish_reasons,) if isinstance(finish_reasons, str) else _texts(finish_reasons),
        )

    def messages(self, *, asked: object = None, answered: object = None) -> None:
        """What was said; it is on the span where content is captured, which is off by default.

        Each is a text, or a list of texts and of messages, such as `{"role": ..., "content": ...}`.
        """
        if asked is not None:
            self.asked = asked
        if answered is not None:
            self.answered = answered

    def limit(
        self,
        limit: str,
        *,
        left: float | str | None,
        of: float | str | None,
        resets_in: float | str | None,
    ) -> None:
        """What the response says of a rate limit: of ``of`` requests or tokens, ``left`` remain.

        Headers can be passed as they are; where one of them is missing, None, nothing is known.

        Args:
            limit: which one, `requests` or `tokens`.
            left: how much is left, a number or its text.
            of: how much there is, a number or its text.
            resets_in: until it is whole again: seconds, or a text such as `6m0s` or `120ms`.
        """
        hub = self._hub
        if hub is None or left is None or of is None or resets_in is None:
            return
        some, whole, seconds = parse_number(left), parse_number(of), parse_seconds(resets_in)
        if some is None:
            self._reject("limit", "left", left, "a number that is not negative")
        elif not whole:
            self._reject("limit", "of", of, "a number above zero")
        elif seconds is None:
            self._reject("limit", "resets_in", resets_in, "seconds, or a text such as `6m0s`")
        else:
            key = (self.provider, self.name, limit)
            hub.headroom.tell(key, some / whole, hub.clock() + seconds)

    def unparseable(self) -> None:
        """The output can't be read as what was asked for."""
        hub = self._hub
        if hub is not None:
            hub.tell(Unparseable(self.agent, self.provider, self.name))

    def _conclude(
        self, hub: Hub, outcome: Outcome, error: BaseException | None, now: float
    ) -> Event:
        agent, provider, model = self.agent, self.provider, self.name
        if not self.attempts:
            hub.tell(Attempt(agent, provider, model, 0))
        if outcome is Outcome.ERROR and not self._failed:
            kind = "timeout" if isinstance(error, TimeoutError) else "other"
            hub.tell(AttemptFailed(agent, provider, model, kind))
        if outcome is Outcome.SUCCESS and self.run is not None:
            self.run.pass_by(self._mark(now), now)
        result = result_of(outcome, error)
        usage = self.used
        share = None if usage is None else self._account(hub, usage)
        return LLMCall(
            agent,
            provider,
            model,
            result,
            self._worked,
            self.trace,
            share,
            int(usage is None),
            int(usage is not None and usage.usd is None),
        )

    def _reject(self, method: str, argument: str, got: object, expected: str) -> None:
        hub = self._hub
        if hub is not None:
            message = f"call.{method}: {argument}: got {_shown(got)}, expected {expected}"
            hub.reject(f"llm.{method}", "value", message)

    def _mark(self, now: float) -> int:
        """What tells this call from others; where nothing is known of its answer, each is new."""
        answer = self._answer
        if answer is None:
            answer = now if self.used is None else tuple(self.used.tokens.items())
        return fingerprint((self.provider, self.name, answer))

    def _account(self, hub: Hub, usage: Usage) -> float | None:
        """Tell what was used; the share of the context window that the input took."""
        agent, provider, model = self.agent, self.provider, self.name
        for kind, count in usage.tokens.items():
            hub.tell(TokensUsed(agent, provider, model, kind, count))
        if usage.usd is not None:
            hub.tell(CostIncurred(agent, provider, model, usage.usd))
        run = self.run
        while run is not None and run.journey is not None:
            run.journey.tokens += sum(usage.tokens.values())
            run.journey.usd += usage.usd or 0.0
            run = run.run
        taken = sum(count for kind, count in usage.tokens.items() if kind != "output")
        return taken / self.window if self.window else None


def _shown(value: object) -> str:
    try:
        return f"{value!r:.80}"
    except Exception:  # noqa: BLE001  # the host's own `__repr__`
        return f"a {type(value).__name__}"


def _texts(values: object) -> tuple[str, ...]:
    items = values if isinstance(values, list | tuple | set | frozenset) else ()
    return tuple([item for item in items if isinstance(item, str)])
