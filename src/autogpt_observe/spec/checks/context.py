"""What every check works with: the spec, the places in its text, and the list of check ids."""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Span, did_you_mean
from autogpt_observe.names import HISTOGRAM_SUFFIXES, SYNTHETIC_METRICS, MetricSource, MetricType
from autogpt_observe.spec.checks.places import locate
from autogpt_observe.spec.tree import Mapping, Scalar, find, is_switched_off

if TYPE_CHECKING:
    import collections.abc

    from autogpt_observe.diagnostics import Report
    from autogpt_observe.spec.model import Spec

Path = tuple[str | int, ...]

CHECKS: collections.abc.Mapping[str, str] = MappingProxyType(
    {
        "metric/suffix": "a metric's name ends as its type and unit ask",
        "metric/attribute": "a metric's attributes are declared in `attributes`",
        "metric/signal": "a metric's type, unit and attributes are those its signal can feed",
        "metric/external": "`labels` are for external metrics, `attributes` for those we emit",
        "metric/buckets": "a histogram names a list of `buckets`, and nothing else does",
        "buckets/order": "bucket bounds rise",
        "prometheus/interval": "scraping and evaluation have intervals above zero, up to a day",
        "promql/syntax": "an expression is valid PromQL",
        "promql/unknown-metric": "an expression names declared metrics only",
        "alert/summary": "an alert has a `summary`",
        "alert/reserved-label": "an alert's own labels leave out those the generator sets",
        "alert/untested": "an alert on raw PromQL brings tests that see it fire and stay silent",
        "condition/metric": "a typed condition reads declared counters and their labels",
        "condition/threshold": "a threshold can be reached",
        "condition/window": "a window holds at least two scrapes, and can be unit-tested",
        "test/series": "a unit test's series and samples can be read",
        "notify/receiver": "every receiver that is named is declared, and notifies somebody",
        "notify/secret": "no receiver's address holds a secret",
        "panel/query": "a panel shows a metric or an expression, in a way that fits its type",
        "deploy/ports": "the ports of a deployment differ",
        "deploy/secret": "no environment variable is given a secret as text",
        "deploy/resources": "requests are not above limits",
        "autoscaling/range": "`min` is not above `max`, and something is measured",
        "logs/pattern": "the pattern captures `timestamp`",
        "waiver/unknown": "a waiver names a check that can be waived",
        "waiver/stale": "a waiver still waives something",
    }
)
"""Every check of a well-read spec: its id, and what holds when it finds nothing."""

WAIVABLE = frozenset({"alert/untested"})
"""The checks that warn about an alert, so that the alert can waive them."""


class Context:
    """The spec under check, its places, and where findings go."""

    def __init__(self, spec: Spec, tree: Mapping, report: Report) -> None:
        self.spec = spec
        self._tree = tree
        self._report = report
        self._used: set[tuple[str, str]] = set()
        self._allowed = {str(name): alert.allow for name, alert in spec.alerts.items()}
        self._declared: dict[str, tuple[str, ...]] = {}

    def error(self, id_: str, message: str, at: Path | Span, *, fix: str | None = None) -> None:
        """Report an error at a path of the spec, or at a place inside one of its texts."""
        self._known(id_)
        place = at if isinstance(at, Span) else self.at(at)
        self._report.error(id_, message, place, fix=fix)

    def warn(self, id_: str, message: str, path: Path, *, fix: str | None = None) -> None:
        """Report a warning at ``path``, unless the alert it is about waives it."""
        self._known(id_)
        if path[0] == "alerts" and id_ not in WAIVABLE:
            raise KeyError(id_)  # a mistake in a check: its id is missing there
        if not self._waived(id_, path):
            self._report.warn(id_, message, self.at(path), fix=fix)

    def declared(self, section: str) -> tuple[str, ...]:
        """The names in a section, those of parts that could not be read included."""
        if section not in self._declared:
            parts = find(self._tree, (section,))
            entries = parts.entries.items() if isinstance(parts, Mapping) else ()
            names = (name for name, entry in entries if not is_switched_off(entry.value))
            self._declared[section] = tuple(names)
        return self._declared[section]

    @cached_property
    def series(self) -> collections.abc.Mapping[str, None]:
        """The names of all series that expressions may read, in the order of the spec."""
        metrics = {str(name): metric for name, metric in self.spec.metrics.items()}
        names: list[str] = []
        for name in self.declared("metrics"):
            metric = metrics.get(name)
            histogram = metric is None or metric.type is MetricType.HISTOGRAM
            external = metric is None or metric.from_ is MetricSource.EXTERNAL
            if external or not histogram:  # a third party's may be a native histogram
                names.append(name)
            if histogram:
                names += [f"{name}{suffix}" for suffix in HISTOGRAM_SUFFIXES]
        return dict.fromkeys((*names, *self.declared("recording_rules"), *SYNTHETIC_METRICS))

    def refused_series(self, name: str) -> tuple[str, str] | None:
        """Why no expression can read series of that name, and the fix; None where it can."""
        if name in self.series:
            return None
        if f"{name}{HISTOGRAM_SUFFIXES[0]}" in self.series:
            read = " or ".join(f"`{name}{suffix}`" for suffix in HISTOGRAM_SUFFIXES)
            return f"`{name}` is a histogram; no series has its bare name", f"read {read}"
        fix = did_you_mean(name, tuple(self.series))
        return f"the metric `{name}` is not declared", fix

    def declares(self, section: str) -> bool:
        """Whether the spec has that section, readable or not."""
        return section in self._tree.entries

    def at(self, path: Path) -> Span:
        """Where the node at ``path`` stands, else the nearest node above it."""
        for end in range(len(path), 0, -1):
            node = find(self._tree, path[:end])
            if node is not None:
                is_item = isinstance(node, Scalar) or isinstance(path[end - 1], int)
                return node.at if is_item else self.key_at(path[:end])
        return self._tree.at

    def key_at(self, path: Path) -> Span:
        """Where the key stands that ``path`` ends with."""
        parent = find(self._tree, path[:-1])
        name = path[-1]
        if isinstance(parent, Mapping) and isinstance(name, str) and name in parent.entries:
            return parent.entries[name].key.at
        return self.at(path)

    def inside(self, path: Path, offset: int, length: int) -> Span:
        """The place of a stretch of the text at ``path``.

        Exact unless the text has escapes and stands on several lines, or is an alias; then the
        place of the whole text.
        """
        node = find(self._tree, path)
        exact = locate(node, offset, length) if isinstance(node, Scalar) else None
        return exact or self.at(path)

    def check_waivers(self) -> None:
        """Report waivers that name no check, and those that waived nothing."""
        for name, alert in self.spec.alerts.items():
            for id_ in alert.allow:
                at = self.key_at(("alerts", name, "allow", id_))
                if id_ not in CHECKS:
                    fix = did_you_mean(id_, tuple(CHECKS))
                    self.error("waiver/unknown", f"there is no check `{id_}`", at, fix=fix)
                elif id_ not in WAIVABLE:
                    fix = "mend what it found, and remove the waiver"
                    self.error("waiver/unknown", f"`{id_}` can't be waived", at, fix=fix)
                elif (name, id_) not in self._used:
                    message = f"`{name}` waives `{id_}`, which found nothing there"
                    self._report.warn("waiver/stale", message, at, fix="remove it")

    def _waived(self, id_: str, path: Path) -> bool:
        if len(path) < 2 or path[0] != "alerts":  # noqa: PLR2004 - ("alerts", name, ...)
            return False
        name = str(path[1])
        waived = id_ in self._allowed.get(name, {})
        if waived:
            self._used.add((name, id_))
        return waived

    def _known(self, id_: str) -> None:
        if id_ not in CHECKS:
            raise KeyError(id_)  # a mistake in a check, not in a spec
