"""Texts for people: annotations and descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.spec.model import Runbook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.importers.ledger import Ledger
    from autogpt_observe.spec.tree import Scalar

SUMMARIES = ("summary", "title", "message", "description")
"""Annotations that people write as the first line, the likeliest first."""
_RUNBOOKS = ("runbook_url", "runbook", "runbookURL")


def one_line(text: str) -> str:
    """``text`` with its white space as single blanks."""
    return " ".join(text.split())


def is_template(text: str) -> bool:
    """Whether ``text`` is filled in by Prometheus."""
    return "{{" in text


def read_runbook(annotations: Mapping[str, Scalar], ledger: Ledger, of: str) -> Runbook:
    """What the annotations of an objective's alerts say, as its runbook; the rest is listed."""
    plain = {name: text for name, text in annotations.items() if not is_template(text.text)}
    meaning = next((name for name in SUMMARIES if name in plain), None)
    page = next((name for name in _RUNBOOKS if name in plain), None)
    for name, text in annotations.items():
        if name not in (meaning, page):
            message = f"the annotation `{name}` of {of} is not carried over"
            ledger.lost(message, text.at, fix="say it in the objective's `runbook`")
    return Runbook(
        meaning=one_line(plain[meaning].text) if meaning is not None else "",
        steps=(f"Follow {one_line(plain[page].text)}",) if page is not None else (),
    )
