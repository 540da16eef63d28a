"""The parts of the new spec, each with the place in the input that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.importers.expressions import reads
from autogpt_observe.importers.metrics import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.diagnostics import Span
    from autogpt_observe.importers.expressions import Read
    from autogpt_observe.names import MetricType
    from autogpt_observe.spec.model import Alert, Objective, RecordingRule, Service
    from autogpt_observe.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One named part of a section.

    Attributes:
        at: where it stands in the input.
        comments: lines to write above it.
        typed: series whose type is known, and what of them is read.
        copies: recording rules that it needs, and nothing else does.
    """

    section: str
    name: str
    value: Alert | RecordingRule | Objective
    at: Span
    expressions: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    typed: tuple[tuple[MetricType, Read], ...] = ()
    copies: tuple[Piece, ...] = ()

    @property
    def all(self) -> tuple[Piece, ...]:
        """It and its copies, which stand or fall together."""
        return (*self.copies, self)

    def readings(self) -> list[Reading]:
        """Everything that it reads."""
        found = [
            Reading(self.name, read, self.at) for text in self.expressions for read in reads(text)
        ]
        return [*found, *(Reading(self.name, read, self.at, type_) for type_, read in self.typed)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The new spec, before its metrics are declared."""

    service: Service
    pieces: Sequence[Piece]
    evaluation_interval: Duration | None
    url: str | None
    files: tuple[str, ...]
