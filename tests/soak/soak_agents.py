"""Agents that are observed for a while, and what was done, as lines of JSON.

`python soak_agents.py SECONDS STEPS_PER_SECOND LOG_FILE` prints where /metrics is, works, prints
what it did, waits for a line of input, shuts the observation down, and prints what is left.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from soak_spec import KNOWN, KNOWN_SECONDS, SPEC, STEPS

import autogpt_observe as obs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

THREADS, TASKS = 3, 6
known = obs.metric(KNOWN)
steps = obs.metric(STEPS)


class Collector(SpanExporter):
    """Counts the spans that arrive, by name; it keeps none."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.arrived.update(span.name.partition(" ")[0] for span in spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """There is nothing to close."""


class Done:
    """What one worker did."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        self.counts[what] += 1


class Pace:
    """Gives a worker its share of the rate; one that can't keep up works without pauses."""

    def __init__(self, per_second: float, until: float) -> None:
        self._interval = 1 / per_second
        self._until = until
        self._next = time.monotonic()

    def wait(self) -> float | None:
        """Seconds until the next run; None when it is time to stop."""
        now = time.monotonic()
        if now >= self._until:
            return None
        self._next = max(self._next + self._interval, now - 1)
        return max(0.0, self._next - now)


@obs.tool("web_search")
def search(question: int) -> int:
    if question % 97 == 0:
        raise TimeoutError
    return question


def take_step(done: Done, number: int) -> None:
    with obs.step("plan"):
        done.add("steps")
        steps.add()
        done.add("tools")
        try:
            search(number)
        except TimeoutError:
            done.add("tool timeouts")
        with obs.llm("gpt-4o", provider="openai") as call:
            done.add("llm")
            call.usage(input_tokens=8, output_tokens=4, usd=0.25)
        known.observe(KNOWN_SECONDS)


def sync_run(done: Done, number: int) -> None:
    with obs.agent("threaded"):
        done.add("runs")
        for each in range(5):
            take_step(done, number + each)
        if number % 7 == 0:
            raise ValueError(number)


@obs.agent("awaited")
async def async_run(done: Done, number: int) -> None:
    done.add("runs")
    for each in range(5):
        take_step(done, number + each)
        await asyncio.sleep(0)
    if number % 11 == 0:
        raise asyncio.CancelledError
    if number % 7 == 0:
        raise ValueError(number)


def conclude(done: Done, number: int, error: BaseException | None) -> None:
    """Say how a run ended: counted, and a line in the log."""
    outcome = "success" if error is None else type(error).__name__
    done.add(outcome)
    obs.log.info("concluded", number=number, outcome=outcome)


def threaded(done: Done, pace: Pace) -> None:
    number = 0
    while (seconds := pace.wait()) is not None:
        time.sleep(seconds)
        number += 1
        try:
            sync_run(done, number)
        except ValueError as error:
            conclude(done, number, error)
        else:
            conclude(done, number, None)


async def awaited(done: Done, pace: Pace) -> None:
    number = 0
    while (seconds := pace.wait()) is not None:
        await asyncio.sleep(seconds)
        number += 1
        try:
            await async_run(done, number)
        except (ValueError, asyncio.CancelledError) as error:
            conclude(done, number, error)
        else:
            conclude(done, number, None)


async def all_awaited(done: Done, paces: list[Pace]) -> None:
    await asyncio.gather(*(awaited(done, pace) for pace in paces))


def work(seconds: float, rate: float) -> Counter[str]:
    """Let all agents work; what they did."""
    until = time.monotonic() + seconds
    runs = rate / 5 / (THREADS + TASKS)
    all_done = [Done() for _ in range(THREADS + 1)]
    threads = [
        threading.Thread(target=threaded, args=(done, Pace(runs, until))) for done in all_done[1:]
    ]
    for thread in threads:
        thread.start()
    asyncio.run(all_awaited(all_done[0], [Pace(runs, until) for _ in range(TASKS)]))
    for thread in threads:
        thread.join()
    total: Counter[str] = Counter()
    for done in all_done:
        total.update(done.counts)
    return total


def held() -> dict[str, int]:
    """What this process has of the system."""
    return {
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "files": len(os.listdir("/proc/self/fd")),  # noqa: PTH208  # names are enough
    }


def left(before: dict[str, int]) -> dict[str, int]:
    """What is held in the end; the system takes a moment to see that a thread has ended."""
    deadline = time.monotonic() + 5
    while (now := held()) != before and time.monotonic() < deadline:
        time.sleep(0.01)
    return now


def say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201  # whoever started us reads it


def main() -> None:
    seconds, rate, log_file = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    os.environ["AUTOGPT_OBSERVE_LOG_OUTPUT"] = log_file
    before = held()
    collector = Collector()
    observer = obs.init(SPEC, port=0, span_exporter=collector)
    say(port=observer.port)
    start = time.monotonic()
    done = work(seconds, rate)
    took = time.monotonic() - start
    flushed = obs.flush()
    say(done=done, seconds=took, flushed=flushed, arrived=collector.arrived)
    sys.stdin.readline()  # the last scrape is done
    obs.shutdown()
    say(before=before, after=left(before), names=[thread.name for thread in threading.enumerate()])


if __name__ == "__main__":
    main()
