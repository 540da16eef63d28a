"""Proves a rendered bundle with the real tools, and with the schemas of its formats."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from autogpt_observe.errors import OutputError, ToolError
from autogpt_observe.output.paths import path_fault
from autogpt_observe.output.tools import find_tool, install_hint, run_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMAS_CHECK = "schemas"
ROUTING_CHECK = "amtool config routes test"
_TIMEOUT = 600.0
"""Seconds a tool may take: unit tests over months of samples need minutes on a slow machine."""


class Status(StrEnum):
    """How a validator ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one validator says.

    Attributes:
        name: the validator: the tool and what it does.
        files: the paths it covers.
        detail: on failure the tool's own words, on a skip what is missing and how to get it.
        lacks_tool: it was skipped because its tool is not installed, not for want of files.
    """

    name: str
    status: Status
    files: tuple[str, ...]
    detail: str = ""
    lacks_tool: bool = False


@dataclass(frozen=True, slots=True)
class ToolCheck:
    """A validator that is a run of an external tool on the files that match ``pattern``."""

    tool: str
    arguments: tuple[str, ...]
    pattern: str

    @property
    def name(self) -> str:
        """What it is called: ``promtool check rules``."""
        words = [word for word in self.arguments if not word.startswith("-")]
        return " ".join((self.tool, *words))


TOOL_CHECKS = (
    ToolCheck("promtool", ("check", "rules", "--lint-fatal"), "rules/*.rules.yml"),
    ToolCheck("promtool", ("test", "rules"), "rules/tests/*.yml"),
    ToolCheck("promtool", ("check", "config", "--lint-fatal"), "rules/prometheus.yml"),
    ToolCheck("amtool", ("check-config",), "rules/alertmanager.yml"),
)


def validate_bundle(
    files: Mapping[str, str],
    *,
    environ: Mapping[str, str],
    on_start: Callable[[str], None] | None = None,
) -> tuple[Outcome, ...]:
    """Run every validator on the bundle (text by path); one outcome each, in a fixed order.

    ``on_start`` is told the name of each validator before it runs. Raises ToolError for a setting
    that names no program, OutputError where the files can't be written to a temporary folder.
    """
    announce = on_start or (lambda _: None)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="autogpt-observe-") as name:
        folder = Path(name).resolve()
        _write(files, folder)
        for check in TOOL_CHECKS:
            announce(check.name)
            outcomes.append(_run(check, files, folder, environ))
        announce(ROUTING_CHECK)
        outcomes.append(_check_routing(files, folder, environ))
    announce(SCHEMAS_CHECK)
    return (*outcomes, _check_schemas(files))


def _run(
    check: ToolCheck, files: Mapping[str, str], folder: Path, environ: Mapping[str, str]
) -> Outcome:
    covered = tuple(sorted(path for path in files if _matches(path, check.pattern)))

    outcome = partial(Outcome, name=check.name, files=covered)
    if not covered:
        return outcome(status=Status.SKIPPED, detail=f"no file of the bundle is {check.pattern}")
    path = find_tool(check.tool, environ)
    if path is None:
        missing = f"{check.tool} is not installed; {install_hint(check.tool)}"
        return outcome(status=Status.SKIPPED, detail=missing, lacks_tool=True)
    try:
        done = run_tool(path, (*check.arguments, *covered), cwd=folder, timeout=_TIMEOUT)
    except ToolError as exc:
        return outcome(status=Status.FAILED, detail=str(exc))
    if done.exit_code == 0:
        return outcome(status=Status.PASSED)
    said = done.output.replace(f"{folder}/", "").strip()
    detail = said or f"{check.tool} ended with exit code {done.exit_code}"
    return outcome(status=Status.FAILED, detail=detail)


def _check_routing(files: Mapping[str, str], folder: Path, environ: Mapping[str, str]) -> Outcome:
    from autogpt_observe.output.routing_check import (  # noqa: PLC0415 - reads YAML
        ALERTMANAGER,
        ROUTING_TESTS,
        check_routing,
    )

    covered = tuple(path for path in (ALERTMANAGER, ROUTING_TESTS) if path in files)
    outcome = partial(Outcome, name=ROUTING_CHECK, files=covered)
    if ROUTING_TESTS not in files:
        detail = f"no file of the bundle is {ROUTING_TESTS}"
        return outcome(status=Status.SKIPPED, detail=detail)
    amtool = find_tool("amtool", environ)
    if amtool is None:
        missing = f"amtool is not installed; {install_hint('amtool')}"
        return outcome(status=Status.SKIPPED, detail=missing, lacks_tool=True)
    try:
        findings = check_routing(amtool, folder)
    except ToolError as exc:
        findings = [str(exc)]
    status = Status.FAILED if findings else Status.PASSED
    return outcome(status=status, detail="\n".join(findings))


def _check_schemas(files: Mapping[str, str]) -> Outcome:
    from autogpt_observe.output.schema_check import (  # noqa: PLC0415 - loads jsonschema
        ENDINGS,
        check_schemas,
    )

    covered = tuple(sorted(path for path in files if path.endswith(ENDINGS)))
    if not covered:
        detail = f"no file of the bundle is YAML or JSON ({', '.join(ENDINGS)})"
        return Outcome(name=SCHEMAS_CHECK, status=Status.SKIPPED, files=(), detail=detail)
    findings = check_schemas(files)
    return Outcome(
        name=SCHEMAS_CHECK,
        status=Status.FAILED if findings else Status.PASSED,
        files=covered,
        detail="\n".join(findings),
    )


def _write(files: Mapping[str, str], folder: Path) -> None:
    for path, text in files.items():
        fault = path_fault(path)
        if fault is not None:
            raise OutputError(f"{path!r}: no file of a bundle can have this path: {fault}")
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        except OSError as exc:
            raise OutputError(f"can't write {folder / path}: {exc.strerror or exc}") from exc


def _matches(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
