"""What the spec says of the series that expressions read."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.names import (
    ALERT_NAME,
    BUCKET_BOUND,
    HISTOGRAM_SUFFIXES,
    SYNTHETIC_METRICS,
    TARGET_LABELS,
    MetricName,
    MetricSource,
    MetricType,
    RecordName,
)
from autogpt_observe.promql.buckets import INFINITE, format_bound
from autogpt_observe.promql.catalogue import (
    NO_DIMENSION,
    SECONDS,
    Dimension,
    Series,
    SeriesKind,
)
from autogpt_observe.promql.functions import ValueKind
from autogpt_observe.promql.parser import parse
from autogpt_observe.promql.scanner import PromQLError
from autogpt_observe.promql.shapes import infer
from autogpt_observe.promql.values import (
    ABSENT,
    ANY,
    EVERYTHING,
    NOT_NEGATIVE,
    PRESENT,
    SHARE,
    Values,
)
from autogpt_observe.spec.model import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.spec.model import Metric, RecordingRule, Spec

OTHER = "other"
"""What the runtime makes of a value that is not declared."""

_BUCKET, _SUM, _COUNT = HISTOGRAM_SUFFIXES
_DIMENSIONS: Mapping[Unit, Dimension] = MappingProxyType(
    {
        Unit.SECONDS: SECONDS,
        Unit.BYTES: Dimension(bytes=1),
        Unit.TOKENS: Dimension(tokens=1),
        Unit.USD: Dimension(usd=1),
        Unit.RATIO: NO_DIMENSION,
    }
)
_KINDS: Mapping[MetricType, SeriesKind] = MappingProxyType(
    {
        MetricType.COUNTER: SeriesKind.COUNTER,
        MetricType.GAUGE: SeriesKind.GAUGE,
        MetricType.HISTOGRAM: SeriesKind.NATIVE,
    }
)
_TOLD_BY_SUFFIX = (Unit.SECONDS, Unit.BYTES, Unit.RATIO)
_SYNTHETIC_LABELS: Mapping[str, Values] = MappingProxyType(dict.fromkeys(TARGET_LABELS, PRESENT))
_ALERT_LABELS: Mapping[str, Values] = MappingProxyType(
    {ALERT_NAME: PRESENT, "alertstate": frozenset({"pending", "firing"})}
)


class SpecCatalogue:
    """The series of a spec by name; a recorded one is inferred from its expression.

    ``declared`` names all metrics, those that could not be read included.
    """

    def __init__(self, spec: Spec, declared: tuple[str, ...]) -> None:
        self._spec = spec
        self._declared = frozenset(declared)
        self._known: dict[str, Series | None] = {}

    def find(self, name: str) -> Series | None:
        """The series of that name, or None where nothing is known of it."""
        if name not in self._known:
            self._known[name] = None  # what a recording rule that reads itself sees
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> Series | None:
        metric = self._spec.metrics.get(MetricName(name))
        if metric is not None:
            return self._plain(name, metric)
        rule = self._spec.recording_rules.get(RecordName(name))
        if rule is not None:
            return self._recorded(name, rule)
        for suffix in HISTOGRAM_SUFFIXES:
            stem = name.removesuffix(suffix)
            histogram = self._spec.metrics.get(MetricName(stem)) if stem != name else None
            if histogram is not None and histogram.type is MetricType.HISTOGRAM:
                return self._part(name, stem, suffix, histogram)
        return self._synthetic(name) if name in SYNTHETIC_METRICS else None

    def _plain(self, name: str, metric: Metric) -> Series:
        kind = _KINDS[metric.type]
        unit = _unit_of(name, metric)
        emitted = metric.from_ is not MetricSource.EXTERNAL
        counts = kind is SeriesKind.COUNTER or (emitted and unit is Unit.BYTES)
        return replace(
            self._scraped(name, metric),
            kind=kind,
            unit=_DIMENSIONS[unit] if unit is not None else None,
            bounds=NOT_NEGATIVE if counts else EVERYTHING,
            is_share=unit is Unit.RATIO and kind is SeriesKind.GAUGE,
        )

    def _part(self, name: str, stem: str, suffix: str, metric: Metric) -> Series:
        """The buckets, the sum or the count of a classic histogram."""
        series = replace(self._scraped(stem, metric), name=name)
        unit = _unit_of(stem, metric)
        dimension = _DIMENSIONS[unit] if unit is not None else None
        if suffix == _BUCKET:
            labels = MappingProxyType({**series.labels, BUCKET_BOUND: self._bounds(metric)})
            return replace(
                series, kind=SeriesKind.BUCKET, labels=labels, unit=dimension, bounds=NOT_NEGATIVE
            )
        if suffix == _SUM:
            return replace(series, kind=SeriesKind.COUNTER, unit=dimension)
        return replace(series, kind=SeriesKind.COUNTER, bounds=NOT_NEGATIVE)

    def _scraped(self, name: str, metric: Metric) -> Series:
        """What all series of a metric have in common."""
        external = metric.from_ is MetricSource.EXTERNAL
        labels: dict[str, Values] = dict.fromkeys(
            (*TARGET_LABELS, *self._spec.prometheus.target_labels), PRESENT
        )
        labels |= {label: self._values(label) for label in metric.attributes}
        labels |= dict.fromkeys(metric.labels, PRESENT)
        return Series(
            name=name,
            labels=MappingProxyType(labels),
            rest=ANY if external and not metric.labels else ABSENT,
            attributes=frozenset(metric.attributes),
            interval_ms=self._spec.prometheus.scrape_interval.ms,
            declared_at=f"the {'labels' if external else 'attributes'} of `{name}`",
        )

    def _values(self, label: str) -> Values:
        attribute = next((a for n, a in self._spec.attributes.items() if n == label), None)
        if attribute is None or not attribute.values:
            return PRESENT
        return frozenset((*attribute.values, OTHER))

    def _bounds(self, metric: Metric) -> Values:
        listed = self._spec.buckets.get(metric.buckets) if metric.buckets is not None else None
        if not listed or metric.from_ is MetricSource.EXTERNAL:
            return PRESENT
        return frozenset((*(format_bound(bound.value) for bound in listed), INFINITE))

    def _recorded(self, name: str, rule: RecordingRule) -> Series | None:
        try:
            root = parse(rule.expr)
        except PromQLError:
            return None
        shape = infer(root, self)[id(root)]
        if shape.kind not in (ValueKind.INSTANT, ValueKind.SCALAR):
            return None
        kind = SeriesKind.GAUGE if shape.series else SeriesKind.UNKNOWN
        if shape.counter or any(s.kind is SeriesKind.NATIVE for s in shape.series):
            kind = SeriesKind.UNKNOWN
        fixed: dict[str, Values] = {
            label: frozenset((value,)) for label, value in rule.labels.items()
        }
        return Series(
            name=name,
            kind=_kept(shape.series) if BUCKET_BOUND in shape.labels else kind,
            labels=MappingProxyType({**shape.labels, **fixed}),
            rest=shape.rest,
            unit=shape.unit if not shape.constant else None,
            bounds=shape.bounds,
            interval_ms=self._spec.prometheus.evaluation_interval.ms,
            conditional=shape.conditional,
            is_share=shape.share,
        )

    def _synthetic(self, name: str) -> Series:
        about_alerts = name.startswith("ALERTS")
        seconds = name.endswith("_seconds")
        return Series(
            name=name,
            kind=SeriesKind.GAUGE,
            labels=_ALERT_LABELS if about_alerts else _SYNTHETIC_LABELS,
            unit=SECONDS if seconds else None,
            bounds=SHARE if name == "up" else NOT_NEGATIVE,
            interval_ms=self._spec.prometheus.scrape_interval.ms,
            conditional=about_alerts,
        )


def _kept(series: frozenset[Series]) -> SeriesKind:
    """Rates of buckets are taken for buckets: a quantile may be made of them."""
    buckets = any(found.kind is SeriesKind.BUCKET for found in series)
    return SeriesKind.UNKNOWN if buckets or not series else SeriesKind.GAUGE


def _unit_of(name: str, metric: Metric) -> Unit | None:
    if metric.unit is not None or metric.from_ is not MetricSource.EXTERNAL:
        return metric.unit
    stem = name.removesuffix("_total")
    return next((unit for unit in _TOLD_BY_SUFFIX if stem.endswith(f"_{unit}")), None)
