"""Sums of floats, in whatever order a Prometheus takes the series."""

from __future__ import annotations

import math
from functools import reduce
from itertools import permutations
from operator import add
from typing import TYPE_CHECKING

from alert_specs import read, run_tool, write
from hypothesis import given, settings
from hypothesis import strategies as st

from autogpt_observe.render.derive.samples import float_sums

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UNSORTED = """
version: 1
service: {name: crawler, owner: agents-team}
attributes: {code: {help: Code, values: [a, b, c, d, e, f, g]}}
metrics: {pages_total: {type: counter, from: code, attributes: [code], help: Pages}}
alerts:
"""
RATIO = """
  B%d:
    when:
      ratio:
        bad: {metric: pages_total, where: {code: [f, e, d, c, b, a]}}
        total: {metric: pages_total}
        window: %s
        above: %s
        min_events: 1
    severity: warning
    annotations: {summary: 'Share {{ $value }}'}
"""
ALERT = """
  A%d:
    when:
      rate: {metric: pages_total, where: {code: [f, e, d, c, b, a]}, window: %s, above: %s}
    severity: warning
    annotations: {summary: 'Rate {{ $value }}'}
"""


@st.composite
def few_kinds(draw: st.DrawFn) -> list[float]:
    """Up to seven values, few of them different: the rates of like series."""
    rates = st.integers(1, 10**6).map(lambda events: events / 7)
    kinds = draw(st.lists(rates, min_size=1, max_size=4, unique=True))
    return draw(st.lists(st.sampled_from(kinds), max_size=7))


def summed(values: Sequence[float]) -> float:
    return reduce(add, values, 0.0)


@settings(max_examples=100, deadline=None)
@given(few_kinds())
def test_the_sum_of_every_order_is_told(values: list[float]) -> None:
    every = {summed(order) for order in permutations(values)}
    assert float_sums(values) == every | {math.fsum(values)}


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=9, max_size=30, unique=True))
def test_of_too_many_orders_some_sums_are_told(values: list[float]) -> None:
    assert {summed(values), summed(sorted(values)), math.fsum(values)} <= float_sums(values)


def test_promtool_sums_in_one_of_these_orders(tmp_path: Path) -> None:
    """The values stand in no order, and the text shows every digit of their sum."""
    limits = ("5m", "1"), ("10m", "1"), ("1h", "33"), ("7m", "12.3")
    shares = ("5m", "0.1%"), ("10m", "0.1%"), ("1h", "10%"), ("1h", "12.3%")
    alerts = [ALERT % (n, *limit) for n, limit in enumerate(limits)]
    alerts += [RATIO % (n, *share) for n, share in enumerate(shares)]
    write(read(UNSORTED + "".join(alerts), tmp_path), tmp_path)
    for _ in range(3):  # promtool's own order differs from run to run
        told = run_tool(tmp_path, "promtool", "test", "rules", "rules/tests/alerts.yml")
        assert "SUCCESS" in told
