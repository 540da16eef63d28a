"""Sloth's `prometheus/v1`, plain or as the `PrometheusServiceLevel` of its operator.

The two say the same with other keys (`error_query`, `errorQuery`):
https://pkg.go.dev/github.com/slok/sloth/pkg/prometheus/api/v1 and
https://pkg.go.dev/github.com/slok/sloth/pkg/kubernetes/api/sloth/v1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.importers.events import (
    Indicator,
    InexpressibleError,
    indicate,
    indicate_ratio,
)
from autogpt_observe.importers.expressions import UnreadableError
from autogpt_observe.importers.severities import read_severity
from autogpt_observe.importers.sources import Slo, Sources
from autogpt_observe.importers.texts import one_line, read_runbook
from autogpt_observe.names import SEVERITY
from autogpt_observe.spec.model import Severity
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.importers.ledger import Part
    from autogpt_observe.spec.tree import Scalar

WINDOW = Duration.parse("30d")
"""What Sloth takes unless its command line says otherwise; the file doesn't."""
_BY_HAND = "write its `events` or `latency` by hand, or record its parts as counters"


@dataclass(frozen=True, slots=True)
class Keys:
    """How the keys are spelled."""

    error_query: str
    total_query: str
    error_ratio_query: str
    page_alert: str
    ticket_alert: str


PLAIN = Keys("error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert")
KUBERNETES = Keys("errorQuery", "totalQuery", "errorRatioQuery", "pageAlert", "ticketAlert")


def read_sloth(root: Part, keys: Keys) -> Sources:
    """The objectives of a file, or of the `spec` of an object."""
    service = root.text("service")
    labels = root.texts("labels")
    slos = []
    for part in root.parts("slos"):
        named = part.text("name")
        if named is None or not named.text:
            part.of = "an objective"
            part.drop("it has no `name`")
            continue
        part.of = f"the objective `{named.text}`"
        slo = _read_slo(part, named, labels, keys)
        if slo is not None:
            slos.append((slo, service))
    return Sources(
        slos=tuple(
            Slo(
                name=slo.name.text,
                at=slo.name.at,
                objective=slo.objective,
                window=WINDOW,
                indicator=slo.indicator,
                help=slo.help,
                labels=slo.labels,
                runbook=read_runbook(slo.annotations, slo.part.ledger, slo.part.of),
                service=of,
            )
            for slo, of in slos
        ),
        services=(service,) if service is not None else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    name: Scalar
    part: Part
    objective: Ratio
    indicator: Indicator
    help: str
    labels: Mapping[str, Scalar]
    annotations: Mapping[str, Scalar]


def _read_slo(part: Part, name: Scalar, common: Mapping[str, Scalar], keys: Keys) -> _Read | None:
    written = part.text("objective")
    try:
        objective = Ratio.parse(f"{written.text}%") if written is not None else None
    except ValueError:
        objective = None
    if objective is None:
        at = written.at if written is not None else name.at
        part.drop("its `objective` is no percentage such as `99.9`", at)
        return None
    indicator = _read_indicator(part, name, keys)
    if indicator is None:
        return None
    description = part.text("description")
    labels = part.texts("labels")
    alerting = part.part("alerting")
    annotations: Mapping[str, Scalar] = {}
    if alerting is not None:
        alerting.of = f"the alerts of {part.of}"
        labels |= alerting.texts("labels")
        labels |= _read_alerts(alerting, keys)
        annotations = alerting.texts("annotations")
    return _Read(
        name=name,
        part=part,
        objective=objective,
        indicator=indicator,
        help=one_line(description.text) if description is not None else "",
        labels={**common, **labels},
        annotations=annotations,
    )


def _read_indicator(part: Part, name: Scalar, keys: Keys) -> Indicator | None:
    sli = part.part("sli")
    if sli is None:
        part.drop("it has no `sli`", name.at)
        return None
    events, raw = sli.part("events"), sli.part("raw")
    at = name.at
    try:
        if events is not None:
            bad, total = events.text(keys.error_query), events.text(keys.total_query)
            if bad is not None and total is not None:
                at = bad.at
                return indicate(name.text, bad=bad.text, total=total.text)
        elif raw is not None:
            ratio = raw.text(keys.error_ratio_query)
            if ratio is not None:
                at = ratio.at
                return indicate_ratio(name.text, ratio.text, failure=True)
    except InexpressibleError as error:
        part.drop(str(error), at, fix=_BY_HAND)
        return None
    except UnreadableError as error:
        part.drop(f"a query is no PromQL: {error}", at)
        return None
    if sli.has("plugin"):
        part.drop(
            "its indicator is a plugin, which is a program",
            sli.at_key("plugin"),
            fix="give the file that the plugin's queries are written out in",
        )
    else:
        part.drop("its `sli` has no queries", name.at)
    return None


def _read_alerts(alerting: Part, keys: Keys) -> dict[str, Scalar]:
    """The labels that both alerts have; what is said about one of them alone is listed."""
    named = alerting.text("name")
    if named is not None:
        message = f"the alert name `{named.text}` becomes names derived from the objective's"
        alerting.ledger.changed(message, named.at, fix="look after silences and routes that say it")
    both: list[dict[str, Scalar]] = []
    parts: list[Part] = []
    for key, severity in ((keys.page_alert, Severity.CRITICAL), (keys.ticket_alert, _TICKET)):
        one = alerting.part(key)
        if one is None:
            continue
        one.of = f"`{key}` of {alerting.of}"
        disabled = one.text("disable")
        if disabled is not None and disabled.text == "true":
            message = f"{one.of} is disabled, and comes over switched on"
            fix = f"an objective has all its alerts; route those of severity {severity} to nobody"
            one.ledger.lost(message, disabled.at, fix=fix)
        for text in one.texts("annotations").values():
            message = f"an annotation of {one.of} is not carried over"
            one.ledger.lost(message, text.at, fix="say it in the objective's `runbook`")
        both.append(_without_severity(one, severity))
        parts.append(one)
    return _shared(both, parts)


_TICKET = Severity.WARNING


def _without_severity(one: Part, severity: Severity) -> dict[str, Scalar]:
    labels = one.texts("labels")
    written = labels.pop(SEVERITY, None)
    if written is not None and written.text != severity.value:
        same = read_severity(written.text) is severity
        message = f"`severity: {written.text}` of {one.of} becomes `{severity}`"
        fix = None if same else "the severity of an objective's alerts can't be chosen"
        one.ledger.changed(message, written.at, fix=fix)
    return labels


def _shared(labels: list[dict[str, Scalar]], parts: list[Part]) -> dict[str, Scalar]:
    if not labels:
        return {}
    first, *rest = labels
    of_all = {
        name: value
        for name, value in first.items()
        if len(labels) > 1
        and all(name in other and other[name].text == value.text for other in rest)
    }
    for part, own in zip(parts, labels, strict=True):
        for name, value in own.items():
            if name not in of_all:
                message = f"the label `{name}` of {part.of} is not carried over"
                fix = "both alerts of an objective have the same labels; route by severity"
                part.ledger.lost(message, value.at, fix=fix)
    return of_all
