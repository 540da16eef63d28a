from __future__ import annotations

import os

import pytest

from autogpt_observe.output.tools import find_tool, install_hint


@pytest.fixture(scope="session")
def servers() -> None:
    for name in ("prometheus", "alertmanager"):
        if find_tool(name, os.environ) is None:
            pytest.skip(f"{name} is missing; {install_hint(name)}")
