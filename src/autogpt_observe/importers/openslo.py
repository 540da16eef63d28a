"""OpenSLO v1: objects that refer to one another by name, within and across files.

https://github.com/OpenSLO/OpenSLO/blob/main/README.md
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.importers.events import (
    Indicator,
    InexpressibleError,
    indicate,
    indicate_ratio,
)
from autogpt_observe.importers.expressions import UnreadableError
from autogpt_observe.importers.naming import fit_name
from autogpt_observe.importers.sources import Slo, Sources
from autogpt_observe.importers.texts import one_line
from autogpt_observe.spec.model import Runbook
from autogpt_observe.units import Duration, Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.diagnostics import Span
    from autogpt_observe.importers.ledger import Part
    from autogpt_observe.spec.tree import Scalar

_WINDOWS = tuple(Duration.parse(text) for text in ("7d", "28d", "30d", "90d"))
_DEFAULT_WINDOW = Duration.parse("30d")
_SHORTHAND = re.compile(r"(\d{1,4})([mhdwMQY])", re.ASCII)
_UNIT = {"m": "1m", "h": "1h", "d": "1d", "w": "7d", "M": "30d", "Q": "90d", "Y": "365d"}
_QUERY_KEYS = ("query", "promql", "expr")
_PROMETHEUS = "prometheus"
_NOT_NEEDED = {
    "AlertPolicy": (
        "an objective of a spec has its alerts, on burn rates over several windows",
        "route them in `notifications` by severity, owner and labels",
    ),
    "AlertNotificationTarget": (
        "it names no address",
        "add a receiver to `notifications`",
    ),
}


def read_openslo(objects: Sequence[Part]) -> Sources:
    """Everything that the OpenSLO objects of all files say."""
    shelf = _Shelf(objects)
    slos: list[Slo] = []
    services: list[Scalar] = []
    urls: list[Scalar] = []
    for part in objects:
        match shelf.kind_of(part):
            case "SLO":
                slos += _read_slo(part, shelf)
            case "Service":
                services += _read_service(part)
            case "DataSource":
                urls += _read_data_source(part)
            case "SLI":
                shelf.indicator(part)
            case "AlertCondition":
                _list_condition(part)
            case kind if kind in _NOT_NEEDED:
                why, fix = _NOT_NEEDED[kind]
                part.drop(why, _place(part), fix=fix)
            case _:
                part.drop("there is no such kind in OpenSLO v1", part.at_key("kind"))
    return Sources(slos=tuple(slos), services=(*_of_slos(slos), *services), urls=tuple(urls))


def _of_slos(slos: Sequence[Slo]) -> list[Scalar]:
    return [slo.service for slo in slos if slo.service is not None]


class _Shelf:
    """All objects, by kind and name."""

    def __init__(self, objects: Sequence[Part]) -> None:
        self._objects: dict[tuple[str, str], Part] = {}
        self._kinds: dict[int, str] = {}
        for part in objects:
            part.ignore(("apiVersion",))
            kind = part.text("kind")
            self._kinds[id(part)] = kind.text if kind is not None else ""
            name, of = _name_of(part), self._kinds[id(part)] or "the object"
            part.of = f"{of} `{name}`" if name else f"{of} without a name"
            self._objects[self._kinds[id(part)], name] = part

    def kind_of(self, part: Part) -> str:
        return self._kinds[id(part)]

    def find(self, kind: str, name: str) -> Part | None:
        return self._objects.get((kind, name))

    def indicator(self, part: Part) -> Part | None:
        """The `spec` of an SLI, inline or not."""
        return part.part("spec")


def _name_of(part: Part) -> str:
    metadata = part.part("metadata")
    name = metadata.text("name") if metadata is not None else None
    return name.text if name is not None else ""


def _place(part: Part) -> Span:
    """Where an object says its name."""
    metadata = part.part("metadata")
    name = metadata.text("name") if metadata is not None else None
    return name.at if name is not None else part.at


def _title(part: Part, spec: Part | None) -> str:
    """What an object says of itself to people, one line."""
    metadata = part.part("metadata")
    title = metadata.text("displayName") if metadata is not None else None
    described = spec.text("description") if spec is not None else None
    return one_line(": ".join(text.text for text in (title, described) if text is not None))


def _read_service(part: Part) -> list[Scalar]:
    spec, metadata = part.part("spec"), part.part("metadata")
    described = spec.text("description") if spec is not None else None
    if described is not None:
        message = f"the `description` of {part.of} is not carried over"
        part.ledger.lost(message, described.at, fix="write it as a comment above `service`")
    name = metadata.text("name") if metadata is not None else None
    return [name] if name is not None else []


def _read_data_source(part: Part) -> list[Scalar]:
    spec = part.part("spec")
    kind = spec.text("type") if spec is not None else None
    if spec is None or kind is None or kind.text.lower() != _PROMETHEUS:
        part.drop("it is no Prometheus", _place(part))
        return []
    details = spec.part("connectionDetails")
    url = details.text("url") if details is not None else None
    return [url] if url is not None else []


def _list_condition(part: Part) -> None:
    spec = part.part("spec")
    condition = spec.part("condition") if spec is not None else None
    fix = None
    if condition is not None:
        long, factor = condition.text("lookbackWindow"), condition.text("threshold")
        if long is not None and factor is not None:
            burn = f"{{slo: NAME, long: {long.text}, short: 5m, factor: {factor.text}}}"
            fix = f"to keep this one as well, add an alert with `when: {{burn: {burn}}}`"
    part.drop("an objective of a spec has its own burn-rate alerts", _place(part), fix=fix)


# --- objectives ------------------------------------------------------------------------------


def _read_slo(part: Part, shelf: _Shelf) -> list[Slo]:
    name, spec = _name_of(part), part.part("spec")
    if spec is None or not name:
        part.drop("it needs `metadata.name` and `spec`")
        return []
    spec.of = part.of
    method = spec.text("budgetingMethod")
    if method is not None and method.text != "Occurrences":
        why = f"a spec judges events, and its `budgetingMethod` is `{method.text}`"
        part.drop(why, method.at, fix="decide on an objective for the share of good events")
        return []
    window = _read_window(spec)
    _list_policies(spec, shelf)
    metadata = part.part("metadata")
    labels = metadata.texts("labels") if metadata is not None else {}
    title, service = _title(part, spec), spec.text("service")
    objectives = spec.parts("objectives")
    slos = []
    for number, objective in enumerate(objectives, start=1):
        shown = objective.text("displayName")
        own = name
        if len(objectives) > 1:
            own = f"{name}-{fit_name(shown.text, otherwise='o') if shown else number}"
        objective.of = f"objective {number} of {part.of}"
        ratio = _read_target(objective)
        if ratio is None:
            continue
        indicator = _read_indicator(objective, spec, own, shelf)
        if indicator is None:
            continue
        slos.append(
            Slo(
                name=own,
                at=objective.at,
                objective=ratio,
                window=window,
                indicator=indicator,
                help=": ".join(
                    text for text in (title, one_line(shown.text) if shown else "") if text
                ),
                labels=labels,
                runbook=Runbook(),
                service=service,
            )
        )
    return slos


def _read_target(objective: Part) -> Ratio | None:
    share, percent = objective.text("target"), objective.text("targetPercent")
    written = share or percent
    if written is None or (share is not None and percent is not None):
        objective.drop("it needs one of `target` and `targetPercent`")
        return None
    try:
        return Ratio.parse(written.text if share is not None else f"{written.text}%")
    except ValueError:
        objective.drop(f"`{written.text}` is no share", written.at)
        return None


def _read_window(spec: Part) -> Duration:
    windows = spec.parts("timeWindow")
    if not windows:
        spec.ledger.guessed(f"{spec.of} has no `timeWindow`; {_DEFAULT_WINDOW} is taken", spec.at)
        return _DEFAULT_WINDOW
    for more in windows[1:]:
        more.of = f"the second `timeWindow` of {spec.of}"
        more.drop("there is one window")
    window = windows[0]
    window.of = f"`timeWindow` of {spec.of}"
    rolling, duration = window.text("isRolling"), window.text("duration")
    if window.has("calendar") or (rolling is not None and rolling.text == "false"):
        message = f"the calendar of {window.of} is not carried over: windows of a spec roll"
        key = "calendar" if window.has("calendar") else "isRolling"
        window.lose(key, message, fix="judge a month by its end with a query of your own")
    found = _SHORTHAND.fullmatch(duration.text) if duration is not None else None
    if duration is None or found is None:
        message = f"{window.of} has no `duration` that can be read; {_DEFAULT_WINDOW} is taken"
        spec.ledger.lost(message, duration.at if duration is not None else window.at)
        return _DEFAULT_WINDOW
    length = Duration(int(found[1]) * Duration.parse(_UNIT[found[2]]).ms)
    nearest = min(_WINDOWS, key=lambda known: abs(known.ms - length.ms))
    if nearest != length or found[2] in "MQY":
        message = f"the window `{duration.text}` of {spec.of} becomes `{nearest}`"
        spec.ledger.changed(message, duration.at)
    return nearest


def _list_policies(spec: Part, shelf: _Shelf) -> None:
    """Tell of alert policies, unless all of them are told of as objects of their own."""
    named = spec.names("alertPolicies", "alertPolicyRef")
    if all(name is not None and shelf.find("AlertPolicy", name) for name in named):
        return  # what else their maps say is listed as left over
    why, fix = _NOT_NEEDED["AlertPolicy"]
    spec.lose("alertPolicies", f"`alertPolicies` of {spec.of} is not carried over: {why}", fix=fix)


# --- indicators ------------------------------------------------------------------------------


def _read_indicator(objective: Part, spec: Part, name: str, shelf: _Shelf) -> Indicator | None:
    """The indicator of one objective: its own, else that of the SLO."""
    where = objective if objective.has("indicator") or objective.has("indicatorRef") else spec
    inline, reference = where.part("indicator"), where.text("indicatorRef")
    if inline is None and reference is not None:
        inline = shelf.find("SLI", reference.text)
        if inline is None:
            why = f"there is no SLI `{reference.text}`"
            objective.drop(why, reference.at, fix="give the file that holds it as well")
            return None
    sli = inline.part("spec") if inline is not None else None
    if inline is None or sli is None:
        objective.drop("it has no indicator")
        return None
    inline.of = sli.of = f"the indicator of {objective.of}"
    _title(inline, sli)
    return _read_sli(objective, sli, name, shelf)


def _read_sli(objective: Part, sli: Part, name: str, shelf: _Shelf) -> Indicator | None:
    ratio = sli.part("ratioMetric")
    if ratio is None:
        threshold = "a threshold of a value over time; a spec judges events"
        fix = "count the good events, or use the buckets of a histogram"
        why = threshold if sli.has("thresholdMetric") else "its indicator has no `ratioMetric`"
        objective.drop(f"its indicator is {threshold}" if why is threshold else why, fix=fix)
        return None
    ratio.of = sli.of
    counter, kind = ratio.text("counter"), ratio.text("rawType")
    try:
        queries = {key: _query(ratio, key, shelf) for key in ("good", "bad", "total", "raw")}
        if counter is not None and counter.text == "false" and queries["raw"] is None:
            raise InexpressibleError("its metric is no counter")  # noqa: TRY301 - one way to drop
        return _indicate(name, queries, failure=kind is not None and kind.text == "failure")
    except InexpressibleError as error:
        objective.drop(str(error), ratio.at, fix="write its `events` or `latency` by hand")
    except UnreadableError as error:
        objective.drop(f"a query is no PromQL: {error}", ratio.at)
    return None


def _indicate(name: str, queries: Mapping[str, str | None], *, failure: bool) -> Indicator:
    good, bad, total, raw = (queries[key] for key in ("good", "bad", "total", "raw"))
    if raw is not None:
        return indicate_ratio(name, raw, failure=failure)
    if total is None or (good is None) is (bad is None):
        raise InexpressibleError("it needs `total`, and one of `good` and `bad`")
    return indicate(name, total=total, good=good, bad=bad)


def _query(ratio: Part, key: str, shelf: _Shelf) -> str | None:
    metric = ratio.part(key)
    source = metric.part("metricSource") if metric is not None else None
    if source is None:
        return None
    kind, reference = source.text("type"), source.text("metricSourceRef")
    if kind is None and reference is not None:
        stored = shelf.find("DataSource", reference.text)
        spec = stored.part("spec") if stored is not None else None
        kind = spec.text("type") if spec is not None else None
    if kind is not None and kind.text.lower() != _PROMETHEUS:
        raise InexpressibleError(f"its queries are for {kind.text}, not for Prometheus")
    spec = source.part("spec")
    texts = [spec.text(word) for word in _QUERY_KEYS if spec.has(word)] if spec else []
    return next((text.text for text in texts if text is not None), None)
