"""`docs/checks.md`: every check, with an example that triggers it; made from the tests' cases."""

from __future__ import annotations

import os
import re
from pathlib import Path

from documents import parse_blocks

from autogpt_observe.diagnostics import format_diagnostics
from autogpt_observe.spec.checks.context import CHECKS, WAIVABLE
from autogpt_observe.spec.load import read_spec
from check_cases import BASE, Case, read_cases

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
REWRITE = "AUTOGPT_OBSERVE_REWRITE_GOLDENS"
HEAD = """# The checks

`autogpt-observe validate` runs all of them, offline, in every environment of the spec. Here each
says what holds when it finds nothing, and shows a piece of a spec that it refuses, with its words.
The examples are laid over the small spec at the end of the page: each stands in an `observe.yaml`
below the lines `version: 1` and `include: [base.yaml]`, beside that `base.yaml`. Errors make a spec
unusable. A warning about an alert is waived there with its reason, `allow: {id: reason}`; a waiver
that waives nothing is itself a warning.
"""


def test_the_page_shows_every_check() -> None:
    page = render_page(read_cases())
    if os.environ.get(REWRITE) == "1":
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, f"run this test with {REWRITE}=1"
    assert REWRITE not in os.environ, "docs/checks.md was rewritten: look at the difference"


def test_its_examples_say_so_where_somebody_tries_them(tmp_path: Path) -> None:
    """With what the page shows alone: its head says what stands above an example."""
    blocks = parse_blocks(PAGE.read_text(encoding="utf-8"))
    base = blocks.pop()
    above = re.findall(r"`(version: 1)` and `(include: .*?)`", HEAD.replace("\n", " "))[0]
    (tmp_path / base.directives["file"]).write_text(base.text, encoding="utf-8")
    examples = list(zip(blocks[::2], blocks[1::2], strict=True))
    assert len(examples) == len(CHECKS)
    for example, words in examples:
        path = tmp_path / "observe.yaml"
        path.write_text("\n".join((*above, example.text)), encoding="utf-8")
        found = format_diagnostics(read_spec(path).diagnostics)
        assert found.replace(f"{tmp_path}/", "") == words.text.rstrip("\n")


def render_page(cases: list[Case]) -> str:
    """The page's text."""
    refused: dict[str, Case] = {}
    for case in cases:
        if case.found:
            refused.setdefault(case.check, case)
    lines = [HEAD, "| check | holds when it finds nothing |", "|---|---|"]
    lines += [f"| [`{id_}`](#{_anchor(id_)}) | {holds} |" for id_, holds in CHECKS.items()]
    for id_, holds in CHECKS.items():
        lines += ["", f"## `{id_}`", "", f"{holds[0].upper()}{holds[1:]}."]
        lines += [
            _kind(id_, refused[id_]),
            "",
            "```yaml",
            refused[id_].text.rstrip("\n"),
            "```",
            "",
        ]
        lines += ["```text", refused[id_].found.rstrip("\n"), "```"]
    lines += ["", "## The spec below the examples", "", "<!-- file: base.yaml -->"]
    lines += ["```yaml", BASE.rstrip("\n"), "```", ""]
    return "\n".join(lines)


def _kind(id_: str, case: Case) -> str:
    if id_ in WAIVABLE:
        return "A warning that an alert can waive."
    is_error = any(" error: " in line and f"[{id_}]" in line for line in case.found.splitlines())
    return "An error." if is_error else "A warning."


def _anchor(id_: str) -> str:
    return id_.replace("/", "")
