"""What redaction costs, beside a plain loop that searches a text for each pattern in turn.

Both sides know the same secrets: the loop runs the formats of the same table, and the same code
for what is known by its surroundings, at every place where its sign stands. That their outputs are
equal is checked before anything is measured. The floor is a search for one character of a set
that no text holds: what it takes to look at every character once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rounds import Case, measure
from tables import Table

from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.runtime.redaction.redactor import replace_findings
from autogpt_observe.secrets import places
from autogpt_observe.secrets.findings import Finding, add_finding
from autogpt_observe.secrets.keys import KeyNames
from autogpt_observe.secrets.kinds import FORMATS, KINDS
from autogpt_observe.secrets.values import find_assigned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REPEATS = 2_000
NAIVE, OURS = "a loop over all patterns", "redactor"
MESSAGES = (
    "Finished step fetch_page for https://example.com/docs/intro in 1.23s, tokens=1532",
    "The agent researcher finished its plan and went on to read the next page of the web",
    "run 4bf92f3577b34da6a3ce929d0e0e4736 retried gpt-4o-mini after a 429, attempt 2 of 5",
    "Tool web_search returned 17 results from 3 sources; 2 of them were read before: skip",
)
EVENT = {
    "event": "step_done",
    "agent": "researcher",
    "step": "fetch_page",
    "url": "https://example.com/docs/intro",
    "tokens": 1532,
    "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
}
SECRET = (
    "POST https://ada:hunter2@api.example.com failed: Authorization: Bearer "
    + "aB3" * 12
    + ", key sk-"
    + "a1B2" * 12
)
LONG = (" ".join(MESSAGES) + "\n") * 200


class Naive:
    """Searches for one kind after another, all over the text."""

    def __init__(self) -> None:
        names = KeyNames(kinds=KINDS)
        self._formats = [
            (
                format_.kind,
                re.compile(
                    (r"(?<![A-Za-z0-9])" if format_.whole else "") + f"(?:{format_.pattern})"
                ),
            )
            for format_ in FORMATS
        ]
        self._placed: list[tuple[re.Pattern[str], Callable[[str, int], Finding | None]]] = [
            (re.compile("[=:>,]"), lambda text, at: find_assigned(text, at, names)),
            (re.compile("@"), places.find_url_credentials),
            (re.compile("@|%40"), places.find_email),
            (re.compile("-----BEGIN"), places.find_private_key),
            (re.compile("Bearer", re.IGNORECASE), places.find_bearer),
            (re.compile("Basic", re.IGNORECASE), places.find_basic),
        ]

    def text(self, text: str) -> str:
        """As the redactor's."""
        for pattern, finder in self._placed:
            text = replaced(text, (finder(text, hit.start()) for hit in pattern.finditer(text)))
        for kind, pattern in self._formats:
            group = "secret" if pattern.groups else 0
            hits = pattern.finditer(text)
            text = replaced(text, (Finding(kind, *hit.span(group)) for hit in hits))
        return text


def replaced(text: str, found: Iterable[Finding | None]) -> str:
    """``text`` with each finding replaced by its kind."""
    merged: list[Finding] = []
    for finding in found:
        if finding is not None:
            add_finding(merged, finding)
    return replace_findings(text, merged) if merged else text


def compare(naive: Naive) -> None:
    """Both sides give the same for all that is measured."""
    redactor = build_redactor(None)
    for text in (*MESSAGES, SECRET, LONG):
        if redactor.text(text) != naive.text(text):
            raise SystemExit(f"the two sides differ:\n{redactor.text(text)}\n{naive.text(text)}")
    if redactor.value(None, EVENT) is not EVENT:
        raise SystemExit("the event holds no secret, and yet it was changed")
    if "[redacted:openai-api-key]" not in redactor.text(SECRET):
        raise SystemExit("the secret was not found")


def cases(texts: tuple[str, ...], redact: Callable[[str], str], name: str) -> Case:
    """Each text `REPEATS` times."""

    def run() -> None:
        for text in texts:
            for _ in range(REPEATS // len(texts)):
                redact(text)

    return Case(name, run, operations=REPEATS)


ABOUT = """\
Beside a plain loop that searches a text for each kind of secret in turn, all over the text: both
know the same secrets. That their outputs are equal is checked before. CPU time of one text or
event. The floor looks at each character once."""


def tables(rounds: int) -> list[Table]:
    naive, redactor = Naive(), build_redactor(None)
    compare(naive)
    floor = re.compile("[\x00\x01\x02\x03]q").search

    def event() -> None:
        for _ in range(REPEATS):
            redactor.value(None, EVENT)

    def naive_event() -> None:
        for _ in range(REPEATS):
            for value in EVENT.values():
                if isinstance(value, str):
                    naive.text(value)

    works = {
        "clean messages of 82 characters": [
            cases(MESSAGES, naive.text, NAIVE),
            cases(MESSAGES, redactor.text, OURS),
            cases(MESSAGES, floor, "floor: look at each character"),  # type: ignore[arg-type]
        ],
        "clean event of 6 fields": [
            Case(NAIVE, naive_event, operations=REPEATS),
            Case(OURS, event, operations=REPEATS),
        ],
        "message with three secrets": [
            cases((SECRET,), naive.text, NAIVE),
            cases((SECRET,), redactor.text, OURS),
        ],
        f"clean text of {len(LONG):,} characters": [
            Case(NAIVE, lambda: naive.text(LONG)),
            Case(OURS, lambda: redactor.text(LONG)),
        ],
    }
    return [
        Table(f"Redaction: {title}", ABOUT, measure(listed, rounds), NAIVE)
        for title, listed in works.items()
    ]
