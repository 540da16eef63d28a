"""Imports of files and of texts, for the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from autogpt_observe.diagnostics import SpecError, format_diagnostics
from autogpt_observe.importers import Imported, import_files
from autogpt_observe.names import Name

if TYPE_CHECKING:
    from collections.abc import Sequence

CASES = Path(__file__).parent / "cases"
REWRITE = "AUTOGPT_OBSERVE_REWRITE_GOLDENS"
"""Set to 1, goldens are written instead of compared, and their tests fail to say so."""


def import_texts(*texts: str, service: str = "shop", owner: str | None = "team") -> Imported:
    """The import of files `a.yml`, `b.yml` and so on."""
    files = [(f"{chr(97 + at)}.yml", text.encode()) for at, text in enumerate(texts)]
    named = Name(owner) if owner is not None else None
    return import_files(files, service=Name(service), owner=named)


def refused(*texts: str) -> str:
    """What is said about files that can't be imported."""
    try:
        imported = import_texts(*texts)
    except SpecError as error:
        return str(error)
    raise AssertionError(imported.text)


def told(imported: Imported) -> list[str]:
    """The findings, each without its excerpt: `a.yml:1:2: MESSAGE [ID]`, and the fix."""
    lines = []
    for found in imported.diagnostics:
        fix = f" = {found.fix}" if found.fix is not None else ""
        lines.append(f"{found.at or '-'}: {found.message} [{found.id}]{fix}")
    return lines


def spec_of(imported: Imported) -> dict[str, dict[str, dict[str, object]]]:
    """The spec as YAML's plain data."""
    data: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(imported.text)
    return data


def assert_case(name: str) -> None:
    """Import a case's files and compare the spec and the report with those beside them."""
    folder = CASES / name
    files = [path for path in sorted(folder.iterdir()) if path.stem not in ("expected", "told")]
    imported = import_files([(path.name, path.read_bytes()) for path in files])
    results = {
        "expected.yaml": imported.text,
        "told.txt": format_diagnostics(imported.diagnostics) + "\n",
    }
    if os.environ.get(REWRITE) == "1":
        for file, text in results.items():
            (folder / file).write_text(text, encoding="utf-8")
        raise AssertionError("the goldens were written; read them, then run without the variable")
    for file, text in results.items():
        assert text == (folder / file).read_text(encoding="utf-8"), file


def rule_file(*rules: str, group: str = "g") -> str:
    """A rule file with one group of these rules, each one line of flow YAML."""
    lines: Sequence[str] = [f"      - {rule}" for rule in rules]
    return "\n".join(["groups:", f"  - name: {group}", "    rules:", *lines, ""])
