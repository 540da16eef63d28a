"""What Prometheus reads only as it evaluates: promtool's engine and the checks agree on it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from autogpt_observe.promql.review import Purpose, read, review
from autogpt_observe.render.emit import format_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.promql.catalogue import Series
    from autogpt_observe.render.emit import Document

PATTERNS = (
    *("(.*)", "a|b", "", "[[:alpha:]]+", r"\pL", "(?i)x", "(?P<n>a)", "a{2}", "a{1000}", "a??"),
    *("a+?", "(a*)*", "[*+?]{2}", r"\*\*", r"a\**", "[]**]", r"\Q**\E", "a{2,}", "{x}", "a{,2}"),
    *("(", "a)", "*", "(?=a)", r"\1", "[", "a**", "a*+", "a+??", "a{2}{3}", "a{1001}", "a{1,1001}"),
    *("a{2,1}", r"\C", "a|*", "(?<=a)", r"\y", "a++", r"\Qa\E**"),
)
LABELS = ("a", "_", "__name__", "A9", "9a", "a-b", "a.b", "", "é", "a b", "a\n")


class Nothing:
    def find(self, _: str) -> Series | None:
        return None


def refused(expr: str, version: tuple[int, int, int]) -> bool:
    reading = read(expr, Nothing(), purpose=Purpose.PANEL, version=version, evaluation_ms=15_000)
    return any(found.id == "promql/syntax" for found in review(reading))


def quoted(text: str) -> str:
    return '"' + re.sub(r'[\\"]', r"\\\g<0>", text).replace("\n", r"\n") + '"'


EXPRESSIONS = [
    *(f'label_replace(x, "d", "$1", "s", {quoted(pattern)})' for pattern in PATTERNS),
    *(f"x{{s!~{quoted(pattern)}}}" for pattern in PATTERNS if pattern),
    *(f'label_replace(x, {quoted(label)}, "$1", "s", "(.*)")' for label in LABELS),
    *(f'label_join(x, {quoted(label)}, "-", "s")' for label in LABELS),
    *(f'label_join(x, "d", "-", "s", {quoted(label)})' for label in LABELS),
    *(f"count_values({quoted(label)}, x)" for label in LABELS),
]


_REFUSED = re.compile(r'    expr: ("(?:[^"\\]|\\.)*"), time: 0s, err: ')


def test_prometheus_refuses_the_same(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool; apt-get install prometheus")
    test: Document = {
        "interval": "1m",
        "input_series": [{"series": "x", "values": "1"}],
        "promql_expr_test": [{"expr": expr, "eval_time": "0s"} for expr in EXPRESSIONS],
    }
    (tmp_path / "tests.yml").write_text(format_yaml({"tests": [test]}), encoding="utf-8")
    command = ("promtool", "test", "rules", "tests.yml")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = {json.loads(expr) for expr in _REFUSED.findall(done.stdout + done.stderr)}
    assert [e for e in EXPRESSIONS if refused(e, (2, 42, 0))] == [
        e for e in EXPRESSIONS if e in said
    ]


@pytest.mark.parametrize(("label", "good"), [("a.b", True), ("é", True), ("", False)])
def test_labels_are_called_anything_since_prometheus_3(label: str, *, good: bool) -> None:
    assert refused(f'label_join(x, "{label}", "-", "s")', (3, 0, 0)) is not good
