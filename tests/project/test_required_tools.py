from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SKIPS = """
import pytest

def test_tool():
    pytest.skip("promtool is missing: apt-get install prometheus")

@pytest.mark.skipif(True, reason="amtool is missing: apt-get install prometheus-alertmanager")
def test_marked():
    pass

def test_platform():
    pytest.skip("needs macOS")

@pytest.mark.xfail(reason="known: apt-get install does not help")
def test_known():
    raise AssertionError
"""
MODULE = 'import pytest\npytest.skip("make tools", allow_module_level=True)\n'


@pytest.mark.parametrize(
    ("required", "code", "closing"),
    [("1", 1, "1 failed, 1 skipped, 1 xfailed, 2 errors in"), ("", 0, "4 skipped, 1 xfailed in")],
)
def test_skip_for_want_of_a_tool(tmp_path: Path, required: str, code: int, closing: str) -> None:
    (tmp_path / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (tmp_path / "test_single.py").write_text(SKIPS, encoding="utf-8")
    (tmp_path / "test_module.py").write_text(MODULE, encoding="utf-8")
    options = ["--continue-on-collection-errors", "-rfE", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", os.devnull, str(tmp_path)],
        env={**os.environ, "AUTOGPT_OBSERVE_REQUIRE_TOOLS": required},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert closing in run.stdout
    assert run.returncode == code
    wanted = "AUTOGPT_OBSERVE_REQUIRE_TOOLS=1, but: Skipped: promtool is missing"
    assert (wanted in run.stdout) is bool(required)
