"""The spec's metrics on a registry: what a first scrape shows, and what is left of a host's own."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from runtime_specs import OUTCOMES, attribute, metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime import handles
from autogpt_observe.runtime.atomic import (
    AtomicCounter,
    AtomicGauge,
    AtomicHistogram,
    make_parent_reentrant,
)
from autogpt_observe.runtime.events import RunStarted
from autogpt_observe.runtime.incidents import Incidents
from autogpt_observe.runtime.instruments import (
    CounterInstrument,
    build_guards,
    build_instruments,
)
from autogpt_observe.runtime.sinks import metrics

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Metric


def test_first_scrape() -> None:
    observed = spec(
        attributes={"status": attribute("ok", "bad")},
        pages_total=metric("counter", "code", help_='Pages "seen"\nand counted'),
        results_total=metric("counter", "code", "status", "outcome"),
        queue=metric("gauge", "code", "status"),
        page_seconds=metric("histogram", "code", buckets="coarse"),
        agents=metric("gauge", "code", "agent"),
        calls_total=metric("counter", "llm.attempt"),
        up_there=metric("gauge", "external"),
    )
    with observing(observed) as observer:
        text = generate_latest(observer.registry).decode()
        assert text.splitlines() == [
            '# HELP pages_total Pages "seen"\\nand counted',
            "# TYPE pages_total counter",
            "pages_total 0.0",
            "# HELP results_total A metric of the tests",
            "# TYPE results_total counter",
            *(
                f'results_total{{outcome="{outcome}",status="{status}"}} 0.0'
                for status in ("ok", "bad")
                for outcome in OUTCOMES
            ),
            "# HELP queue A metric of the tests",
            "# TYPE queue gauge",
            'queue{status="ok"} 0.0',
            'queue{status="bad"} 0.0',
            "# HELP page_seconds A metric of the tests",
            "# TYPE page_seconds histogram",
            *(f'page_seconds_bucket{{le="{le}"}} 0.0' for le in ("1.0", "10.0", "60.0", "+Inf")),
            "page_seconds_count 0.0",
            "page_seconds_sum 0.0",
            "# HELP agents A metric of the tests",
            "# TYPE agents gauge",
            "# HELP calls_total A metric of the tests",
            "# TYPE calls_total counter",
            "calls_total 0.0",
        ]


def test_histogram_without_buckets_has_the_clients() -> None:
    with observing(spec(page_seconds=metric("histogram", "code"))) as observer:
        bounds = [s for s in samples(observer.registry) if s.startswith("page_seconds_bucket")]
        assert bounds == [
            f"page_seconds_bucket{{le={'+Inf' if bound == float('inf') else bound}}}"
            for bound in Histogram.DEFAULT_BUCKETS
        ]


def test_no_created_series_but_the_hosts_own() -> None:
    registry = CollectorRegistry()
    Counter("host_total", "The host's", registry=registry).inc()
    observed = spec(
        pages_total=metric("counter", "code", "outcome"),
        page_seconds=metric("histogram", "run.duration", "agent"),
    )
    with observing(observed, registry=registry):
        obs.metric("pages_total").add(outcome="success")
        text = generate_openmetrics(registry).decode()  # type: ignore[no-untyped-call]  # the client's
    created = [line.split()[0] for line in text.splitlines() if "_created" in line]
    assert created == ["host_created"]
    assert prometheus_client.metrics._use_created  # noqa: SLF001  # the global that stays alone


def test_open_attribute_begins_together_with_its_enumerated_siblings() -> None:
    observed = spec(results_total=metric("counter", "code", "agent", "outcome"))
    with observing(observed) as observer:
        assert samples(observer.registry) == {}
        obs.metric("results_total").add(agent="a", outcome="error")
        assert samples(observer.registry) == {
            "results_total{agent=a,outcome=success}": 0,
            "results_total{agent=a,outcome=error}": 1,
            "results_total{agent=a,outcome=cancelled}": 0,
        }


@pytest.mark.parametrize("taken", ["queue", "page_seconds_sum", "autogpt_observe_replaced_values"])
def test_name_clash_leaves_the_registry_as_it_was(taken: str) -> None:
    registry = CollectorRegistry()
    Counter(taken, "The host's", registry=registry)
    before = (
        copy.copy(registry._collector_to_names),  # noqa: SLF001  # nothing public shows it all
        copy.copy(registry._names_to_collectors),  # noqa: SLF001  # as above
    )
    observed = spec(
        pages_total=metric("counter", "code"),
        memory_bytes=metric("gauge", "process.memory"),
        queue_total=metric("counter", "code"),
        page_seconds=metric("histogram", "code"),
    )
    with pytest.raises(obs.UsageError) as caught:
        obs.init(observed, registry=registry, serve=False)
    name = {"queue": "queue_total", "page_seconds_sum": "page_seconds"}.get(
        taken, "autogpt_observe_..."
    )
    assert str(caught.value) == (
        f"registry: `{name}`, or a series of it, is registered on it already; rename the metric in"
        " the spec, or pass another registry"
    )
    after = (registry._collector_to_names, registry._names_to_collectors)  # noqa: SLF001  # as above
    assert after == before


def test_host_registry_gets_the_metrics_and_loses_them() -> None:
    registry = CollectorRegistry()
    Counter("host_total", "The host's", registry=registry).inc()
    with observing(spec(pages_total=metric("counter", "code")), registry=registry) as observer:
        assert observer.registry is registry
        assert samples(registry, "host_total", "pages") == {"host_total": 1, "pages_total": 0}
    assert samples(registry, "host_total", "pages") == {"host_total": 1}


def test_shutdown_after_the_host_cleared_its_registry(caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    with observing(spec(pages_total=metric("counter", "code")), registry=registry):
        for collector in list(registry._collector_to_names):  # noqa: SLF001  # as test suites do
            registry.unregister(collector)
    assert samples(registry) == {}
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "declared", "message"),
    [
        (
            "pages",
            metric("counter", "code"),
            "spec: the metric `pages` can't be made: a counter's name ends in `_total`",
        ),
        (
            "pages_total",
            metric("counter", "code", "colour"),
            "spec: the metric `pages_total` names `colour`, which is not declared",
        ),
        (
            "page_seconds",
            metric("histogram", "code", buckets="fine"),
            "spec: the metric `page_seconds` names `fine`, which is not declared",
        ),
        (
            "starts",
            metric("gauge", "run.start"),
            (
                "spec: the metric `starts` can't be made: `run.start` feeds a counter"
                " and carries `agent`"
            ),
        ),
        (
            "memory_bytes",
            metric("gauge", "process.memory", "agent"),
            (
                "spec: the metric `memory_bytes` can't be made: `process.memory` feeds a gauge and"
                " carries no attributes"
            ),
        ),
        (
            "starts_total",
            metric("counter", "run.start", "outcome"),
            (
                "spec: the metric `starts_total` can't be made: `run.start` feeds a counter"
                " and carries `agent`"
            ),
        ),
    ],
)
def test_spec_that_was_not_checked_is_refused(name: str, declared: Metric, message: str) -> None:
    with pytest.raises(obs.UsageError) as caught:
        obs.init(spec(attributes=None, **{name: declared}), serve=False)
    assert str(caught.value) == message


def test_gauge_that_nothing_feeds_is_not_shown() -> None:
    observed = spec(
        wanted=metric("gauge", "scaling.demand"),
        queue=metric("gauge", "code"),
        calls_total=metric("counter", "llm.attempt"),
    )
    with observing(observed) as observer:
        assert samples(observer.registry) == {"queue": 0, "calls_total": 0}


# --- threads -------------------------------------------------------------------------------------


class Lock:
    """A lock that says whether it is held."""

    def __init__(self) -> None:
        self.held = 0

    def __enter__(self) -> None:
        self.held += 1

    def __exit__(self, *_: object) -> None:
        self.held -= 1


def test_a_histogram_counts_under_its_lock() -> None:
    lock, held = Lock(), []

    class Cells(list[float]):
        def __setitem__(self, place: Any, value: Any) -> None:
            held.append(lock.held)
            super().__setitem__(place, value)

    histogram = AtomicHistogram("seconds", "help", registry=None)
    histogram._cells = Cells(histogram._cells)  # noqa: SLF001  # what the lock guards
    histogram._cell_lock = lock  # type: ignore[assignment]  # noqa: SLF001  # it is what is tested
    histogram.observe_in(1.0, None)
    histogram.observe(2.0)
    assert held == [1, 1, 1, 1]


def test_series_begin_under_a_lock() -> None:
    lock, held = Lock(), []

    class Series(dict[Any, Any]):
        def __setitem__(self, labels: Any, series: Any) -> None:
            held.append(lock.held)
            super().__setitem__(labels, series)

    guards = build_guards(spec(), Incidents(strict=True))
    pages = AtomicCounter("pages_total", "help", ["agent"], registry=None)
    instrument = CounterInstrument(pages, (guards["agent"],))
    instrument._series = Series()  # noqa: SLF001  # what the lock guards
    instrument._lock = lock  # type: ignore[assignment]  # noqa: SLF001  # it is what is tested
    instrument.add(("a",), 1)
    instrument.add(("a",), 1)
    assert held == [1]


@pytest.mark.parametrize("class_", [AtomicCounter, AtomicGauge, AtomicHistogram])
def test_what_comes_in_between_may_begin_a_series(class_: Any) -> None:
    made: list[Any] = []

    class Interrupted(class_):  # type: ignore[misc]  # one of three
        def _metric_init(self) -> None:
            super()._metric_init()
            if self._labelvalues and not made:
                made.append(None)
                made[0] = parent.labels("a")  # a signal handler, or a run that is collected
                parent.labels("b")

    parent = Interrupted("pages", "help", ["agent"], registry=None)
    make_parent_reentrant(parent)
    done = threading.Thread(target=parent.labels, args=("a",), daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()
    assert parent.labels("a") is made[0]  # what was counted in between is not lost


def test_handles_may_be_made_while_one_is_made() -> None:
    def make() -> None:
        with handles._LOCK:  # noqa: SLF001  # as a signal handler finds it
            obs.metric("pages_total")

    done = threading.Thread(target=make, daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()


def test_label_values_without_end_are_counted_but_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "_MOST_CELLS", 3)
    observed = spec(
        attributes={"agent": attribute(max_values=2)},
        runs_total=metric("counter", "run.start", "agent"),
    )
    instruments = build_instruments(observed, build_guards(observed, Incidents(strict=True)))
    sink = metrics.MetricsSink(dict(observed.metrics.items()), instruments)
    for number in range(10):
        sink.take(RunStarted(f"agent{number}"))
    assert len(sink._plans[RunStarted].cells) == 3  # noqa: SLF001  # nothing else shows it
    (family,) = instruments["runs_total"].collector.collect()
    assert {sample.labels["agent"]: sample.value for sample in family.samples} == {
        "agent0": 1,
        "agent1": 1,
        "other": 8,
    }


def test_no_secret_becomes_a_label() -> None:
    secret = "sk-proj-" + "a1B2c3D4" * 8
    with observing(spec(runs_total=metric("counter", "run.start", "agent"))) as observer:
        for _ in range(2):
            with obs.agent(f"agent of {secret}"):
                pass
        assert samples(observer.registry) == {
            "runs_total{agent=agent of [redacted:openai-api-key]}": 2
        }
