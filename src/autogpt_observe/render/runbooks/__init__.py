"""Runbooks: a page of Markdown for each alert, and a list of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.render.alerts import GENERATED
from autogpt_observe.render.markdown import code, document, escape, link, prose, table
from autogpt_observe.render.reference import FROM_RUNBOOKS
from autogpt_observe.render.runbooks.book import open_book
from autogpt_observe.render.runbooks.notified import page_link
from autogpt_observe.render.runbooks.page import SUMMARY, render_page
from autogpt_observe.spec.checks.runbooks import RUNBOOK_INDEX
from autogpt_observe.spec.model import Severity
from autogpt_observe.spec.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autogpt_observe.names import Name
    from autogpt_observe.render.runbooks.book import Book
    from autogpt_observe.spec.model import Alert, Spec

FOLDER = "docs/runbooks"


def render(spec: Spec) -> Mapping[str, str]:
    """``docs/runbooks/<Alert>.md`` for each alert, and ``README.md``; none without alerts."""
    book = open_book(spec)
    if not book.spec.alerts:
        return {}
    pages = {f"{FOLDER}/{name}.md": render_page(book, name) for name in book.spec.alerts}
    return {f"{FOLDER}/{RUNBOOK_INDEX}.md": _index(book), **pages}


def _index(book: Book) -> str:
    service = book.spec.service
    reference = f" {link('The metrics', FROM_RUNBOOKS)} they read." if book.anchors else ""
    return document(
        f"# Alerts of {service.name}",
        f"What each alert of {code(service.name)} means, and what to do when it fires.{reference}",
        *_groups(book),
        note=GENERATED,
    )


def _groups(book: Book) -> Iterator[str]:
    for severity in reversed(Severity):
        alerts = {n: a for n, a in book.spec.alerts.items() if a.severity is severity}
        if alerts:
            rows = [_row(book, name, alert) for name, alert in alerts.items()]
            title = f"## {severity.value.capitalize()}\n\n{WORDS[Severity][severity]}."
            yield f"{title}\n\n{table(('alert', 'says', 'owner'), rows)}"


def _row(book: Book, name: Name, alert: Alert) -> tuple[str, str, str]:
    owner = alert.owner if alert.owner is not None else book.spec.service.owner
    said = next((text for label, text in alert.annotations.items() if label == SUMMARY), "")
    return page_link(name), prose(said), escape(owner)
