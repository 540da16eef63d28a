from __future__ import annotations

import json
import subprocess
import sys

import pytest

import autogpt_observe

HEAVY = (
    "elasticsearch",
    "jsonschema",
    "opentelemetry",
    "orjson",
    "prometheus_client",
    "promql_parser",
    "psutil",
    "requests",
    "structlog",
)
LOADED = "import json, sys, {module}; print(json.dumps(sorted(set({heavy}) & set(sys.modules))))"
BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {heavy}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocker())
try:
    import psutil
except ImportError as exc:
    print(exc)
sys.argv = ["autogpt-observe", "--version"]
from autogpt_observe.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["autogpt_observe", "autogpt_observe.cli"])
def test_import_leaves_heavy_dependencies_alone(module: str) -> None:
    run = _python(LOADED.format(module=module, heavy=HEAVY))
    assert json.loads(run.stdout) == []


def test_check_sees_a_heavy_dependency() -> None:
    run = _python(LOADED.format(module="orjson", heavy=HEAVY))
    assert json.loads(run.stdout) == ["orjson"]


def test_version_needs_no_heavy_dependency() -> None:
    run = _python(BLOCKED.format(heavy=HEAVY))
    assert run.stdout.splitlines() == [
        "psutil is blocked",
        f"autogpt-observe {autogpt_observe.__version__}",
    ]


def _python(code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in an interpreter of its own."""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return run
