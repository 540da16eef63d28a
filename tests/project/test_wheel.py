"""What a user gets from the wheel, in an environment that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import autogpt_observe

ROOT = Path(__file__).parents[2]
MANIFEST = ".autogpt-observe.json"
WHERE = "import autogpt_observe as a; print(a.__file__, a.__version__, sep='\\n')"


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment into which the wheel was installed."""
    dist = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", dist, cwd=ROOT)
    (wheel,) = dist.iterdir()
    assert wheel.name == f"autogpt_observe-{autogpt_observe.__version__}-py3-none-any.whl"
    venv = tmp_path_factory.mktemp("elsewhere") / "venv"
    _run(sys.executable, "-m", "venv", venv, cwd=dist)
    _run(venv / "bin" / "python", "-m", "pip", "--quiet", "install", wheel, cwd=dist)
    return venv / "bin"


@pytest.mark.timeout(600)
def test_wheel_writes_the_committed_bundle(installed: Path, tmp_path: Path) -> None:
    module, version = _run(installed / "python", "-c", WHERE, cwd=tmp_path).splitlines()
    assert Path(module).is_relative_to(installed.parent)
    assert Path(module).with_name("py.typed").is_file()
    assert version == autogpt_observe.__version__

    _run(installed / "autogpt-observe", "generate", cwd=tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    generated = {path.relative_to(tmp_path).as_posix() for path in files}
    listed = json.loads((ROOT / MANIFEST).read_bytes())["files"]
    assert len(listed) > 5
    assert generated == {*listed, MANIFEST}
    differing = [path for path in sorted(generated) if _differ(ROOT / path, tmp_path / path)]
    assert differing == []


def _differ(one: Path, other: Path) -> bool:
    return one.read_bytes() != other.read_bytes()


def _run(*command: str | Path, cwd: Path) -> str:
    """Run a command outside this test's environment; its standard output."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=500
    )
    assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
    return run.stdout
