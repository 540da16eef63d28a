"""What the kit keeps apart: tests from one another, and from what is set up around them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import opentelemetry.trace as otel
import pytest
from agent_spec import AGENT, OTHER, research
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

import autogpt_observe as obs
from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.logs.logger import log
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.testing import events, observe

ENDPOINT = "http://127.0.0.1:9"


# --- init and shutdown of the code under test ---


def test_init_joins_and_shutdown_leaves() -> None:
    threads = threading.active_count()
    with observe(AGENT) as seen:
        observer = obs.init(AGENT, port=1)
        research(seen.clock)
        assert threading.active_count() == threads
        assert (observer.spec, observer.host, observer.port) == (AGENT, None, None)
        assert obs.flush()
        obs.shutdown()
        research(seen.clock)  # nobody observes it in production either
        obs.init(AGENT)
        research(seen.clock)
        obs.shutdown()
    assert seen.metric("runs_total") == 2
    assert len(seen.spans) == 8


def test_shutdown_without_init_leaves_too() -> None:
    with observe(AGENT) as seen:
        obs.shutdown()
        research(seen.clock)
    assert seen.moved() == {}


def test_init_twice_is_wrong_as_ever() -> None:
    with observe(AGENT):
        obs.init(AGENT)
        with pytest.raises(UsageError) as caught:
            obs.init(AGENT)
    assert str(caught.value) == "obs.init was called before; call obs.shutdown first"


def test_arguments_are_checked_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGPT_OBSERVE_PORT", "http")
    with observe(AGENT):
        with pytest.raises(UsageError) as caught:
            obs.init(AGENT)
        assert str(caught.value) == (
            "AUTOGPT_OBSERVE_PORT: got 'http', expected a port number from 0 to 65535, 0 taking a"
            " free one"
        )


def test_init_with_another_spec() -> None:
    with observe(AGENT) as seen:
        with pytest.raises(UsageError) as caught:
            obs.init(OTHER)
        assert str(caught.value) == (
            "obs.init: got another spec than the one that the test observes; give the test the"
            " same one, and its environment: @pytest.mark.observe(SPEC, environment=...)"
        )
        obs.init(AGENT)
        research(seen.clock)
    assert seen.metric("runs_total") == 1


def test_init_reads_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "version: 1\nservice: {name: crawler, owner: team}\n"
    Path("observe.yaml").write_text(text, encoding="utf-8")
    with observe() as seen:
        observer = obs.init("observe.yaml")
        assert observer.spec == seen.spec
        assert seen.spec.service.name == "crawler"


def test_a_handle_that_is_not_declared_fails_where_it_is_used_and_in_init() -> None:
    handle = obs.metric("nowhere_total")
    with observe(AGENT) as seen:
        with pytest.raises(UsageError) as caught:
            handle.add()
        assert str(caught.value) == (
            "nowhere_total.add: the spec declares no such metric `from: code`"
        )
        with pytest.raises(UsageError) as caught:
            obs.init(AGENT)
        assert str(caught.value) == (
            f'{handle.made_at}: obs.metric("nowhere_total"): the spec declares no such metric'
            " `from: code`; known: `pages_total`, `queue_length`, `page_bytes`"
        )
        research(seen.clock)  # what did not start does not observe, as in production
    assert seen.metric("runs_total") == 0


def test_a_registry_of_the_host_has_the_metrics_until_shutdown() -> None:
    registry = CollectorRegistry()
    with observe(AGENT) as seen:
        assert obs.init(AGENT, registry=registry).registry is registry
        research(seen.clock)
        shown = generate_latest(registry).decode()
        assert 'runs_total{agent="researcher",outcome="success"} 1.0' in shown
        obs.shutdown()
        assert generate_latest(registry) == b""
        obs.init(AGENT, registry=registry)
    assert generate_latest(registry) == b""


def test_the_off_switch_switches_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGPT_OBSERVE_DISABLED", "true")
    with observe(AGENT) as seen:
        research(seen.clock)  # the test's own observation does not read it
        assert not obs.init(AGENT).enabled
        research(seen.clock)
    assert seen.metric("runs_total") == 1


def test_variables_are_those_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGPT_OBSERVE_GENAI_CONVENTIONS", "legacy")
    for variables, name in (
        ({}, "gen_ai.provider.name"),
        ({"AUTOGPT_OBSERVE_GENAI_CONVENTIONS": "legacy"}, "gen_ai.system"),
    ):
        with observe(AGENT, variables=variables) as seen:
            research(seen.clock)
        assert seen.span("chat gpt-4o").attributes[name] == "openai"


def test_exporters_of_the_environment_and_the_code_get_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", ENDPOINT)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    exporter = InMemorySpanExporter()
    threads = threading.active_count()
    with observe(AGENT) as seen:
        obs.init(AGENT, span_exporter=exporter)
        research(seen.clock)
        assert threading.active_count() == threads
    assert exporter.get_finished_spans() == ()
    assert len(seen.spans) == 4


# --- what was up before ---


def test_an_observer_that_is_up_waits_aside() -> None:
    observer = obs.init(OTHER, serve=False)
    try:
        with observe(AGENT) as seen:
            research(seen.clock)
            obs.init(AGENT)
            obs.shutdown()
        with obs.agent("outer"):
            pass
        with pytest.raises(UsageError, match="was called before"):
            obs.init(OTHER)
        assert observer.registry.get_sample_value("starts_total") == 1
        assert seen.metric("runs_total") == 1
    finally:
        obs.shutdown()
    assert ACTIVE.hub is None


def test_observations_nest() -> None:
    with observe(AGENT) as outer:
        with obs.agent("outer"), observe(OTHER) as inner:
            with obs.step("of no run"):
                pass
            with obs.agent("inner"):
                pass
            assert outer.tree() == "invoke_agent outer  (open)"
        research(outer.clock)
    assert inner.tree() == "step of no run\ninvoke_agent inner"
    assert inner.events[0] == events.Step("", "of no run", "ok", 0.0, None)
    assert inner.moved() == {"starts_total": 1}
    assert outer.metric("runs_total") == 2


def test_lines_go_to_the_observation_they_belong_to() -> None:
    with observe(AGENT) as outer:
        log.info("one")
        with observe(OTHER) as inner:
            log.info("two")
        log.info("three")
    log.info("four")
    assert [line["message"] for line in outer.logs] == ["one", "three"]
    assert [line["message"] for line in inner.logs] == ["two"]


def test_after_an_error_all_is_as_it_was() -> None:
    with suppress(RuntimeError), observe(AGENT) as seen, obs.agent("a"):
        raise RuntimeError("no")
    assert seen.metric("runs_total", outcome="error") == 1
    assert ACTIVE.hub is None
    assert ACTIVE.recorder is None
    assert CURRENT.get() is None
    obs.init(OTHER, serve=False)
    obs.shutdown()


def test_the_host_keeps_its_own_spans() -> None:
    tracer = TracerProvider().get_tracer("host")
    with tracer.start_as_current_span("request") as request:
        with observe(AGENT) as seen:
            research(seen.clock)
        assert otel.get_current_span() is request
    assert seen.spans[0].parent_id == f"{request.get_span_context().span_id:016x}"


# --- one test and the next ---


def test_work_that_is_left_open_is_no_part_of_the_next_test() -> None:
    with observe(AGENT) as first:
        left = obs.agent("left open").__enter__()
        assert first.tree() == "invoke_agent left open  (open)"
    assert CURRENT.get() is None
    assert not otel.get_current_span().get_span_context().is_valid
    with observe(AGENT) as second:
        research(second.clock)
        left.__exit__(None, None, None)
        del left
        gc.collect()
    assert second.spans[0].parent_id is None
    assert second.metric("runs_total") == 1
    assert first.moved("runs_total") == {}


def test_a_scope_left_in_a_context_that_is_kept_is_no_parent() -> None:
    with observe(AGENT):
        context = otel.set_span_in_context(obs.agent("left").__enter__().span)  # type: ignore[arg-type]  # it has one now
        from opentelemetry.context import attach  # noqa: PLC0415  # a leak of the test's making

        attach(context)
    with observe(AGENT) as second:
        research(second.clock)
    assert second.spans[0].parent_id is None


def test_a_thread_that_outlives_its_test() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with obs.agent("slow"), obs.step("s"):
            begun.set()
            go_on.wait(10)

    with observe(AGENT) as first:
        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(10)
    with observe(AGENT) as second:
        go_on.set()
        thread.join()
        research(second.clock)
    assert first.tree() == "invoke_agent slow  (open)\n  step s  (open)"
    assert [event for event in first.events if event[0] == "slow"] == [("slow",)]
    assert second.metric("runs_total") == 1
    assert len(second.spans) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_neither_fails_nor_is_seen() -> None:
    with observe(AGENT) as seen:
        child = os.fork()
        if not child:
            code = 1
            try:
                research(seen.clock)
                obs.init(AGENT)
                research(seen.clock)
                code = 0 if seen.metric("runs_total") == 2 else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    assert seen.moved() == {}


# --- strictness ---


def test_a_wrong_call_is_raised() -> None:
    with observe(AGENT), pytest.raises(UsageError) as caught:
        obs.metric("pages_total").add(1)
    assert str(caught.value) == "pages_total.add: got the attributes none, expected `site`"


def test_strictness_may_be_given_up() -> None:
    with observe(AGENT, strict=False) as seen:
        obs.metric("pages_total").add(1)
    assert seen.moved() == {
        'autogpt_observe_rejected_calls_total{call="pages_total",reason="attributes"}': 1
    }


def test_values_in_files_are_refused(tmp_path: Path) -> None:
    code = "from autogpt_observe.testing import observe\nwith observe(): pass"
    run = _python(code, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert run.stderr.splitlines()[-1] == (
        f"autogpt_observe.errors.UsageError: PROMETHEUS_MULTIPROC_DIR: got {str(tmp_path)!r},"
        " expected none in a test: values in files outlive it; unset it before pytest starts"
    )


def test_the_kit_needs_no_pytest() -> None:
    code = (
        "import sys\n"
        "sys.modules['pytest'] = None\n"
        "import autogpt_observe as obs\n"
        "from autogpt_observe import testing\n"
        "assert 'prometheus_client' not in sys.modules\n"
        "with testing.observe() as observed:\n"
        "    with obs.agent('a'): pass\n"
        "print(observed.tree(), dir(testing) == sorted(testing.__all__))\n"
        "print(all(getattr(testing, name) for name in testing.__all__))"
    )
    run = _python(code)
    assert (run.stdout, run.stderr) == ("invoke_agent a True\nTrue\n", "")


def _python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
