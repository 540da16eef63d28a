"""What was found in a text, and what is written in its place."""

from __future__ import annotations

import re
from typing import NamedTuple

PLACEHOLDER = re.compile(r"\[redacted:[A-Za-z0-9_-]{1,63}\]")
"""What `placeholder` makes, for any kind."""


class Finding(NamedTuple):
    """A secret: what kind it is of, and where in the text it stands."""

    kind: str
    start: int
    end: int


def placeholder(kind: str) -> str:
    """What stands in place of a secret of this kind."""
    return f"[redacted:{kind}]"


def add_finding(found: list[Finding], new: Finding) -> None:
    """Add ``new`` behind the others; with what it overlaps it becomes one."""
    while found and new.start <= found[-1].start:
        last = found.pop()
        new = new._replace(end=max(new.end, last.end)) if last.start < new.end else new
    if found and new.start < found[-1].end:
        last = found.pop()
        new = Finding(last.kind, last.start, max(last.end, new.end))
    found.append(new)
