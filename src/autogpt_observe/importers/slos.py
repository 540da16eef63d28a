"""Objectives of other tools become `slos`, and the recording rules that they need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from autogpt_observe.importers.expressions import Matcher, Read, reads
from autogpt_observe.importers.naming import fit_name, unused_name
from autogpt_observe.importers.pieces import Piece
from autogpt_observe.names import HISTOGRAM_SUFFIXES, SERVICE, MetricType, PromQL
from autogpt_observe.spec.model import Objective, RecordingRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.importers.ledger import Ledger
    from autogpt_observe.importers.rules import Labels
    from autogpt_observe.importers.sources import Slo, Sources
    from autogpt_observe.names import Name
    from autogpt_observe.spec.model import Selection


def build_slos(read: Sources, labels: Labels, ledger: Ledger) -> list[Piece]:
    """The objectives, each with the recording rules it reads."""
    used: dict[str, None] = {}
    pieces: list[Piece] = []
    for slo in read.slos:
        name = unused_name(fit_name(slo.name, otherwise="slo"), "", used)
        used[name.lower()] = None
        if name != slo.name:
            ledger.changed(f"the objective `{slo.name}` becomes `{name}`", slo.at)
        for note in slo.indicator.notes:
            fix = "add the codes of your own that nobody registered, such as 520"
            ledger.changed(f"{note}, in the objective `{name}`", slo.at, fix=fix)
        pieces.append(_objective(name, slo, labels))
    return pieces


def _copies(name: Name, slo: Slo) -> Iterator[Piece]:
    for record, expr in slo.indicator.copies.items():
        yield Piece(
            section="recording_rules",
            name=record,
            value=RecordingRule(expr=PromQL.parse(expr), help=f"Events of the objective {name}"),
            at=slo.at,
            typed=tuple(_copied(expr, slo)),
            comments=(f"`{name}` selects these series in a way that `where` can't say",),
        )


def _copied(expr: str, slo: Slo) -> Iterator[tuple[MetricType, Read]]:
    """What a copy is made of; of a histogram, that is one metric."""
    for read in reads(expr):
        if slo.indicator.latency is None:
            yield MetricType.COUNTER, read
        else:
            base = next(
                stem
                for end in HISTOGRAM_SUFFIXES
                if (stem := read.name.removesuffix(end)) != read.name
            )
            yield MetricType.HISTOGRAM, replace(read, name=base)


def _objective(name: Name, slo: Slo, labels: Labels) -> Piece:
    indicator, of = slo.indicator, f"the objective `{slo.name}`"
    named = {SERVICE: slo.service} if slo.service is not None else {}
    objective = Objective(
        objective=slo.objective,
        window=slo.window,
        events=indicator.events,
        latency=indicator.latency,
        by=indicator.by,
        help=slo.help,
        owner=labels.owner(slo.labels),
        labels=labels.own({**named, **slo.labels}, of),
        runbook=slo.runbook,
    )
    return Piece(
        section="slos",
        name=name,
        value=objective,
        at=slo.at,
        comments=(f"was `{slo.name}`",) if name != slo.name else (),
        typed=tuple(_typed(slo)),
        copies=tuple(_copies(name, slo)),
    )


def _typed(slo: Slo) -> Iterator[tuple[MetricType, Read]]:
    """The metrics that the objective selects from, which checks look up."""
    indicator = slo.indicator
    if indicator.events is not None:
        for selection in (indicator.events.bad, indicator.events.total):
            yield MetricType.COUNTER, _read(selection, slo)
    if indicator.latency is not None:
        yield MetricType.HISTOGRAM, _read(indicator.latency, slo)


def _read(selection: Selection, slo: Slo) -> Read:
    matchers = tuple(
        Matcher(label, "=", value) for label, values in selection.where.items() for value in values
    )
    labels = tuple(str(label) for label in slo.indicator.by)
    return Read(selection.metric, matchers, labels=labels)
