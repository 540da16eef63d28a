"""What the builder makes is valid, and keeps every value to the letter."""

from __future__ import annotations

import re
import shutil
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe import promql
from autogpt_observe.promql.references import unquote_string
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.render.emit import Document

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
METRICS = NAMES.filter(lambda name: name.lower() not in {"inf", "nan"} and len(name) > 3)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['a"b', "a\\b", "a\nb", "a.b", "a|b", "(x)", "[a-z]", "$^", "{{x}}", "`", "'", "\x00", "\ufffd"]
)
WHERE = st.dictionaries(
    NAMES.filter(lambda name: name != "__name__"),
    st.lists(VALUES.filter(bool), min_size=1, max_size=3),
    max_size=3,
)
WINDOW = Duration(300_000)


@given(VALUES)
def test_quoting_keeps_a_string(value: str) -> None:
    quoted = promql.quote_string(value)
    assert unquote_string(quoted) == value
    literal = promql_parser.parse(quoted)
    assert isinstance(literal, promql_parser.StringLiteral)
    assert literal.val == value


@given(METRICS, WHERE)
def test_a_selector_keeps_its_labels(metric: str, where: dict[str, list[str]]) -> None:
    text = promql.rate(promql.selector(metric, where, window=WINDOW))
    call = promql_parser.parse(text)
    assert isinstance(call, promql_parser.Call)
    (samples,) = call.args
    selector = samples.vector_selector
    assert samples.range.total_seconds() == WINDOW.ms / 1000
    assert selector.name == metric
    assert [token.text for token in promql.metric_names(text)] == [metric]
    read = {matcher.name: matcher for matcher in selector.matchers.matchers}
    assert list(read) == list(where)
    for label, values in where.items():
        if len(values) == 1:
            assert (read[label].op, read[label].value) == (
                promql_parser.MatchOp.Equal,
                values[0],
            )
        else:
            assert read[label].op == promql_parser.MatchOp.Re
            pattern = re.compile(read[label].value, re.DOTALL)
            assert all(pattern.fullmatch(value) for value in values)
            assert not pattern.fullmatch("".join(values) + "x")


def shape(node: promql_parser.Expr) -> str:
    """An expression's operators in parentheses, all else as dots."""
    if isinstance(node, promql_parser.ParenExpr):
        return shape(node.expr)
    if isinstance(node, promql_parser.BinaryExpr):
        return f"({shape(node.lhs)} {node.op} {shape(node.rhs)})"
    return "."


@given(METRICS, METRICS, WHERE, st.lists(NAMES, max_size=3, unique=True), st.decimals(0, 10**9))
def test_whatever_is_built_is_valid(
    metric: str, other: str, where: dict[str, list[str]], by: list[str], limit: Decimal
) -> None:
    samples = promql.selector(metric, where, window=WINDOW)
    whole = promql.aggregate("sum", promql.rate(samples), by=by)
    part = promql.aggregate("max", promql.increase(promql.selector(other, {}, window=WINDOW)))
    share = promql.divide(promql.divide(part, whole), promql.quantile(Decimal("0.9"), whole))
    condition = promql.both(promql.above(share, limit), promql.at_least(whole, limit))
    assert promql.parse_error(condition) is None
    tree = promql_parser.parse(condition)
    share_shape = "((. / (. > .)) / (. > .))"
    assert shape(tree) == f"(({share_shape} > .) and (. >= .))"


def test_the_text_is_the_one_people_write() -> None:
    bad = promql.selector(
        "runs_total", {"outcome": ("error", "a.b"), "agent": ("x",)}, window=WINDOW
    )
    total = promql.selector("runs_total", {}, window=WINDOW)
    share = promql.divide(
        promql.aggregate("sum", promql.rate(bad), by=("agent",)),
        promql.aggregate("sum", promql.rate(total), by=("agent",)),
    )
    assert promql.above(share, Decimal("0.20")) == (
        r'sum by (agent) (rate(runs_total{outcome=~"error|a\\.b", agent="x"}[5m]))'
        " / (sum by (agent) (rate(runs_total[5m])) > 0) > 0.2"
    )


NASTY = (
    "plain",
    'q"uote',
    "back\\slash",
    "new\nline",
    "tab\t",
    "nul\x01",
    "é😀",
    "a.b|c(d)[e]",
    "\ufffd",
)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool; apt-get install prometheus"
)
def test_prometheus_selects_exactly_the_values(tmp_path: Path) -> None:
    series = [promql.selector("m", {"v": (value,)}) for value in NASTY]
    tests: list[Document] = [
        {
            "input_series": [{"series": name, "values": "1"} for name in series],
            "promql_expr_test": [
                {
                    "expr": promql.selector("m", {"v": wanted}),
                    "exp_samples": [{"labels": name, "value": 1} for name in expected],
                }
                for wanted, expected in [
                    *(((value,), [name]) for value, name in zip(NASTY, series, strict=True)),
                    (NASTY, series),
                    (NASTY[3:6], series[3:6]),
                ]
            ],
        }
    ]
    path = tmp_path / "tests.yml"
    path.write_text(format_yaml({"tests": tests}), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
