"""`autogpt-observe import` as a user meets it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from import_cases import rule_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

GOOD = rule_file(
    "{alert: Down, expr: up == 0, labels: {severity: info, owner: web}, annotations: {summary: s}}"
)
SPEC = """\
# Imported by `autogpt-observe import` from r.yml.
version: 1
service: {name: r, owner: web}

alerts:
  # group `g`
  Down:
    when:
      expr: "up == 0"
    severity: info
    annotations: {summary: s}
    allow: {alert/untested: "imported without tests"}
"""
SUMMARY = """\
carried over: 1 alert
1 alert has no tests that see it fire and stay silent; `allow` in the spec says so
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "r.yml").write_text(GOOD, encoding="utf-8")

    def call(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "autogpt_observe", *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def test_spec_to_stdout(run: Run) -> None:
    done = run("import", "r.yml", "--service", "r", "--fail-on", "warning")
    assert (done.returncode, done.stdout, done.stderr) == (0, SPEC, SUMMARY)


def test_a_service_that_no_file_names_is_told(run: Run) -> None:
    done = run("import", "r.yml")
    assert (done.returncode, done.stdout) == (0, SPEC)
    assert done.stderr.splitlines()[:3] == [
        "warning: no file names a service; `r` is written, after the first file [import/guessed]",
        "  = name one with `--service`",
        "1 warning",
    ]
    assert run("import", "r.yml", "--fail-on", "warning").returncode == 1


def test_spec_to_a_file(run: Run, tmp_path: Path) -> None:
    done = run("import", "r.yml", "--service", "r", "-o", "new/observe.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote new/observe.yaml\n", SUMMARY)
    assert (tmp_path / "new/observe.yaml").read_text(encoding="utf-8") == SPEC
    valid = run("validate", "new/observe.yaml", "--fail-on", "warning")
    assert (valid.returncode, valid.stdout) == (0, "new/observe.yaml is valid\n")


def test_never_over_a_file_unless_forced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text("mine", encoding="utf-8")
    refused = run("import", "r.yml", "-o", "observe.yaml")
    assert (refused.returncode, refused.stdout, refused.stderr) == (
        2,
        "",
        "error: observe.yaml exists already; name another file, or add `--force`\n",
    )
    assert (tmp_path / "observe.yaml").read_text(encoding="utf-8") == "mine"
    assert run("import", "r.yml", "-o", "observe.yaml", "--force").returncode == 0
    assert (tmp_path / "observe.yaml").read_text(encoding="utf-8") == SPEC


def test_losses_fail_where_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(GOOD.replace("expr", "extra: 1, expr"), encoding="utf-8")
    told = (
        "r.yml:4:23: warning: `extra` is not carried over: it has no place in a spec"
        " [import/lost]\n"
    )
    for options, code in (((), 0), (("--fail-on", "warning"), 1)):
        done = run("import", "r.yml", "--service", "r", *options)
        assert (done.returncode, done.stdout) == (code, SPEC)
        assert done.stderr.startswith(told)


def test_names_are_given(run: Run) -> None:
    done = run("import", "r.yml", "--service", "crawler", "--owner", "agents")
    assert "service: {name: crawler, owner: agents}\n" in done.stdout
    assert "    owner: web\n" in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("gone.yml",), "error: can't read gone.yml: No such file or directory\n"),
        ((".",), "error: can't read .: Is a directory\n"),
        (
            ("r.yml", "--owner", "a b"),
            (
                "error: --owner `a b`: write a name of at most 63 letters, digits, `-` and `_`,"
                " starting with a letter\n"
            ),
        ),
        (("r.yml", "-o", "r.yml/x"), "error: can't write r.yml/x: "),
    ],
)
def test_unusable_arguments(run: Run, args: tuple[str, ...], said: str) -> None:
    done = run("import", *args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(said)


def test_unusable_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text("a: 1\n", encoding="utf-8")
    done = run("import", "r.yml", "-o", "observe.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == (
        "r.yml:1:1: error: can't import a file of this kind [import/kind]"
    )
    assert not (tmp_path / "observe.yaml").exists()
