"""Compiles what secrets hold into one expression that finds where to look closer.

Each way to recognise a secret hangs on one character that is rare in texts, its anchor: `sk-` on
the dash, `AKIA` on the K, `password=` on the sign. So a text is passed over at the speed at which
one set of characters is sought, and only at an anchor is anything compared. Tried, and slower: the
literals as one alternation, which stops at every `s` and `g`; and a search for each of them, of
which three cost as much as this whole scan.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_FREQUENT = "_.,:-="
_SEPARATORS = "~:_-."
_RAREST_FIRST = "JQZXKGVBYUWHFLNDPRMOSTICEAzqxjkvbypgw"
_TAIL = r"(?=[\w.+/=~%-]{8})"
"""What follows a literal that ends in a separator; no such secret is shorter."""
_GAP = r"[\"'`\\ \t\]]"
"""What may stand between a name and its sign: quotation marks, escaped ones, a blank, a bracket."""
_WIDEST_GAP = 4
_ESCAPED_DEEPLY = r"\\\\\\\\[\"'`]"
"""A quotation mark of JSON that stands in JSON in JSON; the name before it is looked at later."""
_DIGIT = r"\d"
_COARSE = 3
"""Letters of an ending that are compared first."""
_PAIR = 2
"""Letters before an anchor that are compared first, for all literals at once."""


class Anchor(NamedTuple):
    """A literal, and where in it the anchor stands."""

    literal: str
    at: int


class Branch(NamedTuple):
    """A way to recognise a secret.

    Attributes:
        char: its anchor.
        around: what must stand around the anchor.
        pair: the letters before the anchor of a literal that ends with it, so that the secret's
            body follows.
    """

    char: str
    around: str
    pair: str = ""


def choose_anchor(literal: str) -> Anchor:
    """The last separator of ``literal``, else its rarest letter."""
    for separator in _SEPARATORS:
        if separator in literal:
            return Anchor(literal, literal.rindex(separator))
    rarest = min(literal, key=lambda char: (_RAREST_FIRST + char).index(char))
    return Anchor(literal, literal.index(rarest))


def literal_branch(literal: str) -> Branch:
    """The way that ``literal`` itself is recognised."""
    at = choose_anchor(literal).at
    before, after = literal[: at + 1], literal[at + 1 :]
    around = f"(?<={re.escape(before)})" if at > 0 else ""
    around += f"(?={re.escape(after)})" if after else ""
    return Branch(
        literal[at], around, literal[at - _PAIR : at] if not after and at >= _PAIR else ""
    )


def assignment_branches(endings: Iterable[str]) -> list[Branch]:
    """A branch for each sign behind a name that has one of these endings, in either case."""
    by_width: dict[int, list[str]] = {}
    for ending in sorted(endings):
        by_width.setdefault(len(ending), []).append(ending)
    if not by_width:
        return []
    coarsely = min(_COARSE, *by_width)
    last = {ending[-coarsely:] for same in by_width.values() for ending in same}
    letters, coarse = _classes(last), _alternatives(last)
    exact = "|".join(rf"(?<={_alternatives(same)}.)" for same in by_width.values())

    def behind(gap: str, sign: str) -> str:
        return f"(?<={letters}{gap}{sign})(?<={coarse}{gap}{sign})"

    gaps = [_GAP * width for width in range(1, _WIDEST_GAP + 1)]
    branches = [
        Branch(
            sign,
            rf"{'(?!//)' if sign == ':' else ''}(?:{behind('', sign)}(?:{exact})"
            rf"|(?<={_GAP}{sign})(?:{'|'.join(behind(gap, sign) for gap in gaps)}"
            rf"|(?<={_ESCAPED_DEEPLY}{sign}))"
            rf"|{behind(_DIGIT, sign)})",
        )
        for sign in "=:"
    ]
    return [*branches, Branch(">", behind("", ">"))]


def _most_frequent_first(item: tuple[str, list[Branch]]) -> int:
    return _FREQUENT.find(item[0]) % (len(_FREQUENT) + 1)


def _classes(endings: Iterable[str]) -> str:
    """A set of characters for each place of some endings of one length: the quickest look."""
    places = (set("".join(place)) for place in zip(*endings, strict=True))
    return "".join(
        f"[{re.escape(''.join(sorted(place | set(map(str.upper, place)))))}]" for place in places
    )


def _alternatives(endings: Iterable[str]) -> str:
    each = ("".join(f"[{c}{c.upper()}]" for c in ending) for ending in sorted(endings))
    return f"(?:{'|'.join(each)})"


def compile_branches(branches: Iterable[Branch]) -> re.Pattern[str]:
    """An expression that stops at the anchors around which one of the branches holds.

    It has no groups: room for them is taken at every call.
    """
    by_char: dict[str, list[Branch]] = {}
    for branch in branches:
        by_char.setdefault(branch.char, []).append(branch)
    alternatives = []
    for char, listed in sorted(by_char.items(), key=_most_frequent_first):
        inner = [branch.around for branch in listed if not branch.pair]
        pairs = {branch.pair for branch in listed if branch.pair}
        if pairs:
            each = "|".join(branch.around for branch in listed if branch.pair)
            inner.append(f"(?<={_classes(pairs)}{re.escape(char)}){_TAIL}(?:{each})")
        alternatives.append(f"{re.escape(char)}(?:{'|'.join(inner)})")
    return re.compile("|".join(alternatives) or "(?!)")
