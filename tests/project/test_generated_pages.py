"""Every link in the generated pages leads somewhere in the bundle."""

# ruff: noqa: E501 - a part of a spec on a line

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from documents import check_links

from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Spec

TESTS = Path(__file__).parents[1]
EVERY_KIND = TESTS / "render" / "every_kind.yaml"
ODD_NAMES = """
version: 1
service: {name: crawler, owner: agents-team}
prometheus: {scrape: ['crawler:9464']}
attributes: {metrics: {help: All metrics}}
metrics:
  All: {type: gauge, from: external, help: '# All metrics'}
  all: {type: gauge, from: external, help: '[a](b.md)'}
  metrics: {type: gauge, from: external, help: '<a href="x.md">'}
  the_attributes: {type: gauge, from: external, help: '| `a'}
recording_rules:
  ':all': {expr: all + All, help: '1. Recorded [series]'}
  recorded:series: {expr: ':all * 2'}
alerts:
  A-b_c: {when: {expr: 'recorded:series > metrics + the_attributes'}, severity: info, annotations: {summary: '[x](y.md)'}, allow: {alert/untested: '[no](z.md)'}}
dashboards: {A_b: {title: '[a](b.md) ](c.md)', rows: [{title: '[r](r.md)', panels: [{title: '![p](p.png)', expr: all}]}]}}
"""


def specs() -> dict[str, str | None]:
    return {
        "packaged": None,
        "every_kind": EVERY_KIND.read_text(encoding="utf-8"),
        "odd": ODD_NAMES,
    }


def spec_of(text: str | None, folder: Path) -> Spec:
    if text is None:
        return load_spec()
    path = folder / "observe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_spec(path)


@pytest.mark.parametrize("name", specs())
def test_links_lead_somewhere(name: str, tmp_path: Path) -> None:
    spec = spec_of(specs()[name], tmp_path)
    bundle = render_bundle(spec)
    for path, artifact in bundle.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(artifact.text, encoding="utf-8")
    pages = [path for path in bundle if path.endswith(".md")]
    assert [found for page in pages for found in check_links(tmp_path / page, tmp_path)] == []
    assert len(pages) >= len(spec.alerts) + 2
    linked = "".join(bundle[page].text for page in pages).count("](../")
    assert linked >= len(pages)
