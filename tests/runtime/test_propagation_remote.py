"""Other processes: HTTP headers, the environment of programs, pools of processes."""

from __future__ import annotations

import asyncio
import functools
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections import UserDict
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from email.message import Message
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, strategies as st
from opentelemetry import baggage, propagate
from opentelemetry.context import attach, detach, get_current
from opentelemetry.context.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
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
from runtime_specs import observing, spec

import autogpt_observe as obs
from autogpt_observe.runtime.propagation import formats
from autogpt_observe.runtime.propagation.carried import bind
from autogpt_observe.runtime.propagation.environment import (
    environment,
    join_environment,
    variable,
)
from autogpt_observe.runtime.propagation.formats import LONGEST, read, write
from autogpt_observe.runtime.propagation.headers import continue_trace, inject
from autogpt_observe.runtime.propagation.sent import Sent, pack
from autogpt_observe.runtime.propagation.threads import carry_over_threads
from autogpt_observe.runtime.scopes import CURRENT
from autogpt_observe.runtime.traces.context import SLOT

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_METRICS = spec()
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
REMOTE = Place("", "", TRACE, SPAN)
VARIABLES = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")


@contextmanager
def current(trace: int, span: int, *, state: str = "", remote: bool = False) -> Iterator[None]:
    """A span of the host's is the current one."""
    ids = SpanContext(trace, span, remote, TraceFlags(1), TraceState.from_header([state]))
    token = attach(set_span_in_context(NonRecordingSpan(ids)))
    try:
        yield
    finally:
        detach(token)


@contextmanager
def carrying() -> Iterator[None]:
    with observing(NO_METRICS), ExitStack() as undo:
        carry_over_threads(undo)
        yield


def test_headers_tell_of_the_span_of_the_innermost_scope() -> None:
    with observing(NO_METRICS), obs.agent("a"), obs.step("call"):
        place = here()
        headers = {"accept": "*/*"}
        assert inject(headers) is headers
    flags = headers["traceparent"][-2:]
    assert headers == {"accept": "*/*", "traceparent": f"00-{place.trace}-{place.span}-{flags}"}


def test_headers_that_were_passed_on_are_replaced_whatever_their_case() -> None:
    with observing(NO_METRICS), current(7, 8, state="vendor=1"):
        passed_on = {"TraceParent": PARENT, "TRACESTATE": "old=1", "Baggage": "old=1", "X": "kept"}
        assert inject(passed_on) == {
            "X": "kept",
            "traceparent": f"00-{7:032x}-{8:016x}-01",
            "tracestate": "vendor=1",
        }


def test_without_a_span_or_without_init_headers_stay_as_they_are() -> None:
    passed_on = {"TraceParent": PARENT}
    with observing(NO_METRICS):
        assert inject(dict(passed_on)) == passed_on
    with current(7, 8):
        assert inject(dict(passed_on)) == passed_on


def test_headers_that_cannot_be_changed_are_an_incident() -> None:
    class Fixed(UserDict[str, str]):
        def update(self, *_: Any, **__: Any) -> None:
            raise TypeError("these headers are fixed")

    fixed = Fixed()
    with observing(NO_METRICS, strict=False), obs.agent("a"):
        assert inject(fixed) is fixed
    with (
        observing(NO_METRICS),
        obs.agent("a"),
        pytest.raises(TypeError, match="^these headers are fixed$"),
    ):
        inject(fixed)


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT},
        {"Traceparent": PARENT, "Host": "a"},
        {"traceparent": [PARENT]},
        {b"traceparent": PARENT.encode()},
        [(b"host", b"a"), (b"traceparent", PARENT.encode())],
        [("traceparent", PARENT.encode())],
        {"REQUEST_METHOD": "GET", "HTTP_TRACEPARENT": PARENT, "wsgi.errors": sys.stderr},
    ],
    ids=["dict", "case", "lists", "bytes", "asgi", "kafka", "wsgi"],
)
def test_what_begins_inside_goes_on_with_the_trace_of_the_headers(headers: Any) -> None:
    with observing(NO_METRICS):
        with continue_trace(headers):
            assert here() == REMOTE
            assert get_current_span().get_span_context().is_remote
            with obs.agent("a"):
                assert here().trace == TRACE
                assert here().span != SPAN
        assert here() == NOWHERE


def test_headers_of_http_servers() -> None:
    message = Message()  # that of http.server
    message["Traceparent"] = PARENT
    message["Tracestate"] = "one=1"
    message["Tracestate"] = "two=2"
    with observing(NO_METRICS), continue_trace(message):  # type: ignore[arg-type]  # has `items`
        assert here() == REMOTE
        state = get_current_span().get_span_context().trace_state
        assert state.to_header() == "one=1,two=2"


def test_injected_headers_arrive() -> None:
    with observing(NO_METRICS):
        with obs.agent("caller"):
            sent, caller = inject({}), here()
        with continue_trace(sent), obs.agent("answerer"):
            assert here().trace == caller.trace
        with continue_trace(sent):
            assert here() == Place("", "", caller.trace, caller.span)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"traceparent": ""},
        {"traceparent": "00-0-0-01"},
        {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"},
        {"traceparent": f"{PARENT}-more"},
        {"traceparent": PARENT + "-" + "x" * LONGEST},
        [("traceparent", PARENT), ("traceparent", f"00-{TRACE}-{'1' * 16}-01")],
        {"traceparent": 3, 4: PARENT, None: None},
        [("traceparent",), "traceparent", 5, None],
    ],
)
def test_malformed_headers_are_as_good_as_none(headers: Any) -> None:
    with observing(NO_METRICS):
        with continue_trace(headers):
            assert here() == NOWHERE
            with obs.agent("a"):
                assert here().trace not in ("", TRACE)
        with current(7, 8):
            before = get_current()
            with continue_trace(headers):
                assert get_current() is before


def test_headers_of_no_known_kind_are_an_incident() -> None:
    with observing(NO_METRICS, strict=False), continue_trace(3):  # type: ignore[arg-type]  # mistake
        assert here() == NOWHERE
    with (
        observing(NO_METRICS),
        pytest.raises(AttributeError, match="^'int' object has no attribute '__iter__'$"),
        continue_trace(3),  # type: ignore[arg-type]  # the mistake
    ):
        pytest.fail("not entered")


TEXT = st.one_of(st.text(), st.binary(), st.sampled_from([PARENT, "a=1", "\0", "=", "%"]))
NAME = st.one_of(
    TEXT,
    st.sampled_from(
        ["traceparent", "tracestate", "baggage", b"traceparent", "HTTP_BAGGAGE", "HTTP_"]
    ),
)
NEAR = st.from_regex(r"[0-9a-fA-F]{2}-[0-9a-fg]{32}-[0-9a-f]{15,17}-[0-9a-f]{2}(-.*)?\n?")
VALUE = st.one_of(TEXT, NEAR, st.none(), st.integers(), st.lists(TEXT, max_size=3))


@pytest.fixture(scope="module")
def observed() -> Iterator[None]:
    with observing(NO_METRICS, strict=True):
        yield


@pytest.mark.usefixtures("observed")
@pytest.mark.filterwarnings("ignore")
@given(
    headers=st.one_of(
        st.dictionaries(NAME, VALUE), st.lists(st.one_of(st.tuples(NAME, VALUE), VALUE))
    )
)
@example(headers={"traceparent": PARENT, "tracestate": "=,=," * 99, "baggage": "=;,%zz=%ff;a"})
def test_no_header_of_a_stranger_raises_or_stays(headers: Any) -> None:
    before = get_current()
    with continue_trace(headers):
        with obs.agent("a"):
            sent = inject({})
        assert len(sent.get("baggage", "")) <= LONGEST
    assert get_current() is before


PAIRS = st.dictionaries(st.text(min_size=1), st.text(), max_size=30)


@pytest.mark.usefixtures("observed")
@given(pairs=PAIRS, repeated=st.integers(1, 400))
@example(pairs={"k": "v" * 100, "longer": "w" * 5_000}, repeated=400)
def test_baggage_is_cut_between_its_entries(pairs: dict[str, str], repeated: int) -> None:
    context = Context()
    for number in range(repeated):
        for name, value in pairs.items():
            context = baggage.set_baggage(f"{name}{number}", value * 10, context)
    written = write(context).get("baggage", "")
    assert len(written) <= LONGEST
    kept = baggage.get_all(read({"baggage": written}, Context()))
    whole = {name.strip(): value for name, value in baggage.get_all(context).items()}
    assert {name for name in kept} <= {*whole}


def test_a_long_baggage_of_an_older_propagator_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unbounded(TextMapPropagator):
        fields = {"baggage"}  # noqa: RUF012  # as the interface has it

        def extract(self, *_: Any, **__: Any) -> Context:
            raise LookupError("no such header")

        def inject(self, carrier: Any, *_: Any, **__: Any) -> None:
            carrier["baggage"] = ",".join([f"key{i:04}={'v' * 91}" for i in range(200)])

    monkeypatch.setattr(propagate, "_HTTP_TEXT_FORMAT", Unbounded())
    with observing(NO_METRICS, strict=False):
        written = inject({})["baggage"]
        with continue_trace({"traceparent": PARENT}):
            assert here() == NOWHERE
    entries = written.split(",")
    assert (len(entries), {len(entry) for entry in entries}) == (81, {99})
    assert len(written) == 8_099


def test_the_span_of_an_instrumented_framework_stays_the_current_one() -> None:
    with observing(NO_METRICS):
        with current(int(TRACE, 16), 8), continue_trace({"traceparent": PARENT}):
            assert here() == Place("", "", TRACE, f"{8:016x}")
        with current(int(TRACE, 16), 8, remote=True), continue_trace({"traceparent": PARENT}):
            assert here() == REMOTE
        with current(7, 8), continue_trace({"traceparent": PARENT}):
            assert here() == REMOTE


def test_a_continued_trace_leaves_the_context_clean() -> None:
    with observing(NO_METRICS):
        for left in (None, LookupError(), asyncio.CancelledError()):
            try:
                with continue_trace({"traceparent": PARENT}):
                    obs.step("left open").__enter__()
                    attach(Context({"left": "open"}))
                    if left is not None:
                        raise left
            except (LookupError, asyncio.CancelledError) as error:
                assert error is left
            assert here() == NOWHERE
            assert CURRENT.get() is None
            assert "left" not in get_current()


def test_a_continued_trace_that_is_left_in_another_thread_changes_nothing_there() -> None:
    with observing(NO_METRICS):
        block = continue_trace({"traceparent": PARENT})
        seen = []

        def enter() -> None:
            block.__enter__()

        def leave() -> None:
            with current(7, 8):
                block.__exit__(None, None, None)
                seen.append(here())

        for work in (enter, leave):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert seen == [Place("", "", f"{7:032x}", f"{8:016x}")]


def test_a_continued_trace_is_inert_without_init_and_within_itself() -> None:
    with continue_trace({"traceparent": PARENT}):
        assert here() == NOWHERE
    with observing(NO_METRICS):
        block = continue_trace({"traceparent": PARENT})
        with block, block:
            assert here() == REMOTE
        assert here() == NOWHERE


def test_requests_that_run_at_once_go_on_with_their_own_traces() -> None:
    async def answer(number: int) -> str:
        with continue_trace([(b"traceparent", f"00-{number:032x}-{SPAN}-01".encode())]):
            await asyncio.sleep(0)
            with obs.agent("a"):
                await asyncio.sleep(0)
                return here().trace

    async def main() -> list[str]:
        return await asyncio.gather(*map(answer, range(1, 50)))

    with observing(NO_METRICS):
        assert asyncio.run(main()) == [f"{number:032x}" for number in range(1, 50)]


def test_the_environment_of_a_program_tells_of_the_current_span(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACESTATE", "stale=1")
    monkeypatch.setenv("BAGGAGE", "stale=1")
    before = dict(os.environ)
    with observing(NO_METRICS), obs.agent("a"):
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
        copies = environment(base), environment({})
    with current(7, 8):
        copies += (environment(base),)
    assert copies == (base, {}, base)
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
    script = CHILD.format(tests=os.path.dirname(__file__))
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
print({{*pool.map_async(here_for, range(9)).get()}} == {{NOWHERE}} if 0 else pool.apply(here) == NOWHERE)
print({{executor.submit(here).result() == NOWHERE for _ in range(9)}})
pool.terminate()
executor.shutdown()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_processes_of_a_pool_inherit_no_run() -> None:
    script = FORKED.format(tests=os.path.dirname(__file__))
    command = [sys.executable, "-W", "ignore", "-c", script]  # newer Pythons warn of fork
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("True\n{True}\n", "")


LATE = """
import sys
from contextlib import ExitStack
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.threads import carry_over_threads
obs.init(serve=False)
undo, finders = ExitStack(), [*sys.meta_path]
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


UNKNOWN = """
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.headers import inject
obs.init(serve=False, strict=False)
with obs.agent("a"):
    print(sorted(inject({})), sorted(inject({})))
"""


def test_a_propagator_that_is_not_installed_is_told_once_and_w3c_is_spoken() -> None:
    environ = {**os.environ, "OTEL_PROPAGATORS": "nonsense"}
    command = [sys.executable, "-c", UNKNOWN]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.stdout == "['traceparent'] ['traceparent']\n"
    assert ran.stderr.count("error in propagation: OTEL_PROPAGATORS; it is logged once") == 1
    assert "Propagator nonsense not found" in ran.stderr


def test_a_propagator_of_the_host_is_spoken_even_if_it_comes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(TextMapPropagator):
        fields = {"X-Own"}  # noqa: RUF012  # as the interface has it

        def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Context:
            (value,) = getter.get(carrier, "X-Own") or ("0",)
            return set_span_in_context(NonRecordingSpan(SpanContext(int(value), 1, True)), context)

        def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
            carrier["X-Own"] = str(get_current_span(context).get_span_context().trace_id)

    with observing(NO_METRICS):
        with current(7, 8):
            assert inject({}) == {"traceparent": f"00-{7:032x}-{8:016x}-01"}
            monkeypatch.setattr(propagate, "_HTTP_TEXT_FORMAT", Own())
            assert inject({"x-own": "1"}) == {"X-Own": "7"}
            assert environment({"X_OWN": "1"}) == {"X_OWN": "7"}
        with continue_trace({"x-OWN": "9"}):
            assert here().trace == f"{9:032x}"
        with ExitStack() as undo:
            join_environment({"OTEL_PROPAGATORS": "own", "X_OWN": "9"}, undo)
            assert here().trace == f"{9:032x}"


def test_the_pieces_that_travel_are_small() -> None:
    with observing(NO_METRICS), obs.agent("a"):
        sent = pickle.dumps(Sent(abs, *pack(CURRENT.get(), SLOT.get())))
    assert len(sent) < 300


def test_the_default_propagators_are_those_of_the_fallback() -> None:
    assert formats._w3c().fields == propagate.get_global_textmap().fields  # noqa: SLF001  # unreachable else
    assert functools.cache is not None
