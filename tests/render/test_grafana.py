from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml
from small_specs import assert_golden, metric, panel, render_elsewhere, small_spec

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import LabelName, MetricName, MetricSource, MetricType, Name, PromQL, Url
from autogpt_observe.render.grafana import render
from autogpt_observe.render.grafana.layout import COLUMNS
from autogpt_observe.spec import model
from autogpt_observe.spec.model import PanelKind, Show
from autogpt_observe.units import Duration, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

METRICS = {
    MetricName("crawler_requests_total"): metric("counter", attributes=("agent", "outcome")),
    MetricName("crawler_errors_total"): metric("counter", attributes=("agent",)),
    MetricName("crawler_cost_usd_total"): metric("counter", unit="usd"),
    MetricName("crawler_tokens_total"): metric("counter", unit="tokens"),
    MetricName("crawler_received_bytes_total"): metric("counter", unit="bytes"),
    MetricName("crawler_busy_seconds_total"): metric("counter", unit="seconds"),
    MetricName("crawler_memory_bytes"): metric("gauge", unit="bytes"),
    MetricName("crawler_memory_limit_bytes"): metric("gauge", unit="bytes"),
    MetricName("crawler_cpu_ratio"): metric("gauge", unit="ratio"),
    MetricName("crawler_run_duration_seconds"): metric(
        "histogram", unit="seconds", attributes=("agent",)
    ),
    MetricName("kube_pod_status_ready"): model.Metric(
        type=MetricType.GAUGE,
        from_=MetricSource.EXTERNAL,
        help="Whether a pod is ready",
        labels=(LabelName("pod"), LabelName("condition")),
    ),
}


def spec_of(*rows: model.Row, **parts: Any) -> model.Spec:
    dashboard = model.Dashboard(title="Crawler", rows=rows, tags=("agents",))
    return small_spec(metrics=METRICS, dashboards={Name("overview"): dashboard}, **parts)


def row_of(*panels: model.Panel) -> model.Row:
    return model.Row(title="Row", panels=panels)


def panels_case() -> model.Spec:
    stat = PanelKind.STAT
    return spec_of(
        model.Row(
            title="Now",
            panels=(
                panel("Requests", "crawler_requests_total", show=Show.INCREASE, kind=stat),
                panel("CPU", "crawler_cpu_ratio", kind=stat),
                panel("Pods", "kube_pod_status_ready", kind=stat, by=("condition",)),
                panel("Spent", "crawler_cost_usd_total", show=Show.VALUE, kind=stat),
            ),
        ),
        model.Row(
            title="Traffic",
            panels=(
                panel("Requests", "crawler_requests_total", by=("agent", "outcome")),
                panel(
                    "Errors",
                    "crawler_errors_total",
                    show=Show.SHARE,
                    of="crawler_requests_total",
                    by=("agent",),
                ),
                panel("New requests", "crawler_requests_total", show=Show.INCREASE),
                panel("Duration", "crawler_run_duration_seconds", by=("agent",)),
                panel("Runs", "crawler_run_duration_seconds", show=Show.RATE),
                panel("Runs ended", "crawler_run_duration_seconds", show=Show.INCREASE),
                panel("Spending", "crawler_cost_usd_total"),
                panel("Tokens", "crawler_tokens_total"),
                panel("Received", "crawler_received_bytes_total"),
                panel("Busy", "crawler_busy_seconds_total"),
            ),
        ),
        model.Row(
            title="Process",
            panels=(
                panel("Memory", "crawler_memory_bytes"),
                panel(
                    "Memory used",
                    "crawler_memory_bytes",
                    show=Show.SHARE,
                    of="crawler_memory_limit_bytes",
                ),
                panel("CPU", "crawler_cpu_ratio", by=("instance",)),
                panel("Pods", "kube_pod_status_ready"),
                panel("Targets", expr=PromQL('up{job=~"craw.*"} == 1')),
            ),
        ),
    )


def links_case() -> model.Spec:
    rows = (row_of(panel("Errors", "crawler_errors_total")),)
    service = model.Service(
        name=Name("crawler"),
        owner=Name("agents-team"),
        runbook_base_url=Url("https://runbooks.example.org/"),
    )
    alert = model.Alert(when=PromQL("up == 0"), severity=model.Severity.CRITICAL, annotations={})
    return model.Spec(
        version=1,
        service=service,
        targets=model.Targets(grafana=Version.parse("12.2")),
        prometheus=model.Prometheus(
            scrape_interval=Duration.parse("1m30s"), evaluation_interval=Duration.parse("500ms")
        ),
        metrics=METRICS,
        alerts={Name("Down"): alert},
        dashboards={
            Name("one"): model.Dashboard(title="One", rows=rows, tags=("crawler",)),
            Name("two"): model.Dashboard(title="Two", rows=()),
        },
    )


CASES = [panels_case, links_case]


def dashboards(spec: model.Spec) -> list[dict[str, Any]]:
    return [json.loads(text) for path, text in render(spec).items() if path.endswith(".json")]


def queried(spec: model.Spec) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every panel with each of its targets."""
    for dashboard in dashboards(spec):
        for one in dashboard["panels"]:
            for target in one.get("targets", ()):
                yield one, target


def drawn(one: model.Panel) -> dict[str, Any]:
    (dashboard,) = dashboards(spec_of(row_of(one)))
    made: dict[str, Any] = dashboard["panels"][1]
    return made


def in_prometheus(expr: str) -> str:
    return expr.replace("$__rate_interval", "1m").replace("$__range", "1h")


@pytest.mark.parametrize("case", CASES)
def test_golden(case: Any) -> None:
    assert_golden(f"grafana_{case.__name__.removesuffix('_case')}", render(case()))


def test_no_dashboards_no_files() -> None:
    assert render(small_spec(metrics=METRICS)) == {}


@pytest.mark.parametrize("case", CASES)
def test_same_bytes_in_every_process(case: Any) -> None:
    assert repr(render(case())) == render_elsewhere("grafana", case.__name__)


@pytest.mark.parametrize("case", CASES)
def test_every_query_parses(case: Any) -> None:
    exprs = [target["expr"] for _, target in queried(case())]
    assert exprs
    for expr in exprs:
        promql_parser.parse(in_prometheus(expr))


@pytest.mark.parametrize(
    ("one", "expr", "unit", "legend"),
    [
        (
            panel("P", "crawler_requests_total"),
            "sum(rate(crawler_requests_total[$__rate_interval]))",
            "reqps",
            "P",
        ),
        (
            panel("P", "crawler_errors_total", by=("agent",)),
            "sum by (agent) (rate(crawler_errors_total[$__rate_interval]))",
            "cps",
            "{{agent}}",
        ),
        (
            panel("P", "crawler_cost_usd_total", show=Show.VALUE),
            "sum(crawler_cost_usd_total)",
            "currencyUSD",
            "P",
        ),
        (
            panel("P", "crawler_cost_usd_total"),
            "sum(rate(crawler_cost_usd_total[$__rate_interval]))",
            "suffix:USD/s",
            "P",
        ),
        (
            panel("P", "crawler_received_bytes_total"),
            "sum(rate(crawler_received_bytes_total[$__rate_interval]))",
            "Bps",
            "P",
        ),
        (
            panel("P", "crawler_busy_seconds_total"),
            "sum(rate(crawler_busy_seconds_total[$__rate_interval]))",
            "percentunit",
            "P",
        ),
        (
            panel("P", "crawler_received_bytes_total", show=Show.INCREASE),
            "sum(increase(crawler_received_bytes_total[$__rate_interval]))",
            "bytes",
            "P",
        ),
        (
            panel("P", "crawler_tokens_total", show=Show.INCREASE, kind=PanelKind.STAT),
            "sum(increase(crawler_tokens_total[$__range]))",
            "short",
            "P",
        ),
        (panel("P", "crawler_memory_bytes"), "crawler_memory_bytes", "bytes", "{{instance}}"),
        (
            panel("P", "crawler_memory_bytes", kind=PanelKind.STAT),
            "sum(crawler_memory_bytes)",
            "bytes",
            "P",
        ),
        (
            panel("P", "crawler_cpu_ratio", by=("instance",)),
            "avg by (instance) (crawler_cpu_ratio)",
            "percentunit",
            "{{instance}}",
        ),
        (
            panel("P", "kube_pod_status_ready"),
            "kube_pod_status_ready",
            "short",
            "{{pod}} {{condition}}",
        ),
        (
            panel("P", "crawler_run_duration_seconds", show=Show.RATE),
            "sum(rate(crawler_run_duration_seconds_count[$__rate_interval]))",
            "cps",
            "P",
        ),
        (
            panel("P", "crawler_errors_total", show=Show.SHARE, of="crawler_run_duration_seconds"),
            (
                "sum(rate(crawler_errors_total[$__rate_interval])) /"
                " (sum(rate(crawler_run_duration_seconds_count[$__rate_interval])) > 0)"
            ),
            "percentunit",
            "P",
        ),
        (
            panel("P", expr=PromQL("up"), unit=model.Unit.SECONDS),
            "up",
            "s",
            "__auto",
        ),
    ],
)
def test_a_panels_query_follows_from_metric_and_intent(
    one: model.Panel, expr: str, unit: str, legend: str
) -> None:
    made = drawn(one)
    (target,) = made["targets"]
    assert (target["expr"], made["fieldConfig"]["defaults"]["unit"], target["legendFormat"]) == (
        expr,
        unit,
        legend,
    )


def test_quantiles_keep_the_labels() -> None:
    made = drawn(panel("P", "crawler_run_duration_seconds", by=("agent",)))
    buckets = "sum by (le, agent) (rate(crawler_run_duration_seconds_bucket[$__rate_interval]))"
    assert {
        target["refId"]: (target["expr"], target["legendFormat"]) for target in made["targets"]
    } == {
        "A": (f"histogram_quantile(0.5, {buckets})", "p50 {{agent}}"),
        "B": (f"histogram_quantile(0.95, {buckets})", "p95 {{agent}}"),
        "C": (f"histogram_quantile(0.99, {buckets})", "p99 {{agent}}"),
    }


def test_only_what_looks_at_the_whole_range_is_an_instant_query() -> None:
    for _, target in queried(panels_case()):
        assert target["instant"] is ("$__range]" in target["expr"])
        assert target["range"] is not target["instant"]


def test_rates_look_back_at_least_four_scrapes() -> None:
    # $__rate_interval is max($__interval + scrape, 4 * scrape); the panel's interval is the scrape.
    spec = links_case()
    assert {one["interval"] for one, _ in queried(spec)} == {"90s"}
    sources = yaml.safe_load(render(spec)["dashboards/provisioning/datasources.yml"])
    assert sources["datasources"][0]["jsonData"]["timeInterval"] == "90s"


@pytest.mark.parametrize("case", CASES)
def test_every_panel_asks_the_chosen_data_source(case: Any) -> None:
    for dashboard in dashboards(case()):
        (variable,) = dashboard["templating"]["list"]
        assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    for one, target in queried(case()):
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        assert one["datasource"] == target["datasource"] == chosen


def test_the_provisioned_data_source_is_the_dashboards_first_choice() -> None:
    files = render(links_case())
    sources = yaml.safe_load(files["dashboards/provisioning/datasources.yml"])
    uid = sources["datasources"][0]["uid"]
    assert len(uid) <= 40
    for dashboard in dashboards(links_case()):
        assert dashboard["templating"]["list"][0]["current"]["value"] == uid


@pytest.mark.parametrize("case", CASES)
def test_panels_have_ids_of_their_own_and_do_not_overlap(case: Any) -> None:
    for dashboard in dashboards(case()):
        ids = [one["id"] for one in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
        taken = [one["gridPos"] for one in dashboard["panels"]]
        assert not [pair for pair in combinations(taken, 2) if overlap(*pair)]
        assert all(place["x"] + place["w"] <= COLUMNS for place in taken)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_alerts_of_the_service_are_drawn_as_annotations() -> None:
    (_, firing) = dashboards(links_case())[0]["annotations"]["list"]
    assert firing["target"]["expr"] == 'ALERTS{alertstate="firing", service="crawler"}'
    assert len(dashboards(panels_case())[0]["annotations"]["list"]) == 1


def test_links_lead_to_runbooks_and_sibling_dashboards() -> None:
    runbooks, siblings = dashboards(links_case())[0]["links"]
    assert runbooks["url"] == "https://runbooks.example.org/"
    assert set(siblings["tags"]) <= set(dashboards(links_case())[1]["tags"])
    assert dashboards(panels_case())[0]["links"] == []


@pytest.mark.parametrize(("version", "schema"), [("11.6", 41), ("12", 41), ("12.2", 42)])
def test_schema_version_is_what_that_grafana_writes(version: str, schema: int) -> None:
    targets = model.Targets(grafana=Version.parse(version))
    (dashboard,) = dashboards(spec_of(targets=targets))
    assert dashboard["schemaVersion"] == schema


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (panel("P"), "panel `P`: neither `metric` nor `expr` is set; add one"),
        (
            panel("P", "crawler_error_total"),
            (
                "panel `P`: the metric `crawler_error_total` isn't declared;"
                " did you mean `crawler_errors_total`?"
            ),
        ),
        (
            panel("P", "crawler_memory_bytes", show=Show.RATE),
            (
                "panel `P`: `crawler_memory_bytes` is a gauge, which has no `show: rate`;"
                " choose from `value`, `share`"
            ),
        ),
        (
            panel("P", "crawler_errors_total", show=Show.QUANTILES),
            (
                "panel `P`: `crawler_errors_total` is a counter, which has no `show: quantiles`;"
                " choose from `value`, `rate`, `increase`, `share`"
            ),
        ),
        (
            panel("P", "crawler_errors_total", show=Show.SHARE),
            "panel `P`: a share needs its whole; name its metric in `of`",
        ),
        (
            panel("P", "crawler_errors_total", show=Show.SHARE, of="crawler_memory_bytes"),
            (
                "panel `P`: a share of `crawler_memory_bytes` (gauge) can't be made of"
                " `crawler_errors_total` (counter); take two gauges, or two of counters and"
                " histograms"
            ),
        ),
        (
            panel(
                "P",
                "crawler_requests_total",
                show=Show.SHARE,
                of="crawler_errors_total",
                by=("agent", "outcome"),
            ),
            (
                "panel `P`: `crawler_errors_total` has no label `outcome`, so no share by it"
                " exists; take it out of `by`"
            ),
        ),
    ],
)
def test_a_panel_that_cannot_be_drawn_is_named(one: model.Panel, message: str) -> None:
    with pytest.raises(ObserveError) as caught:
        render(spec_of(row_of(one)))
    assert str(caught.value) == f"dashboards.overview: {message}"
