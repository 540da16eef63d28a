"""The examples: nothing is found in them, in no environment, and each makes a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from autogpt_observe.diagnostics import format_diagnostics
from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.load import load_spec, read_all_environments

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*/observe.yaml"))
SHAPES = {"batch-agent", "chat-backend", "crawler"}
_LONGEST = 150


def _name(path: Path) -> str:
    return path.parent.name


def test_the_examples_are_those_of_the_page() -> None:
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert {_name(path) for path in EXAMPLES} == SHAPES
    assert [
        name for name in sorted(SHAPES) if f"| [{name}]({name}/observe.yaml) |" not in page
    ] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=_name)
def test_example_is_valid_everywhere(path: Path) -> None:
    found = read_all_environments(path).diagnostics
    assert format_diagnostics(found) == ""


@pytest.mark.parametrize("path", EXAMPLES, ids=_name)
def test_example_renders_in_each_environment(path: Path) -> None:
    for environment in (None, *load_spec(path).environments):
        spec = load_spec(path, environment=environment)
        files = render_bundle(spec)
        assert "rules/alertmanager.yml" in files
        rules = "".join(a.text for path, a in files.items() if path.endswith(".rules.yml"))
        assert [name for name in spec.alerts if f"alert: {name}\n" not in rules] == []
        tests = "".join(a.text for path, a in files.items() if path.startswith("rules/tests/"))
        assert [name for name in spec.alerts if f"alertname: {name}\n" not in tests] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=_name)
def test_example_stays_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < _LONGEST
