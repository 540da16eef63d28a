"""Which signals each event moves, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import MetricSource
from autogpt_observe.runtime.events import (
    Attempt,
    AttemptFailed,
    CostIncurred,
    Failure,
    LLMCall,
    LoopFound,
    Run,
    RunStarted,
    Step,
    TokensUsed,
    ToolCall,
    Unparseable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.runtime.events import Event

FEEDS: Mapping[type[Event], Mapping[MetricSource, str | float]] = {
    RunStarted: {MetricSource.RUN_START: 1, MetricSource.RUN_ACTIVE: 1},
    Run: {
        MetricSource.RUN_END: 1,
        MetricSource.RUN_DURATION: "seconds",
        MetricSource.RUN_ACTIVE: -1,
    },
    Step: {MetricSource.STEP_END: 1},
    ToolCall: {MetricSource.TOOL_END: 1, MetricSource.TOOL_DURATION: "seconds"},
    LLMCall: {
        MetricSource.LLM_END: 1,
        MetricSource.LLM_DURATION: "seconds",
        MetricSource.LLM_CONTEXT: "context_share",
        MetricSource.LLM_UNREPORTED: "unreported",
        MetricSource.LLM_UNPRICED: "unpriced",
    },
    Attempt: {MetricSource.LLM_ATTEMPT: 1, MetricSource.LLM_RETRY: "retry"},
    AttemptFailed: {MetricSource.LLM_ERROR: 1},
    TokensUsed: {MetricSource.LLM_TOKENS: "tokens"},
    CostIncurred: {MetricSource.LLM_COST: "usd"},
    Unparseable: {MetricSource.LLM_UNPARSEABLE: 1},
    Failure: {MetricSource.FAILURE: 1},
    LoopFound: {MetricSource.RUN_LOOP: 1},
}
"""For each event, the signals it moves and by how much: an amount, or the field that holds it."""

MOVED: frozenset[MetricSource] = frozenset().union(*FEEDS.values())
"""All the signals that events move."""
