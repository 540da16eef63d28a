"""What is inferred of an expression holds when Prometheus' own engine evaluates it.

Some hundred random expressions over a few series whose every label value is there; promtool tells
what each gives, since none gives what the test claims to expect.
"""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import promql_parser as library
import pytest

from autogpt_observe.promql.catalogue import Series, SeriesKind
from autogpt_observe.promql.review import Purpose, Reading, read, review
from autogpt_observe.promql.tree import Binary, bare
from autogpt_observe.promql.values import ABSENT, NOT_NEGATIVE, PRESENT, SHARE, Values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TARGET: dict[str, Values] = {"job": PRESENT, "instance": PRESENT}
_SITES: dict[str, Values] = {**_TARGET, "site": frozenset({"docs", "web"})}
_LE = frozenset({"0.1", "1.0", "+Inf"})


def _series(
    name: str, kind: SeriesKind, labels: Mapping[str, Values], *, share: bool = False
) -> Series:
    return Series(
        name=name,
        kind=kind,
        labels=MappingProxyType(dict(labels)),
        rest=ABSENT,
        attributes=frozenset({"site"}),
        bounds=SHARE if share else NOT_NEGATIVE,
        interval_ms=15_000,
    )


SERIES = {
    series.name: series
    for series in (
        _series("a_total", SeriesKind.COUNTER, _SITES),
        _series("g", SeriesKind.GAUGE, _TARGET),
        _series("up", SeriesKind.GAUGE, _TARGET, share=True),
        _series("h_bucket", SeriesKind.BUCKET, {**_SITES, "le": _LE}),
        _series("h_count", SeriesKind.COUNTER, _SITES),
    )
}


class Declared:
    def find(self, name: str) -> Series | None:
        return SERIES.get(name)


class Maker:
    """Makes expressions, the same ones each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same ones each time

    def selector(self) -> str:
        pick = self._random.choice
        name = pick([*SERIES])
        labels = [label for label in SERIES[name].labels if label != "instance"]
        label = pick([*labels, ""])
        values = {"site": ["docs", "web"], "le": sorted(_LE), "job": ["api"], "": []}[label]
        if not label or self._random.random() < 0.5:
            return name
        op = pick(["=", "!=", "=~", "!~"])
        return f"{name}{{{label}{op}{json.dumps(pick([*values, '|'.join(values[:2]), '.*']))}}}"

    def vector(self, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.15:
            return self.leaf()
        pick, inner = self._random.choice, self.vector(depth - 1)
        match pick(["binary", "binary", "binary", "group", "group", "call", "limit", "relabel"]):
            case "binary":
                op = pick(["+", "-", "*", "/", ">", "<=", "== bool", "and", "or", "unless"])
                return f"({inner}) {op}{self.matching(op)} ({self.vector(depth - 1)})"
            case "group":
                op = pick(["sum", "max", "min", "avg", "count", "group", "stddev"])
                return f"{op}{pick(['', self.labels('by'), self.labels('without')])} ({inner})"
            case "call":
                function = pick(["abs", "ceil", "absent", "timestamp", "sgn", "sort", "sqrt"])
                return f"{function}({inner})"
            case "limit":
                return f"({inner}) {pick(['>', '<', '>=', '!=', '> bool'])} {pick([0, 0.5, 1, 9])}"
            case _:
                more = f'label_replace({inner}, "site", "x$1", "job", "(.*)")'
                return pick([more, f"topk(2, {inner})", f"histogram_quantile(0.9, {inner})"])

    def leaf(self) -> str:
        pick, selector = self._random.choice, self.selector()
        function = pick(["rate", "increase", "max_over_time", "sum_over_time", "count_over_time"])
        more = ["vector(1)", "vector(2)", f"absent({selector})", f"-{selector}", "hour()"]
        return pick([selector, selector, f"{function}({selector}[2m])", pick(more)])

    def labels(self, word: str) -> str:
        chosen = self._random.sample(["site", "job", "instance", "le"], self._random.randint(0, 3))
        return f" {word} ({', '.join(chosen)})"

    def matching(self, op: str) -> str:
        words = self._random.choice(["", "", self.labels("on"), self.labels("ignoring")])
        if words and op not in ("and", "or", "unless") and self._random.random() < 0.4:
            words += f" {self._random.choice(['group_left', 'group_right'])} ()"
        return words


class Outcome(NamedTuple):
    """What the engine said: an error, or samples as labels and value."""

    error: str | None
    samples: list[tuple[dict[str, str], float]]


_BLOCK = re.compile(
    r'    expr: (?P<expr>"(?:[^"\\]|\\.)*"), time: 10m,(?: err: (?P<error>.*)|\s+exp: .*\n'
    r"\s+got: (?P<got>.*))"
)
_SAMPLE = re.compile(r"(?:^|, )\{(.*?)\} (\S+?)(?=$|, \{)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def evaluate(expressions: list[str], folder: Path) -> dict[str, Outcome]:
    (folder / "rules.yml").write_text('{"groups": []}', encoding="utf-8")
    wanted = [{"labels": "never{}", "value": -12345}]
    test = {
        "interval": "15s",
        "input_series": [
            {"series": f"{name}{{{labels}}}", "values": values} for name, labels, values in DATA
        ],
        "promql_expr_test": [
            {"expr": expr, "eval_time": "10m", "exp_samples": wanted} for expr in expressions
        ],
    }
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": [test]}
    (folder / "tests.yml").write_text(json.dumps(document), encoding="utf-8")
    command = ["promtool", "test", "rules", "tests.yml"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = {}
    for block in _BLOCK.finditer(run.stdout + run.stderr):
        got = block["got"] if block["got"] not in (None, "nil") else ""
        samples = [(dict(_LABEL.findall(s[1])), float(s[2])) for s in _SAMPLE.finditer(got)]
        found[json.loads(block["expr"])] = Outcome(block["error"], samples)
    return found


def _data() -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for instance in ("one", "two"):
        target = f'job="api", instance="{instance}"'
        found += [("g", target, "3+0.1x40"), ("up", target, "1x40")]
        for site, step in (("docs", 1), ("web", 4)):
            labels = f'{target}, site="{site}"'
            found += [("a_total", labels, f"0+{step}x40"), ("h_count", labels, f"0+{4 * step}x40")]
            for count, bound in enumerate(sorted(_LE, key=float), start=1):
                values = f"0+{(count + 1) * step}x40"
                found.append(("h_bucket", f'{labels}, le="{bound}"', values))
    return found


DATA = _data()


def expressions() -> list[str]:
    maker = Maker(7)
    found: list[str] = []
    while len(found) < 600:
        text = maker.vector(3)
        try:
            library.parse(text)
        except ValueError:
            continue
        found.append(text)
    return sorted(set(found))


def reading_of(expr: str) -> Reading:
    return read(expr, Declared(), purpose=Purpose.ALERT, version=(2, 42, 0), evaluation_ms=15_000)


def breaches(expr: str, outcome: Outcome) -> list[str]:
    """What the engine gave against what was inferred; nothing if all is well."""
    reading = reading_of(expr)
    shape = reading.shape(reading.root)
    found: list[str] = []
    for labels, value in outcome.samples:
        real = {label: text for label, text in labels.items() if label != "__name__"}
        found += [
            f"`{label}` is {real.get(label, '')!r}, not in {shape.label(label)}"
            for label in {**real, **shape.labels}
            if not _allowed(shape.label(label), real.get(label, ""))
        ]
        low, high = shape.bounds
        slack = 1e-9 * max(1.0, abs(value))
        if not math.isnan(value) and not low - slack <= value <= high + slack:
            found.append(f"{value} is not in {shape.bounds}")
    if shape.certain and not outcome.samples and outcome.error is None:
        found.append("it was said to be certain")
    return found + _wrong_findings(reading, outcome)


def _allowed(values: Values, text: str) -> bool:
    if isinstance(values, frozenset):
        return text in values
    return values is not PRESENT or text != ""


def _wrong_findings(reading: Reading, outcome: Outcome) -> list[str]:
    """Findings about the last operator, which must be right: it gives nothing, or fails."""
    top = bare(reading.root)
    if not isinstance(top, Binary) or top.op == "unless" or not outcome.samples:
        return []
    start = top.op_start
    return [
        found.message
        for found in review(reading)
        if found.start == start and found.id in ("promql/matching", "alert/never-fires")
    ]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="apt-get install prometheus")
def test_the_engine_bears_out_what_is_inferred(tmp_path: Path) -> None:
    texts = expressions()
    outcomes = evaluate(texts, tmp_path)
    assert len(outcomes) > 0.95 * len(texts)
    wrong = {
        expr: found for expr, outcome in outcomes.items() if (found := breaches(expr, outcome))
    }
    assert wrong == {}
    told = [
        outcome
        for expr, outcome in outcomes.items()
        if any(found.id == "promql/matching" for found in review(reading_of(expr)))
    ]
    assert len(told) > 40
    assert sum(bool(outcome.samples) for outcome in outcomes.values()) > 150
    assert sum(outcome.error is not None for outcome in outcomes.values()) > 20
