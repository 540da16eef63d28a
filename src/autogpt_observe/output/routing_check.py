"""Holds the rendered routing against what the spec says of each alert, with amtool."""

from __future__ import annotations

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from autogpt_observe.output.documents import UnreadableError, read_documents
from autogpt_observe.output.tools import run_tool
from autogpt_observe.render.alertmanager.matchers import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autogpt_observe.output.documents import Json

ROUTING_TESTS = "rules/routing-tests.yml"
ALERTMANAGER = "rules/alertmanager.yml"
_PROCESSES = 4
"""amtool takes one label set for each run, and such a run mostly starts up."""
_TIMEOUT = 30.0
_MOST_SHOWN = 10
_NOISE = "Warning: --config.file flag overrides"
_OTHERS = "WARNING: Expected receivers did not match"


def check_routing(amtool: Path, folder: Path) -> list[str]:
    """What is wrong, a line each: alerts that :data:`ALERTMANAGER` sends elsewhere than it must.

    Raises ToolError where amtool can't be run.
    """
    try:
        text = (folder / ROUTING_TESTS).read_text(encoding="utf-8")
        tests = list(_read_tests(read_documents(ROUTING_TESTS, text)))
    except (UnreadableError, ValueError) as exc:
        return [f"{ROUTING_TESTS}: {exc}"]
    with ThreadPoolExecutor(_PROCESSES) as pool:
        found = list(pool.map(lambda test: _run(amtool, folder, *test), tests))
    lines = [line for line in found if line is not None]
    more = len(lines) - _MOST_SHOWN
    return lines[:_MOST_SHOWN] + ([f"and {more} more of {len(tests)} tests"] if more > 0 else [])


def _run(
    amtool: Path, folder: Path, alerts: str, labels: dict[str, str], receivers: list[str]
) -> str | None:
    wanted = ",".join(receivers)
    given = [f"{name}={quote(value)}" for name, value in labels.items()]
    options = (f"--config.file={ALERTMANAGER}", f"--verify.receivers={wanted}")
    arguments = ("config", "routes", "test", *options, *given)
    done = run_tool(amtool, arguments, cwd=folder, timeout=_TIMEOUT)
    if done.exit_code == 0:
        return None
    output = done.output.replace(f"{folder}/", "").splitlines()
    said = [line for line in output if not line.startswith(_NOISE)]
    if len(said) > 1 and said[1].startswith(_OTHERS):
        return f"{alerts} ({', '.join(given)}): got {said[0]}, expected {wanted}"
    words = "\n".join(said).strip() or f"ended with exit code {done.exit_code}"
    return f"{shlex.join((amtool.name, *arguments))}: {words}"


def _read_tests(documents: list[Json]) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    match documents:
        case [{"tests": [*tests]}]:
            for test in tests:
                match test:
                    case {"alerts": str(alerts), "labels": dict(labels), "receivers": [*names]}:
                        told = {str(name): str(value) for name, value in labels.items()}
                        yield alerts, told, [str(name) for name in names]
                    case _:
                        raise ValueError(f"can't read the test {json.dumps(test)}")
        case _:
            raise ValueError("no list of `tests`")
