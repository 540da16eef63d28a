"""Other processes: the environment of programs, pools of processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.context import attach, detach, get_current
from opentelemetry.context.context import Context
from opentelemetry.trace import (
    get_current_span,
)
from propagating import NO_METRICS, PARENT, REMOTE, TRACE, carrying, current
from propagation_work import (
    NOWHERE,
    Place,
    fail,
    here,
    here_for,
    observe,
    observe_and_be_there,
    there,
)
from runtime_specs import observing

import autogpt_observe as obs
from autogpt_observe.runtime.propagation.carried import bind
from autogpt_observe.runtime.propagation.environment import (
    environment,
    join_environment,
    variable,
)
from autogpt_observe.runtime.propagation.formats import LONGEST, read, write
from autogpt_observe.runtime.propagation.sent import Sent, pack
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.traces.context import SLOT

VARIABLES = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")


@given(
    pairs=st.dictionaries(st.text(min_size=1), st.text(), max_size=5),
    times=st.integers(1, 60),
)
@example(pairs={"k": "v" * 5, "longer": "w" * 300}, times=60)
@settings(deadline=None)
def test_baggage_is_bounded(pairs: dict[str, str], times: int) -> None:
    context = Context()
    for number in range(times):
        for name, value in pairs.items():
            context = baggage.set_baggage(f"{number}{name}", value * 20, context)
    written = write(context).get("baggage", "")
    assert len(written) <= LONGEST
    kept = read({"baggage": written}, Context())
    told = {name.strip(): str(value).strip() for name, value in baggage.get_all(context).items()}
    assert dict(baggage.get_all(kept)).items() <= told.items()


def test_the_environment_of_a_program_tells_of_the_current_span(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with observing(NO_METRICS), obs.agent("a"):
        monkeypatch.setenv("TRACESTATE", "stale=1")
        monkeypatch.setenv("BAGGAGE", "stale=1")
        before = dict(os.environ)
        place, told = here(), environment()
    parent = told.pop("TRACEPARENT")
    assert parent[:-2] == f"00-{place.trace}-{place.span}-"
    assert told == {k: v for k, v in before.items() if k not in VARIABLES}
    assert dict(os.environ) == before


def test_the_environment_takes_a_base_and_baggage() -> None:
    base = {"PATH": "/bin", "TRACEPARENT": PARENT}
    with observing(NO_METRICS), current(7, 8, state="vendor=1"):
        token = attach(baggage.set_baggage("tenant", "a b"))
        assert environment(base) == {
            "PATH": "/bin",
            "TRACEPARENT": f"00-{7:032x}-{8:016x}-01",
            "TRACESTATE": "vendor=1",
            "BAGGAGE": "tenant=a+b",
        }
        detach(token)


def test_without_a_span_or_without_init_the_environment_is_a_copy() -> None:
    base = {"PATH": "/bin", "TRACEPARENT": PARENT}
    with observing(NO_METRICS):
        copies = [environment(base), environment({})]
    with current(7, 8):
        copies.append(environment(base))
    assert copies == [base, {}, base]
    assert all(copy is not base for copy in copies)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("traceparent", "TRACEPARENT"),
        ("x-b3-traceid", "X_B3_TRACEID"),
        ("3-x", "_3_X"),
        ("", "_"),
        ("naïve", "NA_VE"),
    ],
)
def test_variables_are_named_as_the_specification_says(header: str, name: str) -> None:
    assert variable(header) == name


def test_the_environment_names_the_parent_of_what_begins_here() -> None:
    environ = {"TRACEPARENT": PARENT, "TRACESTATE": "vendor=1", "BAGGAGE": "tenant=a"}
    with observing(NO_METRICS), ExitStack() as undo:
        join_environment(environ, undo)
        assert here() == REMOTE
        assert get_current_span().get_span_context().trace_state.to_header() == "vendor=1"
        assert baggage.get_baggage("tenant") == "a"
        with obs.agent("a"):
            assert here().trace == TRACE
        undo.close()
        assert here() == NOWHERE


def test_a_span_that_is_current_already_is_left_alone_and_so_is_one_that_came_later() -> None:
    with observing(NO_METRICS), ExitStack() as undo:
        with current(7, 8):
            join_environment({"TRACEPARENT": PARENT}, undo)
            assert here().trace == f"{7:032x}"
        join_environment({"TRACEPARENT": PARENT}, undo)
        with current(7, 8):
            undo.close()
            assert here().trace == f"{7:032x}"
        SLOT.set(Context())


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-0"])
def test_an_environment_that_tells_nothing(parent: str) -> None:
    before = get_current()
    with ExitStack() as undo:
        join_environment({"TRACEPARENT": parent, "OTHER": "x"}, undo)
        assert get_current() is before


CHILD = """
import json, os, sys
sys.path.insert(0, {tests!r})
from contextlib import ExitStack
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.environment import join_environment
from propagation_work import there
obs.init(serve=False)
join_environment(os.environ, ExitStack())
print(json.dumps(there()))
"""


def test_a_program_goes_on_with_the_trace() -> None:
    script = CHILD.format(tests=str(Path(__file__).parent))
    with observing(NO_METRICS), obs.agent("a"):
        command = [sys.executable, "-c", script]
        place = here()
        printed = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=True
        ).stdout
    inside, outside = (Place(*each) for each in json.loads(printed))
    assert outside == Place("", "", place.trace, place.span)
    assert (inside.scope, inside.agent, inside.trace) == ("there", "", place.trace)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_the_processes_of_an_executor_join_the_trace_and_count_to_the_agent(method: str) -> None:
    with carrying():
        with ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context(method), initializer=observe
        ) as pool:
            with obs.agent("a"):
                place = here()
                inside, outside = pool.submit(there).result()
                mapped = list(pool.map(here_for, range(3)))
                failed = pool.submit(fail).exception()
            after = pool.submit(here).result()
            with obs.agent("b"):
                other = pool.submit(here).result()
        assert outside == Place("a", "a", place.trace, place.span)
        assert (inside.scope, inside.agent, inside.trace) == ("there", "a", place.trace)
        assert mapped == [outside] * 3
        assert repr(failed) == "LookupError('nothing found')"
        assert after == NOWHERE
        assert other.agent == "b"
        assert here() == NOWHERE


def test_a_process_of_a_pool_without_init_runs_the_function_as_it_is() -> None:
    context = multiprocessing.get_context("spawn")
    with carrying(), obs.agent("a"), ProcessPoolExecutor(1, mp_context=context) as pool:
        loaded = "'autogpt_observe.runtime.traces' in __import__('sys').modules"
        assert pool.submit(eval, loaded).result() is False


def test_a_pool_of_multiprocessing_begun_in_one_run_and_used_by_another() -> None:
    with carrying():
        with obs.agent("first"):
            pool = multiprocessing.get_context("spawn").Pool(1, initializer=observe)
        with pool:
            with obs.agent("second"):
                place = here()
                inside, _ = pool.apply(there)
                mapped = pool.map(here_for, range(3))
            after = pool.apply_async(here).get()
        pool.join()
    assert (inside.agent, inside.trace) == ("second", place.trace)
    assert mapped == [Place("second", "second", place.trace, place.span)] * 3
    assert after == NOWHERE


def test_what_cannot_be_pickled_fails_as_it_ever_did() -> None:
    context = multiprocessing.get_context("spawn")
    with carrying(), obs.agent("a"), ProcessPoolExecutor(1, mp_context=context) as pool:
        error = pool.submit(lambda: None).exception()
        assert "pickle" in str(error)
        assert pool.submit(abs, -3).result() == 3


def test_a_bound_function_is_pickled_with_trace_and_agent() -> None:
    with observing(NO_METRICS):
        with obs.agent("a"):
            place, bound = here(), bind(here)
        arrived = pickle.loads(pickle.dumps(bound))  # noqa: S301  # our own
        again = pickle.loads(pickle.dumps(arrived))  # noqa: S301  # as above
        assert arrived() == again() == Place("a", "a", place.trace, place.span)
        assert here() == NOWHERE
        nothing = pickle.loads(pickle.dumps(bind(here)))  # noqa: S301  # as above
        assert nothing() == NOWHERE


def test_a_bound_function_begins_a_process_that_observes_only_then() -> None:
    context = multiprocessing.get_context("spawn")
    with observing(NO_METRICS), obs.agent("a"), context.Pool(1) as pool:
        place = here()
        inside, outside = pool.apply(bind(observe_and_be_there))
    assert outside == Place("a", "a", place.trace, place.span)
    assert (inside.agent, inside.trace) == ("a", place.trace)


FORKED = """
import multiprocessing, sys
sys.path.insert(0, {tests!r})
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.threads import carry_over_threads
from propagation_work import NOWHERE, here
obs.init(serve=False)
carry_over_threads(ExitStack())
fork = multiprocessing.get_context("fork")
with obs.agent("first"):
    place, pool = here(), fork.Pool(2)
    executor = ProcessPoolExecutor(2, mp_context=fork)
    assert executor.submit(here).result() == place
print(pool.apply(here) == NOWHERE)
print({{executor.submit(here).result() == NOWHERE for _ in range(9)}})
pool.terminate()
executor.shutdown()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_processes_of_a_pool_inherit_no_run() -> None:
    script = FORKED.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-W", "ignore", "-c", script]  # newer Pythons warn of fork
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("True\n{True}\n", "")


LATE = """
import sys
from contextlib import ExitStack
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.threads import carry_over_threads
undo, finders = ExitStack(), [*sys.meta_path]
obs.init(serve=False)
carry_over_threads(undo)
names = "concurrent.futures.process", "multiprocessing.pool"
print([name in sys.modules for name in names])
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import Pool, ThreadPool
print([hasattr(f, "__wrapped__") for f in (ProcessPoolExecutor.submit, Pool.map, ThreadPool.imap)])
for name in names:
    module = sys.modules[name]
    assert type(module.__spec__.loader).__name__ == type(module.__loader__).__name__
    print(type(module.__loader__).__module__)
undo.close()
obs.shutdown()
print([hasattr(f, "__wrapped__") for f in (ProcessPoolExecutor.submit, Pool.map)])
print(sys.meta_path == finders)
"""


def test_pools_that_are_imported_after_init() -> None:
    ran = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "[False, False]",
        "[True, True, True]",
        "_frozen_importlib_external",
        "_frozen_importlib_external",
        "[False, False]",
        "True",
    ]


def test_the_pieces_that_travel_are_small() -> None:
    with observing(NO_METRICS), obs.agent("a"):
        sent = pickle.dumps(Sent(abs, *pack(CURRENT.get(), SLOT.get())))
    assert len(sent) < 300
