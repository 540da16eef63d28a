"""Agents at work for a while, with everything switched on: nothing is lost, torn or kept.

AUTOGPT_OBSERVE_SOAK_SECONDS says for how long. How many steps a second a machine reaches is
reported, never asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from soak_scrapes import Watch, find_fallen, find_torn, parse, slope
from soak_spec import KNOWN, STEPS

SECONDS = float(os.environ.get("AUTOGPT_OBSERVE_SOAK_SECONDS") or 10)
RATE = 2000
WARM = 1 / 3
"""The share of the time after which memory has to stand still."""
MOST_GROWTH = 3 * 2**20
_PROGRAM = Path(__file__).with_name("soak_agents.py")

pytestmark = [
    pytest.mark.timeout(300 + 5 * SECONDS),
    pytest.mark.skipif(sys.platform != "linux", reason="memory and threads are read from /proc"),
]


@dataclass(frozen=True)
class Soak:
    """What was seen of a soak."""

    done: dict[str, int]
    seconds: float
    arrived: dict[str, int]
    watch: Watch
    left: dict[str, Any]
    lines: list[str]

    def total(self, name: str, *labels: str) -> float:
        """The sum of a metric over the series that have all of the labels."""
        return sum(
            value
            for series, value in self.watch.last.items()
            if series.startswith(f"{name}{{") and all(label in series for label in labels)
        )


@pytest.fixture(scope="module")
def soak(tmp_path_factory: pytest.TempPathFactory) -> Soak:
    log_file = tmp_path_factory.mktemp("soak") / "agents.log"
    command = (sys.executable, str(_PROGRAM), str(SECONDS), str(RATE), str(log_file))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    environment.pop("PYTEST_CURRENT_TEST", None)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            return _observe(program, log_file)
        finally:
            program.kill()


def _observe(program: subprocess.Popen[str], log_file: Path) -> Soak:
    assert program.stdin is not None
    assert program.stdout is not None
    port = json.loads(program.stdout.readline())["port"]
    watch = Watch(program.pid, port)
    try:
        worked = json.loads(program.stdout.readline())
    finally:
        watch.stop()
    watch.look()
    program.stdin.write("\n")
    program.stdin.flush()
    left = json.loads(program.stdout.readline())
    assert program.wait(60) == 0
    assert worked["flushed"]
    lines = log_file.read_text(encoding="utf-8").splitlines()
    done, arrived = worked["done"], worked["arrived"]
    steps, seconds = done["steps"], worked["seconds"]
    print(  # noqa: T201  # shown with `-s`, as `make soak` has it
        f"soak: {steps} steps in {seconds:.0f} s, {steps / seconds:.0f} a second of {RATE};"
        f" {watch.scrapes} scrapes"
    )
    return Soak(done, seconds, arrived, watch, left, lines)


def test_no_scrape_is_torn(soak: Soak) -> None:
    assert soak.watch.scrapes > 10
    assert soak.watch.problems == []


def test_no_run_is_lost(soak: Soak) -> None:
    runs = soak.done["runs"]
    assert runs > 100
    ends = {
        "success": soak.done["success"],
        "error": soak.done["ValueError"],
        "cancelled": soak.done["CancelledError"],
    }
    assert sum(ends.values()) == runs
    assert {end: soak.total("autogpt_runs_total", f'outcome="{end}"') for end in ends} == ends
    assert soak.total("autogpt_runs_total") == runs
    assert soak.total("autogpt_requests_total") == runs
    assert soak.total("autogpt_request_duration_seconds_count") == runs
    assert soak.total("autogpt_active_agents") == 0


def test_no_step_and_no_call_is_lost(soak: Soak) -> None:
    steps = soak.done["steps"]
    assert steps == 5 * soak.done["runs"]
    counted = {
        "steps": soak.total("autogpt_steps_total"),
        "by hand": soak.total(STEPS),
        "known": soak.total(f"{KNOWN}_count"),
        "tool calls": soak.total("autogpt_tool_calls_total"),
        "tool times": soak.total("autogpt_tool_duration_seconds_count"),
        "model calls": soak.total("autogpt_llm_calls_total"),
        "input": soak.total("autogpt_llm_tokens_total", 'token_type="input"') / 8,
        "cost": soak.total("autogpt_llm_cost_usd_total") * 4,
    }
    assert counted == dict.fromkeys(counted, steps)
    timeouts = soak.total("autogpt_tool_calls_total", 'result="timeout"')
    assert timeouts == soak.done["tool timeouts"] > 0


def test_each_span_arrives_or_is_counted_as_dropped(soak: Soak) -> None:
    made = {
        "invoke_agent": soak.done["runs"],
        "step": soak.done["steps"],
        "execute_tool": soak.done["tools"],
        "chat": soak.done["llm"],
    }
    dropped = soak.total("autogpt_observe_dropped_total", 'signal="traces"')
    assert sum(soak.arrived.values()) + dropped == sum(made.values())
    for name, count in made.items():
        assert 0 < soak.arrived[name] <= count


def test_each_log_line_is_written_once(soak: Soak) -> None:
    lines = [json.loads(line) for line in soak.lines]
    assert len({line["event.id"] for line in lines}) == len(lines)
    assert [
        line for line in lines if "trace.id" not in line and "concluded" not in line["message"]
    ] == []
    written = Counter(line.get("event.action", line["message"]) for line in lines)
    assert written == {
        "run.end": soak.done["runs"],
        "concluded": soak.done["runs"],
        "failure": soak.done["ValueError"] + soak.done["tool timeouts"],
        "tool.end": soak.done["tool timeouts"],
    }


def test_nothing_went_wrong_inside(soak: Soak) -> None:
    assert soak.total("autogpt_observe_internal_errors_total") == 0
    assert soak.total("autogpt_observe_rejected_calls_total") == 0


def test_memory_stands_still(soak: Soak) -> None:
    warm = [point for point in soak.watch.memory if point[0] > WARM * soak.seconds]
    assert len(warm) > 10
    points = warm[:: len(warm) // 200 + 1]
    growth = slope(points) * (points[-1][0] - points[0][0])
    assert growth < MOST_GROWTH, f"{growth / 2**20:.1f} MiB more after {soak.done['steps']} steps"


def test_threads_and_files_are_given_back(soak: Soak) -> None:
    assert soak.left["after"] == soak.left["before"], soak.left["names"]


def test_a_torn_histogram_is_seen() -> None:
    good = (
        'a_bucket{le="1.0"} 2.0\na_bucket{le="+Inf"} 3.0\na_count 3.0\n'
        f"{KNOWN}_count 3.0\n{KNOWN}_sum 0.75\n"
    )
    assert find_torn(parse(good)) == []
    assert find_torn(parse(good.replace("a_count 3", "a_count 4"))) == [
        "a_count{}: 4.0, the last bucket 3.0"
    ]
    assert find_torn(parse(good.replace("0.75", "0.5"))) == [f"{KNOWN}: sum 0.5 of 3.0 times 0.25"]
    assert find_torn(parse(good.replace("} 2.0", "} 5.0"))) == [
        "a_count{}: buckets fall: [5.0, 3.0]"
    ]


def test_a_counter_that_falls_is_seen() -> None:
    assert find_fallen({"a_total{}": 2.0}, {"a_total{}": 1.0}) == ["a_total{}: 2.0, then 1.0"]
    assert find_fallen({"a_total{}": 2.0}, {}) == ["a_total{}: 2.0, then None"]
    assert find_fallen({"a{}": 2.0}, {"a{}": 1.0}) == []
