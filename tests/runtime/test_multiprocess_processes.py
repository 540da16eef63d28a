"""Real processes that share a folder: what they count arrives, and stays when they are gone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from test_multiprocess import check, told

from autogpt_observe.runtime.multiprocess import compaction, owners
from autogpt_observe.runtime.multiprocess.shared import SharedMetrics

if TYPE_CHECKING:
    from pathlib import Path

PRELUDE = """
import http.client, json, os, signal, sys, threading, time, warnings
import autogpt_observe as obs
import prometheus_client as prom

warnings.simplefilter("ignore")  # to fork with threads is what is tested
SPEC = sys.argv[1]
host_calls = prom.Counter("host_calls", "The host's own")

@obs.agent
def work():
    pass

def scrape(observer, accept="text/plain"):
    connection = http.client.HTTPConnection(observer.host, observer.port, timeout=30)
    connection.request("GET", "/metrics", headers={"Accept": accept})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == 200, text
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")

def fork(body):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    return pid

def join(pid):
    assert os.waitpid(pid, 0)[1] == 0
"""

SPEC = """
version: 1
service: {name: crawler, owner: agents-team}
attributes: {agent: {help: Agent name, max_values: 9}}
buckets: {coarse: [1s, 1m]}
metrics:
  runs_total: {type: counter, from: run.start, attributes: [agent], help: Runs}
  run_seconds: {type: histogram, from: run.duration, unit: seconds, buckets: coarse, help: Run time}
  runs_active: {type: gauge, from: run.active, help: Runs now}
  pages_total: {type: counter, from: code, help: Pages}
  queue_depth: {type: gauge, from: code, help: Queue}
"""


def run(tmp_path: Path, code: str, *, folder: Path | None = None) -> list[str]:
    """What ``code`` prints, in a process whose values are kept in ``folder``."""
    spec = tmp_path / "observe.yaml"
    spec.write_text(SPEC)
    if folder is None:
        folder = tmp_path / "values"
        folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, str(spec)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_metrics_of_forked_children_arrive(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
observer = obs.init(SPEC, port=0)
work()
obs.metric("queue_depth").set(7)
parent = os.getpid()

def child():
    for _ in range(10):
        work()
    obs.metric("pages_total").add(5)
    obs.metric("queue_depth").set(1)
    host_calls.inc()

for pid in [fork(child) for _ in range(4)]:
    join(pid)
values = scrape(observer)
for name in ('runs_total{agent="work"}', "pages_total", "host_calls_total", "runs_active",
             "run_seconds_count", f'queue_depth{{pid="{parent}"}}'):
    print(name.replace(str(parent), "parent"), values[name])
print(sum(name.startswith("queue_depth") for name in values))
""",
    )
    assert shown == [
        'runs_total{agent="work"} 41.0',
        "pages_total 20.0",
        "host_calls_total 4.0",
        "runs_active 0.0",
        "run_seconds_count 41.0",
        'queue_depth{pid="parent"} 7.0',
        "1",
    ]


def test_child_that_is_alive_counts_until_it_is_gone(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
observer = obs.init(SPEC, port=0)
ready, tell = os.pipe()

@obs.agent
def forever():
    os.write(tell, b"x")
    signal.pause()

pids = [fork(forever) for _ in range(3)]
for _ in pids:
    os.read(ready, 1)
print(scrape(observer)["runs_active"])
for pid in pids[:2]:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
from autogpt_observe.runtime.multiprocess import shared
shared._CLEAN_UP_SECONDS = 0
values = scrape(observer)
print(values["runs_active"], values['runs_total{agent="forever"}'])
os.kill(pids[2], signal.SIGKILL)
os.waitpid(pids[2], 0)
""",
    )
    assert shown == ["3.0", "1.0 3.0"]


def test_files_do_not_pile_up_and_nothing_is_lost_or_counted_twice(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
from autogpt_observe.runtime.multiprocess import shared
shared._CLEAN_UP_SECONDS = 0
observer = obs.init(SPEC, port=0)
stop, seen = threading.Event(), []

def watch():
    while not stop.is_set():
        seen.append(float(scrape(observer).get("pages_total", 0)))

watchers = [threading.Thread(target=watch) for _ in range(2)]

def child():
    obs.metric("pages_total").add(1)

with open(os.devnull) as _:
    for watcher in watchers:
        watcher.start()
    for number in range(60):
        join(fork(child))
    stop.set()
    for watcher in watchers:
        watcher.join()
final = [float(scrape(observer)["pages_total"]) for _ in range(2)]
folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
print(final, len(seen) > 2, max(seen) <= 60)
print(sorted(name for name in os.listdir(folder) if name.startswith("counter_")
             and f"_{os.getpid()}." not in name))
print(len(os.listdir(folder)) < 20)
""",
    )
    assert shown == ["[60.0, 60.0] True True", "['counter_dead.db']", "True"]


def test_scrapes_never_see_a_count_fall(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
from autogpt_observe.runtime.multiprocess import shared
shared._CLEAN_UP_SECONDS = 0
observer = obs.init(SPEC, port=0)

def child():
    obs.metric("pages_total").add(1)

def scraper():  # another process that reads, and tidies up
    from pathlib import Path
    from autogpt_observe.runtime.exposition.formats import negotiate
    metrics = shared.SharedMetrics(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]), on_error=print)
    last, text = 0.0, negotiate("")
    for _ in range(150):
        lines = b"".join(metrics.render(text)).decode().splitlines()
        counts = [line.split()[1] for line in lines if line.startswith("pages_total ")]
        now = max(map(float, counts), default=0.0)
        assert now >= last, (last, now)
        last = now

scrapers = [fork(scraper) for _ in range(2)]
for number in range(60):
    join(fork(child))
for pid in scrapers:
    join(pid)
print(scrape(observer)["pages_total"])
""",
    )
    assert shown == ["60.0"]


def test_one_process_serves_for_all(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
import socket
with socket.socket() as taker:
    taker.bind(("127.0.0.1", 0))
    port = taker.getsockname()[1]

def worker():
    print(obs.init(SPEC, port=port).port is None, flush=True)
    obs.metric("pages_total").add(1)

ready, tell = os.pipe()
go, start = os.pipe()
def first():
    observer = obs.init(SPEC, port=port)
    os.write(tell, b"x")
    os.read(go, 1)
    print(scrape(observer)["pages_total"], flush=True)

server = fork(first)
os.close(tell)
assert os.read(ready, 1)
join(fork(worker))
os.write(start, b"x")
join(server)
print(obs.init(SPEC, port=port).port == port)  # the first is gone
""",
    )
    assert shown == ["True", "1.0", "True"]


def test_port_that_a_stranger_has_is_an_error(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
import socket
with socket.socket() as holder:
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    try:
        obs.init(SPEC, port=holder.getsockname()[1])
    except obs.UsageError as error:
        print("is taken by another program" in str(error))
""",
    )
    assert shown == ["True"]


def test_folder_that_is_missing(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        """
os.environ["PROMETHEUS_MULTIPROC_DIR"] = "/no/such/folder"
try:
    obs.init(SPEC, port=0)
except obs.UsageError as error:
    print(error)
""",
    )
    (message,) = shown
    assert message == (
        "PROMETHEUS_MULTIPROC_DIR: got '/no/such/folder', expected a folder that is there and"
        " empty when the service starts; make it before the first process starts"
    )


# --- tidying up ----------------------------------------------------------------------------------


def write(folder: Path, name: str, *entries: tuple[float, float], metric: str = "m") -> None:
    file = MmapedDict(str(folder / name))  # type: ignore[no-untyped-call]  # the library's
    for number, (value, time) in enumerate(entries):
        key = mmap_key(metric, metric, ["n"], [str(number)], "Help")
        file.write_value(key, value, time)  # type: ignore[no-untyped-call]  # the library's
    file.close()  # type: ignore[no-untyped-call]  # the library's


def dead_in(folder: Path) -> list[str]:
    return [pid for pid in "12" if (folder / f"{pid}.owner").exists()]


@pytest.fixture
def graveyard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What two dead processes, 1 and 2, and one that is alive have left."""
    for pid in (1, 2, 3):
        write(tmp_path, f"counter_{pid}.db", (pid, 0), metric="c")
        write(tmp_path, f"histogram_{pid}.db", (pid, 0), metric="s_sum")
        for mode in ("all", "liveall", "min", "max", "sum", "livesum"):
            write(tmp_path, f"gauge_{mode}_{pid}.db", (pid, 0), metric=f"g_{mode}")
        write(tmp_path, f"gauge_mostrecent_{pid}.db", (pid, 10.0 - pid), metric="g_recent")
        (tmp_path / f"{pid}.owner").write_text("x")
    monkeypatch.setattr(compaction, "find_dead", dead_in)
    return tmp_path


LEFT = [
    "autogpt-observe.lock",
    "3.owner",
    "counter_3.db",
    "counter_dead.db",
    "gauge_all_1.db",
    "gauge_all_2.db",
    "gauge_all_3.db",
    "gauge_liveall_3.db",
    "gauge_livesum_3.db",
    *(
        f"gauge_{mode}_{process}.db"
        for mode in ("max", "min", "mostrecent", "sum")
        for process in ("3", "dead")
    ),
    "histogram_3.db",
    "histogram_dead.db",
]


def numbers(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """The values in each file."""
    return {
        path.name: [
            (value, time)
            for _, value, time, _ in MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]  # the library's
        ]
        for path in folder.glob("*dead.db")
    }


MERGED = {
    "counter_dead.db": [(3.0, 0.0)],
    "histogram_dead.db": [(3.0, 0.0)],
    "gauge_min_dead.db": [(1.0, 0.0)],
    "gauge_max_dead.db": [(2.0, 0.0)],
    "gauge_sum_dead.db": [(3.0, 0.0)],
    "gauge_mostrecent_dead.db": [(1.0, 9.0)],
}


def test_what_dead_processes_leave_becomes_one_file_for_each_kind(graveyard: Path) -> None:
    compaction.clean_up(graveyard)
    assert sorted(path.name for path in graveyard.iterdir()) == sorted(LEFT)
    assert numbers(graveyard) == MERGED


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("operation", range(40))
def test_whoever_is_killed_in_the_middle_is_finished_by_the_next(
    graveyard: Path, monkeypatch: pytest.MonkeyPatch, operation: int
) -> None:
    countdown = iter(range(operation, -1, -1))
    with monkeypatch.context() as patch:
        for name in ("replace", "unlink", "write_text"):
            patch.setattr(f"pathlib.Path.{name}", dying(getattr(type(graveyard), name), countdown))
        try:
            compaction.clean_up(graveyard)
        except Killed:
            pass
        else:
            assert operation > 20, "nobody was killed"
    compaction.clean_up(graveyard)
    compaction.clean_up(graveyard)
    left = [path.name for path in graveyard.iterdir() if not path.name.endswith(".new")]
    assert sorted(left) == sorted(LEFT)
    assert numbers(graveyard) == MERGED


def dying(method: object, countdown: object) -> object:
    def call(self: Path, *arguments: object, **options: object) -> object:
        if next(countdown, 0) == 0:  # type: ignore[call-overload]  # an iterator of numbers
            raise Killed
        return method(self, *arguments, **options)  # type: ignore[operator]  # of Path

    return call


def test_dead_and_living_processes(tmp_path: Path) -> None:
    owners.sign(tmp_path)
    mine = tmp_path / f"{os.getpid()}.owner"
    started, boot, namespace = mine.read_text().split("\n")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (tmp_path / f"{child.pid}.owner").write_text(f"1\n{boot}\n{namespace}")
    (tmp_path / "nonsense.owner").write_text("")
    assert owners.find_dead(tmp_path) == [str(child.pid)]
    assert owners.find_living(tmp_path) == [os.getpid()]
    # a number that was given to another process
    mine.write_text(f"{int(started) - 1}\n{boot}\n{namespace}")
    assert sorted(owners.find_dead(tmp_path)) == sorted([str(child.pid), str(os.getpid())])
    # which goes on with the same file
    write(tmp_path, f"counter_{os.getpid()}.db", (1, 0))
    used = MmapedDict(str(tmp_path / f"counter_{os.getpid()}.db"))  # type: ignore[no-untyped-call]  # the library's
    assert owners.find_dead(tmp_path) == [str(child.pid)]
    used.close()  # type: ignore[no-untyped-call]  # the library's


def test_merge_is_the_same_before_and_after(graveyard: Path) -> None:
    for path in graveyard.glob("histogram_*"):
        path.unlink()  # it is no whole histogram
    for path in graveyard.glob("gauge_live*_[12].db"):
        path.unlink()  # they end with their process
    shared = SharedMetrics(graveyard, on_error=told)
    shared._cleaned = float("inf")  # noqa: SLF001  # not yet
    before = check(graveyard, shared)
    compaction.clean_up(graveyard)
    assert sorted(check(graveyard, shared).splitlines()) == sorted(before.splitlines())


@pytest.mark.parametrize("place", ["another namespace", "another boot"])
def test_of_another_container_its_lock_tells_whether_a_process_is_alive(
    tmp_path: Path, place: str
) -> None:
    owners.sign(tmp_path)
    lines = (tmp_path / f"{os.getpid()}.owner").read_text().split("\n")
    lines[1 if place == "another boot" else 2] = place
    path = tmp_path / "99999999.owner"
    path.write_text("\n".join(lines))
    code = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
    code += "print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        assert owners.find_dead(tmp_path) == []
        other.kill()
    assert owners.find_dead(tmp_path) == ["99999999"]
    assert owners.find_living(tmp_path) == [os.getpid()]  # the other is none that can be looked at


def test_the_state_of_an_earlier_process_of_the_same_number_is_forgotten(tmp_path: Path) -> None:
    pid = os.getpid()
    for name in ("counter", "gauge_livesum", "gauge_mostrecent"):
        write(tmp_path, f"{name}_{pid}.db", (1, 1))
    (tmp_path / f"{pid}.readings").write_bytes(b"")
    (tmp_path / f"{pid}.owner").write_text("1\nanother boot\nanother namespace")
    owners.sign(tmp_path)
    left = {f"counter_{pid}.db", f"gauge_mostrecent_{pid}.db", f"{pid}.owner"}
    assert {path.name for path in tmp_path.iterdir()} == left
    write(tmp_path, f"gauge_livesum_{pid}.db", (1, 1))
    owners.sign(tmp_path)  # once more, by the same process
    assert {path.name for path in tmp_path.iterdir()} == {*left, f"gauge_livesum_{pid}.db"}
