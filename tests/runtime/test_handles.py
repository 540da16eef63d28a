"""`obs.metric`: what handles do to a scrape, and how a wrong use is told."""

from __future__ import annotations

import gc
import logging
import math
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runtime_specs import attribute, metric, observing, samples, spec

import autogpt_observe as obs

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES = spec(
    attributes={"status": attribute("ok", "bad"), "host": attribute(max_values=2)},
    crawler_pages_total=metric("counter", "code", "status"),
    crawler_queue=metric("gauge", "code"),
    crawler_page_seconds=metric("histogram", "code", buckets="coarse"),
    crawler_hosts_total=metric("counter", "code", "host"),
    crawler_runs_total=metric("counter", "run.start"),
)
REJECTED = "autogpt_observe_rejected_calls_total"


def test_handle_made_before_init_is_bound_by_it() -> None:
    pages, queue = obs.metric("crawler_pages_total"), obs.metric("crawler_queue")
    seconds = obs.metric("crawler_page_seconds")
    pages.add(status="ok")
    with observing(PAGES) as observer:
        pages.add(status="ok")
        pages.add(2.5, status="bad")
        queue.set(7)
        queue.add(-3)
        seconds.observe(10)
        seconds.observe(Decimal("10.5"))
        assert samples(observer.registry) == {
            "crawler_pages_total{status=ok}": 1,
            "crawler_pages_total{status=bad}": 2.5,
            "crawler_queue": 4,
            "crawler_page_seconds_bucket{le=1.0}": 0,
            "crawler_page_seconds_bucket{le=10.0}": 1,
            "crawler_page_seconds_bucket{le=60.0}": 2,
            "crawler_page_seconds_bucket{le=+Inf}": 2,
            "crawler_page_seconds_count": 2,
            "crawler_page_seconds_sum": 20.5,
            "crawler_runs_total": 0,
        }
    pages.add(status="ok")
    assert samples(observer.registry) == {}


def test_wrong_names_made_before_init_fail_it() -> None:
    wrong = [obs.metric("crawler_page_total"), obs.metric("crawler_runs_total")]
    places = [handle.made_at for handle in wrong]
    assert [Path(place).name.partition(":")[0] for place in places] == ["test_handles.py"] * 2
    with pytest.raises(obs.UsageError) as caught:
        obs.init(PAGES, serve=False)
    assert str(caught.value) == (
        f'{places[0]}: obs.metric("crawler_page_total"): the spec declares no such metric'
        " `from: code`; did you mean `crawler_pages_total`?\n"
        f'{places[1]}: obs.metric("crawler_runs_total"): `from: run.start` feeds this metric;'
        " obs.metric takes those `from: code`"
    )
    del wrong
    with observing(PAGES) as observer:
        assert observer.enabled


def test_handle_that_is_garbage_does_not_count() -> None:
    class Holder:
        def __init__(self) -> None:
            self.me = self
            self.handle = obs.metric("no_such_metric")

    gc.disable()
    try:
        Holder()
        with observing(PAGES) as observer:
            assert observer.enabled
    finally:
        gc.enable()


def test_wrong_name_after_init_fails_right_away() -> None:
    with observing(PAGES):
        with pytest.raises(obs.UsageError) as caught:
            obs.metric("crawler_queues")
        line = caught.traceback[0].lineno + 1
    assert str(caught.value) == (
        f'{__file__}:{line}: obs.metric("crawler_queues"): the spec declares no such metric'
        " `from: code`; did you mean `crawler_queue`?"
    )


def test_name_that_is_no_text() -> None:
    with pytest.raises(obs.UsageError, match="got 7, expected the name of a metric"):
        obs.metric(7)  # type: ignore[arg-type]  # that is the point


WRONG = [
    pytest.param(
        lambda: obs.metric("crawler_pages_total").add(statuss="ok"),
        ("crawler_pages_total", "attributes"),
        "crawler_pages_total.add: got the attributes `statuss`, expected `status`",
        id="unknown-attribute",
    ),
    pytest.param(
        lambda: obs.metric("crawler_pages_total").add(),
        ("crawler_pages_total", "attributes"),
        "crawler_pages_total.add: got the attributes none, expected `status`",
        id="missing-attribute",
    ),
    pytest.param(
        lambda: obs.metric("crawler_pages_total").add(status=200),  # type: ignore[arg-type]  # wrong
        ("crawler_pages_total", "attributes"),
        "crawler_pages_total.add: got int for the attribute `status`, expected text",
        id="attribute-that-is-no-text",
    ),
    pytest.param(
        lambda: obs.metric("crawler_queue").set(1, status="ok"),
        ("crawler_queue", "attributes"),
        "crawler_queue.set: got the attributes `status`, expected none",
        id="attribute-of-a-metric-without",
    ),
    pytest.param(
        lambda: obs.metric("crawler_pages_total").add(-1, status="ok"),
        ("crawler_pages_total", "value"),
        "crawler_pages_total.add: got -1.0, but a counter never goes down",
        id="negative-count",
    ),
    pytest.param(
        lambda: obs.metric("crawler_pages_total").add(math.inf, status="ok"),
        ("crawler_pages_total", "value"),
        "crawler_pages_total.add: got inf, expected a finite number",
        id="infinite-count",
    ),
    pytest.param(
        lambda: obs.metric("crawler_queue").add(math.nan),
        ("crawler_queue", "value"),
        "crawler_queue.add: got nan, expected a finite number",
        id="gauge-by-nan",
    ),
    pytest.param(
        lambda: obs.metric("crawler_page_seconds").observe(math.nan),
        ("crawler_page_seconds", "value"),
        "crawler_page_seconds.observe: got nan, expected a finite number",
        id="observation-of-nan",
    ),
    pytest.param(
        lambda: obs.metric("crawler_page_seconds").observe(-math.inf),
        ("crawler_page_seconds", "value"),
        "crawler_page_seconds.observe: got -inf, expected a finite number",
        id="observation-of-infinity",
    ),
    pytest.param(
        lambda: obs.metric("crawler_page_seconds").observe("2"),  # type: ignore[arg-type]  # wrong
        ("crawler_page_seconds", "value"),
        "crawler_page_seconds.observe: got '2', expected a number",
        id="text",
    ),
    pytest.param(
        lambda: obs.metric("crawler_queue").set(10**400),
        ("crawler_queue", "value"),
        "crawler_queue.set: got a whole number too large for a float",
        id="too-large",
    ),
    pytest.param(
        lambda: obs.metric("crawler_pages_total").observe(1, status="ok"),
        ("crawler_pages_total", "call"),
        "crawler_pages_total.observe: a counter takes `add`",
        id="counter-observed",
    ),
    pytest.param(
        lambda: obs.metric("crawler_pages_total").set(1, status="ok"),
        ("crawler_pages_total", "call"),
        "crawler_pages_total.set: a counter takes `add`",
        id="counter-set",
    ),
    pytest.param(
        lambda: obs.metric("crawler_queue").observe(1),
        ("crawler_queue", "call"),
        "crawler_queue.observe: a gauge takes `add` and `set`",
        id="gauge-observed",
    ),
    pytest.param(
        lambda: obs.metric("crawler_page_seconds").add(1),
        ("crawler_page_seconds", "call"),
        "crawler_page_seconds.add: a histogram takes `observe`",
        id="histogram-added",
    ),
]


@pytest.mark.parametrize(("use", "cause", "message"), WRONG)
def test_wrong_use_is_dropped_counted_and_logged_once(
    use: Callable[[], None],
    cause: tuple[str, str],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name, reason = cause
    with observing(PAGES, strict=False) as observer:
        before = samples(observer.registry)
        use()
        use()
        after = samples(observer.registry)
    assert after == before | {f"{REJECTED}{{call={name},reason={reason}}}": 2}
    assert caplog.record_tuples == [
        ("autogpt_observe", logging.WARNING, f"{message}; such calls are dropped")
    ]


@pytest.mark.parametrize(("use", "cause", "message"), WRONG)
def test_wrong_use_is_raised_under_test(
    use: Callable[[], None], cause: tuple[str, str], message: str
) -> None:
    with observing(PAGES) as observer:
        with pytest.raises(obs.UsageError) as caught:
            use()
        series = f"{REJECTED}{{call={cause[0]},reason={cause[1]}}}"
        assert samples(observer.registry, REJECTED) == {series: 1}
    assert str(caught.value) == message


def test_gauge_may_be_set_to_what_is_no_number() -> None:
    with observing(PAGES) as observer:
        obs.metric("crawler_queue").set(math.nan)
        assert math.isnan(samples(observer.registry, "crawler_queue")["crawler_queue"])


def test_value_that_fails_inside_does_not_reach_the_host(caplog: pytest.LogCaptureFixture) -> None:
    class Odd:
        def __float__(self) -> float:
            raise LookupError("odd")

    with observing(PAGES, strict=False) as observer:
        obs.metric("crawler_queue").set(Odd())
        assert samples(observer.registry, "autogpt_observe") == {
            "autogpt_observe_internal_errors_total{place=metric handle}": 1
        }
    (record,) = caplog.records
    first, *_, last = record.getMessage().splitlines()
    assert (first, last) == ("error in metric handle; it is logged once", "LookupError: odd")
    assert record.exc_info is None  # what the host's formatter makes of it would not be redacted


def test_values_past_the_limit_become_other(caplog: pytest.LogCaptureFixture) -> None:
    with observing(PAGES) as observer:
        hosts = obs.metric("crawler_hosts_total")
        for host in ("other", "a", "b", "c", "d", "a", "c"):
            hosts.add(host=host)
        assert samples(observer.registry, "crawler_hosts", "autogpt_observe") == {
            "crawler_hosts_total{host=a}": 2,
            "crawler_hosts_total{host=b}": 1,
            "crawler_hosts_total{host=other}": 4,
            "autogpt_observe_replaced_values_total{attribute=host}": 3,
        }
    (record,) = caplog.records
    assert record.getMessage() == (
        "the value 'c' of the attribute `host` is one more than its `max_values`, 2;"
        " it counts as `other`"
    )


def test_value_that_is_not_declared_becomes_other(caplog: pytest.LogCaptureFixture) -> None:
    with observing(PAGES) as observer:
        obs.metric("crawler_pages_total").add(status="teapot")
        assert samples(observer.registry, "crawler_pages", "autogpt_observe") == {
            "crawler_pages_total{status=ok}": 0,
            "crawler_pages_total{status=bad}": 0,
            "crawler_pages_total{status=other}": 1,
            "autogpt_observe_replaced_values_total{attribute=status}": 1,
        }
    (record,) = caplog.records
    assert record.getMessage() == (
        "the value 'teapot' of the attribute `status` is not among its `values`;"
        " it counts as `other`"
    )


def test_handle_says_what_it_is() -> None:
    handle = obs.metric("crawler_queue")
    assert repr(handle) == f"<obs.metric('crawler_queue') made at {handle.made_at}>"
