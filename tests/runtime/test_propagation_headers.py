"""HTTP headers: what is sent, what is read, and what strangers send."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections import UserDict
from contextlib import ExitStack, nullcontext
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import propagate
from opentelemetry.context import attach, get_current
from opentelemetry.context.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    get_current_span,
    set_span_in_context,
)
from propagating import NO_METRICS, PARENT, REMOTE, SPAN, TRACE, current
from propagation_work import (
    NOWHERE,
    Place,
    here,
)
from runtime_specs import observing

import autogpt_observe as obs
from autogpt_observe.runtime.propagation.environment import (
    environment,
    join_environment,
)
from autogpt_observe.runtime.propagation.formats import LONGEST
from autogpt_observe.runtime.propagation.headers import continue_trace, inject
from autogpt_observe.runtime.scopes import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        pytest.raises(TypeError, match=r"^these headers are fixed$"),
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
        pytest.raises(AttributeError, match=r"^'int' object has no attribute '__iter__'$"),
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
STRANGERS = st.one_of(
    st.dictionaries(NAME, VALUE), st.lists(st.one_of(st.tuples(NAME, VALUE), VALUE))
)


def test_no_header_of_a_stranger_raises_or_stays() -> None:
    @given(headers=STRANGERS)
    @example(headers={"traceparent": PARENT, "tracestate": "=,=," * 99, "baggage": "=;,%zz=%ff"})
    def check(headers: Any) -> None:
        before = get_current()
        with continue_trace(headers):
            with obs.agent("a"):
                sent = inject({})
            assert {"traceparent"} <= {*sent} <= {"traceparent", "tracestate", "baggage"}
            assert len(sent.get("baggage", "")) <= LONGEST
        assert get_current() is before

    with observing(NO_METRICS, strict=True):
        check()


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
            raised = nullcontext() if left is None else pytest.raises(type(left))
            with raised, continue_trace({"traceparent": PARENT}):
                obs.step("left open").__enter__()
                attach(Context({"left": "open"}))
                if left is not None:
                    raise left
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


UNKNOWN = """
import autogpt_observe as obs
from autogpt_observe.runtime.propagation.headers import inject
observer = obs.init(serve=False, strict=False)
with obs.agent("a"):
    print(sorted(inject({})), sorted(inject({})))
labels = {"place": "propagation: OTEL_PROPAGATORS"}
print(observer.registry.get_sample_value("autogpt_observe_internal_errors_total", labels))
"""


def test_a_propagator_that_is_not_installed_is_told_once_and_w3c_is_spoken() -> None:
    environ = {**os.environ, "OTEL_PROPAGATORS": "nonsense"}
    command = [sys.executable, "-c", UNKNOWN]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.stdout == "['traceparent'] ['traceparent']\n1\n"
    assert ran.stderr.count("error in propagation: OTEL_PROPAGATORS; it is logged once") == 1
    assert "Propagator nonsense not found" in ran.stderr


def test_a_propagator_of_the_host_is_spoken_even_if_it_comes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(TextMapPropagator):
        fields = {"X-Own"}  # noqa: RUF012  # as the interface has it

        def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Context:
            (value,) = getter.get(carrier, "X-Own") or ("0",)
            return set_span_in_context(
                NonRecordingSpan(SpanContext(int(value), 1, is_remote=True)), context
            )

        def inject(self, carrier: Any, context: Any = None, *_: Any, **__: Any) -> None:
            carrier["X-Own"] = str(get_current_span(context).get_span_context().trace_id)

    with observing(NO_METRICS):
        with current(7, 8):
            assert inject({}) == {"traceparent": f"00-{7:032x}-{8:016x}-01"}
            monkeypatch.setattr(propagate, "_HTTP_TEXT_FORMAT", Own())
            assert inject({"x-own": "1"}) == {"X-Own": "7"}
            assert environment({"X_OWN": "1"}) == {"X_OWN": "7"}
        for headers in ({"x-OWN": "9"}, {"HTTP_X_OWN": "9"}):
            with continue_trace(headers):
                assert here().trace == f"{9:032x}"
        with continue_trace({"x-own": "0" * LONGEST + "9"}):
            assert here() == NOWHERE
        with ExitStack() as undo:
            join_environment({"OTEL_PROPAGATORS": "own", "X_OWN": "9"}, undo)
            assert here().trace == f"{9:032x}"


def test_the_middleware_of_the_docs_goes_on_with_the_trace() -> None:
    text = (Path(__file__).parents[2] / "docs" / "propagation.md").read_text("utf-8")
    (code,) = re.findall(r"^As middleware:\n\n```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    made: dict[str, Any] = {"obs": SimpleNamespace(continue_trace=continue_trace)}
    exec(code, made)  # noqa: S102  # ours
    seen: list[Place] = []

    async def asgi(*_: object) -> None:
        await asyncio.sleep(0)
        seen.append(here())

    def wsgi(*_: object) -> Iterator[bytes]:
        seen.append(here())
        yield b"answer"

    with observing(NO_METRICS):
        asgi_scope = {"type": "http", "headers": [(b"traceparent", PARENT.encode())]}
        asyncio.run(made["Traced"](asgi)(asgi_scope, None, None))
        asyncio.run(made["Traced"](asgi)({"type": "lifespan"}, None, None))
        assert [*made["traced"](wsgi)({"HTTP_TRACEPARENT": PARENT}, None)] == [b"answer"]
        assert here() == NOWHERE
    assert seen == [REMOTE, NOWHERE, REMOTE]
