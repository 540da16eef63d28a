"""Lines to files: shared by processes, changed when full, and none lost when something fails."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from log_lines import fail, logging_to, read

from autogpt_observe.runtime.logs.files import LogFile
from autogpt_observe.runtime.logs.logger import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROCESSES = 6
LINES = 3_000

HAMMER = """
import sys
from pathlib import Path
from autogpt_observe.runtime.logs.files import LogFile

def fail(place, error):
    raise SystemExit(f"{place}: {error!r}")

path, name, lines, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
file = LogFile(path, max_size=size, max_files=1000, on_error=fail)
for number in range(lines):
    filler = b"x" * (number % 300)
    data = b"".join(b"%s %d %d %s\\n" % (name.encode(), number, part, filler) for part in range(3))
    while data:
        data = data[file.write(data):]
file.close()
"""


def log_file(path: Path, *, max_size: int = 10**9, max_files: int = 5) -> LogFile:
    return LogFile(path, max_size=max_size, max_files=max_files, on_error=fail)


def write(file: LogFile, data: bytes) -> None:
    while data:
        data = data[file.write(data) :]


def numbered(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.name.startswith("log"))


def test_processes_that_share_a_file_lose_and_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    running = [
        subprocess.Popen([sys.executable, "-c", HAMMER, path, f"p{n}", str(LINES), "65536"])
        for n in range(PROCESSES)
    ]
    # meanwhile somebody else renames the file, as logrotate does
    for number in range(20):
        time.sleep(0.02)
        if path.exists():
            path.rename(tmp_path / f"log.rotated{number}")
    assert [process.wait(60) for process in running] == [0] * PROCESSES
    seen = [line for each in numbered(tmp_path) for line in each.read_bytes().splitlines()]
    expected = {
        b"p%d %d %d %s" % (n, number, part, b"x" * (number % 300))
        for n in range(PROCESSES)
        for number in range(LINES)
        for part in range(3)
    }
    assert len(seen) == len(expected)
    assert set(seen) == expected
    moved = [each for each in numbered(tmp_path) if each.name != "log"]
    assert len(moved) > 20
    assert max(each.stat().st_size for each in numbered(tmp_path)) <= 65_536


def test_each_process_finds_its_lines_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    running = [
        subprocess.Popen([sys.executable, "-c", HAMMER, path, f"p{n}", "500", "16384"])
        for n in range(3)
    ]
    assert [process.wait(60) for process in running] == [0] * 3
    oldest_first = sorted(
        numbered(tmp_path), key=lambda each: -int(each.name.partition(".")[2] or 0)
    )
    lines = [line.split() for each in oldest_first for line in each.read_bytes().splitlines()]
    for name in (b"p0", b"p1", b"p2"):
        places = [(int(line[1]), int(line[2])) for line in lines if line[0] == name]
        assert places == sorted(places)
        assert len(places) == 1500


def test_full_files_are_kept_up_to_a_number(tmp_path: Path) -> None:
    file = log_file(tmp_path / "log", max_size=10, max_files=2)
    for number in range(6):
        write(file, b"line %d\n" % number)
    assert {each.name: each.read_bytes() for each in numbered(tmp_path)} == {
        "log": b"line 5\n",
        "log.1": b"line 4\n",
        "log.2": b"line 3\n",
    }


def test_a_batch_larger_than_a_file_is_parted_between_lines(tmp_path: Path) -> None:
    file = log_file(tmp_path / "log", max_size=20, max_files=100)
    write(file, b"".join(b"line %d\n" % number for number in range(9)) + b"y" * 50 + b"\n")
    assert {each.name: each.read_bytes() for each in numbered(tmp_path)} == {
        "log": b"y" * 50 + b"\n",
        "log.1": b"line 8\n",
        "log.2": b"line 6\nline 7\n",
        "log.3": b"line 4\nline 5\n",
        "log.4": b"line 2\nline 3\n",
        "log.5": b"line 0\nline 1\n",
    }


def test_a_file_that_was_moved_or_deleted_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log"
    file = log_file(path)
    write(file, b"one\n")
    path.rename(tmp_path / "log.moved")
    write(file, b"two\n")
    assert path.read_bytes() == b"two\n"
    path.unlink()
    path.parent.rmdir()
    write(file, b"three\n")
    assert path.read_bytes() == b"three\n"
    assert (tmp_path / "log.moved").read_bytes() == b"one\n"
    path.write_bytes(b"")  # `copytruncate`
    write(file, b"four\n")
    assert path.read_bytes() == b"four\n"


def test_a_torn_line_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"half":')
    write(log_file(path), b"whole\n")
    assert path.read_bytes() == b'{"half":\nwhole\n'


def test_a_full_disk_tears_no_line_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = log_file(path)
    lines = b"".join(b"line %d\n" % number for number in range(10))
    with file_limit(30):
        done = file.write(lines)
        assert path.read_bytes() == lines[:done] == b"".join(b"line %d\n" % n for n in range(4))
        with pytest.raises(OSError, match="No space left"):
            file.write(lines[28:])
        with pytest.raises(OSError, match="No space left") as raised:
            log_file(tmp_path / "other").write(b"x" * 40 + b"\n")
        assert raised.value.errno == errno.ENOSPC
        assert (tmp_path / "other").read_bytes() == b""
    write(file, lines[done:])
    assert path.read_bytes() == lines


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """Files of this process grow no larger, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_lock_that_is_never_opened_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        write(log_file(path, max_size=1), b"second\n")  # not moved either: that needs the lock
    assert path.read_bytes() == b"first\nsecond\n"


def test_a_full_file_that_cannot_be_moved_grows_on(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "log"
    (tmp_path / "log.1").mkdir()
    (tmp_path / "log.1" / "x").touch()
    file = LogFile(path, max_size=5, max_files=1, on_error=lambda place, _: told.append(place))
    for _ in range(3):
        write(file, b"line\n")
    assert path.read_bytes() == b"line\n" * 3
    assert told == ["log rotation"]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write(log_file(path, max_size=1), b"one\ntwo\n")
    assert os.read(reader, 100) == b"one\ntwo\n"
    os.close(reader)
    assert [each.name for each in tmp_path.iterdir()] == ["log"]


# --- the whole way -------------------------------------------------------------------------------


def test_lines_wait_for_an_output_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log"
    (tmp_path / "logs").touch()  # a file where the folder has to be
    with logging_to(path) as run:
        log.info("first")
        log.info("second")
        assert not run.logs.flush(0.2)
        assert run.errors
        assert {place for place, _ in run.errors} == {"log output"}
        assert len(run.errors) < 20  # it is not tried over and over
        (tmp_path / "logs").unlink()
        assert [line["message"] for line in run.lines()] == ["first", "second"]
    assert run.drops == []


def test_what_can_never_be_written_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log"
    (tmp_path / "logs").touch()
    with logging_to(path) as run:
        for _ in range(5):
            log.info("lost")
        assert not run.logs.flush(0.1)
        log.info("lost")
        started = time.monotonic()
        run.logs.close(0.3)
        assert time.monotonic() - started < 1.5
    assert run.drops == [("output_failed", 6)]


def test_a_pipe_that_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with logging_to(path) as run:
        text = "x" * 8_000
        for _ in range(3_000):
            log.info("many", text=text)
        assert {reason for reason, _ in run.drops} == {"queue_full"}
        before = sum(count for _, count in run.drops)
        log.error("urgent", text=text)
        assert sum(count for _, count in run.drops) == before
        run.logs.close(0.1)
    assert {reason for reason, _ in run.drops} == {"queue_full", "output_failed"}
    os.close(reader)


def test_threads_lose_nothing(tmp_path: Path) -> None:
    with logging_to(tmp_path / "log") as run:

        def work(name: int) -> None:
            for number in range(2_000):
                log.info("work", thread=name, number=number)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = run.lines()
        assert run.drops == []
    seen = [(line["numeric_labels"]["thread"], line["numeric_labels"]["number"]) for line in lines]
    assert sorted(seen) == [(name, number) for name in range(8) for number in range(2_000)]
    assert len({line["event.id"] for line in lines}) == len(lines)
    for name in range(8):
        ids = [line["event.id"] for line in lines if line["numeric_labels"]["thread"] == name]
        assert ids == sorted(ids)


AT_END = """
import json, multiprocessing, os, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from log_lines import logging_to
from autogpt_observe.runtime.forks import renew_all
from autogpt_observe.runtime.logs.logger import log

os.register_at_fork(after_in_child=lambda: renew_all([]))  # as `init` does

def child(number):
    for part in range(50):
        log.info("child", number=number)

context = logging_to(Path(sys.argv[1]))
run = context.__enter__()
log.info("parent")
ways = {"returns": lambda: None, "raises": lambda: 1 / 0, "exits": lambda: sys.exit(3)}
if sys.argv[3] == "forks":
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=child, args=(n,)) for n in range(3)]
    for each in children: each.start()
    for each in children: each.join()
    pid = os.fork()
    if pid == 0:
        log.info("forked")
        sys.exit()
    os.waitpid(pid, 0)
log.info("last")
ways.get(sys.argv[3], ways["returns"])()
"""


@pytest.mark.parametrize(("way", "code"), [("returns", 0), ("raises", 1), ("exits", 3)])
def test_the_end_of_the_process_loses_nothing(tmp_path: Path, way: str, code: int) -> None:
    path = tmp_path / "log"
    assert run_script(AT_END, path, way) == code
    assert [line["message"] for line in read(path)] == ["parent", "last"]


def test_forked_children_log_as_themselves(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert run_script(AT_END, path, "forks") == 0
    lines = read(path)
    assert sorted(line["message"] for line in lines) == [
        *["child"] * 150,
        "forked",
        "last",
        "parent",
    ]
    assert len({line["process.pid"] for line in lines}) == 5
    assert len({line["event.id"] for line in lines}) == len(lines)


def run_script(script: str, path: Path, *args: str) -> int:
    here = os.path.dirname(__file__)  # noqa: PTH120  # an argument of a command
    command = [sys.executable, "-W", "ignore", "-c", script, str(path), here, *args]
    return subprocess.run(command, check=False, timeout=60, stderr=subprocess.DEVNULL).returncode


KILLED = """
import os, sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from log_lines import logging_to
from autogpt_observe.runtime.logs.logger import log

context = logging_to(Path(sys.argv[1]))
context.__enter__()
number = 0
while True:
    log.info("step", number=number)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
    time.sleep(0.002)
"""


def test_a_killed_process_loses_a_moment_at_the_most(tmp_path: Path) -> None:
    path = tmp_path / "log"
    here = os.path.dirname(__file__)  # noqa: PTH120  # as above
    command = [sys.executable, "-c", KILLED, str(path), here]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = next(int(line) for line in process.stdout if int(line) == 200)
        process.kill()
    seen = [json.loads(line)["numeric_labels"]["number"] for line in path.read_text().splitlines()]
    assert seen == list(range(len(seen)))
    assert last - len(seen) < 100  # a fifth of a second, on a machine that is busy
