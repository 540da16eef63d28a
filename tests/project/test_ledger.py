"""The ledger of metrics that are declared but that nothing emits yet. It may only shrink."""

from __future__ import annotations

from autogpt_observe.names import MetricSource
from autogpt_observe.runtime.sinks.metrics import emitted_sources
from autogpt_observe.spec.load import load_spec

_CALLS = "needs the adapters that see calls to model providers"
_HTTP = "needs the adapters that see HTTP attempts to model providers"
_PRICES = "needs the adapters that see calls to model providers, and a price table"
_STEPS = "needs events for steps and tool calls"
_LIVE = "needs a register of the runs in progress"
_HEALTH = "needs health checks"
_SCALING = "needs the scaling signal"
UNEMITTED = {
    "autogpt_api_calls_total": _HTTP,
    "autogpt_run_age_seconds": _LIVE,
    "autogpt_run_progress_age_seconds": _LIVE,
    "autogpt_run_budget_used_ratio": _LIVE,
    "autogpt_run_loops_total": _STEPS,
    "autogpt_looping_runs": _STEPS,
    "autogpt_steps_total": _STEPS,
    "autogpt_tool_calls_total": _STEPS,
    "autogpt_tool_duration_seconds": _STEPS,
    "autogpt_llm_calls_total": _CALLS,
    "autogpt_llm_duration_seconds": _CALLS,
    "autogpt_llm_attempts_total": _HTTP,
    "autogpt_llm_retries_total": _HTTP,
    "autogpt_llm_errors_total": _HTTP,
    "autogpt_llm_unparseable_outputs_total": _CALLS,
    "autogpt_llm_context_usage_ratio": _CALLS,
    "autogpt_rate_limit_headroom_ratio": _HTTP,
    "autogpt_llm_tokens_total": _CALLS,
    "autogpt_llm_cost_usd_total": _PRICES,
    "autogpt_llm_unaccounted_calls_total": _CALLS,
    "autogpt_llm_unpriced_calls_total": _PRICES,
    "autogpt_event_loop_lag_seconds": "needs a heartbeat on the event loop",
    "autogpt_health_check_passing": _HEALTH,
    "autogpt_scaling_wanted_replicas": _SCALING,
    "autogpt_scaling_signal_age_seconds": _SCALING,
    "autogpt_scaling_blocked": _SCALING,
}
NOT_OURS = (MetricSource.CODE, MetricSource.EXTERNAL)


def test_the_ledger_names_exactly_what_nothing_emits() -> None:
    emitted = emitted_sources()
    declared = load_spec().metrics
    silent = {n for n, m in declared.items() if m.from_ not in (*emitted, *NOT_OURS)}
    assert silent == set(UNEMITTED)
