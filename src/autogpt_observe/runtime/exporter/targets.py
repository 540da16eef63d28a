"""Which processes are observed, and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAMED = re.compile(rf"(?P<name>{Name.PATTERN.pattern})=(?P<rest>.*)", re.ASCII | re.DOTALL)
_HIGHEST_PID = 2**31 - 1
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PidTarget:
    """Processes given by their numbers.

    Attributes:
        name: what they are called.
        pids: their numbers, at least one.
    """

    name: str
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchTarget:
    """The processes whose command lines match.

    Attributes:
        name: what they are called.
        pattern: is searched for in the arguments joined by spaces.
    """

    name: str
    pattern: re.Pattern[str]


Target = PidTarget | MatchTarget


def parse_targets(
    pids: Sequence[str], patterns: Sequence[str], *, default: str
) -> tuple[Target, ...]:
    """Read ``[NAME=]PID`` and ``[NAME=]REGEX``; what has no name is called ``default``.

    Numbers of the same name are one target.

    Raises:
        UsageError: nothing is given, something is no number or no regex, or two targets would
            have the same name.
    """
    if not pids and not patterns:
        raise UsageError(
            "which processes? Give their numbers with `--pid PID`, or `--match REGEX` for those"
            " whose command lines match"
        )
    numbers: dict[str, list[int]] = {}
    for text in pids:
        name, rest = _split(text, default)
        numbers.setdefault(name, []).append(_parse_pid(text, rest))
    _check_once(pid for group in numbers.values() for pid in group)
    targets: dict[str, Target] = {
        name: PidTarget(name=name, pids=tuple(group)) for name, group in numbers.items()
    }
    for text in patterns:
        name, rest = _split(text, default)
        if name in targets:
            raise UsageError(
                f"--match: `{name}` is the name of two targets; name each of them:"
                " `--match NAME=REGEX`"
            )
        targets[name] = MatchTarget(name=name, pattern=_parse_pattern(rest))
    return tuple(targets.values())


def _split(text: str, default: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(text)
    return (default, text) if found is None else (found["name"], found["rest"])


def _parse_pid(text: str, number: str) -> int:
    is_number = number.isascii() and number.isdecimal() and len(number) <= len(str(_HIGHEST_PID))
    if not is_number or not 0 < int(number) <= _HIGHEST_PID:
        raise UsageError(
            f"--pid: got {text[:_LONGEST_SHOWN]!r}, expected the number of a process such as"
            " `4711` or `worker=4711`"
        )
    return int(number)


def _check_once(pids: Iterable[int]) -> None:
    seen: set[int] = set()
    for pid in pids:
        if pid in seen:
            raise UsageError(f"--pid: process {pid} is given twice; leave one of them out")
        seen.add(pid)


def _parse_pattern(text: str) -> re.Pattern[str]:
    try:
        if not text:
            raise UsageError("--match: the regular expression is empty, so all would match")
        return re.compile(text)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise UsageError(
            f"--match: {text[:_LONGEST_SHOWN]!r} is no regular expression: {error.msg}{where};"
            " put a backslash before characters that stand for themselves"
        ) from error
    except (RecursionError, OverflowError) as error:
        raise UsageError(f"--match: the regular expression is too large: {error}") from error
