r"""Tells regular expressions that can take exponential time, as far as that can be seen in them.

Such an expression repeats something that itself repeats, and nothing says where one turn ends and
the next begins: `(a+)+`, `(\w+\s?)*`, `(a|a)*`. See
https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS. What repeats
twice with a border between the turns, `(-\w+)*`, is harmless, and so is what can't be given back:
`(a++)+`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
      (?P<open>\((?:\?(?:P<\w+>|<?[=!]|[:>]|[aiLmsux]*(?:-[imsx]+)?[:)]|\#[^)]*\)|P=\w+\)|\(\w+\)))?)
    | (?P<close>\))
    | (?P<either>\|)
    | (?P<many>[*+?]|\{\d*,\d*\}|\{\d+\})(?P<own>[+?]?)
    | (?P<atom>\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SAMPLES = "".join(map(chr, range(128))) + "éß中\u2003"
_MANY = 8
"""From this many turns on a repetition counts as endless."""


@dataclass
class _Group:
    """What a group holds, as sets of characters.

    Attributes:
        start: where in the expression it begins.
        frozen: whether what it matched is never given back, or never taken.
        repeated: what may repeat without an end.
        borders: what stands there once, in every turn.
        branches: what each branch may consist of, for the branches that are one character.
    """

    start: int
    frozen: bool = False
    repeated: list[frozenset[str]] = field(default_factory=list)
    borders: list[frozenset[str]] = field(default_factory=list)
    branches: list[frozenset[str]] = field(default_factory=list)
    split: bool = False
    atoms: int = 0

    @property
    def is_ambiguous(self) -> bool:
        """Whether one text may be read as different numbers of turns, or in different branches."""
        ends = [] if self.split else self.borders
        open_ended = self.repeated and not any(
            all(border.isdisjoint(again) for again in self.repeated) for border in ends
        )
        seen: set[str] = set()
        for branch in self.branches if self.split else ():
            if not seen.isdisjoint(branch):
                return True
            seen |= branch
        return bool(open_ended)


def find_ambiguous_repeat(expression: str) -> tuple[int, int] | None:
    """The first stretch of a valid expression that makes it exponential; None if none is seen."""
    groups = [_Group(0)]
    last: frozenset[str] | _Group | None = None
    for token in _TOKEN.finditer(expression):
        current = groups[-1]
        if token["many"] is not None:
            endless = _is_endless(token["many"]) and token["own"] != "+"
            if isinstance(last, _Group) and endless and last.is_ambiguous and not last.frozen:
                return last.start, token.end()
            _add(current, last, endless=endless, optional=_is_optional(token["many"]))
            last = None
            continue
        _add(current, last, endless=False, optional=False)
        last = None
        if token["open"] is not None and not token["open"].endswith(")"):
            groups.append(_Group(token.start(), frozen=_is_frozen(token["open"])))
        elif token["close"] is not None and len(groups) > 1:
            last = groups.pop()
            _end_branch(last)
        elif token["either"] is not None:
            _end_branch(current)
            current.split = True
        elif token["atom"] is not None:
            last = _characters(token["atom"])
    return None


def _add(
    group: _Group, part: frozenset[str] | _Group | None, *, endless: bool, optional: bool
) -> None:
    if part is None:
        return
    group.atoms += 1
    if isinstance(part, _Group):
        group.atoms += 1  # no single character
        if not part.frozen:
            group.repeated += part.repeated
            if not optional and not part.split:
                group.borders += part.borders
    elif endless:
        group.repeated.append(part)
        group.atoms += 1
    elif not optional:
        group.borders.append(part)


def _end_branch(group: _Group) -> None:
    if group.atoms == 1 and group.borders:
        group.branches.append(group.borders[-1])
    group.atoms = 0


def _is_endless(many: str) -> bool:
    if many in ("*", "+"):
        return True
    most = many.strip("{}").rpartition(",")[2]
    return many != "?" and (not most or int(most) >= _MANY)


def _is_optional(many: str) -> bool:
    return many in ("*", "?") or many.startswith(("{0,", "{,"))


def _is_frozen(opening: str) -> bool:
    return opening.startswith(("(?>", "(?=", "(?!", "(?<=", "(?<!"))


def _characters(atom: str) -> frozenset[str]:
    try:
        one = re.compile(atom, re.DOTALL)
    except re.error:
        return frozenset()
    return frozenset(char for char in _SAMPLES if one.fullmatch(char))
