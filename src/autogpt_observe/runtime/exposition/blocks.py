"""A few hundred lines of a family: rendered once, and again only when a value of theirs moves."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

from autogpt_observe.runtime.exposition.numbers import format_float, format_floats, repr_floats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prometheus_client.samples import Exemplar

    Exemplars = Sequence[Exemplar | None]
    """The exemplar of each line, where it has one."""

T = TypeVar("T")

LINES_PER_BLOCK = 256
"""Small enough that one moved value costs little, large enough that a block's own cost does."""


def slice_blocks(items: Sequence[T], lines_each: int) -> list[Sequence[T]]:
    """``items``, of which each takes ``lines_each`` lines, in portions for a block."""
    size = max(1, LINES_PER_BLOCK // max(1, lines_each))
    return [items[start : start + size] for start in range(0, len(items), size)]


def count_up(numbers: array[float], buckets: int, *, shows_sum: bool) -> array[float]:
    """The lines of histograms from what they hold: each has its buckets, and then its sum.

    Their lines are the buckets, each with all below it, the count, and the sum if that is shown.
    """
    shown = array("d")
    for start in range(0, len(numbers), buckets + 1):
        end = start + buckets
        shown.extend(accumulate(numbers[start:end]))
        shown.append(shown[-1])
        if shows_sum:
            shown.append(numbers[end])
    return shown


class Block:
    """The lines of some label sets of a family.

    A line is what stands before its value, the value, and with exemplars what follows it; ``after``
    ends the last one.
    """

    __slots__ = ("_after", "_befores", "_exemplars", "_numbers", "_text")

    def __init__(self, befores: list[str], after: str = "\n") -> None:
        self._befores = befores
        self._after = after
        self._numbers: bytes | None = None
        self._exemplars = _ExemplarColumn()
        self._text = b""

    def render(
        self,
        values: Sequence[float],
        exemplars: Exemplars | None,
        *,
        spread: Callable[[array[float]], array[float]] | None = None,
    ) -> bytes:
        """The lines with ``values``; ``spread`` makes them what is shown, where they are not yet.

        Values are compared bit by bit: -0.0 is shown otherwise than 0.0, and NaN equals itself.
        """
        numbers = array("d", values)
        bits = numbers.tobytes()
        if bits == self._numbers and (exemplars is None or self._exemplars.shows(exemplars)):
            return self._text
        texts = format_floats(numbers if spread is None else spread(numbers))
        columns = [self._befores, texts]
        if exemplars is not None:
            columns.append(self._exemplars.texts(exemplars))
        pieces = [""] * (len(columns) * len(texts))
        for place, column in enumerate(columns):
            pieces[place :: len(columns)] = column
        pieces.append(self._after)
        self._text = "".join(pieces).encode("utf-8")
        self._numbers = bits  # last: had something failed, it would be tried again
        return self._text


class _ExemplarColumn:
    """The texts of exemplars, each written once.

    An exemplar is what it was when it was observed, though its labels may be a dict that the host
    has changed since.
    """

    __slots__ = ("_exemplars", "_texts")

    def __init__(self) -> None:
        self._exemplars: list[Exemplar | None] = []
        self._texts: list[str] = []

    def shows(self, exemplars: Exemplars) -> bool:
        return self._exemplars == exemplars

    def texts(self, exemplars: Exemplars) -> list[str]:
        """What follows each value."""
        if len(self._exemplars) != len(exemplars):
            self._exemplars, self._texts = [None] * len(exemplars), [""] * len(exemplars)
        pairs = enumerate(zip(exemplars, self._exemplars, strict=True))
        moved = [place for place, (new, old) in pairs if new is not old]
        for place, text in zip(moved, _format_all([exemplars[p] for p in moved]), strict=True):
            self._texts[place] = text
        self._exemplars = list(exemplars)
        return self._texts


def _format_all(exemplars: Exemplars) -> list[str]:
    """As `format_exemplar` writes each."""
    times = [exemplar[2] for exemplar in exemplars if exemplar and type(exemplar[2]) is float]
    if len(times) < len(exemplars):
        return [format_exemplar(exemplar) for exemplar in exemplars]
    shown = [exemplar for exemplar in exemplars if exemplar]  # which is all of them
    values = format_floats(array("d", [exemplar[1] for exemplar in shown]))
    return [
        f" # {{{_format_labels(exemplar[0])}}} {value} {time}"
        for exemplar, value, time in zip(shown, values, repr_floats(times), strict=True)
    ]


def format_exemplar(exemplar: Exemplar | None) -> str:
    """What follows a value in OpenMetrics: nothing, or ``# {labels} value timestamp``."""
    if not exemplar:
        return ""
    labels, value, timestamp = exemplar
    when = "" if timestamp is None else f" {timestamp}"
    return f" # {{{_format_labels(labels)}}} {format_float(value)}{when}"


def _format_labels(labels: Mapping[str, str]) -> str:
    names = sorted(labels) if len(labels) > 1 else labels
    return ",".join([f'{name}="{_escape(labels[name])}"' for name in names])


def _escape(text: str) -> str:
    if text.isalnum():  # as nearly all ids are
        return text
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
