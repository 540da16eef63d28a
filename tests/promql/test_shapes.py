"""The labels of a result, told exactly where they are known."""

from __future__ import annotations

import pytest
from test_shapes_engine import Declared

from autogpt_observe.promql.functions import ValueKind
from autogpt_observe.promql.parser import parse
from autogpt_observe.promql.shapes import Shape, infer
from autogpt_observe.promql.values import ABSENT


def shape_of(expr: str) -> Shape:
    root = parse(expr)
    return infer(root, Declared())[id(root)]


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        ("a_total", "instance job site"),
        ("rate(a_total[5m])", "instance job site"),
        ("sum(a_total)", ""),
        ("sum by (site, job) (a_total)", "job site"),
        ("sum without (site) (a_total)", "instance job"),
        ("topk by (site) (1, a_total)", "instance job site"),
        ('count_values("v", g)', "v"),
        ("a_total / on (job, site) a_total", "job site"),
        ("a_total / ignoring (instance) a_total", "job site"),
        ("a_total / on (job) group_left () g", "instance job site"),
        ("g * on (job) group_left (site) a_total", "instance job site"),
        ("g * on (job) group_right () a_total", "instance job site"),
        ("a_total > 5", "instance job site"),
        ("5 < a_total", "instance job site"),
        ("g and on (job) a_total", "instance job"),
        ("g or a_total", "instance job site"),
        ("g unless a_total", "instance job"),
        ('absent(a_total{site="docs", job=~"a.*"})', "site"),
        ('absent_over_time(g{job="a"}[5m])', "job"),
        ("absent(sum(g))", ""),
        ("vector(1)", ""),
        ("time()", ""),
        ("scalar(g)", ""),
        ('label_replace(g, "site", "$1", "job", "(.*)")', "instance job site"),
        ("histogram_quantile(0.9, h_bucket)", "instance job site"),
        ('a_total{site=""}', "instance job"),
        ("-a_total", "instance job site"),
        ("max_over_time(sum by (job) (g)[1h:5m])", "job"),
    ],
)
def test_labels(expr: str, labels: str) -> None:
    shape = shape_of(expr)
    assert shape.rest == ABSENT
    there = sorted(label for label, values in shape.labels.items() if values != ABSENT)
    assert there == labels.split()


@pytest.mark.parametrize(
    ("expr", "values"),
    [
        ("a_total", {"docs", "web"}),
        ('a_total{site="docs"}', {"docs"}),
        ('a_total{site!="docs"}', {"web"}),
        ('a_total{site=~"d.*|x"}', {"docs"}),
        ('a_total{site="docs"} or a_total{site="web"}', {"docs", "web"}),
        ('a_total and a_total{site="web"}', {"docs", "web"}),
        ('sum by (site) (a_total) / sum by (site) (a_total{site="web"})', {"web"}),
        ('label_replace(g, "site", "fixed", "", "")', {"fixed"}),
    ],
)
def test_values_of_a_label(expr: str, values: set[str]) -> None:
    assert shape_of(expr).label("site") == frozenset(values)


@pytest.mark.parametrize(
    ("expr", "kind"),
    [
        ("g", ValueKind.INSTANT),
        ("g[5m]", ValueKind.RANGE),
        ("g[1h:5m]", ValueKind.RANGE),
        ("rate(g[5m])", ValueKind.INSTANT),
        ("1 + time()", ValueKind.SCALAR),
        ("scalar(g) * 2", ValueKind.SCALAR),
        ("g * 2", ValueKind.INSTANT),
        ('"text"', ValueKind.STRING),
        ("1 > bool 2", ValueKind.SCALAR),
        ("pi()", ValueKind.SCALAR),
        ("hour()", ValueKind.INSTANT),
    ],
)
def test_kind(expr: str, kind: ValueKind) -> None:
    assert shape_of(expr).kind is kind


@pytest.mark.parametrize(
    ("expr", "conditional", "certain"),
    [
        ("g", False, False),
        ("g > 5", True, False),
        ("g > bool 5", False, False),
        ("up >= 0", False, False),
        ("g > 5 or up", False, False),
        ("g > 5 or up == 0", True, False),
        ("g and up", True, False),
        ("g unless up", True, False),
        ("absent(g)", True, False),
        ("sum(g > 5) * 2", True, False),
        ("max_over_time((g > bool 5)[1h:])", False, False),
        ("vector(1)", False, True),
        ("vector(1) > 0", False, True),
        ("vector(1) > 1", True, False),
        ("g or vector(0)", False, True),
        ("vector(1) + vector(2)", False, True),
        ("vector(1) and vector(2)", True, False),
    ],
)
def test_whether_there_is_a_result(expr: str, conditional: bool, certain: bool) -> None:  # noqa: FBT001
    shape = shape_of(expr)
    assert (shape.conditional, shape.certain) == (conditional, certain)
