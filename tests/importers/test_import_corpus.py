"""Rules as people have them: all of them come over, pass the checks, and pass promtool."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from import_cases import spec_of
from test_import_rules import assert_promtool_agrees

from autogpt_observe.importers import import_files
from autogpt_observe.names import Name

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_comes_over(path: Path, tmp_path: Path) -> None:
    imported = import_files([(path.name, path.read_bytes())], owner=Name("team"))
    groups = yaml.safe_load(path.read_bytes())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    lost = [found.message for found in imported.diagnostics if found.id == "import/lost"]
    alerts = [rule for rule in rules if "alert" in rule]
    spec = spec_of(imported)
    assert lost == []
    assert imported.warnings == 0
    assert [alert["when"] for alert in spec["alerts"].values()] == [
        {"expr": rule["expr"].rstrip()} for rule in alerts
    ]
    assert set(spec["recording_rules"]) == {r["record"] for r in rules if "record" in r}
    assert_promtool_agrees(imported, tmp_path)


def test_corpus_is_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    assert sum(text.count("alert:") + text.count("record:") for text in texts) > 60
