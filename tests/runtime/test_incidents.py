"""What the runtime says of itself: without secrets, and whatever the host's logging does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

import pytest
from runtime_specs import attribute, metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime.incidents import LOG, Incidents
from autogpt_observe.runtime.redaction import build_redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "sk-" + "a" * 48
HIDDEN = "[redacted:openai-api-key]"
OBSERVED = spec(
    attributes={"host": attribute(max_values=1)},
    queue=metric("gauge", "code"),
    hosts_total=metric("counter", "code", "host"),
)


class Refusing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> NoReturn:
        raise OSError(record.getMessage())


def refuse(record: logging.LogRecord) -> NoReturn:
    raise OSError(record.getMessage())


@pytest.fixture(params=["handler", "filter"])
def refusing(request: pytest.FixtureRequest) -> Iterator[None]:
    """A logging of the host's that raises at each record."""
    handler = Refusing()
    if request.param == "handler":
        LOG.addHandler(handler)
    else:
        LOG.addFilter(refuse)
    yield
    LOG.removeHandler(handler)
    LOG.removeFilter(refuse)


TOLD: list[tuple[str, Callable[[Incidents], None]]] = [
    ("rejected_calls", lambda told: told.reject("queue", "value", "no")),
    ("replaced_values", lambda told: told.replace("host", "a", "is not among its `values`")),
    ("internal_errors", lambda told: told.note("scrape", ValueError("no"))),
    ("internal_errors", lambda told: told.fail("scrape", ValueError("no"))),
    ("dropped", lambda told: told.drop("logs", "queue_full", 1, "no")),
    ("export_failures", lambda told: told.fail_export("spans", "there", "no")),
]


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize(("family", "tell"), TOLD)
def test_the_hosts_logging_may_raise(family: str, tell: Callable[[Incidents], None]) -> None:
    incidents = Incidents(strict=False)
    tell(incidents)
    incidents.recover_export("spans", "there")
    assert [each.name for each in incidents.collect()] == [f"autogpt_observe_{family}"]


@pytest.mark.usefixtures("refusing")
def test_a_test_sees_the_incident_and_not_the_logging() -> None:
    incidents, error = Incidents(strict=True), ValueError("no")
    with pytest.raises(obs.UsageError, match="wrong value"):
        incidents.reject("queue", "value", "wrong value")
    with pytest.raises(ValueError, match="no") as caught:
        incidents.fail("scrape", error)
    assert caught.value is error


def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Odd:
        def __float__(self) -> float:
            raise LookupError(f"rejected: {KEY}")

    with observing(OBSERVED, strict=False) as observer:
        obs.metric("queue").set(KEY)  # type: ignore[arg-type]  # that is what is wrong
        obs.metric("queue").set(Odd())
        obs.metric("hosts_total").add(**{KEY: "a"})
        obs.metric("hosts_total").add(host="a")
        obs.metric("hosts_total").add(host=f"user at {'x' * 30}, {KEY}")  # it ends past the cut
        assert len(samples(observer.registry, "autogpt_observe")) == 4
    rejected, noted, unknown, replaced = caplog.messages
    assert rejected == f"queue.set: got '{HIDDEN}', expected a number; such calls are dropped"
    assert noted.splitlines()[0] == "error in metric handle; it is logged once"
    assert noted.splitlines()[-1] == f"LookupError: rejected: {HIDDEN}"
    assert unknown == (
        f"hosts_total.add: got the attributes `{HIDDEN}`, expected `host`; such calls are dropped"
    )
    assert replaced == (
        f"the value 'user at {'x' * 30}, {HIDDEN}' of the attribute `host` is one more than its"
        " `max_values`, 1; it counts as `other`"
    )
    assert "aaa" not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


def test_a_message_has_its_longest(caplog: pytest.LogCaptureFixture) -> None:
    Incidents(strict=False).note("scrape", ValueError("x" * 10_000_000))
    (message,) = caplog.messages
    assert len(message) < 8_191  # a bridge to the log lines keeps all of it


def test_a_secret_at_the_cut_of_a_message_is_found(caplog: pytest.LogCaptureFixture) -> None:
    incidents = Incidents(strict=False, redact=build_redactor(None).text)
    incidents.note("scrape", ValueError(f"{'x ' * 3_000} {KEY} {'y ' * 2_980}"))
    (message,) = caplog.messages
    assert "[cut]" in message
    assert "aaa" not in message


def test_values_are_shown_by_their_start() -> None:
    incidents = Incidents(strict=False)
    assert incidents.show("short") == "'short'"
    assert incidents.show("x" * 10_000_000) == "'" + "x" * 79
