"""Tree to spec: every key is read, by its own type, and each slip is named with its mend."""

# ruff: noqa: E501 - findings are asserted as they are printed

from __future__ import annotations

from typing import Any

import pytest
from key_slips import SLIPS
from spec_reading import SMALL, expected, found, found_after_small, read_text, spec_of, tree_of

from autogpt_observe.diagnostics import Report
from autogpt_observe.names import MetricName, Name, RecordName
from autogpt_observe.spec import model
from autogpt_observe.spec.build import build_spec


@pytest.mark.parametrize("case", SLIPS)
def test_slip(case: str) -> None:
    text, message = SLIPS[case]
    assert found_after_small(text) == expected(message)


def test_the_smallest_spec() -> None:
    assert found(SMALL) == ""
    assert spec_of(SMALL) == model.Spec(
        version=1,
        service=model.Service(name=Name("crawler"), owner=Name("agents-team")),
    )


def test_sections_that_must_be_there() -> None:
    assert found("include: [autogpt]\n") == expected(
        """
        observe.yaml:1:1: error: the section `version` is missing [spec/missing-key]
            1 | include: [autogpt]
              | ^
          = add `version:` (Version of the spec's format)
        observe.yaml:1:1: error: the section `service` is missing [spec/missing-key]
            1 | include: [autogpt]
              | ^
          = add `service:` (Whose telemetry this is)
        """
    )


def test_one_run_finds_everything_in_reading_order() -> None:
    lines = found_after_small(
        """
        metrics:
          a_total: {type: countr, from: code, help: A}
          b_total: {type: counter, from: code}
          c_total: {type: counter, from: code, help: C, buckets: b}
        alerts:
          A:
            when: {expr: sum(d_total)}
            for: 5
            severity: info
            annotations: {summary: s}
          B:
            when: {expr: sum(a_total) + sum(b_total) + sum(e_total)}
            severity: info
            annotations: {summary: s}
            allow: {alert/untested: shown only}
        nonsense: 1
        """
    ).split("\n")
    assert [line for line in lines if " error: " in line] == [
        "observe.yaml:5:19: error: `type`: expected one of `counter`, `gauge`, `histogram`, got `countr` [spec/type]",
        "observe.yaml:6:3: error: `b_total` lacks the key `help` [spec/missing-key]",
        "observe.yaml:7:58: error: `c_total` is a counter, so it has no `buckets` [metric/buckets]",
        "observe.yaml:11:10: error: `for`: expected a duration such as `30s`, `5m` or `1h30m`, got `5` [spec/type]",
        "observe.yaml:15:52: error: the metric `e_total` is not declared [promql/unknown-metric]",
        "observe.yaml:19:1: error: unknown section `nonsense` [spec/unknown-key]",
    ]


def test_a_condition_that_is_none_says_what_it_could_be() -> None:
    text = "alerts: {A: {when: {}, severity: info, annotations: {summary: s}}}"
    assert found(SMALL + text).splitlines() == [
        (
            "observe.yaml:3:20: error: `when`: expected a map with one of `expr`, `ratio`, `rate`,"
            " `increase`, `threshold`, `quantile`, `absent`, `stale`, `trend`, `burn`, got an empty"
            " one [spec/type]"
        ),
        f"    3 | {text}",
        "      |                    ^",
        "  = write what it is, such as `when: {expr: ...}`",
    ]


def test_a_number_with_an_exponent_is_written_out() -> None:
    text = "prometheus: {series_budget: 2.5e4}"
    assert found(SMALL + text).splitlines() == [
        "observe.yaml:3:29: error: `series_budget`: expected a whole number, got `2.5e4` [spec/type]",
        f"    3 | {text}",
        "      |                             ^^^^^",
        "  = write `25000` for `2.5e4`",
    ]


# --- what YAML 1.1 makes of a plain word, in every kind of field -----------------------------

TRAPS = ("on", "yes", "true", "1:30", "1.10", "0o7", "010", "1e3", "~", "'5'", "5")
FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "text": (
        "help",
        {trap: trap.strip("'") for trap in TRAPS if trap != "~"},
    ),
    "name": ("owner", {"on": "on", "yes": "yes", "true": "true", "~": "None"}),
    "truth value": ("exemplars", {"true": "True"}),
    "whole number": ("series_budget", {"5": "5"}),
    "duration": ("scrape_interval", {}),
    "ratio": ("cpu", {"1.10": "1.1", "010": "10", "'5'": "5", "5": "5", "~": "None"}),
    "quantity": ("memory", {"1.10": "1.10", "010": "010", "'5'": "5", "5": "5"}),
    "version": ("prometheus", {"1.10": "1.10", "010": "10.0", "'5'": "5.0", "5": "5.0"}),
    "word": ("severity", {}),
    "bucket": ("b", {"1.10": "1.10", "010": "10", "'5'": "5", "5": "5"}),
    "expression": ("expr", {trap: trap.strip("'") for trap in TRAPS if trap != "~"}),
    "address": ("scrape", {"1:30": "1:30"}),
    "URL": ("runbook_base_url", {"~": "None"}),
}
SNIPPETS = {
    "help": "metrics: {a_total: {type: counter, from: code, help: TRAP}}",
    "owner": "alerts: {A: {when: {expr: up}, severity: info, annotations: {summary: s}, owner: TRAP}}",
    "exemplars": "metrics: {a_total: {type: counter, from: code, help: A, exemplars: TRAP}}",
    "series_budget": "prometheus: {series_budget: TRAP}",
    "scrape_interval": "prometheus: {scrape_interval: TRAP}",
    "cpu": "autoscaling: {min: 1, max: 2, cpu: TRAP}",
    "memory": "deployment: {image: i, resources: {requests: {cpu: 1, memory: TRAP}, limits: {cpu: 1, memory: 1}}}",
    "prometheus": "targets: {prometheus: TRAP}",
    "severity": "alerts: {A: {when: {expr: up}, severity: TRAP, annotations: {summary: s}}}",
    "b": "buckets: {b: [TRAP]}",
    "expr": "recording_rules: {r: {expr: TRAP}}",
    "scrape": "prometheus: {scrape: [TRAP]}",
    "runbook_base_url": "service: {name: a, owner: b, runbook_base_url: TRAP}",
}


def read_trap(key: str, trap: str) -> str:
    """The value as text, or `refused`."""
    text = SNIPPETS[key].replace("TRAP", trap)
    service = "" if key == "runbook_base_url" else "service: {name: a, owner: b}\n"
    report = Report()
    spec = build_spec(tree_of(f"version: 1\n{service}{text}\n"), report)
    if report.diagnostics:
        (only,) = report.diagnostics
        assert only.id == "spec/type"
        assert only.message.startswith(f"`{key}`: expected ")
        return "refused"
    assert spec is not None
    return str(_values(spec)[key]())


def _values(spec: model.Spec) -> dict[str, Any]:
    return {
        "help": lambda: spec.metrics[MetricName("a_total")].help,
        "owner": lambda: spec.alerts[Name("A")].owner,
        "exemplars": lambda: spec.metrics[MetricName("a_total")].exemplars,
        "series_budget": lambda: spec.prometheus.series_budget,
        "scrape_interval": lambda: spec.prometheus.scrape_interval,
        "cpu": lambda: spec.autoscaling and spec.autoscaling.cpu,
        "memory": lambda: spec.deployment and spec.deployment.resources.requests.memory,
        "prometheus": lambda: spec.targets.prometheus,
        "severity": lambda: spec.alerts[Name("A")].severity,
        "b": lambda: spec.buckets[Name("b")][0].value,
        "expr": lambda: spec.recording_rules[RecordName("r")].expr,
        "scrape": lambda: spec.prometheus.scrape[0],
        "runbook_base_url": lambda: spec.service.runbook_base_url,
    }


@pytest.mark.parametrize("kind", FIELDS)
def test_no_word_turns_into_something_else(kind: str) -> None:
    key, taken = FIELDS[kind]
    wanted = {trap: taken.get(trap, "refused") for trap in TRAPS}
    assert {trap: read_trap(key, trap) for trap in TRAPS} == wanted


def test_keys_stay_texts_too() -> None:
    spec = spec_of(f"{SMALL}recording_rules: {{r: {{expr: up, labels: {{on: on, yes: 1.10}}}}}}\n")
    assert dict(spec.recording_rules[RecordName("r")].labels) == {"on": "on", "yes": "1.10"}


def test_what_is_switched_off_is_not_read() -> None:
    text = "alerts: {A: {enabled: false, when: nonsense, severity: 7, unknown: key}}\n"
    assert found(SMALL + text) == ""
    assert spec_of(SMALL + text).alerts == {}


def test_a_part_that_can_not_be_read_does_not_hide_the_others() -> None:
    loaded = read_text(
        f"{SMALL}metrics: {{a_total: {{type: x}}, b: {{type: counter, from: code, help: B}}}}\n"
    )
    assert [found.id for found in loaded.diagnostics] == [
        "spec/missing-key",
        "spec/missing-key",
        "spec/type",
        "metric/suffix",
    ]
    assert loaded.spec is None


def test_a_slip_in_a_key_is_all_that_is_said_of_its_part() -> None:
    text = "alerts: {A: {when: {expr: up}, severity: info, annotations: {summary: s}, tets: {}}}"
    assert [line for line in found_after_small(text).split("\n") if " A" not in line] == [
        "observe.yaml:3:75: error: unknown key `tets` in `A` [spec/unknown-key]",
        "    3 | ...hen: {expr: up}, severity: info, annotations: {summary: s}, tets: {}}}",
        "      |                                                                ^^^^",
        "  = did you mean `tests`?",
    ]
