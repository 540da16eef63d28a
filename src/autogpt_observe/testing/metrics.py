"""What the metrics say, and which of them moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.errors import UsageError
from autogpt_observe.names import MetricSource, MetricType
from autogpt_observe.runtime.guards import OTHER
from autogpt_observe.runtime.incidents import (
    DROPPED,
    EXPORT_FAILURES,
    INTERNAL_ERRORS,
    REJECTED_CALLS,
    REPLACED_VALUES,
)
from autogpt_observe.testing.failures import NotObservedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client import CollectorRegistry

    from autogpt_observe.spec.model import Attribute, Metric, Spec

_OWN = (DROPPED, EXPORT_FAILURES, INTERNAL_ERRORS, REJECTED_CALLS, REPLACED_VALUES)
_OF_PROCESS = "process."
_BUCKET, _LE = "_bucket", "le"
_PARTS = (_BUCKET, "_count", "_sum")
_EXACT = 2**53
_DIGITS = 12
"""Significant ones of a value that is not whole: beyond are the errors of floating point."""


class Series(NamedTuple):
    """One series, as Prometheus names it."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in self.labels)
        return f"{self.name}{{{pairs}}}" if pairs else self.name


class Known(NamedTuple):
    """What is known of the samples of one name.

    Attributes:
        labels: the names of their labels, in the order of the spec.
        grows: whether their values only go up, and are told since the last `clear`.
        is_left_out: whether `moved` says nothing of them: they are buckets, or come from the
            operating system and differ by themselves.
    """

    labels: tuple[str, ...]
    grows: bool
    is_left_out: bool = False


class Metrics:
    """Reads the metrics of a spec off a registry."""

    def __init__(self, spec: Spec, registry: CollectorRegistry) -> None:
        self._metrics: dict[str, Metric] = dict(spec.metrics.items())
        self._attributes: dict[str, Attribute] = dict(spec.attributes.items())
        self._registry = registry
        self._known: dict[str, Known] = {each.name: Known(each.labels, grows=True) for each in _OWN}
        for name, metric in spec.metrics.items():
            self._known.update(_known(name, metric))
        self._last: dict[Series, float] | None = None
        self._before: dict[Series, float] = {}
        self.clear()

    def clear(self) -> None:
        """From now on, only what is counted later counts."""
        self._before = self._read()

    def close(self) -> None:
        """Keep what there is to read now; the registry will be empty."""
        self._last = self._read()

    def moved(self, names: Iterable[str]) -> dict[str, float]:
        """The series that changed, by their text; of these metrics, or of all.

        Raises:
            UsageError: there is no such metric.
        """
        __tracebackhide__ = True
        wanted = {part for name in names for part in self._parts(name)} or set(self._known)
        found: dict[str, float] = {}
        for series, value in sorted(self._read().items()):
            known, before = self._known[series.name], self._before.get(series, 0.0)
            if value != before and series.name in wanted and not known.is_left_out:
                found[str(series)] = _shown(value - before if known.grows else value)
        return found

    def value(self, name: str, labels: Mapping[str, str]) -> float:
        """The value of the series with these labels; of what is counted, the sum of all of them.

        Raises:
            UsageError: there is no such metric, label or value.
            NotObservedError: a gauge has no such series, or several.
        """
        __tracebackhide__ = True
        known = self._check(name, labels)
        wanted = set(labels.items())
        found = {
            series: value
            for series, value in self._read().items()
            if series.name == name and wanted <= set(series.labels)
        }
        if known.grows:
            return _shown(sum(value - self._before.get(each, 0.0) for each, value in found.items()))
        if len(found) != 1:
            raise NotObservedError(self._not_one(Series(name, tuple(labels.items())), list(found)))
        (value,) = found.values()
        return _shown(value)

    def _read(self) -> dict[Series, float]:
        if self._last is not None:
            return self._last
        return {
            Series(
                sample.name,
                tuple((label, sample.labels[label]) for label in known.labels),
            ): sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if (known := self._known.get(sample.name)) is not None
        }

    def _parts(self, name: str) -> Iterator[str]:
        """The names of the samples of a metric, or of one part of it."""
        __tracebackhide__ = True
        if name in self._known:
            yield name
        elif name in self._metrics and f"{name}{_BUCKET}" in self._known:
            yield from (f"{name}{part}" for part in _PARTS)
        else:
            raise UsageError(self._unknown(name))

    def _check(self, name: str, labels: Mapping[str, str]) -> Known:
        __tracebackhide__ = True
        known = self._known.get(name)
        if known is None:
            raise UsageError(self._unknown(name))
        if name.endswith(_BUCKET) and _LE in known.labels and _LE not in labels:
            raise UsageError(f'{name}: buckets are counted one in the other; say which: le="..."')
        for label, value in labels.items():
            if label not in known.labels:
                known_ones = ", ".join(f"`{each}`" for each in known.labels)
                expected = f"some of {known_ones}" if known_ones else "none"
                raise UsageError(f"{name}: got the label `{label}`, expected {expected}")
            if not isinstance(value, str):
                raise UsageError(f"{name}: {label}: got {value!r:.80}, expected text")
            attribute = self._attributes.get(label)
            values = () if attribute is None else attribute.values
            if values and value not in {*values, OTHER}:
                raise UsageError(
                    f"{name}: {label}: no value is {value!r:.80}; {_near(value, values)}"
                )
        return known

    def _unknown(self, name: str) -> str:
        metric = self._metrics.get(name)
        if metric is None:
            return f"the spec declares no metric `{name}`; {_near(name, list(self._known))}"
        if metric.type is MetricType.HISTOGRAM and f"{name}_count" in self._known:
            return (
                f"`{name}` is a histogram; ask for `{name}_count`, `{name}_sum` or, with `le`,"
                f" `{name}{_BUCKET}`"
            )
        return f"`{name}` is `from: {metric.from_}`, which is not seen in a test"

    def _not_one(self, wanted: Series, found: list[Series]) -> str:
        if found:
            head = f"{len(found)} series of the gauge fit `{wanted}`; say more of its labels"
        else:
            head = f"the gauge has no series `{wanted}`"
            found = [series for series in self._read() if series.name == wanted.name]
        there = [f"  {series}" for series in sorted(found)]
        return "\n".join([f"{head}. There are:" if there else f"{head}, nor any other", *there])


def _known(name: str, metric: Metric) -> Iterator[tuple[str, Known]]:
    if metric.from_ is MetricSource.EXTERNAL:
        return
    labels = tuple(map(str, metric.attributes))
    if metric.type is MetricType.HISTOGRAM:
        yield f"{name}{_BUCKET}", Known((*labels, _LE), grows=True, is_left_out=True)
        yield f"{name}_count", Known(labels, grows=True)
        yield f"{name}_sum", Known(labels, grows=True)
    else:
        is_read = metric.from_.startswith(_OF_PROCESS)
        yield name, Known(labels, grows=metric.type is MetricType.COUNTER, is_left_out=is_read)


def _near(word: str, known: Iterable[str]) -> str:
    from autogpt_observe.diagnostics import did_you_mean  # noqa: PLC0415  # loads difflib

    return did_you_mean(word, tuple(known))


def _shown(value: float) -> float:
    """A value as a test states it: 1 for 1.0, 0.3 for 0.1 + 0.2."""
    if abs(value) < _EXACT and value == int(value):
        return int(value)
    return float(f"{value:.{_DIGITS}g}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
