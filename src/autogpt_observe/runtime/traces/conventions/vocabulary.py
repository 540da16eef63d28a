"""The names of span attributes, per version of OpenTelemetry's GenAI conventions.

Sources, each read in the text of that version:

- `legacy`: for each thing, the first name that a release of the conventions gave it: 1.26 those of
  providers, models, tokens and messages, 1.27 that of operations, 1.31 those of agents and tools,
  1.38 those of a tool's arguments and result, 1.40 those of caches. Tokens were renamed in 1.27,
  providers in 1.37:
  https://github.com/open-telemetry/semantic-conventions/blob/v1.26.0/docs/attributes-registry/gen-ai.md
  https://github.com/open-telemetry/semantic-conventions/pull/1200
  https://github.com/open-telemetry/semantic-conventions/pull/3163
- `1.3b0`: what the package opentelemetry-util-genai 1.3b0 writes, and with it the
  opentelemetry-instrumentation-genai-* packages of that release:
  https://pypi.org/project/opentelemetry-util-genai/1.3b0/
- `main`: the registry at e9de14bafd9725937c6b0c219897260074a2896c, which follows
  https://github.com/open-telemetry/semantic-conventions-genai/blob/main/model/gen-ai/registry.yaml
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.names import (
    AGENT,
    ERROR_TYPE,
    MODEL,
    OUTCOME,
    PATTERN,
    PROVIDER,
    RESULT,
    TOOL,
    LabelName,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.spec.model import Attribute


class Version(StrEnum):
    """A version of the conventions."""

    LEGACY = "legacy"
    RELEASED = "1.3b0"
    MAIN = "main"


class Operation(StrEnum):
    """The values of `gen_ai.operation.name`; a span's name starts with one. Steps have none."""

    INVOKE_AGENT = "invoke_agent"
    EXECUTE_TOOL = "execute_tool"
    CHAT = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of attributes; a label of the spec that spans carry too is a field here.

    Attributes:
        operation: one of `Operation`.
        agent, tool, provider, model: who works, with what.
        input_tokens: all tokens of the input, those of the caches included.
        cache_read_tokens, cache_write_tokens: the part of the input that a cache gave or took.
        output_tokens: all tokens of the output.
        arguments, returned: what a tool was called with and what it returned, as JSON text.
        asked, answered: the messages that a model got and gave, as JSON text.
        response_model, response_id: which model answered, and the answer's id.
        finish_reasons: why it stopped, for each choice.
        error_type: the class of the exception.
        step: the step's name.
        outcome: how a run ended.
        budget_used: the largest share used of what the run's budget limits.
        pattern: the loop that a run ended in.
        result: how a step or call ended.
        attempts: how often a model was asked until the call ended.
        usd: what a model call cost, in US dollars.
        context_share: the share of the model's context window that the input took.
    """

    operation: str
    agent: str
    tool: str
    provider: str
    model: str
    input_tokens: str
    cache_read_tokens: str
    cache_write_tokens: str
    output_tokens: str
    arguments: str
    returned: str
    asked: str
    answered: str
    response_model: str = "gen_ai.response.model"
    response_id: str = "gen_ai.response.id"
    finish_reasons: str = "gen_ai.response.finish_reasons"
    error_type: str = "error.type"
    step: str = "autogpt.step.name"
    outcome: str = "autogpt.run.outcome"
    budget_used: str = "autogpt.run.budget_used"
    pattern: str = "autogpt.loop.pattern"
    result: str = "autogpt.call.result"
    attempts: str = "autogpt.llm.attempts"
    usd: str = "autogpt.llm.cost_usd"
    context_share: str = "autogpt.llm.context_share"


_RELEASED = Names(
    operation="gen_ai.operation.name",
    agent="gen_ai.agent.name",
    tool="gen_ai.tool.name",
    provider="gen_ai.provider.name",
    model="gen_ai.request.model",
    input_tokens="gen_ai.usage.input_tokens",
    cache_read_tokens="gen_ai.usage.cache_read.input_tokens",
    cache_write_tokens="gen_ai.usage.cache_write.input_tokens",
    output_tokens="gen_ai.usage.output_tokens",
    arguments="gen_ai.tool.call.arguments",
    returned="gen_ai.tool.call.result",
    asked="gen_ai.input.messages",
    answered="gen_ai.output.messages",
)

NAMES: Mapping[Version, Names] = MappingProxyType(
    {
        Version.LEGACY: replace(
            _RELEASED,
            provider="gen_ai.system",
            input_tokens="gen_ai.usage.prompt_tokens",
            output_tokens="gen_ai.usage.completion_tokens",
            cache_write_tokens="gen_ai.usage.cache_creation.input_tokens",
            asked="gen_ai.prompt",
            answered="gen_ai.completion",
        ),
        Version.RELEASED: _RELEASED,
        Version.MAIN: replace(_RELEASED),  # has renamed none of these since
    }
)

_LABELS = tuple(
    map(LabelName, (AGENT, OUTCOME, ERROR_TYPE, PATTERN, TOOL, RESULT, PROVIDER, MODEL))
)
"""The attributes of the spec that spans carry; fields of `Names` have the same names."""


def names_of(version: Version, attributes: Mapping[LabelName, Attribute]) -> Names:
    """The names of ``version``, and over them those that the spec gives its attributes on spans.

    Where the spec says a name of the conventions, of whatever version, it means what that name
    stands for: ``version`` decides what it is called.
    """
    own: dict[str, str] = {}
    for label in _LABELS:
        attribute = attributes.get(label)
        span = None if attribute is None else attribute.span
        if span and all(span != getattr(names, label) for names in NAMES.values()):
            own[label] = span
    return replace(NAMES[version], **own)
