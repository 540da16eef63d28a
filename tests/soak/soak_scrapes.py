"""Looks at a process from outside, while it works: its scrapes, its memory."""

from __future__ import annotations

import gzip
import http.client
import re
import statistics
import threading
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from soak_spec import KNOWN, KNOWN_SECONDS

FORMATS = ("text/plain", "application/openmetrics-text;version=1.0.0")
EVERY = 0.1
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*?)\})? (\S+)(?: # .*)?$")
_BOUND = re.compile(r',?le="([^"]*)"')
_PAGE = 4096


def scrape(port: int, accept: str) -> dict[str, float]:
    """The values by series, as a server shows them compressed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, response.status
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
    finally:
        connection.close()
    return parse(body.decode())


def parse(text: str) -> dict[str, float]:
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        found = _SAMPLE.match(line)
        assert found is not None, line
        name, labels, value = found.groups()
        values[f"{name}{{{labels or ''}}}"] = float(value)
    return values


def find_torn(values: dict[str, float]) -> list[str]:
    """What does not add up in the histograms of one scrape."""
    buckets: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for series, value in values.items():
        name, _, labels = series.removesuffix("}").partition("{")
        bound = _BOUND.search(labels)
        if name.endswith("_bucket") and bound is not None:
            rest = _BOUND.sub("", labels).strip(",")
            whole = f"{name.removesuffix('_bucket')}_count{{{rest}}}"
            buckets[whole].append((float(bound[1]), value))
    torn = []
    for whole, found in buckets.items():
        counts = [count for _, count in sorted(found)]
        if counts != sorted(counts):
            torn.append(f"{whole}: buckets fall: {counts}")
        if values[whole] != counts[-1]:
            torn.append(f"{whole}: {values[whole]}, the last bucket {counts[-1]}")
    total, count = values[f"{KNOWN}_sum{{}}"], values[f"{KNOWN}_count{{}}"]
    if total != count * KNOWN_SECONDS:
        torn.append(f"{KNOWN}: sum {total} of {count} times {KNOWN_SECONDS}")
    return torn


def find_fallen(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """Counters and buckets that went down or vanished between two scrapes."""
    grows = ("_total{", "_bucket{", "_count{")
    return [
        f"{series}: {value}, then {after.get(series)}"
        for series, value in before.items()
        if any(part in series for part in grows) and after.get(series, -1.0) < value
    ]


def slope(points: list[tuple[float, float]]) -> float:
    """How fast the values grow: the median of the slopes between any two points (Theil-Sen)."""
    return statistics.median(
        (y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2)
    )


def resident(pid: int) -> float:
    """Bytes of memory that a process has."""
    return float(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


class Watch:
    """Scrapes a process and reads its memory, from a thread, until it is stopped.

    Attributes:
        scrapes: how many there were.
        problems: what was wrong in them.
        memory: seconds and bytes.
    """

    def __init__(self, pid: int, port: int) -> None:
        self._pid, self._port = pid, port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.scrapes = 0
        self.problems: list[str] = []
        self.memory: list[tuple[float, float]] = []
        self.last: dict[str, float] = {}
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        try:
            while not self._stop.wait(EVERY):
                self.look()
                self.memory.append((time.monotonic() - start, resident(self._pid)))
        except Exception as error:  # noqa: BLE001  # the test is to tell
            self.problems.append(repr(error))

    def look(self) -> None:
        """Scrape once."""
        values = scrape(self._port, FORMATS[self.scrapes % len(FORMATS)])
        self.problems += find_torn(values)
        if self.scrapes:
            self.problems += find_fallen(self.last, values)
        self.last = values
        self.scrapes += 1
