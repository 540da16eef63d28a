"""One small file of each kind: the whole spec and the whole report."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from import_cases import CASES, assert_case

from autogpt_observe.importers import import_files
from autogpt_observe.render.prometheus import render as render_rules
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(path.name for path in CASES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_spec_and_report(name: str) -> None:
    assert_case(name)


@pytest.mark.parametrize("name", NAMES)
def test_prometheus_takes_the_rules_of_the_imported_spec(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "observe.yaml"
    spec.write_bytes((CASES / name / "expected.yaml").read_bytes())
    for path, text in render_rules(load_spec(spec)).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    rules = sorted(map(str, tmp_path.glob("rules/*.rules.yml")))
    assert rules != []
    checked = subprocess.run(
        ["promtool", "check", "rules", "--lint-fatal", *rules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_files_are_told_by_content_and_not_by_order() -> None:
    folder = CASES / "rules"
    files = [(n, (folder / n).read_bytes()) for n in ("checkout.yml", "checkout_test.yml")]
    there, back = import_files(files), import_files(files[::-1])
    first, second = there.text.split("\n", 1)[1], back.text.split("\n", 1)[1]
    assert second == first.replace("name: checkout,", "name: checkout_test,")
