"""Findings for other programs: JSON, SARIF for code scanning, GitHub's workflow commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from autogpt_observe import __version__
from autogpt_observe.diagnostics import Severity, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.diagnostics import Diagnostic

_SARIF = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def format_as_json(found: Sequence[Diagnostic]) -> str:
    """A list of objects, one for each finding; ``line`` and ``column`` count from 1."""
    return json.dumps([_as_json(one) for one in found], indent=2)


def format_as_github(found: Sequence[Diagnostic]) -> str:
    """One workflow command for each finding: GitHub shows it beside the line.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    return "\n".join(_as_github(one) for one in found)


def format_as_sarif(found: Sequence[Diagnostic]) -> str:
    """A SARIF 2.1.0 log with one run."""
    rules = [{"id": id_} for id_ in dict.fromkeys(one.id for one in found)]
    driver = {"name": "autogpt-observe", "version": __version__, "rules": rules}
    results = [_as_sarif(one) for one in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


def _as_json(found: Diagnostic) -> dict[str, str | int | None]:
    at = found.at
    return {
        "id": found.id,
        "severity": found.severity.value,
        "message": printable(found.message),
        "fix": printable(found.fix) if found.fix is not None else None,
        "file": at.source.name if at else None,
        "line": at.line if at else None,
        "column": at.column if at else None,
        "length": at.length if at else None,
    }


def _as_github(found: Diagnostic) -> str:
    at = found.at
    properties = {"title": found.id}
    if at is not None:
        where = {"line": at.line, "col": at.column, "endColumn": at.column + at.length}
        properties |= {"file": at.source.name, **{key: str(n) for key, n in where.items()}}
    listed = ",".join(f"{key}={_escaped(text, ':,')}" for key, text in properties.items())
    return f"::{found.severity} {listed}::{_escaped(_text(found))}"


def _as_sarif(found: Diagnostic) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": found.id,
        "level": "error" if found.severity is Severity.ERROR else "warning",
        "message": {"text": _text(found)},
    }
    if found.at is not None:
        at = found.at
        region = {
            "startLine": at.line,
            "startColumn": at.column,
            "endColumn": at.column + at.length,
        }
        place = {"artifactLocation": {"uri": at.source.name}, "region": region}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _text(found: Diagnostic) -> str:
    return printable(f"{found.message}; {found.fix}" if found.fix is not None else found.message)


def _escaped(text: str, also: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{also}" else c for c in text)
