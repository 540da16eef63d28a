"""A draft becomes the text of a spec that is valid: what a check refuses is taken out, and told.

The checks of a spec know more than any importer: whatever they find wrong with an imported part is
the reason why that part is not carried over.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Report, Severity, SpecError
from autogpt_observe.importers.metrics import guess_metrics
from autogpt_observe.importers.tests_of_alerts import SUMMARY
from autogpt_observe.importers.yaml_text import format_comment, format_entry, format_part
from autogpt_observe.names import HISTOGRAM_SUFFIXES
from autogpt_observe.spec.build import build_spec
from autogpt_observe.spec.checks import check_spec
from autogpt_observe.spec.model import Alert
from autogpt_observe.spec.tree import Mapping, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Mapping as Mapping_

    from autogpt_observe.diagnostics import Diagnostic, Span
    from autogpt_observe.importers.ledger import Ledger
    from autogpt_observe.importers.metrics import Guess, Told
    from autogpt_observe.importers.pieces import Draft, Piece
    from autogpt_observe.names import MetricName
    from autogpt_observe.spec.tree import Entry, Node

SECTIONS = ("metrics", "recording_rules", "alerts", "slos")
"""The sections that an import writes, in this order."""
UNTESTED = "alert/untested"
WAIVER = "imported without tests"
"""The reason that stands beside the waiver of the check for tests."""
_NAME = "imported.yaml"
_ABOUT_METRICS = "Types and labels are guessed from how the rules read these metrics: check them."
_UNKNOWN_SERIES = "promql/unknown-metric"

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """A valid spec: its text, what it holds, the alerts without tests, and how many warnings."""

    text: str
    metrics: int
    pieces: tuple[Piece, ...]
    untested: tuple[str, ...]
    warnings: int


def settle(draft: Draft, ledger: Ledger) -> Settled:
    """The text of the spec; raises SpecError if what is left of it can't be made valid."""
    pieces = list(draft.pieces)
    waived, unlabelled = frozenset[str](), frozenset[str]()
    while True:
        metrics = _metrics(pieces, _Quiet(), unlabelled)
        text = _format(draft, pieces, metrics, waived)
        found = _check(text)
        vague = _read_by(pieces, [path for one, path in found if one.id in _ABOUT_LABELS])
        vague = {str(name) for name in metrics if name in vague and metrics[name].metric.labels}
        wrong = [(one, path) for one, path in found if one.severity is Severity.ERROR]
        untested = {path[1] for one, path in found if one.id == UNTESTED}
        settled = untested <= waived
        waived |= untested
        if vague - unlabelled:
            unlabelled |= vague
        elif wrong:
            kept = _without_wrong(pieces, wrong, ledger)
            if kept == pieces:
                raise SpecError([one for one, _ in wrong])
            pieces = kept
        elif settled:
            _metrics(pieces, ledger, unlabelled)
            named = {piece.name for piece in pieces if piece.section == "alerts"}
            untested_ones = tuple(sorted(waived & named))
            return Settled(text, len(metrics), tuple(pieces), untested_ones, len(found))


_ABOUT_LABELS = frozenset(
    {"promql/unknown-label", "promql/idle-label", "promql/matching", "template/dropped-label"}
)
"""Checks that go by the declared labels: what they find says more about our guess of these."""


class _Quiet:
    """Takes guesses of a round that is not the last."""

    def guessed(self, message: str, at: Span | None, *, fix: str | None = None) -> None:
        """Tell nobody."""


def _metrics(
    pieces: Sequence[Piece], told: Told, unlabelled: frozenset[str]
) -> Mapping_[MetricName, Guess]:
    every = [one for piece in pieces for one in piece.all]
    readings = [reading for piece in every for reading in piece.readings()]
    recorded = {piece.name for piece in every if piece.section == "recording_rules"}
    return guess_metrics(readings, recorded, told, unlabelled=unlabelled)


def _read_by(pieces: Sequence[Piece], paths: Sequence[_Path]) -> set[str]:
    """The metrics that the pieces at these places read, themselves or through recorded series."""
    recorded = {
        one.name: one for piece in pieces for one in piece.all if one.section == "recording_rules"
    }
    wanted = {path[:2] for path in paths}
    waiting = [one for piece in pieces for one in piece.all if (one.section, one.name) in wanted]
    names: set[str] = set()
    while waiting:
        for reading in waiting.pop().readings():
            name = reading.read.name
            if name not in names:
                names.add(name)
                waiting += [recorded[name]] if name in recorded else []
    stems = {name.removesuffix(end) for name in names for end in HISTOGRAM_SUFFIXES}
    return names | stems


# --- the text --------------------------------------------------------------------------------


def _format(
    draft: Draft,
    pieces: Sequence[Piece],
    metrics: Mapping_[MetricName, Guess],
    waived: frozenset[str],
) -> str:
    sources = ", ".join(draft.files)
    lines = [
        format_comment(f"Imported by `autogpt-observe import` from {sources}.", 0),
        "version: 1",
        *format_entry("service", draft.service, 0),
    ]
    settings = dict[str, object]()
    if draft.evaluation_interval is not None:
        settings["evaluation_interval"] = draft.evaluation_interval
    if draft.url is not None:
        settings["url"] = draft.url
    if settings:
        lines += format_entry("prometheus", settings, 0)
    if metrics:
        lines += ["", "metrics:", format_comment(_ABOUT_METRICS, 1)]
        for name, guess in metrics.items():
            seen = ", ".join(guess.seen)
            lines += [format_comment(f"it has the labels {seen}, and others", 1)] if seen else []
            lines += format_entry(name, guess.metric, 1)
    for section in SECTIONS[1:]:
        own = [one for piece in pieces for one in piece.all if one.section == section]
        lines += ["", f"{section}:"] if own else []
        for number, piece in enumerate(own):
            lines += [""] if number and section != "recording_rules" else []
            lines += _format_piece(piece, waived)
    return "\n".join(lines) + "\n"


def _format_piece(piece: Piece, waived: frozenset[str]) -> Iterator[str]:
    yield from (format_comment(text, 1) for text in piece.comments)
    yield from format_entry(piece.name, piece.value, 1)
    if isinstance(piece.value, Alert) and piece.name in waived:
        yield from format_part({"allow": {UNTESTED: WAIVER}}, 2)


# --- the checks ------------------------------------------------------------------------------


def _check(text: str) -> list[tuple[Diagnostic, _Path]]:
    """What the checks find, and the part that each finding is about."""
    report = Report()
    tree = parse_tree(text.encode(), _NAME, report)
    if tree is None:
        raise SpecError(report.diagnostics)
    spec = build_spec(tree, report)
    if spec is not None:
        check_spec(spec, tree, report)
    paths = _Paths(tree)
    return [(found, paths.of(found)) for found in report.diagnostics]


class _Paths:
    """Which part of the text a finding is about."""

    def __init__(self, tree: Mapping) -> None:
        found: list[tuple[tuple[int, int], _Path]] = []
        for section, entry in tree.entries.items():
            found.append((_start(entry), (section, "")))
            if section in SECTIONS:
                for name, part in _entries(entry.value):
                    found += [(_start(part), (section, name)), *_inside((section, name), part)]
        self._starts = [start for start, _ in found]
        self._paths = [path for _, path in found]

    def of(self, found: Diagnostic) -> _Path:
        """The section and the name; below them, for what can go alone, its key and its name."""
        if found.at is None:
            return ("", "")
        at = bisect_right(self._starts, (found.at.line, found.at.column))
        return self._paths[at - 1] if at else ("", "")


_ALONE = ("tests", "annotations", "labels")
"""What an alert can lose and still be that alert."""


def _inside(path: _Path, part: Entry) -> Iterator[tuple[tuple[int, int], _Path]]:
    for key, entry in _entries(part.value):
        yield _start(entry), path
        if key in _ALONE and path[0] == "alerts":
            yield from ((_start(one), (*path, key, name)) for name, one in _entries(entry.value))


def _entries(node: Node) -> Iterable[tuple[str, Entry]]:
    return node.entries.items() if isinstance(node, Mapping) else ()


def _start(entry: Entry) -> tuple[int, int]:
    return entry.key.at.line, entry.key.at.column


def _without_wrong(
    pieces: list[Piece], wrong: Sequence[tuple[Diagnostic, _Path]], ledger: Ledger
) -> list[Piece]:
    """The pieces without what the findings are about; each is told once, with the first reason."""
    reasons: dict[_Path, Diagnostic] = {}
    for one, path in wrong:
        reasons.setdefault(path, one)
    kept = []
    for piece in pieces:
        path = (piece.section, piece.name)
        places = [(one.section, one.name) for one in piece.all]
        reason = next((reasons[place] for place in places if place in reasons), None)
        if reason is not None:
            _tell(f"{_KINDS[piece.section]} `{piece.name}`", reason, piece, ledger)
            continue
        inner = {place[2:]: one for place, one in reasons.items() if place[:2] == path}
        for (key, name), one in inner.items():
            what = "test" if key == "tests" else key.removesuffix("s")
            _tell(f"the {what} `{name}` of `{piece.name}`", one, piece, ledger)
        kept.append(_without_inner(piece, set(inner)) if inner else piece)
    return kept


_KINDS = {
    "recording_rules": "the recording rule",
    "alerts": "the alert",
    "slos": "the objective",
}


def _tell(what: str, reason: Diagnostic, piece: Piece, ledger: Ledger) -> None:
    fix = reason.fix
    if reason.id == _UNKNOWN_SERIES:
        fix = "give the file that records it to the same import"
    ledger.lost(f"{what} is not carried over: {reason.message}", piece.at, fix=fix)


def _without_inner(piece: Piece, wrong: set[_Path]) -> Piece:
    alert = piece.value
    if not isinstance(alert, Alert):
        return piece
    texts = {n: text for n, text in alert.annotations.items() if ("annotations", n) not in wrong}
    left = replace(
        alert,
        tests={n: test for n, test in alert.tests.items() if ("tests", n) not in wrong},
        labels={n: text for n, text in alert.labels.items() if ("labels", n) not in wrong},
        annotations={SUMMARY: piece.name, **texts},
    )
    return replace(piece, value=left)
