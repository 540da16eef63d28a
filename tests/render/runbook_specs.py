"""A spec with an alert of every kind, for the pages that people read."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from alert_specs import read

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Spec

EVERY_KIND = (Path(__file__).parent / "every_kind.yaml").read_text(encoding="utf-8")
SMALL = """
version: 1
service: {name: crawler, owner: agents-team}
metrics:
  crawler_pages_total: {type: counter, from: code, help: Pages read}
alerts:
  FewPages:
    when: {increase: {metric: crawler_pages_total, window: 1h, below: 10}}
    severity: warning
    annotations: {summary: The crawler is slow}
"""
"""No more than an alert needs."""


def section(page: str, title: str) -> str:
    """The text of a section, without its heading; empty where there is none."""
    found = re.search(
        rf"^## {title}\n\n(.*?)(?=^## |^\[All alerts\]|\Z)", page, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found is not None else ""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)


def small() -> Spec:
    with TemporaryDirectory() as folder:
        return read(SMALL, Path(folder))


def with_alerts(folder: Path, alerts: str) -> Spec:
    """A spec with these alerts on what `EVERY_KIND` declares, in place of its own."""
    head, _, rest = EVERY_KIND.partition("\nalerts:")
    kept = rest[rest.index("\nslos:") :]
    return read(f"{head}{kept}alerts: {alerts}\n", folder)
