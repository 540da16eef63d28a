"""Queries of indicators: what they select, or why they can't be carried over."""

from __future__ import annotations

import pytest
from import_cases import import_texts, spec_of, told

from autogpt_observe.importers.events import InexpressibleError, indicate, indicate_ratio

W = "[{{.window}}]"


def sloth(bad: str, total: str) -> str:
    return (
        "version: prometheus/v1\nservice: shop\nslos:\n  - name: o\n    objective: 99.9\n    sli:\n"
        f"      events:\n        error_query: >-\n          {bad}\n"
        f"        total_query: >-\n          {total}\n"
    )


@pytest.mark.parametrize(
    ("bad", "total", "events"),
    [
        pytest.param(
            f'sum(rate(a{{result="error"}}{W}))',
            f"sum(rate(a{W}))",
            {"bad": {"metric": "a", "where": {"result": ["error"]}}, "total": {"metric": "a"}},
            id="equal",
        ),
        pytest.param(
            f'sum(rate(a{{result=~"error|time\\\\.out", zone="x"}}{W}))',
            f'sum(rate(a{{zone="x"}}{W}))',
            {
                "bad": {"metric": "a", "where": {"result": ["error", "time.out"], "zone": ["x"]}},
                "total": {"metric": "a", "where": {"zone": ["x"]}},
            },
            id="alternatives",
        ),
        pytest.param(
            f"(sum(increase(bad_total{{{{}}}}{W})) or on() vector(0))".replace("{{}}", ""),
            f"sum(increase(all_total{W}))",
            {"bad": {"metric": "bad_total"}, "total": {"metric": "all_total"}},
            id="no-data-is-zero",
        ),
        pytest.param(
            f'sum(rate(a{W})) - sum(rate(a{{result!="error"}}{W}))',
            f"sum(rate(a{W}))",
            {"bad": {"metric": "a", "where": {"result": ["error"]}}, "total": {"metric": "a"}},
            id="all-but-good",
        ),
        pytest.param(
            f'sum(rate(a{{code=~"50[34]"}}{W}))',
            f"sum(rate(a{W}))",
            {"bad": {"metric": "a", "where": {"code": ["503", "504"]}}, "total": {"metric": "a"}},
            id="status-codes",
        ),
    ],
)
def test_events(bad: str, total: str, events: dict[str, object]) -> None:
    assert spec_of(import_texts(sloth(bad, total)))["slos"]["o"]["events"] == events


def test_by() -> None:
    imported = import_texts(
        sloth(
            f'sum by (zone, tier) (rate(a{{result="error"}}{W}))',
            f"sum by (tier, zone) (rate(a{W}))",
        )
    )
    assert spec_of(imported)["slos"]["o"]["by"] == ["tier", "zone"]
    assert spec_of(imported)["metrics"]["a"]["labels"] == ["result", "tier", "zone"]


@pytest.mark.parametrize(
    ("bad", "total"),
    [
        pytest.param(
            f'sum(rate(t_count{W})) - sum(rate(t_bucket{{le="2.5"}}{W}))',
            f"sum(rate(t_count{W}))",
            id="count",
        ),
        pytest.param(
            f'sum(rate(t_bucket{{le="+Inf"}}{W})) - sum(rate(t_bucket{{le="2.5"}}{W}))',
            f'sum(rate(t_bucket{{le="+Inf"}}{W}))',
            id="infinite-bucket",
        ),
    ],
)
def test_latency(bad: str, total: str) -> None:
    latency = spec_of(import_texts(sloth(bad, total)))["slos"]["o"]["latency"]
    assert latency == {"metric": "t", "within": 2.5}


def test_latency_of_series_that_where_cannot_choose_is_read_from_copies() -> None:
    only = 'verb!="WATCH"'
    imported = import_texts(
        sloth(
            f'sum(rate(t_count{{{only}}}{W})) - sum(rate(t_bucket{{le="1", {only}}}{W}))',
            f"sum(rate(t_count{{{only}}}{W}))",
        )
    )
    spec = spec_of(imported)
    assert spec["slos"]["o"]["latency"] == {"metric": "slo_o", "within": 1}
    assert {name: rule["expr"] for name, rule in spec["recording_rules"].items()} == {
        "slo_o_bucket": 't_bucket{verb!="WATCH"}',
        "slo_o_sum": 't_sum{verb!="WATCH"}',
        "slo_o_count": 't_count{verb!="WATCH"}',
    }
    assert spec["metrics"]["t"]["type"] == "histogram"


def test_status_codes_are_told() -> None:
    imported = import_texts(sloth(f'sum(rate(a{{code=~"50[34]"}}{W}))', f"sum(rate(a{W}))"))
    assert told(imported) == [
        (
            'a.yml:4:11: `code=~"50[34]"` becomes the list of the registered HTTP status codes that'
            " it selects, in the objective `o` [import/changed]"
            " = add the codes of your own that nobody registered, such as 520"
        )
    ]


@pytest.mark.parametrize(
    ("bad", "total", "why"),
    [
        ("avg(rate(a[5m]))", "sum(rate(a[5m]))", "the query for bad events is no sum but `avg`"),
        (
            "sum without (x) (rate(a[5m]))",
            "sum(rate(a[5m]))",
            "the query for bad events sums `without` labels; write `by`",
        ),
        (
            "sum(rate(a[5m] offset 1h))",
            "sum(rate(a[5m]))",
            "the query for bad events looks at another time",
        ),
        (
            "sum(max_over_time(a[5m]))",
            "sum(rate(a[5m]))",
            "the query for bad events is no sum of the rates of one counter",
        ),
        (
            'sum(rate({__name__=~"a|b"}[5m]))',
            "sum(rate(a[5m]))",
            "the query for bad events names no metric",
        ),
        (
            "sum by (x) (rate(b[5m]))",
            "sum(rate(a[5m]))",
            "the two queries keep different labels",
        ),
        (
            "sum(rate(a[5m])) - sum(rate(b[5m]))",
            "sum(rate(a[5m]))",
            "good events of `b` can't be told apart in `a`",
        ),
        (
            "sum(rate(b[5m])) - sum(rate(a[5m]))",
            "sum(rate(a[5m]))",
            "it subtracts from something else than all events",
        ),
        (
            'sum(rate(a_bucket{le="1"}[5m]))',
            "sum(rate(a_count[5m]))",
            "it counts buckets, and not as good ones among all",
        ),
        (
            "sum(rate(job:a:rate[5m]))",
            "sum(rate(a[5m]))",
            "`job:a:rate` is a recorded series, and an objective reads counters",
        ),
        (
            'sum(rate(a_count[5m])) - sum(rate(a_bucket{le="fast"}[5m]))',
            "sum(rate(a_count[5m]))",
            "`fast` is no bound above zero",
        ),
        (
            'sum(rate(a_count[5m])) - sum(rate(a_bucket{le="0.50"}[5m]))',
            "sum(rate(a_count[5m]))",
            "no client writes the bound `0.50` so",
        ),
    ],
)
def test_refused_queries(bad: str, total: str, why: str) -> None:
    with pytest.raises(InexpressibleError) as caught:
        indicate("o", bad=bad, total=total)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("query", "failure", "where"),
    [
        ('sum(rate(a{r="e"}[5m])) / sum(rate(a[5m]))', True, {"r": ("e",)}),
        ('1 - sum(rate(a{r!="e"}[5m])) / sum(rate(a[5m]))', True, {"r": ("e",)}),
        ('1 - (sum(rate(a{r="e"}[5m])) / sum(rate(a[5m])))', False, {"r": ("e",)}),
        ('sum(rate(a{r!~"e|f"}[5m])) / sum(rate(a[5m]))', False, {"r": ("e", "f")}),
    ],
)
def test_shares(query: str, failure: bool, where: dict[str, tuple[str, ...]]) -> None:  # noqa: FBT001 - a case
    events = indicate_ratio("o", query, failure=failure).events
    assert events is not None
    assert (events.bad.metric, events.bad.where, events.total.where) == ("a", where, {})


def test_copies_say_what_where_cannot() -> None:
    indicator = indicate("my slo", good='sum(a{x="1", y="2"})', total='sum(a{path!~"/health.*"})')
    assert indicator.copies == {
        "slo_my_slo_bad_total": 'a{path!~"/health.*"} unless a{x="1", y="2"}',
        "slo_my_slo_total_total": 'a{path!~"/health.*"}',
    }
