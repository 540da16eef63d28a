"""What a host can throw at the runtime: its own error reaches it, and the counts stay true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from prometheus_client import CollectorRegistry
from runtime_specs import attribute, metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime.exposition import metrics_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class CauseRaisesError(Exception):
    @property
    def __cause__(self) -> NoReturn:  # type: ignore[override]  # that is the hostility
        raise RuntimeError("cause")


class LookRaisesError(Exception):
    def __getattribute__(self, name: str) -> Any:
        if name in ("__cause__", "__dict__", "__class__"):
            raise RuntimeError(name)
        return super().__getattribute__(name)


def deep_group() -> ExceptionGroup[Exception]:
    group: ExceptionGroup[Exception] = ExceptionGroup("bottom", [ValueError("bottom")])
    for _ in range(5000):
        group = ExceptionGroup("level", [group])
    return group


@pytest.mark.parametrize("make", [CauseRaisesError, LookRaisesError, deep_group])
def test_a_hostile_exception_reaches_the_host_and_ends_the_run(make: Any) -> None:
    registry, error = CollectorRegistry(), make()

    @obs.agent("hostile")
    def work() -> NoReturn:
        raise error

    observed = spec(
        active_agents=metric("gauge", "run.active"), errors_total=metric("counter", "failure")
    )
    seen: BaseException | None = None
    with observing(observed, registry=registry):
        try:
            work()
        except BaseException as caught:  # noqa: BLE001 - whatever it is
            seen = caught
        found = samples(registry)
    assert seen is error
    assert found == {"active_agents": 0, "errors_total": 1}


def test_a_lone_surrogate_in_a_value_does_not_break_the_scrape() -> None:
    registry = CollectorRegistry()
    observed = spec(attributes={"site": attribute()}, pages_total=metric("counter", "code", "site"))
    with observing(observed, registry=registry):
        obs.metric("pages_total").add(2, site="a\ud800")
        found = samples(registry)
    assert found == {"pages_total{site=a?}": 2}


def test_a_nonsense_accept_header_gets_the_text_format() -> None:
    errors: list[Exception] = []
    started: list[tuple[str, str]] = []

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started.append((status, dict(headers)["Content-Type"].split(";")[0]))

    environ: WSGIEnvironment = {
        "PATH_INFO": "/metrics",
        "REQUEST_METHOD": "GET",
        "HTTP_ACCEPT": ";;;q=,application/openmetrics-text;version=abc;escaping=zzz,",
    }
    metrics_app(CollectorRegistry(), on_error=lambda _, error: errors.append(error))(environ, start)
    assert started == [("200 OK", "text/plain")]
    assert errors == []


def test_an_observer_shows_itself_in_one_line() -> None:
    with observing(spec()) as observer:
        assert repr(observer) == "<Observer: not served>"
