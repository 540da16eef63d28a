from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from good_bundle import BUNDLE, RULES

from autogpt_observe.errors import OutputError, ToolError
from autogpt_observe.output.schema_check import SCHEMAS, schema_for
from autogpt_observe.output.tools import find_tool, install_hint
from autogpt_observe.output.validators import TOOL_CHECKS, Outcome, Status, validate_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(name="real_tools")
def need_real_tools() -> None:
    for tool in ("promtool", "amtool"):
        if find_tool(tool, os.environ) is None:
            pytest.skip(f"{tool} is not installed; {install_hint(tool)}")


def validate(files: Mapping[str, str]) -> dict[str, Outcome]:
    return {outcome.name: outcome for outcome in validate_bundle(files, environ=os.environ)}


@pytest.mark.usefixtures("real_tools")
def test_a_good_bundle_passes_everything() -> None:
    started: list[str] = []
    outcomes = validate_bundle(BUNDLE, environ=os.environ, on_start=started.append)
    assert [(o.name, o.status, o.detail) for o in outcomes] == [
        ("promtool check rules", "passed", ""),
        ("promtool test rules", "passed", ""),
        ("promtool check config", "passed", ""),
        ("amtool check-config", "passed", ""),
        ("amtool config routes test", "passed", ""),
        ("schemas", "passed", ""),
    ]
    assert [outcome.files for outcome in outcomes] == [
        ("rules/alerts.rules.yml",),
        ("rules/tests/down.yml",),
        ("rules/prometheus.yml",),
        ("rules/alertmanager.yml",),
        ("rules/alertmanager.yml", "rules/routing-tests.yml"),
        tuple(sorted(set(BUNDLE) - {"pipelines/logstash/main.conf"})),
    ]
    assert started == [outcome.name for outcome in outcomes]


@pytest.mark.usefixtures("real_tools")
@pytest.mark.parametrize(
    ("name", "path", "good", "bad", "detail"),
    [
        (
            "promtool check rules",
            "rules/alerts.rules.yml",
            "up == 0",
            "up ==",
            (
                "Checking rules/alerts.rules.yml\n"
                "  FAILED:\n"
                'rules/alerts.rules.yml: 5:15: group "autogpt", rule 1, "Down": could not parse'
                " expression: 1:6: parse error: unexpected end of input"
            ),
        ),
        (
            "promtool test rules",
            "rules/tests/down.yml",
            "exp_alerts: []",
            "exp_alerts: [{}]",
            (
                "Unit Testing:  rules/tests/down.yml\n"
                "  FAILED:\n"
                "    name: down,\n"
                "    alertname: Down, time: 1m, \n"
                "        exp:[\n"
                "            0:\n"
                '              Labels:{alertname="Down"}\n'
                "              Annotations:{}\n"
                "            ], \n"
                "        got:[]"
            ),
        ),
        (
            "promtool check config",
            "rules/prometheus.yml",
            "job_name: autogpt",
            "job_nam: autogpt",
            (
                "Checking rules/prometheus.yml\n"
                "  FAILED: parsing YAML file rules/prometheus.yml: yaml: unmarshal errors:\n"
                "  line 4: field job_nam not found in type config.ScrapeConfig"
            ),
        ),
        (
            "amtool check-config",
            "rules/alertmanager.yml",
            "receiver: webhook\n",
            "receiver: pager\n",
            (
                "Checking 'rules/alertmanager.yml'  FAILED: undefined receiver \"pager\" used in"
                " route\n\namtool: error: failed to validate 1 file(s)"
            ),
        ),
        (
            "amtool config routes test",
            "rules/routing-tests.yml",
            "receivers: [webhook]",
            "receivers: [webhook, pager]",
            'Down (severity="critical"): got webhook, expected webhook,pager',
        ),
        (
            "amtool config routes test",
            "rules/routing-tests.yml",
            "labels: {severity: critical}",
            "labels: {bad-name: x}",
            (
                "amtool config routes test --config.file=rules/alertmanager.yml"
                " --verify.receivers=webhook 'bad-name=\"x\"':"
                ' amtool: error: Failed to parse labels: bad matcher format: bad-name="x"'
            ),
        ),
        (
            "amtool config routes test",
            "rules/routing-tests.yml",
            "receivers: [webhook]",
            "receivers: webhook",
            (
                "rules/routing-tests.yml: can't read the test"
                ' {"alerts": "Down", "labels": {"severity": "critical"}, "receivers": "webhook"}'
            ),
        ),
    ],
)
def test_a_fault_is_told_in_the_tools_own_words(
    name: str, path: str, good: str, bad: str, detail: str
) -> None:
    assert BUNDLE[path].count(good) == 1
    outcome = validate({**BUNDLE, path: BUNDLE[path].replace(good, bad)})[name]
    assert (outcome.status, outcome.detail) == (Status.FAILED, detail)


@pytest.mark.usefixtures("real_tools")
def test_of_many_alerts_that_go_elsewhere_ten_are_told() -> None:
    test = "  - {alerts: A%d, labels: {severity: info, n: '%d'}, receivers: [pager]}\n"
    files = {**BUNDLE, "rules/routing-tests.yml": "tests:\n"}
    files["rules/routing-tests.yml"] += "".join(test % (n, n) for n in range(12))
    lines = validate(files)["amtool config routes test"].detail.split("\n")
    assert lines == [
        *(f'A{n} (severity="info", n="{n}"): got webhook, expected pager' for n in range(10)),
        "and 2 more of 12 tests",
    ]


@pytest.mark.usefixtures("real_tools")
def test_duplicate_rules_fail() -> None:
    rule = RULES[RULES.index("      - record") :]
    outcome = validate({"rules/a.rules.yml": RULES + rule})["promtool check rules"]
    assert (outcome.status, outcome.detail) == (
        Status.FAILED,
        (
            "Checking rules/a.rules.yml\n"
            "  FAILED:\n"
            "lint error 1 duplicate rule(s) found.\n"
            "Metric: job:up:sum\n"
            "Label(s):\n"
            "Might cause inconsistency while recording expressions"
        ),
    )


def test_missing_tools_are_skipped_with_the_command_that_installs_them() -> None:
    outcomes = validate_bundle(BUNDLE, environ={"PATH": "/nowhere"})
    assert [(o.status, o.detail, o.lacks_tool) for o in outcomes] == [
        *((Status.SKIPPED, f"promtool is not installed; {install_hint('promtool')}", True),) * 3,
        *((Status.SKIPPED, f"amtool is not installed; {install_hint('amtool')}", True),) * 2,
        (Status.PASSED, "", False),
    ]


def test_a_validator_without_files_is_skipped() -> None:
    outcomes = validate_bundle({"pipelines/logstash/main.conf": "input {}\n"}, environ=os.environ)
    assert [(o.status, o.detail, o.lacks_tool) for o in outcomes] == [
        (Status.SKIPPED, "no file of the bundle is rules/*.rules.yml", False),
        (Status.SKIPPED, "no file of the bundle is rules/tests/*.yml", False),
        (Status.SKIPPED, "no file of the bundle is rules/prometheus.yml", False),
        (Status.SKIPPED, "no file of the bundle is rules/alertmanager.yml", False),
        (Status.SKIPPED, "no file of the bundle is rules/routing-tests.yml", False),
        (Status.SKIPPED, "no file of the bundle is YAML or JSON (.yml, .yaml, .json)", False),
    ]


def test_a_tool_that_fails_without_a_word_or_cannot_start_is_a_failure(tmp_path: Path) -> None:
    tool = tmp_path / "promtool"
    environ = {"AUTOGPT_OBSERVE_PROMTOOL": str(tool)}
    for script, detail in (
        ("#!/bin/sh\nexit 7\n", "promtool ended with exit code 7"),
        ("#!/no/such\n", f"can't run {tool}: No such file or directory"),
    ):
        tool.write_text(script)
        tool.chmod(0o755)
        outcome = validate_bundle({"rules/a.rules.yml": RULES}, environ=environ)[0]
        assert (outcome.status, outcome.detail) == (Status.FAILED, detail)


def test_a_setting_that_names_no_program_stops_the_run() -> None:
    with pytest.raises(ToolError, match=r"^AUTOGPT_OBSERVE_AMTOOL=/nowhere: expected the path"):
        validate_bundle(BUNDLE, environ={"AUTOGPT_OBSERVE_AMTOOL": "/nowhere"})


def test_a_path_that_leaves_the_folder_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        validate_bundle({str(tmp_path / "x.yml"): ""}, environ={})
    assert str(caught.value) == (
        f"{str(tmp_path / 'x.yml')!r}: no file of a bundle can have this path: it is absolute"
    )
    assert not any(tmp_path.iterdir())


def test_every_schema_and_every_tool_sees_a_file_of_the_good_bundle() -> None:
    assert {schema_for(path) for path in BUNDLE} == {name for _, name in SCHEMAS} | {None}
    assert all(outcome.files for outcome in validate_bundle(BUNDLE, environ={}))
    assert len(TOOL_CHECKS) == 4
