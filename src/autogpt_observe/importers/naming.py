"""Names of the input, made to fit those of a spec, each once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.names import Name

if TYPE_CHECKING:
    from collections.abc import Container

_REFUSED = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)
_LONGEST = 63


def fit_name(text: str, *, otherwise: str) -> Name:
    """``text`` if it is a name, else the nearest one; ``otherwise`` starts one of digits."""
    if Name.PATTERN.fullmatch(text):
        return Name.parse(text)
    kept = _REFUSED.sub("-", text).strip("-_") or otherwise
    if not kept[0].isalpha():
        kept = f"{otherwise}-{kept}"
    return Name.parse(kept[:_LONGEST].rstrip("-_"))


def unused_name(name: Name, suffix: str, used: Container[str]) -> Name:
    """``name``, else with the suffix, else with the first number that makes it a new one.

    Names become those of files, and not every file system tells upper from lower case: ``used``
    holds names in lower case.
    """
    candidate, number = name, 1
    while candidate.lower() in used:
        tail = suffix if number == 1 and suffix else f"{suffix}{number}"
        candidate = Name.parse(f"{name[: _LONGEST - len(tail)]}{tail}")
        number += 1
    return candidate


def snake(text: str) -> str:
    """``text`` as a part of a metric's name."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
