"""What it costs to see a call of a model, over the bare client, beside other tools."""

from __future__ import annotations

from contextlib import ExitStack

from processes import Worker, open_workers
from rounds import measure
from tables import Headline, Table, format_time

OPERATIONS = 150
BARE = "bare client"
OURS = "`with obs.llm(...)`"
PEERS = {
    "logfire: `instrument_openai`": ("model", "logfire"),
    "openinference: `OpenAIInstrumentor`": ("model", "openinference"),
    "traceloop: `OpenAIInstrumentor`": ("model", "traceloop"),
}
HAND = "by hand"
WAYS = {
    BARE: ("model", "bare"),
    OURS: ("model", "ours"),
    HAND: ("model", "by_hand"),
    **PEERS,
}
ABOUT = f"""\
OpenAI's client asks for a chat completion; the answer comes from inside of the process, so that
nothing waits. Ours makes a span with the usage and moves the default spec's metrics of model calls;
by hand, a span and five metrics; the others make a span, with the texts in it, as they do unless
told otherwise. What is seen costs what a way takes more than the bare client, in the same round. A
round is {OPERATIONS} calls. Before: one span of each call, and equal tokens."""


def tables(rounds: int) -> list[Table]:
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(name, subject, operations=OPERATIONS))
            for name, subject in WAYS.items()
        ]
        ready, absent = open_workers(workers)
        if BARE in absent:
            return [Table("Model call", ABOUT, {}, BARE, absent=absent)]
        figures = measure(ready, rounds)
    over = {name: figures[name].over(figures[BARE]) for name in (OURS, *PEERS) if name in figures}
    best = min((over[name] for name in PEERS if name in over), default=None)
    headline = Headline(
        "instrumented model call, over the bare client",
        "<= 60 us",
        format_time(over[OURS]),
        "-" if best is None else f"best peer {format_time(best)}",
    )
    return [
        Table("Model call", ABOUT, figures, BARE, base=BARE, absent=absent, headlines=(headline,))
    ]
