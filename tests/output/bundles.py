"""What the tests of the disk side share: small bundles, and what is on disk after them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autogpt_observe.artifacts import Artifact
from autogpt_observe.output.apply import apply_plan, recover
from autogpt_observe.output.plan import format_plan, plan_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.output.apply import Applied

MANIFEST = ".autogpt-observe.json"
STAGE = ".autogpt-observe.stage"


def artifacts(files: Mapping[str, str]) -> dict[str, Artifact]:
    """Artifacts whose target is the first folder of their path."""
    return {path: Artifact(path.split("/")[0], text) for path, text in files.items()}


def generate(
    root: Path, files: Mapping[str, str], *, only: frozenset[str] | None = None
) -> Applied:
    """What `autogpt-observe generate` does with a rendered bundle."""
    recover(root)
    return apply_plan(plan_bundle(root, artifacts(files), only=only))


def planned(root: Path, files: Mapping[str, str], *, only: frozenset[str] | None = None) -> str:
    return format_plan(plan_bundle(root, artifacts(files), only=only))


def tree(root: Path) -> dict[str, str]:
    """Every file below ``root`` but the manifest, and every empty folder (as ``folder/``)."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file() and name != MANIFEST:
            found[name] = path.read_text()
        elif path.is_dir() and not any(path.iterdir()):
            found[f"{name}/"] = ""
    return found


def state(root: Path) -> dict[str, object]:
    """Everything below ``root``: texts, modes, and the manifest too."""
    return {
        path.relative_to(root).as_posix(): (
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
    }


def put(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def run_killed(jobs: Sequence[Mapping[str, object]]) -> list[str]:
    """Carry out the jobs of `killed_run.py`, each in a process of its own; how each one ended."""
    driver = Path(__file__).with_name("killed_run.py")
    done = subprocess.run(
        [sys.executable, str(driver)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    ends: list[str] = json.loads(done.stdout)
    return ends
