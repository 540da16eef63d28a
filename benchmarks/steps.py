"""What it costs to see one step of an agent, beside the same done by hand and beside other tools.

The step is a tool call that does nothing. Each way is a process of its own.
"""

from __future__ import annotations

from contextlib import ExitStack

from processes import Worker, open_workers
from rounds import measure
from tables import Headline, Table, format_time, format_times

OPERATIONS = 4_000
HAND = "by hand"
OURS = "`with obs.tool(...)`, own provider"
HOSTED = "`with obs.tool(...)`, the host's provider"
BARE = "bare span of the SDK"
WAYS = {
    HAND: ("steps", "by_hand"),
    OURS: ("steps", "ours"),
    "`@obs.tool`, own provider": ("steps", "ours_decorated"),
    HOSTED: ("steps", "ours_on_host"),
    "`with obs.tool(...)`, nothing exported": ("steps", "ours_unsampled"),
    "`with obs.step(...)`: a span and a counter": ("steps", "ours_step"),
    BARE: ("steps", "sdk_span"),
    "logfire: its span alone": ("peers", "logfire_span"),
    "openinference: its span alone": ("peers", "openinference_span"),
    "traceloop: its span alone": ("peers", "traceloop_span"),
    "floor: `with lock: x += 1`": ("steps", "floor_lock"),
    "floor: two clock reads, an id, an append": ("steps", "floor_record"),
}
ABOUT = """\
One tool call that does nothing, inside of a run: a span that names agent, tool and result, a
counter, a histogram of 14 buckets whose exemplar is the span. By hand means opentelemetry-sdk with
a BatchSpanProcessor, and prometheus_client with its label children bound once. All spans go to an
exporter that counts them. CPU time of the whole process, until the last span is exported, with the
garbage collector at work. Before: of 100 calls, spans, their attributes, counts, observations and
exemplars are equal; after each round, too, nothing is missing."""


def tables(rounds: int) -> list[Table]:
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(name, subject, operations=OPERATIONS))
            for name, subject in WAYS.items()
        ]
        ready, absent = open_workers(workers)
        figures = measure(ready, rounds)
    ours, hosted, hand, bare = (figures[name] for name in (OURS, HOSTED, HAND, BARE))
    own = Headline(
        "step: span, counter, histogram with exemplar; own provider",
        "<= 5 us",
        f"{format_time(ours.median)}, {format_times(ours.times(hand))} faster",
        f"by hand {format_time(hand.median)}",
    )
    limit = 1.2 * bare.median + 2_000
    on_host = Headline(
        "step on the host's own TracerProvider",
        f"<= 1.2 bare spans + 2 us: {format_time(limit)}",
        format_time(hosted.median),
        f"by hand {format_time(hand.median)}, bare span {format_time(bare.median)}",
    )
    about = f"{ABOUT} A round is {OPERATIONS:,} calls."
    return [Table("Step", about, figures, HAND, absent=absent, headlines=(own, on_host))]
