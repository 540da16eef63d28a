"""The command line as a user meets it: whole processes, whole messages, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from autogpt_observe import __version__
from autogpt_observe.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

BROKEN = """\
version: 1
include: [autogpt]
service: {name: crawler, owner: team}
alerts:
  HighErrorRate: {for: 1:30, severty: warning}
  Typo: {when: {expr: 'autogpt_errors_totl > 1'}, severity: info, annotations: {summary: s}}
"""

REPORTED = """\
observe.yaml:5:24: error: `for`: expected a duration such as `30s`, `5m` or `1h30m`, got `1:30` \
[spec/type]
    5 |   HighErrorRate: {for: 1:30, severty: warning}
      |                        ^^^^
  = YAML 1.1 reads this as a base-60 number; write `1m30s`
observe.yaml:5:30: error: unknown key `severty` in `HighErrorRate` [spec/unknown-key]
    5 |   HighErrorRate: {for: 1:30, severty: warning}
      |                              ^^^^^^^
  = did you mean `severity`?
observe.yaml:6:3: warning: `Typo` is raw PromQL and has no `tests` [alert/untested]
    6 |   Typo: {when: {expr: 'autogpt_errors_totl > 1'}, severity: info, annotations: {summary: s}}
      |   ^^^^
  = add `tests` with samples around the threshold, or use a typed condition
observe.yaml:6:24: error: the metric `autogpt_errors_totl` is not declared [promql/unknown-metric]
    6 |   Typo: {when: {expr: 'autogpt_errors_totl > 1'}, severity: info, annotations: {summary: s}}
      |                        ^^^^^^^^^^^^^^^^^^^
  = did you mean `autogpt_errors_total`?
3 errors, 1 warning
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*args: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "autogpt_observe", *args],
            cwd=tmp_path,
            env={**os.environ, **env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def test_version(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"autogpt-observe {__version__}\n")


def test_every_command_has_help_with_examples(
    run: Run,
) -> None:
    for name in COMMANDS:
        done = run(name, "--help")
        assert done.returncode == 0
        assert f"autogpt-observe {name}" in done.stdout
        assert "Example" in done.stdout


def test_an_unknown_command_is_told_with_the_near_one(
    run: Run,
) -> None:
    done = run("generat")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        "Error: there is no command `generat`; did you mean `generate`?"
    )


def test_init_writes_a_spec_that_is_valid_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    done = run("init")
    assert (done.returncode, done.stdout) == (0, "wrote observe.yaml\n")
    assert done.stderr == "next: autogpt-observe validate\n"
    text = (tmp_path / "observe.yaml").read_text()
    valid = run("validate", "--fail-on", "warning")
    assert (valid.returncode, valid.stdout) == (0, "observe.yaml is valid\n")
    again = run("init")
    assert again.returncode == 2
    assert again.stderr == (
        "error: observe.yaml exists already; name another file: autogpt-observe init FILE\n"
    )
    assert (tmp_path / "observe.yaml").read_text() == text


def test_init_makes_the_folder(run: Run, tmp_path: Path) -> None:
    done = run("init", "crawler/observe.yaml")
    assert (done.returncode, done.stdout) == (0, "wrote crawler/observe.yaml\n")
    assert done.stderr == "next: autogpt-observe validate crawler/observe.yaml\n"
    assert (tmp_path / "crawler/observe.yaml").exists()


def test_init_where_it_can_not_write(run: Run) -> None:
    done = run("init", "/dev/null/observe.yaml")
    assert done.returncode == 2
    assert done.stderr == "error: can't write /dev/null/observe.yaml: File exists\n"


def test_validate_reports_everything_in_one_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(BROKEN)
    done = run("validate")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == REPORTED


def test_validate_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(BROKEN)
    done = run("validate", "--format", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout)[1] == {
        "id": "spec/unknown-key",
        "severity": "error",
        "message": "unknown key `severty` in `HighErrorRate`",
        "fix": "did you mean `severity`?",
        "file": "observe.yaml",
        "line": 5,
        "column": 30,
        "length": 7,
    }


def test_validate_as_github_commands(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(BROKEN)
    done = run("validate", "--format", "github")
    assert done.returncode == 2
    assert done.stdout.splitlines()[1] == (
        "::error title=spec/unknown-key,file=observe.yaml,line=5,col=30,endColumn=37"
        "::unknown key `severty` in `HighErrorRate`; did you mean `severity`?"
    )
    assert done.stdout.splitlines()[2].startswith("::warning title=alert/untested,")


def test_validate_as_sarif(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(BROKEN)
    done = run("validate", "--format", "sarif")
    assert done.returncode == 2
    log = json.loads(done.stdout)
    assert log["version"] == "2.1.0"
    assert log["runs"][0]["results"][1] == {
        "ruleId": "spec/unknown-key",
        "level": "error",
        "message": {"text": "unknown key `severty` in `HighErrorRate`; did you mean `severity`?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "observe.yaml"},
                    "region": {"startLine": 5, "startColumn": 30, "endColumn": 37},
                }
            }
        ],
    }


def test_warnings_fail_only_when_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(
        "version: 1\nservice: {name: s, owner: o}\nalerts:\n"
        "  Down: {when: {expr: up == 0}, severity: critical, annotations: {summary: s}}\n"
    )
    assert run("validate").returncode == 0
    assert run("validate", "--fail-on", "warning").returncode == 1


def test_a_missing_spec(run: Run) -> None:
    done = run("validate", "nope.yaml")
    assert done.returncode == 2
    assert done.stderr == (
        "error: can't read nope.yaml: No such file or directory [spec/unreadable]\n"
        "  = `autogpt-observe init` writes a spec to start from\n"
        "1 error\n"
    )


def test_an_unknown_environment(
    run: Run,
) -> None:
    run("init")
    done = run("generate", "--env", "stagin")
    assert done.returncode == 2
    assert done.stderr == "error: unknown environment `stagin`: did you mean `staging`?\n"


def test_generate_then_check_then_one_changed_byte(run: Run, tmp_path: Path) -> None:
    assert run("generate", "-o", "out").returncode == 0
    clean = run("generate", "-o", "out", "--check")
    assert clean.returncode == 0
    assert clean.stdout.startswith("up to date: ")
    rules = tmp_path / "out/rules/alerts.rules.yml"
    text = rules.read_text()
    rules.write_text(text.replace("[5m]) > 0.1", "[5m]) > 0.2", 1))
    drift = run("generate", "-o", "out", "--check")
    assert drift.returncode == 1
    assert drift.stdout == (
        "restore   rules/alerts.rules.yml (edited or damaged since it was generated)\n"
    )
    assert "0.2" in rules.read_text()
    meaning = run("generate", "-o", "out", "--diff")
    assert meaning.returncode == 0
    assert meaning.stdout == ("rules/alerts.rules.yml: alert HighErrorRate: threshold 0.2 -> 0.1\n")
    mended = run("generate", "-o", "out")
    assert mended.returncode == 0
    assert mended.stderr == (
        "restored rules/alerts.rules.yml: it had been edited, damaged or deleted\n"
    )
    assert rules.read_text() == text


def test_generate_never_touches_what_it_did_not_write(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "out/rules/alerts.rules.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n")
    done = run("generate", "-o", "out")
    assert done.returncode == 2
    assert "rules/alerts.rules.yml" in done.stderr
    assert mine.read_text() == "mine\n"
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == [mine]


def test_only_some_targets(run: Run, tmp_path: Path) -> None:
    assert run("generate", "-o", "out", "--only", "grafana").returncode == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {".autogpt-observe.json", "dashboards"}
    assert run("generate", "-o", "out", "--only", "grafana", "--check").returncode == 0
    assert run("generate", "-o", "out", "--check").returncode == 1


def test_an_environment_changes_the_bundle(run: Run, tmp_path: Path) -> None:
    run("init")
    run("generate", "-o", "out")
    done = run("generate", "-o", "out", "--env", "staging", "--diff")
    assert (
        "rules/alerts.rules.yml: alert HighErrorRate labels severity: warning -> info"
        in done.stdout.splitlines()
    )
    assert tmp_path.joinpath("out/rules/alerts.rules.yml").exists()


def test_show_resolved_names_origins(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(
        "version: 1\ninclude: [autogpt]\nservice: {name: s, owner: o}\n"
        "alerts: {HighErrorRate: {for: 7m}}\n"
    )
    done = run("show", "--resolved")
    assert done.returncode == 0
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "for: 7m # observe.yaml:4" in lines
    assert "for: 5m # <packs/autogpt.yaml>" in [line.rsplit(":", 1)[0] for line in lines]


def test_output_is_plain_in_a_pipe(
    run: Run,
) -> None:
    for args in (["validate"], ["show"], ["generate", "-o", "out"], ["validate", "nope.yaml"]):
        done = run(*args)
        assert "\x1b" not in done.stdout + done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m autogpt_observe schema | head -1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("command", ["schema", "generate --check", "validate"])
def test_a_full_disk_behind_stdout_is_one_clear_line(tmp_path: Path, command: str) -> None:
    line = f"{sys.executable} -m autogpt_observe {command} > /dev/full"
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: can't write the output: No space left on device\n"


def test_a_closed_stdout_is_no_traceback(tmp_path: Path) -> None:
    line = f"{sys.executable} -m autogpt_observe validate >&-"
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_empty_output_folder_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("generate", "-o", "")
    assert (done.returncode, done.stderr) == (2, "error: -o needs the name of a folder\n")
    assert list(tmp_path.iterdir()) == []


def test_a_changed_condition_drops_the_tests_from_below(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(
        "version: 1\ninclude: [autogpt]\nservice: {name: s, owner: o}\n"
        "alerts: {HighErrorRate: {for: 7m}}\n"
    )
    found = run("validate")
    assert found.returncode == 0
    assert "`HighErrorRate` is raw PromQL and has no `tests` [alert/untested]" in found.stderr
    done = run("test")
    assert (done.returncode, "failed" in done.stdout) == (0, False), done.stdout


def test_schema_is_json_schema(run: Run) -> None:
    schema = json.loads(run("schema").stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["alerts"]["description"] == "Alerts by name"
