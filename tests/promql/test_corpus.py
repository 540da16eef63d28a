"""Rules as people write them, of many kinds of systems: every finding is accounted for.

A file of `corpus/` declares the metrics it reads, as ``type label label``, and gives rules as
``record: expression`` and ``alert: [expression, for, summary]``. `corpus/findings.txt` says what is
found, and why that is right; whatever is found beyond it is a false alarm.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import promql_parser as library
import pytest
import yaml
from expressions import likeness, likeness_of_library

from autogpt_observe.promql.parser import parse
from autogpt_observe.promql.tree import canonical
from autogpt_observe.spec.load import read_spec

FOLDER = Path(__file__).parent / "corpus"
FILES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))

_UNTESTED = {"alert/untested": "its metrics are no service's own"}


def rules_of(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return document


def expressions() -> list[str]:
    found = []
    for name in FILES:
        rules = rules_of(name)
        found += [*rules["records"].values(), *(alert[0] for alert in rules["alerts"].values())]
    return found


def spec_of(name: str) -> str:
    """The rules as a spec; JSON is YAML."""
    rules = rules_of(name)
    metrics = {}
    for metric, words in rules["metrics"].items():
        kind, *labels = words.split()
        declared: dict[str, Any] = {"type": kind, "from": "external", "help": metric}
        metrics[metric] = {**declared, "labels": labels} if labels else declared
    alerts = {
        alert: {
            "when": {"expr": expr},
            "for": held,
            "severity": "warning",
            "annotations": {"summary": text},
            **({"watchdog": True} if alert == "Watchdog" else {"allow": _UNTESTED}),
        }
        for alert, (expr, held, text) in rules["alerts"].items()
    }
    return json.dumps(
        {
            "version": 1,
            "service": {"name": "corpus", "owner": "team"},
            "metrics": metrics,
            "recording_rules": {record: {"expr": e} for record, e in rules["records"].items()},
            "alerts": alerts,
        },
        indent=1,
    )


def findings_of(name: str, folder: Path) -> list[str]:
    path = folder / "observe.yaml"
    path.write_text(spec_of(name), encoding="utf-8")
    lines = path.read_text(encoding="utf-8").split("\n")
    found = []
    for diagnostic in read_spec(path).diagnostics:
        assert diagnostic.at is not None
        above = reversed(lines[: diagnostic.at.line])
        rule = next(line.strip(' ":{') for line in above if line.startswith('  "'))
        found.append(f"{rule}: {diagnostic.severity}: {diagnostic.message} [{diagnostic.id}]")
    return found


def expected_of(name: str) -> list[str]:
    """The lines of `findings.txt` below the file's name; `#` begins why a finding is right."""
    sections = (FOLDER / "findings.txt").read_text(encoding="utf-8").split("\n## ")[1:]
    chosen = next(s for s in sections if s.startswith(f"{name}\n"))
    return [line for line in chosen.split("\n")[1:] if line and not line.startswith("#")]


@pytest.mark.parametrize("name", FILES)
def test_every_finding_is_a_true_one(name: str, tmp_path: Path) -> None:
    assert findings_of(name, tmp_path) == expected_of(name)


def test_the_corpus_is_large() -> None:
    assert len(expressions()) >= 300
    assert len({canonical(parse(expr)) for expr in expressions()}) >= 300


def test_our_tree_of_each_expression_is_the_library_s() -> None:
    for expr in expressions():
        assert likeness(parse(expr)) == likeness_of_library(library.parse(expr)), expr
