"""`docs/redaction.md`: its table is that of the code, and its example does what it says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import yaml

from autogpt_observe.names import Name
from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.runtime.redaction.nested import MOST_DEPTH, MOST_ITEMS
from autogpt_observe.runtime.redaction.patterns import OVERLAP, WINDOW
from autogpt_observe.secrets.keys import KEY_NAMES
from autogpt_observe.secrets.kinds import FORMATS, PLACES
from autogpt_observe.spec.model import Redaction

PAGE = Path(__file__).parents[2] / "docs" / "redaction.md"
REWRITE = "AUTOGPT_OBSERVE_REWRITE_GOLDENS"
TABLE = "| kind | known by | rules of gitleaks |\n|---|---|---|\n"


def render_table() -> str:
    """A line for each kind."""
    rows = [(f.kind, [f"`{literal}`" for literal in f.literals], f.rules) for f in FORMATS]
    rows += [(kind, ["its place"], rules) for kind, rules in PLACES.items()]
    for kind, names in KEY_NAMES.items():
        rows.append((kind, [f"`{name}`" for name in names.split()], ()))
    lines = (
        f"| `{kind}` | {', '.join(known)} | {', '.join(f'`{rule}`' for rule in rules)} |"
        for kind, known, rules in rows
    )
    return TABLE + "\n".join(lines).replace("|  |", "| |") + "\n"


def test_the_page_lists_every_kind() -> None:
    head = PAGE.read_text(encoding="utf-8").partition(TABLE)[0]
    if os.environ.get(REWRITE) == "1":
        PAGE.write_text(head + render_table(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == head + render_table(), f"run it with {REWRITE}=1"
    assert REWRITE not in os.environ, f"{PAGE.name} was rewritten: look at the difference"


def test_the_page_names_the_bounds() -> None:
    page = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    assert f"pieces of {WINDOW} characters" in page
    assert f"reaches {OVERLAP} back" in page
    assert f"deeper than {MOST_DEPTH} levels" in page
    assert f"behind {MOST_ITEMS} texts" in page


def test_the_example_of_the_page_does_what_it_says() -> None:
    example = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    written = yaml.safe_load(example)["redaction"]
    redactor = build_redactor(
        Redaction(
            emails=written["emails"],
            keys=tuple(written["keys"]),
            allow=tuple(written["allow"]),
            patterns={Name(name): text for name, text in written["patterns"].items()},
        )
    )
    assert redactor.text("ada@example.com session_id=a1 CRAWL-123456 badge A1B2C3D4") == (
        "ada@example.com session_id=[redacted:custom-key] [redacted:ticket] badge [redacted:badge]"
    )
