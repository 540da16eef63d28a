"""Forks while other threads are at work: no child waits for a thread that it does not have."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORKS = 1000

STORM = """
import os, signal, sys, threading, time, warnings
import prometheus_client as prom
import autogpt_observe as obs
from autogpt_observe.runtime.exposition.formats import negotiate
from autogpt_observe.runtime.exposition.renderer import Renderer

warnings.simplefilter("ignore")  # to fork with threads is what is tested
sys.setswitchinterval(1e-4)
FORKS, SECONDS, HOOKED = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "hooked"

registry = prom.CollectorRegistry()
host = [
    prom.Counter("host_calls", "", ["a"], registry=registry),
    prom.Histogram("host_sizes", "", ["a"], registry=registry),
    prom.Gauge("default_registry", "", ["a"]),
]
if HOOKED:
    obs.init(registry=registry, port=0)
renderers = [Renderer(each, on_error=lambda *_: None) for each in (registry, prom.REGISTRY)]
text = negotiate("")

@obs.agent
def work():
    pass

def touch(label):
    host[0].labels(label).inc()
    host[1].labels(label).observe(1)
    host[2].labels(label).set(1)

def churn(number):
    count = 0
    while True:
        count += 1
        touch(f"{number} {count % 9}")
        host[0].remove(f"{number} {count % 9}")
        work()
        if count % 20 == 0:
            renderers[count // 20 % 2].render(text)
            time.sleep(0.001)

for each in renderers:
    each.render(text)  # modules that are needed late are loaded: their locks are the interpreter's
for number in range(2):
    threading.Thread(target=churn, args=[number], daemon=True).start()

def child():
    touch("child")
    work()
    if HOOKED:
        obs.metric("autogpt_queue_depth").set(1, queue="child")
    renderers[0].render(text)
    prom.generate_latest()
    os._exit(0)

stuck = 0
for _ in range(FORKS):
    pid = os.fork()
    if pid == 0:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)  # it is killed if it waits for ever
        child()
    status = os.waitpid(pid, 0)[1]
    stuck += status == signal.SIGALRM
    assert status in (0, signal.SIGALRM), status
    if stuck == 3:
        break
print(stuck)
os._exit(0)
"""


def storm(forks: int, seconds: float, *, hooked: bool) -> int:
    """How many of the children did not come to their end."""
    arguments = [str(forks), str(seconds), "hooked" if hooked else "bare"]
    done = subprocess.run(
        [sys.executable, "-c", STORM, *arguments],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.timeout(600)  # a second or two per hundred, on a machine that has nothing else to do
def test_no_child_of_a_thousand_waits_for_ever() -> None:
    assert storm(FORKS, 20.0, hooked=True) == 0


def test_without_the_runtime_some_do() -> None:
    """Else the test above would show nothing."""
    assert storm(100, 1.0, hooked=False) > 0
