"""What is known of a scope at its start and at its end, in the words of the conventions."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

from autogpt_observe.runtime.events import LLMCall, Run, Step, ToolCall
from autogpt_observe.runtime.failures import NO_TYPE, Outcome, error_type, outcome_of
from autogpt_observe.runtime.llm import LLMScope
from autogpt_observe.runtime.runs import Arguments, RunScope, StepScope, ToolScope
from autogpt_observe.runtime.scopes import ABSENT
from autogpt_observe.runtime.traces.conventions.texts import clean, shorten
from autogpt_observe.runtime.traces.conventions.vocabulary import (
    Names,
    Operation,
    Version,
    names_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.util.types import AttributeValue

    from autogpt_observe.names import LabelName
    from autogpt_observe.runtime.events import Event
    from autogpt_observe.runtime.llm import Response
    from autogpt_observe.runtime.scopes import Scope
    from autogpt_observe.spec.model import Attribute

    Values = Mapping[str, AttributeValue]
    _Key = tuple[type[Scope], str, str | None, str | None]

_MOST_KNOWN = 2_000
_LONGEST_NAME = 256
_LONGEST_KEY = 512
_MOST_REASONS = 100
_KINDS = frozenset({RunScope, StepScope, ToolScope, LLMScope})
_RESULTS = ("ok", "error", "timeout", "cancelled")
_NONE: Mapping[LabelName, Attribute] = MappingProxyType({})


class SharedValues(dict[str, "AttributeValue"]):
    """Attributes of many spans, which must not be changed: what is made of them can be kept."""


@dataclass(slots=True)
class Beginning:
    """How a span starts. The attributes are shared by many spans: they must not be changed.

    Attributes:
        clean: the name and the attributes without secrets, once somebody has asked for them.
        endings: all attributes of such a span by the result it ended with, where that and nothing
            else is added; None where it is not that simple.
    """

    name: str
    kind: SpanKind
    attributes: Values
    endings: dict[str, SharedValues] | None = field(default=None, compare=False)
    clean: tuple[str, Values] | None = field(default=None, compare=False)


class Conventions:
    """Says what the span of a scope is called, and what stands on it. Any thread may ask.

    Tokens and money stand on the spans of model calls alone, so that a sum over all spans of a
    trace counts each once.

    Args:
        version: which version of the GenAI conventions.
        attributes: those of the spec; their names on spans win.
        captures_content: whether spans carry messages and the arguments and results of tools.
    """

    def __init__(
        self,
        version: Version,
        attributes: Mapping[LabelName, Attribute] = _NONE,
        *,
        captures_content: bool = False,
    ) -> None:
        self.names = names_of(version, attributes)
        self._version = version
        self._known: dict[_Key, Beginning] = {}
        self._results: dict[str, Values] = {each: {self.names.result: each} for each in _RESULTS}
        self._format: Callable[[object], str] | None = None
        if captures_content:
            from autogpt_observe.runtime.traces.conventions.content import (  # noqa: PLC0415  # only to capture
                format_content,
            )

            self._format = format_content

    def begin(self, scope: Scope) -> Beginning:
        """The start of the span of ``scope``."""
        kind, run = scope.__class__, scope.run
        provider = scope.provider if kind is LLMScope else None  # type: ignore[attr-defined]  # so
        key = (kind, scope.name, None if run is None else run.name, provider)
        known = self._known.get(key)
        if known is None:
            known = self._learn(scope, key)
        if self._format is not None and isinstance(scope, ToolScope):
            given = scope.arguments
            if type(given) is not tuple or given:
                shown = given.by_name() if isinstance(given, Arguments) else given
                content = {self.names.arguments: self._format(shown)}
                attributes = {**known.attributes, **content}
                return Beginning(known.name, known.kind, attributes)
        return known

    def finish(self, scope: Scope, event: Event, error: BaseException | None) -> Values | None:
        """What is known of ``scope`` only at its end, as ``event`` and ``error`` tell.

        The mapping may be shared by many spans: it must not be changed.
        """
        if isinstance(event, Step):
            known = self._results[event.result]
            return known if error is None else self._with_error(dict(known), error)
        if isinstance(event, ToolCall):
            return self._finish_tool(scope, event, error)
        if isinstance(event, LLMCall):
            return self._finish_call(scope, event, error)
        return self._finish_run(scope, event, error) if isinstance(event, Run) else None

    def complete(
        self,
        beginning: Beginning,
        attributes: Values,
        scope: Scope,
        event: Event,
        error: BaseException | None,
    ) -> Values:
        """All attributes of a span that ends, whose ``attributes`` are those it has until now."""
        endings = beginning.endings
        if endings is None or error is not None or attributes is not beginning.attributes:
            return {**attributes, **(self.finish(scope, event, error) or {})}
        result: str = event.result  # type: ignore[union-attr]  # of those that have endings, it is
        known = endings.get(result)
        if known is None:
            more = self.finish(scope, event, error) or {}
            known = endings[result] = SharedValues({**attributes, **more})
        return known

    def messages(self, *, asked: object = None, answered: object = None) -> Values:
        """The messages that a model got and gave, as JSON text; nothing unless content is captured.

        Each is a text, or a list of texts and of messages in OpenAI's shape or the conventions'.
        """
        if self._format is None:
            return {}
        from autogpt_observe.runtime.traces.conventions.content import (  # noqa: PLC0415  # as above
            as_messages,
            as_openai_messages,
        )

        # the schemas for messages came with 1.37; what was advised before is OpenAI's shape
        shape = as_openai_messages if self._version is Version.LEGACY else as_messages
        said = ((self.names.asked, "user", asked), (self.names.answered, "assistant", answered))
        return {
            name: self._format(shape(told, role)) for name, role, told in said if told is not None
        }

    def _learn(self, scope: Scope, key: _Key) -> Beginning:
        known = self._describe(scope)
        if isinstance(scope, StepScope | ToolScope) and self._format is None:
            known.endings = {}
        if len(self._known) >= _MOST_KNOWN:  # names without end, such as one for each goal
            self._known.clear()
        if key[0] in _KINDS and sum(len(part) for part in key[1:] if part) <= _LONGEST_KEY:
            self._known[key] = known
        return known

    def _describe(self, scope: Scope) -> Beginning:
        names = self.names
        name, agent = shorten(scope.name, _LONGEST_NAME), shorten(scope.agent, _LONGEST_NAME)
        who: Values = {names.agent: agent} if agent else {}
        match scope:
            case RunScope():
                return _beginning(names, Operation.INVOKE_AGENT, name, who)
            case ToolScope():
                return _beginning(names, Operation.EXECUTE_TOOL, name, {**who, names.tool: name})
            case LLMScope():
                provider = shorten(scope.provider, _LONGEST_NAME)
                asked = {names.provider: provider, names.model: name}
                return _beginning(names, Operation.CHAT, name, {**who, **asked})
            case StepScope():  # the conventions know no steps
                return Beginning(f"step {name}", SpanKind.INTERNAL, {**who, names.step: name})
            case _:
                return Beginning(name, SpanKind.INTERNAL, who)

    def _finish_tool(self, scope: Scope, event: ToolCall, error: BaseException | None) -> Values:
        known = self._results[event.result]
        if self._format is None or not isinstance(scope, ToolScope):
            return known if error is None else self._with_error(dict(known), error)
        said = dict(known)
        returned = scope.returned
        if returned is not ABSENT and returned is not None:
            said[self.names.returned] = self._format(returned)
        return self._with_error(said, error)

    def _finish_run(self, scope: Scope, event: Run, error: BaseException | None) -> Values:
        names = self.names
        said: dict[str, AttributeValue] = {names.outcome: event.outcome}
        journey = scope.journey if isinstance(scope, RunScope) else None
        if journey is not None:
            used = journey.budget_used
            if used is not None:
                said[names.budget_used] = used
            if journey.pattern is not None:
                said[names.pattern] = journey.pattern
        if error is None and event.outcome == Outcome.ERROR:
            said[names.error_type] = NO_TYPE  # the host says so, and not which
        return self._with_error(said, error)

    def _finish_call(self, scope: Scope, event: LLMCall, error: BaseException | None) -> Values:
        names = self.names
        said: dict[str, AttributeValue] = {names.result: event.result}
        if isinstance(scope, LLMScope):
            said[names.attempts] = max(1, scope.attempts)
            usage = scope.used
            if usage is not None:
                self._tell_tokens(said, usage.tokens)
                if usage.usd is not None:
                    said[names.usd] = usage.usd
            if scope.response is not None:
                self._tell_response(said, scope.response)
            if self._format is not None:
                said.update(self.messages(asked=scope.asked, answered=scope.answered))
        if event.context_share is not None:
            said[names.context_share] = event.context_share
        return self._with_error(said, error)

    def _tell_response(self, said: dict[str, AttributeValue], response: Response) -> None:
        names = self.names
        if response.model is not None:
            said[names.response_model] = shorten(response.model, _LONGEST_NAME)
        if response.id is not None:
            said[names.response_id] = shorten(response.id, _LONGEST_NAME)
        if response.finish_reasons:
            reasons = response.finish_reasons[:_MOST_REASONS]
            said[names.finish_reasons] = tuple([shorten(each, _LONGEST_NAME) for each in reasons])

    def _tell_tokens(self, said: dict[str, AttributeValue], tokens: Mapping[str, int]) -> None:
        """Ours are disjoint; the conventions' input includes what the caches gave and took."""
        names = self.names
        read, written = tokens.get("cache_read", 0), tokens.get("cache_write", 0)
        total, output = tokens.get("input", 0) + read + written, tokens.get("output", 0)
        if total:
            said[names.input_tokens] = total
        if read:
            said[names.cache_read_tokens] = read
        if written:
            said[names.cache_write_tokens] = written
        if output:
            said[names.output_tokens] = output

    def _with_error(
        self, said: dict[str, AttributeValue], error: BaseException | None
    ) -> dict[str, AttributeValue]:
        if error is not None and outcome_of(error) is Outcome.ERROR:
            said[self.names.error_type] = clean(error_type(error))
        return said


def _beginning(names: Names, operation: Operation, name: str, said: Values) -> Beginning:
    # a model mostly runs in another process, so its span is that of a client
    kind = SpanKind.CLIENT if operation is Operation.CHAT else SpanKind.INTERNAL
    return Beginning(f"{operation} {name}", kind, {names.operation: operation.value, **said})
