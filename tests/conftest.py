"""Tests that need external tools.

They skip where one is missing, and the skip names the command that installs it. With
AUTOGPT_OBSERVE_REQUIRE_TOOLS=1 such a skip is a failure; the command is what tells it from others.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autogpt_observe.output.tools import TOOLS_FOLDER, find_tool, install_hint

if TYPE_CHECKING:
    from collections.abc import Generator

_REQUIRED = os.environ.get("AUTOGPT_OBSERVE_REQUIRE_TOOLS") == "1"
_INSTALLS = re.compile(r"\b(?:apt-get|apt|brew|npm|pip|make) install\b|\bmake tools\b")


def pytest_configure() -> None:
    """Let tests that call a tool by its name find those of the tools folder too."""
    folder = os.environ.get(TOOLS_FOLDER)
    if folder:
        places = (folder, str(Path(folder) / "usr" / "bin"), os.environ["PATH"])
        os.environ["PATH"] = os.pathsep.join(places)


@pytest.fixture(scope="session")
def servers() -> None:
    """Skip unless Prometheus and Alertmanager can be started."""
    for name in ("prometheus", "alertmanager"):
        if find_tool(name, os.environ) is None:
            pytest.skip(f"{name} is missing; {install_hint(name)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the skips of single tests."""
    report = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the skips of whole modules."""
    report = yield
    _judge(report)
    return report


def _judge(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not _REQUIRED or not report.skipped or not isinstance(report.longrepr, tuple):
        return
    place, line, reason = report.longrepr
    if _INSTALLS.search(reason):
        report.outcome = "failed"
        report.longrepr = f"{place}:{line}: AUTOGPT_OBSERVE_REQUIRE_TOOLS=1, but: {reason}"
