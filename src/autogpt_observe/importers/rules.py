"""Rules become `alerts` and `recording_rules`: their names made to fit, their labels sorted out."""

from __future__ import annotations

from collections import ChainMap, Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autogpt_observe.importers.naming import fit_name, unused_name
from autogpt_observe.importers.nothing import fires_always, no_data_test
from autogpt_observe.importers.pieces import Piece
from autogpt_observe.importers.severities import UNKNOWN, read_severity
from autogpt_observe.importers.tests_of_alerts import SUMMARY, tests_of
from autogpt_observe.importers.texts import SUMMARIES, is_template, one_line
from autogpt_observe.names import (
    ALERT_NAME,
    OWNER,
    SERVICE,
    SEVERITY,
    LabelName,
    Name,
    PromQL,
    RecordName,
)
from autogpt_observe.promql import parse_error, quote_string
from autogpt_observe.spec.model import Alert, RecordingRule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autogpt_observe.diagnostics import Span
    from autogpt_observe.importers import sources
    from autogpt_observe.importers.ledger import Ledger
    from autogpt_observe.importers.sources import AlertRule, Sources
    from autogpt_observe.spec.model import RuleTest, Service
    from autogpt_observe.spec.tree import Scalar

TEAM = "team"
"""The label that most people name an owner with."""


def owner_of(labels: Mapping[str, Scalar]) -> Scalar | None:
    """The label that names an owner, if there is one that is no template."""
    found = next((labels[key] for key in (OWNER, TEAM) if key in labels and labels[key].text), None)
    return found if found is not None and not is_template(found.text) else None


class Labels:
    """Sorts labels into those the generator sets and those of the part; tells what changes."""

    def __init__(self, service: Service, ledger: Ledger) -> None:
        self._service = service
        self._ledger = ledger
        self._told: dict[str, list[tuple[Span, str | None]]] = {}

    def own(self, labels: Mapping[str, Scalar], of: str) -> dict[LabelName, str]:
        """The labels that stay the part's own."""
        kept = {}
        for name, value in labels.items():
            if name == SERVICE:
                self._service_label(value)
            elif name == OWNER:
                self._owner_label(value, of)
            elif name == ALERT_NAME:
                message = f"the label `{ALERT_NAME}` of {of} is not carried over"
                self._ledger.lost(message, value.at, fix="it is the alert's name")
            elif name != SEVERITY:
                try:
                    kept[LabelName.parse(name)] = value.text
                except ValueError:
                    message = f"the label `{name}` of {of} is not carried over"
                    self._ledger.lost(message, value.at, fix=f"write {LabelName.EXPECTED}")
        return kept

    def owner(self, labels: Mapping[str, Scalar]) -> Name | None:
        """Who owns the part, if it is not the service's owner."""
        named = owner_of(labels)
        owner = fit_name(named.text, otherwise="team") if named is not None else None
        return owner if owner != self._service.owner else None

    def severity(self, labels: Mapping[str, Scalar], rule: AlertRule) -> Severity:
        """The severity that the label stands for."""
        written = labels.get(SEVERITY)
        if written is None:
            self._tell("an alert has no `severity`; `warning` is written", rule.name.at, None)
            return UNKNOWN
        known = read_severity(written.text)
        if known is None:
            message = f"`severity: {written.text}` is unknown; `{UNKNOWN}` is written for it"
            self._tell(message, written.at, "change it to info, warning or critical")
        elif known.value != written.text:
            message = f"`severity: {written.text}` becomes `severity: {known}`"
            self._tell(message, written.at, "look after routes and silences that match it")
        return known or UNKNOWN

    def summary_from(self, source: str, at: Span) -> None:
        """Note that an alert's summary was made of something else."""
        self._tell(f"an alert has no `summary`; {source} is written", at, None)

    def close(self) -> None:
        """Tell each kind of change once, with how often it happened."""
        for message, places in self._told.items():
            at, fix = places[0]
            more = f" ({len(places)} times, here first)" if len(places) > 1 else ""
            self._ledger.changed(f"{message}{more}", at, fix=fix)

    def _tell(self, message: str, at: Span, fix: str | None) -> None:
        self._told.setdefault(message, []).append((at, fix))

    def _service_label(self, value: Scalar) -> None:
        if value.text != self._service.name:
            message = f"the label `service: {value.text}` becomes `service: {self._service.name}`"
            self._tell(message, value.at, "import it into a spec of its own with `--service`")

    def _owner_label(self, value: Scalar, of: str) -> None:
        if is_template(value.text) or not value.text:
            message = f"the label `owner` of {of} is not carried over: an owner is one name"
            self._ledger.lost(message, value.at)
        elif (owner := fit_name(value.text, otherwise="team")) != value.text:
            self._tell(f"the label `owner: {value.text}` becomes `owner: {owner}`", value.at, None)


# --- alerts ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Named:
    """An alerting rule and the name it gets."""

    name: Name
    rule: AlertRule


def build_alerts(read: Sources, labels: Labels, ledger: Ledger) -> list[Piece]:
    """The alerts of all rules, with the unit tests that fit them."""
    named = _name_alerts(read.alerts, ledger)
    tests = tests_of([(one.name, one.rule) for one in named], read.tests, ledger)
    pieces, group = [], ""
    for one in named:
        comments = []
        if one.rule.group != group:
            group = one.rule.group
            comments.append(f"group `{group}`")
        if one.name != one.rule.name.text:
            comments.append(f"was `{one.rule.name.text}`")
        alert = _build_alert(one, labels, tests.get(one.name, {}), ledger)
        series = tuple(text for test in alert.tests.values() for text in test.series)
        pieces.append(
            Piece(
                section="alerts",
                name=one.name,
                value=alert,
                at=one.rule.name.at,
                expressions=(one.rule.expr.text, *series),
                comments=tuple(comments),
            )
        )
    return pieces


def _name_alerts(rules: Sequence[AlertRule], ledger: Ledger) -> list[_Named]:
    used: dict[str, None] = {}
    wanted = dict.fromkeys(rule.name.text.lower() for rule in rules)
    named = []
    for rule in rules:
        text = rule.name.text
        fitted = fit_name(text, otherwise="Alert")
        word = rule.labels.get(SEVERITY)
        severity = read_severity(word.text) if word is not None else None
        suffix = severity.capitalize() if severity is not None else ""
        keeps_its_own = fitted == text and text.lower() not in used
        name = fitted if keeps_its_own else unused_name(fitted, suffix, ChainMap(used, wanted))
        used[name.lower()] = None
        if name != text:
            why = "an alert of that name was there before"
            if fitted != text:
                why = f"the name of an alert is {Name.EXPECTED}"
            message = f"the alert `{text}` becomes `{name}`: {why}"
            ledger.changed(message, rule.name.at, fix="look after routes and silences that name it")
        named.append(_Named(name, rule))
    return named


def _build_alert(
    named: _Named, labels: Labels, tests: Mapping[Name, RuleTest], ledger: Ledger
) -> Alert:
    rule = named.rule
    of = f"the alert `{rule.name.text}`"
    severity = labels.severity(rule.labels, rule)
    annotations = _annotations(named, labels, ledger)
    own = labels.own(rule.labels, of)
    alert = Alert(
        when=PromQL.parse(rule.expr.text.rstrip()),
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        severity=severity,
        owner=labels.owner(rule.labels),
        labels=own,
        annotations=annotations,
        watchdog=fires_always(rule.expr.text),
        tests=tests,
    )
    without_data = no_data_test(alert, rule, ledger)
    return replace(alert, tests={**without_data, **tests}) if without_data else alert


def _annotations(named: _Named, labels: Labels, ledger: Ledger) -> dict[LabelName, str]:
    rule = named.rule
    kept = {}
    for name, text in rule.annotations.items():
        try:
            kept[LabelName.parse(name)] = text.text
        except ValueError:
            message = f"the annotation `{name}` of `{rule.name.text}` is not carried over"
            ledger.lost(message, text.at, fix=f"write {LabelName.EXPECTED}")
    if kept.get(SUMMARY, "").strip():
        return kept
    source = next((key for key in SUMMARIES[1:] if kept.get(LabelName(key), "").strip()), None)
    labels.summary_from(f"its `{source}`" if source else "its name", rule.name.at)
    summary = one_line(kept[LabelName(source)]) if source else rule.name.text
    return {SUMMARY: summary, **{name: text for name, text in kept.items() if name != SUMMARY}}


# --- recording rules -------------------------------------------------------------------------


def build_records(rules: Iterable[sources.RecordingRule], ledger: Ledger) -> list[Piece]:
    """The recording rules; several of one name and different labels become one."""
    by_name: dict[str, list[sources.RecordingRule]] = {}
    for rule in rules:
        by_name.setdefault(rule.name.text, []).append(rule)
    pieces, group = [], ""
    for name, alike in by_name.items():
        first, *_ = alike
        try:
            record = RecordName.parse(name)
        except ValueError:
            for rule in alike:
                message = f"the recording rule `{name}` is not carried over"
                ledger.lost(message, rule.name.at, fix=f"write {RecordName.EXPECTED}")
            continue
        comments = []
        if first.group != group:
            group = first.group
            comments.append(f"group `{group}`")
        value = _join(record, alike, ledger) if len(alike) > 1 else _build_record(first, ledger)
        pieces.append(
            Piece(
                section="recording_rules",
                name=record,
                value=value,
                at=first.name.at,
                expressions=(value.expr,),
                comments=tuple(comments),
            )
        )
    return pieces


def _build_record(rule: sources.RecordingRule, ledger: Ledger) -> RecordingRule:
    expr = PromQL.parse(rule.expr.text.rstrip())
    return RecordingRule(expr=expr, labels=_record_labels(rule, ledger))


def _record_labels(rule: sources.RecordingRule, ledger: Ledger) -> dict[LabelName, str]:
    kept = {}
    for name, value in rule.labels.items():
        try:
            kept[LabelName.parse(name)] = value.text
        except ValueError:
            message = f"the label `{name}` of `{rule.name.text}` is not carried over"
            ledger.lost(message, value.at, fix=f"write {LabelName.EXPECTED}")
    return kept


def _join(
    name: RecordName, rules: Sequence[sources.RecordingRule], ledger: Ledger
) -> RecordingRule:
    """One rule for several of one name: their results side by side, each with its labels."""
    parts: dict[str, None] = {}
    for rule in rules:
        parts[_relabelled(rule.expr.text.strip(), _record_labels(rule, ledger))] = None
    joined = "\nor\n".join(parts)
    broken = parse_error(joined)
    if broken is not None:
        for rule in rules[1:]:
            message = f"the recording rule `{name}` stands twice; only the first is carried over"
            ledger.lost(message, rule.name.at, fix="record it under another name")
        return _build_record(rules[0], ledger)
    message = f"{len(rules)} recording rules `{name}` become one, joined by `or`"
    ledger.changed(message, rules[1].name.at)
    return RecordingRule(expr=PromQL.parse(joined))


def _relabelled(expr: str, labels: Mapping[LabelName, str]) -> str:
    for name, value in labels.items():
        text = quote_string(value.replace("$", "$$"))
        expr = f'label_replace(\n{expr}\n, "{name}", {text}, "", "")'
    return expr if labels else f"(\n{expr}\n)"


def most_owned(read: Sources) -> str | None:
    """The owner that most of the rules and objectives name."""
    labels = [*(rule.labels for rule in read.alerts), *(slo.labels for slo in read.slos)]
    named = (owner_of(one) for one in labels)
    ranked = Counter(one.text for one in named if one is not None).most_common(1)
    return ranked[0][0] if ranked else None
