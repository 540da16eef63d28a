"""`obs.init` and `obs.shutdown`: settings, refusals, and that nothing stays behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from runtime_specs import RUNS, metric, observing, samples, spec

import autogpt_observe as obs
from autogpt_observe.runtime.active import ACTIVE
from autogpt_observe.runtime.settings import Arguments, is_disabled, read_settings
from autogpt_observe.spec.model import ComputeResources, Deployment, Resources
from autogpt_observe.units import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

YAML = """\
version: 1
service: {name: crawler, owner: agents-team}
metrics:
  crawler_pages_total: {type: counter, from: code, help: Pages fetched}
environments:
  staging: {service: {owner: testers}}
"""
PORT_EXPECTED = "expected a port number from 0 to 65535, 0 taking a free one"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of this machine, and an empty current folder."""
    for name in os.environ:
        if name.startswith(("AUTOGPT_OBSERVE_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def deployed(port: int) -> Deployment:
    amount = ComputeResources(cpu=Quantity("1"), memory=Quantity("1Gi"))
    return Deployment(
        image="crawler", metrics_port=port, resources=Resources(requests=amount, limits=amount)
    )


def settings_of(*, environ: Mapping[str, str] | None = None, **given: object) -> dict[str, object]:
    settings = read_settings(Arguments(**given), environ or {})  # type: ignore[arg-type]  # wrong ones too
    return {name: getattr(settings, name) for name in settings.__slots__}


# --- settings --------------------------------------------------------------------------------


def test_defaults() -> None:
    assert settings_of() == {
        "spec": None,
        "environment": None,
        "host": "127.0.0.1",
        "port": None,
        "strict": None,
        "serve": True,
        "traces": "auto",
        "span_exporter": None,
        "capture_content": None,
        "propagate_threads": True,
    }


ENVIRON = {
    "AUTOGPT_OBSERVE_SPEC": "other.yaml",
    "AUTOGPT_OBSERVE_ENVIRONMENT": "staging",
    "AUTOGPT_OBSERVE_HOST": "0.0.0.0",  # noqa: S104  # never bound
    "AUTOGPT_OBSERVE_PORT": "0",
    "AUTOGPT_OBSERVE_STRICT": "Off",
    "AUTOGPT_OBSERVE_TRACES": "own",
}


def test_environment_wins_over_defaults() -> None:
    assert settings_of(environ=ENVIRON) == {
        "spec": Path("other.yaml"),
        "environment": "staging",
        "host": "0.0.0.0",  # noqa: S104  # as above
        "port": 0,
        "strict": False,
        "serve": True,
        "traces": "own",
        "span_exporter": None,
        "capture_content": None,
        "propagate_threads": True,
    }


def test_arguments_win_over_the_environment() -> None:
    given = {
        "spec": Path("my.yaml"),
        "environment": "production",
        "host": "localhost",
        "port": 9999,
        "strict": True,
        "serve": False,
        "traces": "auto",
        "span_exporter": None,
        "capture_content": True,
        "propagate_threads": False,
    }
    assert settings_of(environ=ENVIRON, **given) == given


def test_empty_variables_count_as_unset() -> None:
    assert settings_of(environ=dict.fromkeys(ENVIRON, "")) == settings_of()


def test_port_is_the_specs_unless_set() -> None:
    settings = read_settings(Arguments(), {})
    assert settings.port_for(replace(RUNS, deployment=deployed(9100))) == 9100
    assert settings.port_for(RUNS) == 9464
    assert read_settings(Arguments(port=0), {}).port_for(RUNS) == 0


@pytest.mark.parametrize(
    ("given", "environ", "message"),
    [
        ({"port": 70_000}, {}, f"port: got 70000, {PORT_EXPECTED}"),
        ({"port": True}, {}, f"port: got True, {PORT_EXPECTED}"),
        ({"port": "9464"}, {}, f"port: got '9464', {PORT_EXPECTED}"),
        ({}, {"AUTOGPT_OBSERVE_PORT": "94b"}, f"AUTOGPT_OBSERVE_PORT: got '94b', {PORT_EXPECTED}"),
        ({}, {"AUTOGPT_OBSERVE_PORT": "-1"}, f"AUTOGPT_OBSERVE_PORT: got '-1', {PORT_EXPECTED}"),
        (
            {},
            {"AUTOGPT_OBSERVE_PORT": "65536"},
            f"AUTOGPT_OBSERVE_PORT: got '65536', {PORT_EXPECTED}",
        ),
        ({"host": ""}, {}, "host: got '', expected a text that is not empty"),
        ({"environment": 3}, {}, "environment: got 3, expected a text that is not empty"),
        ({"spec": {"a": 1}}, {}, "spec: got {'a': 1}, expected a path or a Spec"),
        ({"spec": ""}, {}, "spec: got '', expected a path or a Spec"),
        (
            {"spec": RUNS, "environment": "staging"},
            {},
            "environment: the Spec that was passed is of one already",
        ),
        ({"traces": "mine"}, {}, "traces: got 'mine', expected `auto` or `own`"),
        (
            {},
            {"AUTOGPT_OBSERVE_TRACES": "mine"},
            "AUTOGPT_OBSERVE_TRACES: got 'mine', expected `auto` or `own`",
        ),
        (
            {},
            {"AUTOGPT_OBSERVE_STRICT": "maybe"},
            "AUTOGPT_OBSERVE_STRICT: got 'maybe', expected `true` or `false`",
        ),
    ],
)
def test_malformed_setting(given: dict[str, object], environ: dict[str, str], message: str) -> None:
    with pytest.raises(obs.UsageError) as caught:
        settings_of(environ=environ, **given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("environ", "disabled"),
    [
        ({}, False),
        ({"AUTOGPT_OBSERVE_DISABLED": "true"}, True),
        ({"AUTOGPT_OBSERVE_DISABLED": "1"}, True),
        ({"AUTOGPT_OBSERVE_DISABLED": "no"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE"}, True),
        ({"OTEL_SDK_DISABLED": "1"}, False),
        ({"OTEL_SDK_DISABLED": "true", "AUTOGPT_OBSERVE_DISABLED": "false"}, False),
    ],
)
def test_off_switch(environ: dict[str, str], disabled: bool) -> None:  # noqa: FBT001  # parametrized
    assert is_disabled(environ) is disabled


def test_malformed_off_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGPT_OBSERVE_DISABLED", "maybe")
    with pytest.raises(obs.UsageError) as caught:
        obs.init(RUNS, serve=False)
    assert str(caught.value) == (
        "AUTOGPT_OBSERVE_DISABLED: got 'maybe', expected `true` or `false`"
    )


def test_switched_off_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    @obs.agent
    def work() -> str:
        return "done"

    handle = obs.metric("no_such_metric")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    threads = threading.enumerate()
    registry = CollectorRegistry()
    observer = obs.init("no/such/file.yaml", registry=registry, port=9464)
    try:
        assert (observer.enabled, observer.spec, observer.port) == (False, None, None)
        assert work() == "done"
        handle.add(1)
        obs.metric("no_such_metric_either").set(1)
        assert samples(registry) == {}
        assert threading.enumerate() == threads
    finally:
        obs.shutdown()


# --- which spec ------------------------------------------------------------------------------


def test_spec_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(YAML)
    observer = obs.init(serve=False)
    obs.shutdown()
    assert observer.spec is not None
    assert list(observer.spec.metrics) == ["crawler_pages_total"]


def test_packaged_spec_where_there_is_none() -> None:
    observer = obs.init(serve=False)
    shown = samples(observer.registry, "autogpt_")
    obs.shutdown()
    assert observer.spec is not None
    assert observer.spec.service.name == "autogpt"
    assert {series.partition("{")[0] for series in shown} == {
        "autogpt_requests_total",
        "autogpt_api_calls_total",
        "autogpt_errors_total",
        "autogpt_request_duration_seconds_bucket",
        "autogpt_request_duration_seconds_count",
        "autogpt_request_duration_seconds_sum",
        "autogpt_memory_usage_bytes",
        "autogpt_memory_limit_bytes",
        "autogpt_active_agents",
        "autogpt_cpu_usage_ratio",
        "autogpt_process_threads",
        "autogpt_process_open_files",
        "autogpt_process_children",
        "autogpt_process_age_seconds",
    }


def test_spec_and_environment_by_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(YAML)
    monkeypatch.setenv("AUTOGPT_OBSERVE_SPEC", "mine.yaml")
    monkeypatch.setenv("AUTOGPT_OBSERVE_ENVIRONMENT", "staging")
    observer = obs.init(serve=False)
    obs.shutdown()
    assert observer.spec is not None
    assert observer.spec.service.owner == "testers"


def test_spec_with_errors(tmp_path: Path) -> None:
    (tmp_path / "observe.yaml").write_text(YAML.replace("from: code", "from: coed"))
    with pytest.raises(obs.SpecError) as caught:
        obs.init(serve=False)
    assert str(caught.value).startswith("observe.yaml:4:")
    assert ACTIVE.hub is None


# --- twice, half way, and not at all ---------------------------------------------------------


def test_init_twice() -> None:
    with observing(RUNS) as observer:
        with pytest.raises(obs.UsageError) as caught:
            obs.init(RUNS, serve=False)
        assert str(caught.value) == "obs.init was called before; call obs.shutdown first"
        assert samples(observer.registry) == {}
        assert ACTIVE.hub is not None


def test_shutdown_may_be_repeated() -> None:
    obs.shutdown()
    obs.init(RUNS, serve=False)
    obs.shutdown()
    obs.shutdown()
    assert (ACTIVE.hub, ACTIVE.recorder) == (None, None)


def test_wrong_registry() -> None:
    with pytest.raises(obs.UsageError) as caught:
        obs.init(RUNS, registry=7, serve=False)  # type: ignore[arg-type]  # that is the point
    assert str(caught.value) == "registry: got 7, expected a CollectorRegistry or nothing"


@pytest.mark.parametrize("most", [0, 1, 2])
def test_init_that_fails_last_leaves_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_few(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port = finder.getsockname()[1]
    registry, threads = CollectorRegistry(), threading.enumerate()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start_few)
        with pytest.raises(obs.UsageError) as caught:
            obs.init(RUNS, registry=registry, port=port)
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", port))
        taker.listen()
    assert str(caught.value) == (
        "can't start the threads that serve /metrics: can't start new thread"
    )
    assert registry._collector_to_names == {}  # noqa: SLF001  # nothing public shows it all
    assert threading.enumerate() == threads
    assert ACTIVE.hub is None
    with observing(RUNS, registry=registry) as observer:
        assert observer.registry is registry


def test_default_registry_of_the_process_is_left_alone() -> None:
    before = dict(REGISTRY._names_to_collectors)  # noqa: SLF001  # nothing public shows it all
    with observing(spec(pages_total=metric("counter", "code"))) as observer:
        assert observer.registry is not REGISTRY
        assert before == REGISTRY._names_to_collectors  # noqa: SLF001  # as above


def test_url_is_where_the_metrics_are() -> None:
    observer = obs.init(RUNS, port=0)
    try:
        assert observer.url == f"http://127.0.0.1:{observer.port}/metrics"
        with urlopen(observer.url) as answer:  # noqa: S310  # its own address
            assert b"# HELP starts_total" in answer.read()
    finally:
        obs.shutdown()


def test_url_of_an_address_of_ipv6() -> None:
    observer = obs.Observer(spec=RUNS, registry=CollectorRegistry(), host="::1", port=9464)
    assert observer.url == "http://[::1]:9464/metrics"


def test_no_url_where_nothing_is_served() -> None:
    with observing(RUNS) as observer:
        assert observer.url is None


# --- the process as a whole ------------------------------------------------------------------


def python(code: str) -> str:
    """What ``code`` prints in an interpreter of its own, where warnings are errors."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_import_loads_nothing_and_decorators_little() -> None:
    shown = python(
        "import sys; before = set(sys.modules); import autogpt_observe as obs\n"
        "print(sorted(set(sys.modules) - before))\n"
        "@obs.agent\ndef work(): return obs.metric('a_total').add()\nwork()\n"
        "heavy = ('prometheus_client', 'waitress', 'psutil', 'yaml', 'asyncio', 'logging')\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "import threading; print(len(threading.enumerate()))"
    )
    assert shown.splitlines() == ["['__future__', 'autogpt_observe']", "[]", "1"]


def test_public_names() -> None:
    assert dir(obs) == sorted(obs.__all__)
    assert all(hasattr(obs, name) for name in obs.__all__)
    with pytest.raises(AttributeError) as caught:
        obs.agents  # noqa: B018  # type: ignore[attr-defined]  # that is the point
    assert str(caught.value) == "module 'autogpt_observe' has no attribute 'agents'"


def test_exit_without_shutdown() -> None:
    shown = python("import autogpt_observe as obs; print(obs.init(port=0).port > 0)")
    assert shown == "True\n"


def test_exit_while_a_scrape_hangs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "hangs\n")
    assert done.stderr == "a scrape still runs 1 s after it was to stop\n"


HANGING = """
import socket, threading
import autogpt_observe as obs
from prometheus_client import CollectorRegistry

reached = threading.Event()

class Hanging:
    def collect(self):
        reached.set()
        threading.Event().wait()
    def describe(self):
        return []

registry = CollectorRegistry()
registry.register(Hanging())
observer = obs.init(registry=registry, port=0)
client = socket.create_connection((observer.host, observer.port))
client.sendall(b"GET /metrics HTTP/1.0\\r\\n\\r\\n")
assert reached.wait(30)
print("hangs")
"""


def test_forked_child_goes_on_and_may_init_itself() -> None:
    assert python(FORKING).splitlines() == [
        "child: 1 runs, 0 threads more",
        "child that called init: 1 runs",
        "parent: 3 runs, its port is free after shutdown",
    ]


FORKING = """
import logging, os, signal, socket, sys, threading, time, warnings
import autogpt_observe as obs

warnings.simplefilter("ignore")  # to fork with threads is what is tested
logging.getLogger("autogpt_observe").setLevel("ERROR")  # the child counts what nobody sees

def runs(observer):
    return int(observer.registry.get_sample_value("autogpt_requests_total"))

@obs.agent
def work():
    pass

@obs.agent
def fork():
    active._value._lock.acquire()  # as another thread may, at the moment of the fork
    pid = os.fork()
    if pid:
        active._value._lock.release()
    return pid

observer = obs.init(port=0)
active = observer.registry._names_to_collectors["autogpt_active_agents"]
started, tell = os.pipe()
before = runs(observer) + 1
if (pid := fork()) == 0:
    work()
    print(f"child: {runs(observer) - before} runs, {threading.active_count() - 1} threads more")
    own = obs.init(port=0)
    work()
    print(f"child that called init: {runs(own)} runs", flush=True)
    obs.shutdown()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
if (sleeper := fork()) == 0:
    os.write(tell, b"x")
    time.sleep(600)
os.read(started, 1)
work()
count = runs(observer)
obs.shutdown()
try:
    with socket.socket() as taker:
        taker.bind((observer.host, observer.port))
        taker.listen()
    print(f"parent: {count} runs, its port is free after shutdown")
finally:
    os.kill(sleeper, signal.SIGKILL)
    os.waitpid(sleeper, 0)
"""
