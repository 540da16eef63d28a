"""Every check of a well-read spec: what it lets pass, and what it says of what it refuses.

The cases stand in `cases/checks/`, laid over `cases/base.yaml`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from spec_reading import SMALL, found_in, read_files, read_text, spec_of

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.conditions import condition_expr
from autogpt_observe.spec.checks.context import CHECKS, WAIVABLE
from check_cases import BASE, HEAD, read_cases

if TYPE_CHECKING:
    from pathlib import Path

CASES = read_cases()


def findings(text: str, folder: Path) -> str:
    files: dict[str, str | bytes] = {"observe.yaml": HEAD + text, "base.yaml": BASE}
    return found_in(read_files(files, folder)).replace(f"{folder}/", "")


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n].check}-{n}")
def test_case(number: int, tmp_path: Path) -> None:
    check, text, found = CASES[number]
    assert findings(text, tmp_path) == found
    assert not found or f"[{check}]" in found


def test_every_check_has_three_cases_that_pass_and_three_that_do_not() -> None:
    passed = Counter(case.check for case in CASES if not case.found)
    refused = Counter(case.check for case in CASES if case.found)
    assert {check: (min(passed[check], 3), min(refused[check], 3)) for check in CHECKS} == (
        dict.fromkeys(CHECKS, (3, 3))
    )
    assert passed.keys() | refused.keys() == CHECKS.keys()


def test_what_is_found_is_a_known_check() -> None:
    ids = {
        id_
        for case in CASES
        for id_ in re.findall(r"\[([a-z]+/[a-z-]+)\]$", case.found, re.MULTILINE)
    }
    assert ids == set(CHECKS)
    assert set(CHECKS) >= WAIVABLE


def test_only_warnings_can_be_waived() -> None:
    waivable = {
        match[1]
        for case in CASES
        for match in re.finditer(r" warning: .* \[([a-z]+/[a-z-]+)\]$", case.found, re.MULTILINE)
    }
    about_no_alert = {"waiver/stale", "rule/duplicate", "notify/unused", "notify/grouping"}
    assert waivable - about_no_alert == WAIVABLE


def test_a_check_of_a_good_spec_reads_what_a_renderer_takes(tmp_path: Path) -> None:
    """What `condition/...` lets pass has an expression; what a renderer refuses is found here."""
    for case in CASES:
        if case.check.startswith("condition/") and not case.found:
            files: dict[str, str | bytes] = {"observe.yaml": HEAD + case.text, "base.yaml": BASE}
            spec = read_files(files, tmp_path).spec
            assert spec is not None
            for alert in spec.alerts.values():
                try:
                    expr = condition_expr(alert.when, spec)
                except ObserveError as error:  # pragma: no cover - the message of the failure
                    pytest.fail(f"{case.text}: {error}")
                assert expr


# --- carets: the same unknown metric, written in every way YAML has --------------------------

WAYS = {
    "plain": "expr: up + nope",
    "plain, after the same word in a key": "labels: {nope: nope}\nexpr: up + nope",
    "plain on several lines": "expr: up\n  + nope # and nope",
    "single quotes": "expr: 'up + nope'",
    "single quotes, doubled inside": "expr: 'up{a=''x''} + nope'",
    "single quotes on several lines": "expr: 'up\n\n  + nope'",
    "double quotes": 'expr: "up + nope"',
    "double quotes with escapes": r'expr: "up{a=\"\u00e9\\\\\x41\"} + nope"',
    "double quotes on several lines": 'expr: "up\n  + nope"',
    "a literal block": "expr: |\n  up\n    + nope\n",
    "a literal block with a blank line and a comment": "expr: |-\n  # nope\n\n  up + nope\n",
    "a literal block with an indicator": "expr: |2-\n    up\n   + nope\n",
    "a folded block": "expr: >-\n  up\n  + nope\n",
    "a folded block with deeper lines": "expr: >\n  up\n      +\n      nope\n\n",
    "an anchor": "expr: &it 'up + nope'",
    "a tab": "expr: 'up\t+\tnope'",
    "wide characters": "expr: 'up{city=\"日本\"} + nope'",
    "combining characters": "expr: 'up{city=\"e\u0301\"} + nope'",
    "a flow map": "{help: nope, expr: up + nope, labels: {a: nope}}",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_caret_stands_under_the_metric(way: str, tmp_path: Path) -> None:
    lines = WAYS[way].split("\n")
    text = "recording_rules:\n  r:\n" + "".join(f"    {line}\n" for line in lines)
    (only,) = read_files({"observe.yaml": SMALL + text}, tmp_path).diagnostics
    assert only.message == "the metric `nope` is not declared"
    assert only.at is not None
    before = [*only.at.source.lines[: only.at.line - 1]]
    line = only.at.source.lines[only.at.line - 1]
    assert line[only.at.column - 1 :][: only.at.length] == "nope"
    assert "\n".join([*before, line[: only.at.column - 1]]).rstrip().endswith("+")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            'recording_rules:\n  r:\n    expr: "up{a=\\"x\\"} \\\n      + nope"\n',
            "observe.yaml:5:11",
        ),
        (
            "recording_rules:\n  q: {help: &x up + nope, expr: up}\n  r: {expr: *x}\n",
            "observe.yaml:5:13",
        ),
    ],
)
def test_where_no_exact_place_is_known_the_whole_text_is_marked(
    text: str, place: str, tmp_path: Path
) -> None:
    (only,) = read_files({"observe.yaml": SMALL + text}, tmp_path).diagnostics
    assert str(only.at).removeprefix(f"{tmp_path}/") == place


def test_a_metric_may_be_called_like_a_keyword(tmp_path: Path) -> None:
    names = ("sum_total", "by_total", "rate_total", "offset_total", "time_total", "when_total")
    metrics = "".join(f"  {n}: {{type: counter, from: code, help: {n}}}\n" for n in names)
    text = f"{SMALL}metrics:\n{metrics}recording_rules:\n  r: {{expr: '{' or '.join(names)}'}}\n"
    assert found_in(read_files({"observe.yaml": text}, tmp_path)) == ""


def test_a_metric_that_could_not_be_read_is_not_called_undeclared(tmp_path: Path) -> None:
    text = """
metrics:
  bad_total: {type: countr, from: code, help: Bad}
recording_rules:
  r: {expr: bad_total + bad_total_bucket}
dashboards: {d: {title: D, rows: [{title: R, panels: [{title: P, metric: bad_total}]}]}}
alerts:
  A:
    when: {ratio: {bad: {metric: bad_total}, total: {metric: bad_total}, window: 5m, above: 1%}}
    severity: info
    annotations: {summary: s}
"""
    loaded = read_files({"observe.yaml": SMALL + text}, tmp_path)
    assert [found.id for found in loaded.diagnostics] == ["spec/type", "condition/threshold"]


# --- samples: promtool is the judge ----------------------------------------------------------

GOOD_SAMPLES = (
    "",
    "1",
    "+5",
    "-3",
    ".5",
    "5.",
    "1e3",
    "1E+3",
    "NaN",
    "nan",
    "-Inf",
    "+inf",
    "stale",
    "_",
    "_x3",
    "1x0",
    "0x10",
    "00x4",
    "1+1x5",
    "1-1x5",
    "+1+1x2",
    "1+.5e1x3",
    "1e3x4",
    "1  2",
    "1\t2 \n",
    "1+1x5 _x3 stale -3 1e3",
)
BAD_SAMPLES = (
    "Infx3",
    "1+Infx3",
    "stalex3",
    "Stale",
    "_+1x3",
    "-1+-1x5",
    "1+1",
    "1+1x",
    "1+1x1.5",
    "1x-3",
    "1x3_",
    "1_000",
    "0x1F",
    "1,2",
    "1 x3",
    "--1",
    "1\n2",
    "\n1",
    "a",
    "$x",
    "'1'",
    "1x99999999999999999999",
)


def samples_found(samples: str) -> list[str]:
    text = json.dumps({"up": samples})
    spec = f"""{SMALL}alerts:
  A:
    when: {{expr: up == 0}}
    severity: info
    annotations: {{summary: s}}
    tests: {{t: {{series: {text}, at: {{0: silent, 1m: fires}}}}}}
"""
    return [found.id for found in read_text(spec).diagnostics]


@pytest.mark.parametrize("samples", GOOD_SAMPLES)
def test_samples_that_are_read(samples: str) -> None:
    assert samples_found(samples) == []


@pytest.mark.parametrize("samples", BAD_SAMPLES)
def test_samples_that_are_refused(samples: str) -> None:
    assert samples_found(samples)
    assert set(samples_found(samples)) == {"test/series"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="apt-get install prometheus")
def test_promtool_is_of_the_same_mind(tmp_path: Path) -> None:
    """All samples but the last, which takes all memory there is before promtool refuses it."""
    (tmp_path / "rules.yml").write_text('{"groups": []}')
    verdicts = {}
    for samples in (*GOOD_SAMPLES, *BAD_SAMPLES[:-1]):
        series = [{"series": "up", "values": samples}]
        test = {"rule_files": ["rules.yml"], "tests": [{"interval": "1m", "input_series": series}]}
        (tmp_path / "test.yml").write_text(json.dumps(test))
        run = subprocess.run(
            ["promtool", "test", "rules", "test.yml"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        verdicts[samples] = run.returncode == 0
    assert verdicts == {
        **dict.fromkeys(GOOD_SAMPLES, True),
        **dict.fromkeys(BAD_SAMPLES[:-1], False),
    }


def test_the_base_of_all_cases_is_good() -> None:
    assert len(spec_of(BASE).metrics) == 6
