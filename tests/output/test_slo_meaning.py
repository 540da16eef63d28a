"""A changed objective is told as such: not as every rule that follows from it."""

from __future__ import annotations

from pathlib import Path

from autogpt_observe.output.meaning import describe_changes

RULES = Path(__file__).parents[1] / "render/cases/slo_runs/rules/slo-agent-runs.rules.yml"
PATH = "rules/slo-agent-runs.rules.yml"


def changes(*replacements: tuple[str, str]) -> list[str]:
    before = after = RULES.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in after
        after = after.replace(old, new)
    lines = describe_changes({PATH: before}, {PATH: after})
    return [line.removeprefix(f"{PATH}: ") for line in lines]


def test_another_objective() -> None:
    assert changes(("0.995", "0.999"), ("0.005", "0.001"), ("> 0.072", "> 0.0144")) == [
        "objective agent-runs: 99.5% over 30d -> 99.9% over 30d",
        "alert AgentRunsErrorBudgetBurn1h: threshold 0.072 -> 0.0144",
        "alert AgentRunsErrorBudgetBurn3d: threshold 0.005 -> 0.001",
    ]


def test_another_period() -> None:
    assert changes(("ratio_rate30d", "ratio_rate28d"), ("[30d:1h]", "[28d:1h]")) == [
        "objective agent-runs: 99.5% over 30d -> 99.5% over 28d"
    ]


def test_what_is_counted_is_told_once() -> None:
    """Not for the share over each of the windows as well."""
    assert changes(('"error|max_steps"', '"error"')) == [
        'recording rule slo:bad_events:rate1h: label value "error|max_steps" -> "error"'
    ]


def test_a_record_alone() -> None:
    assert changes(("ratio_rate5m{service", "ratio_rate30m{service"))[0].startswith(
        "recording rule slo:current_burn_rate:ratio expr: slo:sli_error:ratio_rate5m{"
    )


def test_layout() -> None:
    assert changes(("    rules:", "    rules:  # layout")) == ["layout only"]


def test_fewer_events_for_a_verdict() -> None:
    assert changes((">= 20)", ">= 30)")) == [
        "alert AgentRunsErrorBudgetBurn1h: threshold 20 -> 30",
        "alert AgentRunsErrorBudgetBurn6h: threshold 20 -> 30",
    ]
