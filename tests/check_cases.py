"""The cases of the checks: what each lets pass, and what it says of what it refuses.

They stand in `spec/cases/checks/`, a file for each kind of check: a spec that includes base.yaml,
then `---> good`, or `--->` and all that is found, as it is printed. Cases are parted by `===`;
`## id` says which check they are about.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

CASES_FOLDER = Path(__file__).parent / "spec" / "cases" / "checks"
HEAD = "version: 1\ninclude: [base.yaml]\n"
"""Stands above every case."""
BASE = "version: 1\nservice: {name: crawler, owner: agents-team}\n" + (
    CASES_FOLDER.parent / "base.yaml"
).read_text(encoding="utf-8")
"""What every case includes as `base.yaml`."""


class Case(NamedTuple):
    """A snippet of a spec and all that is found in it."""

    check: str
    text: str
    found: str


def read_cases() -> list[Case]:
    cases = []
    for path in sorted(CASES_FOLDER.glob("*.txt")):
        _, *sections = ("\n" + path.read_text(encoding="utf-8")).split("\n## ")
        for section in sections:
            check, _, rest = section.partition("\n")
            assert check.startswith(f"{path.stem}/"), f"{check} stands in {path.name}"
            for case in rest.removesuffix("\n").split("\n===\n"):
                text, _, found = case.partition("\n--->")
                assert found == " good" or found.startswith("\n"), case
                found = found.removeprefix(" good").removeprefix("\n")
                cases.append(Case(check, text + "\n", found))
    return cases
