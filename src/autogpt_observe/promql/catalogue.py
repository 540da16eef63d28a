"""What is known about series before anything is scraped."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from autogpt_observe.promql.values import ANY, EVERYTHING, Interval, Values

if TYPE_CHECKING:
    from collections.abc import Mapping


class SeriesKind(StrEnum):
    """How the samples of a series move."""

    COUNTER = "counter"
    GAUGE = "gauge"
    BUCKET = "bucket counter"
    NATIVE = "native histogram"
    UNKNOWN = "unknown"


class Dimension(NamedTuple):
    """A unit as powers of the base units; all zero is a plain share."""

    seconds: int = 0
    bytes: int = 0
    tokens: int = 0
    usd: int = 0

    def times(self, other: Dimension, power: int = 1) -> Dimension:
        """This times ``other`` to the ``power``."""
        return Dimension(*(a + power * b for a, b in zip(self, other, strict=True)))

    def __str__(self) -> str:
        above = "*".join(_power(name, n) for name, n in self._asdict().items() if n > 0)
        below = "*".join(_power(name, -n) for name, n in self._asdict().items() if n < 0)
        if not below:
            return above or "a ratio"
        return f"{above or '1'}/{below}"


def _power(name: str, n: int) -> str:
    return name if n == 1 else f"{name}^{n}"


NO_DIMENSION = Dimension()
SECONDS = Dimension(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # by identity: one for each name
class Series:
    """The series of one name.

    Attributes:
        name: the name that expressions read.
        kind: how its samples move.
        labels: the labels it can have, by name; what is listed in none of them is ``rest``.
        rest: the values of all other labels: `ABSENT` where the labels are known in full.
        attributes: labels that each series has because we emit it ourselves.
        unit: the unit of a sample, or None where it is not known.
        bounds: where its samples lie.
        interval_ms: the time between two samples.
        conditional: whether it has samples only while something holds.
        is_share: whether it is declared to be a ratio.
        declared_at: what to say of where its labels are declared, for a fix.
    """

    name: str
    kind: SeriesKind = SeriesKind.UNKNOWN
    labels: Mapping[str, Values] = field(default_factory=lambda: MappingProxyType({}))
    rest: Values = ANY
    attributes: frozenset[str] = frozenset()
    unit: Dimension | None = None
    bounds: Interval = EVERYTHING
    interval_ms: int = 0
    conditional: bool = False
    is_share: bool = False
    declared_at: str = ""


class Catalogue(Protocol):
    """Knows series by name."""

    def find(self, name: str) -> Series | None:
        """The series of that name, or None where nothing is known of it."""
