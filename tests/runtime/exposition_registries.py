"""Registries of every kind of metric, moved by lists of operations that hypothesis makes up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import prometheus_client as prom
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from autogpt_observe.runtime.atomic import AtomicCounter, AtomicGauge, AtomicHistogram
from autogpt_observe.runtime.exposition.formats import negotiate
from autogpt_observe.runtime.exposition.renderer import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.runtime.exposition.formats import Format

TEXT = negotiate("")
OPENMETRICS = negotiate("application/openmetrics-text; version=1.0.0")
FORMATS = [
    TEXT,
    OPENMETRICS,
    *(
        negotiate(f"{type_}; version=1.0.0; escaping={escaping}")
        for type_ in ("text/plain", "application/openmetrics-text")
        for escaping in ("allow-utf-8", "dots", "values")
    ),
]

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["", "GET", '"\\\n', "%s %d %%", '="', "\r\n", "\N{SNOWMAN}", "+Inf"]
)
METRIC_NAMES = st.sampled_from(["a", "a_total", "b:c", "d.e", "f_\N{SNOWMAN}", "g_created", "%s"])
LABEL_NAMES = st.lists(
    st.sampled_from(["a", "b", "pid", "x.y", "\N{SNOWMAN}", "quantity", 'q"', "%s"]),
    max_size=3,
    unique=True,
)
FLOATS = st.floats() | st.sampled_from(
    [0.0, -0.0, 1.0, 1e6, 999999.9999999999, 1e-4, 1e-7, 1e16, -1e6, 5e-324]
)
AMOUNTS = st.floats(min_value=0) | st.integers(0, 10**20)
EXEMPLARS = st.none() | st.dictionaries(
    st.sampled_from(["trace_id", "span_id", "b"]), st.text(st.characters(codec="utf-8"), max_size=9)
)
BUCKETS = st.sampled_from([(1.0, 2.0), (-1.0, 1e6, 1e7), (0.5,), prom.Histogram.DEFAULT_BUCKETS])
KINDS = ("counter", "gauge", "histogram", "summary", "info", "enum", "own counter")
OWN = {"own counter": AtomicCounter, "own gauge": AtomicGauge, "own histogram": AtomicHistogram}


class World:
    """A registry, and what may happen to it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(target_info={"service": 'the "host"'})
        self.errors: list[tuple[str, Exception]] = []
        self.metrics: list[prom.metrics.MetricWrapperBase] = []
        self.renderer = Renderer(self.registry, on_error=lambda *error: self.errors.append(error))

    def make(self, draw: Callable[[st.SearchStrategy[object]], object]) -> None:
        """Register a metric of any kind."""
        kind = draw(st.sampled_from([*KINDS, *OWN]))
        name, names = draw(METRIC_NAMES), draw(LABEL_NAMES)
        options: dict[str, object] = {"unit": draw(st.sampled_from(["", "seconds"]))}
        if kind == "info":
            options = {}
        elif kind == "enum":
            options = {"states": ["on", "off"]}
        elif kind in ("histogram", "own histogram"):
            options["buckets"] = draw(BUCKETS)
        classes = {
            "counter": prom.Counter,
            "gauge": prom.Gauge,
            "histogram": prom.Histogram,
            "summary": prom.Summary,
            "info": prom.Info,
            "enum": prom.Enum,
            **OWN,
        }
        class_ = classes[str(kind)]
        try:
            metric = class_(name, draw(TEXTS), names, registry=self.registry, **options)
        except ValueError:
            return  # the name is taken, or a label may not be called so
        self.metrics.append(metric)

    def move(self, draw: Callable[[st.SearchStrategy[object]], object]) -> None:
        """Do something to a metric that is there."""
        if not self.metrics:
            return
        metric = draw(st.sampled_from(self.metrics))
        assert isinstance(metric, prom.metrics.MetricWrapperBase)
        names = metric._labelnames  # noqa: SLF001  # nothing public tells them
        child = metric.labels(*[draw(TEXTS) for _ in names]) if names else metric
        match child:
            case prom.Counter():
                self._move_counter(child, draw)
            case prom.Gauge():
                self._move_gauge(child, draw)
            case prom.Histogram():
                child.observe(draw(FLOATS), draw(EXEMPLARS))  # type: ignore[arg-type]  # drawn
            case prom.Summary():
                child.observe(draw(FLOATS))  # type: ignore[arg-type]  # drawn
            case prom.Info():
                child.info({"k": str(draw(TEXTS))})
            case prom.Enum():
                child.state(str(draw(st.sampled_from(["on", "off"]))))

    def _move_counter(
        self, child: prom.Counter, draw: Callable[[st.SearchStrategy[object]], object]
    ) -> None:
        if draw(st.integers(0, 5)) == 0:
            child.reset()
        else:
            child.inc(draw(AMOUNTS), draw(EXEMPLARS))  # type: ignore[arg-type]  # drawn

    def _move_gauge(
        self, child: prom.Gauge, draw: Callable[[st.SearchStrategy[object]], object]
    ) -> None:
        if draw(st.integers(0, 9)) == 0:
            value = draw(FLOATS)
            child.set_function(lambda: value)  # type: ignore[arg-type,return-value]  # drawn
        else:
            child.set(draw(FLOATS))  # type: ignore[arg-type]  # drawn

    def remove(self, draw: Callable[[st.SearchStrategy[object]], object]) -> None:
        """Take away a label set, all of a metric's, or a metric."""
        if not self.metrics:
            return
        metric = draw(st.sampled_from(self.metrics))
        assert isinstance(metric, prom.metrics.MetricWrapperBase)
        children = list(getattr(metric, "_metrics", {}))
        match draw(st.sampled_from(["label set", "label set", "all", "metric"])):
            case "label set" if children:
                metric.remove(*draw(st.sampled_from(children)))  # type: ignore[misc]  # drawn
            case "all":
                metric.clear()
            case "metric":
                self.registry.unregister(metric)
                self.metrics.remove(metric)

    def check(self, *formats: Format) -> None:
        """Both ways of rendering write the same."""
        for format_ in formats:
            assert self.renderer.render(format_) == format_.encode(self.registry)
        assert self.errors == []


def is_finite(number: float) -> bool:
    return math.isfinite(number)
