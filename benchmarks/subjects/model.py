"""Ways to see a call of a model: OpenAI's client, whose answers come from inside of the process."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from itertools import repeat
from typing import TYPE_CHECKING, Any

from child import Subject
from openai import DefaultHttpxClient, OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry, Counter, Histogram

import autogpt_observe as obs
from subjects.sent import QUEUE, Counting, batching

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL, PROVIDER = "gpt-4o", "openai"
SPAN = f"chat {MODEL}"
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Forty-two."},
            }
        ],
        "usage": {"prompt_tokens": 812, "completion_tokens": 5, "total_tokens": 817},
    }
).encode()
PROMPT: list[Any] = [{"role": "user", "content": "What is the answer?"}]


def _client() -> OpenAI:
    """A client that never reaches a network."""
    http: Any = __import__(DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])

    def answer(_: object) -> object:
        return http.Response(200, content=ANSWER, headers={"content-type": "application/json"})

    return OpenAI(api_key="none", http_client=http.Client(transport=http.MockTransport(answer)))


def _ask(client: OpenAI) -> Callable[[], Any]:
    create = client.chat.completions.create
    return lambda: create(model=MODEL, messages=PROMPT)


def bare() -> Subject:
    """The client, and nobody looks."""
    ask = _ask(_client())
    answers = 0

    def run(count: int) -> None:
        nonlocal answers
        for _ in repeat(None, count):
            answers += ask().usage.prompt_tokens == 812  # noqa: PLR2004  # ANSWER's

    def work() -> dict[str, object]:
        nonlocal answers
        done, answers = answers, 0
        return {"answers": done}

    return Subject(run, work)


def _metrics(registry: CollectorRegistry, calls: str, tokens: str) -> dict[str, object]:
    """What was counted since the registry was made."""
    sums: defaultdict[str, float] = defaultdict(float)
    for family in registry.collect():
        for sample in family.samples:
            if sample.name in (calls, tokens):
                sums[sample.labels.get("token_type", "calls")] += sample.value
    return {
        "input tokens of a call": sums["input"] / sums["calls"],
        "output tokens of a call": sums["output"] / sums["calls"],
    }


def by_hand() -> Subject:
    """The SDK and prometheus_client used well: a span, five metrics."""
    exporter = Counting(SPAN)
    provider = TracerProvider()
    provider.add_span_processor(batching(exporter))
    tracer = provider.get_tracer("bench")
    registry = CollectorRegistry()
    names = ("provider", "model")
    attempts = Counter("attempts", "Attempts", registry=registry)
    calls = Counter("calls", "Calls", (*names, "result"), registry=registry)
    tokens = Counter("tokens", "Tokens", (*names, "token_type"), registry=registry)
    duration = Histogram("call_seconds", "Time", names, registry=registry)
    ended = calls.labels(PROVIDER, MODEL, "ok")
    read = tokens.labels(PROVIDER, MODEL, "input")
    written = tokens.labels(PROVIDER, MODEL, "output")
    time = duration.labels(PROVIDER, MODEL).time
    ask = _ask(_client())
    beginning = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": MODEL,
    }

    def run(count: int) -> None:
        for _ in repeat(None, count):
            attempts.inc()
            with (
                time(),
                tracer.start_as_current_span(
                    SPAN, kind=SpanKind.CLIENT, attributes=beginning
                ) as span,
            ):
                usage = ask().usage
                span.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
                span.set_attribute("gen_ai.usage.output_tokens", usage.completion_tokens)
            ended.inc()
            read.inc(usage.prompt_tokens)
            written.inc(usage.completion_tokens)

    def work() -> dict[str, object]:
        provider.force_flush()
        return {"spans": exporter.take(), **_metrics(registry, "calls_total", "tokens_total")}

    return Subject(run, work)


def ours() -> Subject:
    """This package, with the default spec and its metrics of model calls."""
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(QUEUE)
    exporter = Counting(SPAN)
    observer = obs.init(serve=False, span_exporter=exporter)
    ask = _ask(_client())

    def run(count: int) -> None:
        llm = obs.llm
        for _ in repeat(None, count):
            with llm(MODEL, provider=PROVIDER) as call:
                usage = ask().usage
                call.usage(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)

    def work() -> dict[str, object]:
        assert obs.flush()
        metrics = _metrics(observer.registry, "autogpt_llm_calls_total", "autogpt_llm_tokens_total")
        return {"spans": exporter.take(), **metrics}

    return Subject(run, work)


def logfire() -> Subject:
    import logfire

    exporter = Counting("Chat Completion with {request_data[model]!r}")
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[batching(exporter)],
    )
    client = _client()
    logfire.instrument_openai(client)
    return _instrumented(client, exporter, logfire.force_flush)


def openinference() -> Subject:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    exporter = Counting("ChatCompletion")
    provider = TracerProvider()
    provider.add_span_processor(batching(exporter))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return _instrumented(_client(), exporter, provider.force_flush)


def traceloop() -> Subject:
    os.environ["TRACELOOP_TRACE_CONTENT"] = "true"
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    exporter = Counting("openai.chat")
    provider = TracerProvider()
    provider.add_span_processor(batching(exporter))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return _instrumented(_client(), exporter, provider.force_flush)


def _instrumented(client: OpenAI, exporter: Counting, flush: Callable[[], object]) -> Subject:
    ask = _ask(client)

    def run(count: int) -> None:
        for _ in repeat(None, count):
            ask()

    def work() -> dict[str, object]:
        flush()
        return {"spans": exporter.take()}

    return Subject(run, work)
