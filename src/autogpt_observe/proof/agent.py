"""The agent of the demo: ``python -m autogpt_observe.proof.agent [--spec FILE] [--env NAME]``.

It uses the runtime as any agent would. Its first line is the port of its /metrics. It runs until
its standard input ends, which also happens when the process that started it is killed; lines there
switch the fault, a model provider that does not answer.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import autogpt_observe as obs
from autogpt_observe.proof.faults import FAILING, FAULT_OFF, FAULT_ON
from autogpt_observe.spec.load import load_spec

SEARCH_SECONDS = 0.02
ANSWER_SECONDS = 0.03


class ProviderError(Exception):
    """The model provider did not answer."""


@obs.tool
def search(goal: int) -> list[str]:
    """What there is to read about a goal."""
    time.sleep(SEARCH_SECONDS)
    return [f"page {goal}.{number}" for number in range(3)]


def ask(goal: int, pages: list[str], *, broken: bool) -> str:
    """A model's answer; raises ProviderError when it is broken and this goal needs it."""
    with obs.llm("demo-model", provider="demo", window=8_000) as call:
        time.sleep(ANSWER_SECONDS)
        if broken and goal % FAILING == 0:
            call.fail("overloaded")
            raise ProviderError(f"503 Service Unavailable, while working on goal {goal}")
        call.usage(input_tokens=200 * len(pages), output_tokens=40, usd=0.001)
        return f"goal {goal} reached"


@obs.agent("demo", budget=obs.Budget(usd=0.01, tokens=2_000, steps=5))
def research(goal: int, *, broken: bool) -> str:
    """One run; raises ProviderError when the provider is broken and this goal needs it."""
    with obs.step("search"):
        pages = search(goal)
    with obs.step("answer"):
        return ask(goal, pages, broken=broken)


def main() -> None:
    """Work on one goal after the other until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", type=Path)
    parser.add_argument("--env")
    given = parser.parse_args()
    observer = obs.init(load_spec(given.spec, environment=given.env), port=0)
    print(observer.port, flush=True)  # noqa: T201 - the parent reads it
    broken, ended = threading.Event(), threading.Event()
    threading.Thread(target=_obey, args=(broken, ended), daemon=True).start()
    for goal in count(1):
        if ended.is_set():
            break
        with suppress(ProviderError):  # a failed run ends the run, not the agent
            research(goal, broken=broken.is_set())
    obs.shutdown()


def _obey(broken: threading.Event, ended: threading.Event) -> None:
    for line in sys.stdin:
        match line.strip():
            case command if command == FAULT_ON:
                broken.set()
            case command if command == FAULT_OFF:
                broken.clear()
    ended.set()


if __name__ == "__main__":
    main()
