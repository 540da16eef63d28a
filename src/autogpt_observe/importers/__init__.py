"""Other tools' files become a spec: Sloth, OpenSLO, Prometheus rules and their unit tests.

What a file says is in the spec, or it is listed with its place: as lost, as changed, or as guessed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Diagnostic, Report, SpecError
from autogpt_observe.importers.documents import parse_documents
from autogpt_observe.importers.kinds import read_documents
from autogpt_observe.importers.ledger import Ledger
from autogpt_observe.importers.naming import fit_name
from autogpt_observe.importers.pieces import Draft
from autogpt_observe.importers.rules import Labels, build_alerts, build_records, most_owned
from autogpt_observe.importers.settle import settle
from autogpt_observe.importers.slos import build_slos
from autogpt_observe.names import Name, Url
from autogpt_observe.spec.model import Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.importers.sources import Sources
    from autogpt_observe.units import Duration

__all__ = ["Imported", "import_files"]

UNOWNED = Name("unowned")
"""The owner where no file names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A spec made of other tools' files.

    Attributes:
        text: the spec, valid and commented YAML.
        counts: how many parts each of its sections has.
        untested: the alerts that have no tests; the spec waives the check for each of them.
        warnings: how many warnings the checks have about the spec.
        diagnostics: what is lost, changed or guessed, in the order of the files' text.
    """

    text: str
    counts: Mapping[str, int]
    untested: tuple[str, ...]
    warnings: int
    diagnostics: tuple[Diagnostic, ...]


def import_files(
    files: Sequence[tuple[str, bytes]], *, service: Name | None = None, owner: Name | None = None
) -> Imported:
    """The spec that says what the files say.

    Args:
        files: name and bytes of each file.
        service: name of the service; unless given, the one that most objectives are of, else the
            name of the first file.
        owner: who owns it; unless given, the one that most rules and objectives name.

    Raises:
        SpecError: a file can't be read, or nothing in the files can be carried over.
    """
    report = Report()
    documents = [one for name, data in files for one in parse_documents(data, name, report)]
    if report.has_errors:  # half of the input is missing: what else would be told follows from that
        raise SpecError(report.diagnostics)
    ledger = Ledger(report)
    read = read_documents(documents, ledger, report)
    if report.has_errors:
        raise SpecError(report.diagnostics)
    for document in documents:
        ledger.list_leftovers(document.root)
    draft = _draft(read, [name for name, _ in files], (service, owner), ledger)
    settled = settle(draft, ledger)
    if not settled.pieces:
        nothing = Diagnostic(id="import/nothing", message="nothing could be carried over")
        raise SpecError((*report.diagnostics, nothing))
    counted = Counter(one.section for piece in settled.pieces for one in piece.all)
    counts = {"metrics": settled.metrics, **counted}
    return Imported(
        text=settled.text,
        counts=counts,
        untested=settled.untested,
        warnings=settled.warnings,
        diagnostics=report.diagnostics,
    )


def _draft(
    read: Sources, files: Sequence[str], given: tuple[Name | None, Name | None], ledger: Ledger
) -> Draft:
    service = _service(read, files, *given, ledger)
    labels = Labels(service, ledger)
    records = build_records(read.records, ledger)
    alerts = build_alerts(read, labels, ledger)
    slos = build_slos(read, labels, ledger)
    labels.close()
    return Draft(
        service=service,
        pieces=(*records, *alerts, *slos),
        evaluation_interval=_interval(read, ledger),
        url=_url(read, ledger),
        files=tuple(PurePath(name).name for name in files),
    )


def _service(
    read: Sources, files: Sequence[str], name: Name | None, owner: Name | None, ledger: Ledger
) -> Service:
    if name is None:
        name = _service_name(read, files, ledger)
    if owner is None:
        owned = most_owned(read)
        owner = fit_name(owned, otherwise="team") if owned is not None else UNOWNED
        if owned is None:
            message = f"no file names an owner; `{UNOWNED}` is written"
            ledger.guessed(message, None, fix="name one with `--owner`")
    return Service(name=name, owner=owner)


def _service_name(read: Sources, files: Sequence[str], ledger: Ledger) -> Name:
    ranked = Counter(one.text for one in read.services if one.text).most_common()
    stem = PurePath(files[0]).name.split(".")[0] if files else ""
    name = fit_name(ranked[0][0] if ranked else stem, otherwise="imported")
    if not ranked:
        message = f"no file names a service; `{name}` is written, after the first file"
    elif len(ranked) > 1:
        message = f"the files name {len(ranked)} services; `{name}`, the one most named, is written"
    elif name != ranked[0][0]:
        message = f"the service `{ranked[0][0]}` becomes `{name}`"
    else:
        return name
    ledger.guessed(message, None, fix="name one with `--service`")
    return name


def _interval(read: Sources, ledger: Ledger) -> Duration | None:
    """The interval that all groups have; those that have one of their own are listed."""
    lengths = {interval.length for interval in read.intervals}
    if len(lengths) == 1:
        return lengths.pop()
    for interval in read.intervals:
        if interval.length is not None:
            message = f"the `interval` of the group `{interval.group}` is not carried over"
            fix = "the spec has one `prometheus.evaluation_interval` for all its rules"
            ledger.lost(message, interval.at, fix=fix)
    return None


def _url(read: Sources, ledger: Ledger) -> str | None:
    found = []
    for url in read.urls:
        try:
            found.append(Url.parse(url.text))
        except ValueError:
            ledger.lost("the address of a data source is not carried over", url.at)
    for more in read.urls[1:]:
        ledger.lost("the address of a further data source is not carried over", more.at)
    return found[0] if found else None
