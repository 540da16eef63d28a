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
    from autogpt_observe.names import Name
    from autogpt_observe.spec.checks.series import SpecCatalogue
    from autogpt_observe.spec.model import Alert, Spec

Path = tuple[str | int, ...]

CHECKS: collections.abc.Mapping[str, str] = MappingProxyType(
    {
        "metric/suffix": "a metric's name ends as its type and unit ask",
        "metric/attribute": "a metric's attributes are declared in `attributes`",
        "metric/signal": "a metric's type, unit and attributes are those its signal can feed",
        "metric/external": "`labels` are for external metrics, `attributes` for those we emit",
        "metric/buckets": "a histogram names a list of `buckets`, and nothing else does",
        "metric/clash": "no two metrics make series of one name",
        "metric/exemplars": "only counters and histograms carry exemplars",
        "metric/processes": "only the values of a gauge `from: code` are joined by `processes`",
        "metric/series-budget": "the metrics make no more series than `series_budget`",
        "buckets/order": "bucket bounds rise",
        "prometheus/interval": "scraping and evaluation have intervals above zero, up to a day",
        "promql/syntax": "an expression is valid PromQL",
        "promql/unknown-metric": "an expression names declared metrics only",
        "promql/type": "an expression gives samples, not a text or a range",
        "promql/version": "the Prometheus named in `targets` knows what an expression uses",
        "promql/experimental": "an expression leaves out what Prometheus must be told to offer",
        "promql/unknown-label": "a label that is selected, grouped or joined by is there",
        "promql/idle-label": "a label that is taken away or left out of a match is there",
        "promql/unknown-value": "a matcher selects values that the label has",
        "promql/idle-matcher": "each value that a matcher lists or excludes is there",
        "promql/le": "a matcher on `le` names bounds as the client writes them",
        "promql/rate": "`rate`, `irate` and `increase` read counters",
        "promql/delta": "`delta`, `deriv` and `predict_linear` read gauges",
        "promql/raw-counter": "a counter is judged by its growth, not by where it stands",
        "promql/histogram": "a quantile lies between 0 and 1 and is taken of buckets, by `le`",
        "promql/short-range": "a range holds the two samples that its function needs",
        "promql/matching": "both sides of an operator have series that match, one to one",
        "promql/units": "what is added or compared has one unit",
        "alert/summary": "an alert has a `summary`",
        "alert/reserved-label": "an alert's own labels leave out those the generator sets",
        "alert/no-comparison": "an alert's expression compares something",
        "alert/never-fires": "an alert's condition can hold",
        "alert/always-fires": "an alert's condition can fail to hold",
        "alert/watchdog": "a watchdog fires always",
        "alert/for": "`for` and `keep_firing_for` are zero or last an evaluation",
        "alert/version": "the Prometheus named in `targets` knows the alert's keys",
        "alert/duplicate": "no two alerts say the same",
        "rule/name": "a recorded series is called like no metric that the service emits",
        "rule/duplicate": "no two recording rules compute the same",
        "template/syntax": "Prometheus can fill in the templates of labels and annotations",
        "template/dropped-label": "a template uses labels that the expression's result has",
        "template/untestable": "the texts of a typed condition show the same on every Prometheus",
        "alert/untested": "an alert on raw PromQL brings tests that see it fire and stay silent",
        "condition/metric": "a typed condition reads declared metrics of the right type, by labels"
        " and values that they have",
        "condition/threshold": "a limit can be passed, and isn't always",
        "condition/unit": "a limit is written in the unit of what it limits",
        "condition/share": "a share is one of another gauge, of the same unit",
        "condition/absent": "a metric whose absence alarms is there before the first event",
        "condition/window": "a window holds two scrapes, an age outlasts one, neither a year",
        "slo/objective": "an objective is a share of good events that leaves some for bad ones",
        "slo/window": "an objective is judged over 7d, 28d, 30d or 90d",
        "slo/events": "an objective counts declared counters; bad events are part of the total",
        "slo/latency": "an objective's latency is a histogram, and its limit a bucket's bound",
        "slo/label": "an objective leaves the labels alone that the generator sets",
        "slo/name": "no two alerts have one name, implied or declared",
        "slo/short-window": "the shortest window holds two scrapes and an evaluation",
        "slo/threshold": "some share of bad events reaches a burn rate's threshold",
        "slo/burn": "a burn rate is that of a declared objective, over windows that fit",
        "test/series": "a unit test's series and samples can be read",
        "notify/receiver": "every receiver that is named is declared, and can tell somebody",
        "notify/secret": "no text of `notifications` holds a secret",
        "notify/version": "Alertmanager is new enough for what the notifications use",
        "notify/interval": "every time interval that is named is declared, in a known time zone",
        "notify/unused": "every receiver and every time interval is used",
        "notify/grouping": "alerts are grouped by labels they have, at times that agree",
        "notify/route": "what a route asks for can be, below the routes above it too",
        "notify/shadowed": "no route stands behind one that takes all it asks for",
        "notify/undelivered": "every alert reaches a receiver at some time of the week",
        "notify/inhibits": "an alert silences others that are declared, share its labels, and do"
        " not silence it",
        "runbook/name": "every alert has a runbook of its own",
        "runbook/dashboard": "a runbook names declared dashboards",
        "panel/query": "a panel shows a metric or an expression, in a way that fits its type",
        "deploy/ports": "the ports of a deployment differ",
        "deploy/secret": "no environment variable is given a secret as text",
        "deploy/resources": "requests are not above limits",
        "autoscaling/range": "`min` is not above `max`, and something is measured",
        "logs/pattern": "the pattern captures `timestamp`",
        "traces/share": "shares of traces are at most all of them, and the tail's is the smaller",
        "traces/limit": "a limit of the tail can be met within its other limits",
        "redaction/kind": "a kind that is let through exists, and no pattern takes a kind's name",
        "redaction/key": "the name of a secret field has a word in it",
        "redaction/pattern": "a pattern is a regular expression of Python",
        "redaction/empty": "a pattern matches something",
        "redaction/slow": "a pattern takes no exponential time, as far as that can be seen",
        "waiver/unknown": "a waiver names a check that can be waived",
        "waiver/reason": "a waiver says why",
        "waiver/stale": "a waiver still waives something",
    }
)
"""Every check of a well-read spec: its id, and what holds when it finds nothing."""

WAIVABLE = frozenset(
    {
        "alert/untested",
        "notify/undelivered",
        "alert/no-comparison",
        "alert/for",
        "alert/duplicate",
        "condition/absent",
        "promql/experimental",
        "promql/idle-label",
        "promql/idle-matcher",
        "promql/delta",
        "promql/raw-counter",
        "promql/units",
    }
)
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

    def warn(
        self,
        id_: str,
        message: str,
        path: Path,
        *,
        fix: str | None = None,
        at: Span | None = None,
    ) -> None:
        """Report a warning about ``path``, unless the alert it is about waives it.

        ``at`` is the place to point at, if it is not that of ``path``.
        """
        self._known(id_)
        if path[0] == "alerts" and id_ not in WAIVABLE:
            raise KeyError(id_)  # a mistake in a check: its id is missing there
        if not self._waived(id_, path):
            self._report.warn(id_, message, at or self.at(path), fix=fix)

    def declared(self, section: str) -> tuple[str, ...]:
        """The names in a section, those of parts that could not be read included."""
        if section not in self._declared:
            parts = find(self._tree, (section,))
            entries = parts.entries.items() if isinstance(parts, Mapping) else ()
            names = (name for name, entry in entries if not is_switched_off(entry.value))
            self._declared[section] = tuple(names)
        return self._declared[section]

    @cached_property
    def alerts(self) -> collections.abc.Mapping[Name, Alert]:
        """The alerts declared and those that objectives imply."""
        from autogpt_observe.spec.expansion import all_alerts  # noqa: PLC0415  # as below

        return all_alerts(self.spec)

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

    @cached_property
    def catalogue(self) -> SpecCatalogue:
        """What is known of these series."""
        # loaded late: the runtime's checks do without PromQL
        from autogpt_observe.spec.checks.series import SpecCatalogue  # noqa: PLC0415

        return SpecCatalogue(self.spec, self.declared("metrics"))

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
                if not alert.allow[id_].strip():
                    message = f"`{name}` waives `{id_}` without saying why"
                    self.error("waiver/reason", message, at, fix="write the reason behind it")
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
