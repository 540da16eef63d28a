"""`show` names the objectives, and the alerts that follow from them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
version: 1
service: {name: crawler, owner: team}
metrics:
  pages_total: {type: counter, from: code, help: Pages}
  failures_total: {type: counter, from: code, help: Pages not read}
slos:
  pages:
    objective: 99.5%
    window: 30d
    events: {bad: {metric: failures_total}, total: {metric: pages_total}}
"""
SHOWN = """
objectives:
  pages  99.5% over 30d

alerts:
  PagesErrorBudgetBurn1h  critical, for 2m
  PagesErrorBudgetBurn6h  critical, for 10m
  PagesErrorBudgetBurn1d  warning, for 30m
  PagesErrorBudgetBurn3d  warning, for 1h
"""


def test_show(tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(SPEC, encoding="utf-8")
    command = (sys.executable, "-m", "autogpt_observe", "show")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(SHOWN), done.stdout
