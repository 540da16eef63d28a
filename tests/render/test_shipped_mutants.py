"""Every alert that is shipped, in the pack and in the examples: each mutant turns a test red.

Those of objectives read records, and have a mutation run of their own in test_slo.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rule_mutants import survivors

from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.load import load_spec

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/observe.yaml"))
SPECS = {"the packaged spec": None, **{path.parent.name: path for path in EXAMPLES}}


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SPECS)
def test_no_mutant_survives(name: str, tmp_path: Path) -> None:
    spec = replace(load_spec(SPECS[name]), slos={})
    bundle = render_bundle(spec, only=("prometheus", "promtool"))
    for path, artifact in bundle.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(artifact.text, encoding="utf-8")
    assert survivors(tmp_path, tmp_path / "work") == []
