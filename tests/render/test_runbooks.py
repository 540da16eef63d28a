"""The pages of alerts: what they say, that it is so, and that what they offer works."""

# ruff: noqa: E501 - what a page says stands as it is printed

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from alert_specs import read
from markdown_reader import html_of
from runbook_specs import EVERY_KIND, SMALL, blocks, section, small, with_alerts
from small_specs import assert_golden, render_elsewhere

from autogpt_observe.output.tools import find_tool, install_hint
from autogpt_observe.promql import parse_error
from autogpt_observe.proof.api import is_ready
from autogpt_observe.proof.ports import on_free_port
from autogpt_observe.proof.process import Children
from autogpt_observe.render import runbooks
from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.spec.model import Spec


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Spec:
    return read(EVERY_KIND, tmp_path_factory.mktemp("spec"))


@pytest.fixture(scope="module")
def pages(spec: Spec) -> Mapping[str, str]:
    files = runbooks.render(spec)
    return {path.removeprefix("docs/runbooks/"): text for path, text in files.items()}


# --- what is rendered ------------------------------------------------------------------------


def test_every_alert_has_a_page_those_of_objectives_too(
    spec: Spec, pages: Mapping[str, str]
) -> None:
    burns = [f"AgentRunsErrorBudgetBurn{window}" for window in ("1h", "6h", "1d", "3d")]
    assert list(pages) == ["README.md", *(f"{name}.md" for name in (*spec.alerts, *burns))]


def test_no_alerts_no_pages() -> None:
    spec = small()
    assert runbooks.render(type(spec)(version=1, service=spec.service)) == {}


def test_a_small_page_is_golden() -> None:
    assert_golden("runbooks_small", runbooks.render(small()))


def test_a_full_page_is_golden(spec: Spec) -> None:
    files = runbooks.render(spec)
    kept = ("README", "Ratio", "Raw", "AgentRunsErrorBudgetBurn3d")
    assert_golden("runbooks_full", {p: t for p, t in files.items() if p[14:-3] in kept})


def test_pages_are_the_same_in_every_process() -> None:
    assert render_elsewhere("runbooks", "small") == repr(runbooks.render(small()))


def test_the_list_groups_alerts_by_severity(pages: Mapping[str, str]) -> None:
    index = pages["README.md"]
    assert re.findall(r"^## (\w+)$", index, re.MULTILINE) == ["Critical", "Warning", "Info"]
    assert re.findall(r"^\| \[`(\w+)`\]", section(index, "Info"), re.MULTILINE) == [
        "Level",
        "Raw",
        "Pod",
    ]
    assert (
        "| [`Raw`](Raw.md) | Slow \\| \\_site\\_ \\<`{{ $labels.site }}`> | crawl-team |" in index
    )
    assert "<td>Slow | _site_ &lt;<code>{{ $labels.site }}</code>&gt;</td>" in html_of(index)


# --- queries ---------------------------------------------------------------------------------


def test_the_query_is_that_of_the_rule(spec: Spec, pages: Mapping[str, str]) -> None:
    bundle = render_bundle(spec, only=["prometheus"])
    rules = {
        rule["alert"]: rule["expr"]
        for path, artifact in bundle.items()
        if path.endswith(".rules.yml")
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    queries = {
        path.removesuffix(".md"): blocks(section(page, "The query"), "promql")
        for path, page in pages.items()
        if path != "README.md"
    }
    assert queries == {name: [expr] for name, expr in rules.items()}
    assert len(rules) == 15


def test_every_query_is_good_and_linked_as_it_is_shown(pages: Mapping[str, str]) -> None:
    seen = 0
    for page in pages.values():
        queries = blocks(page, "promql")
        linked = [
            parse_qs(urlsplit(url).query)["g0.expr"][0]
            for url in re.findall(r"\((https://prometheus\.example/graph\?[^)]*)\)", page)
        ]
        assert linked == queries
        assert [parse_error(query) for query in queries] == [None] * len(queries)
        seen += len(queries)
    assert seen > 25


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        (
            "Ratio",
            [
                (
                    'topk(10, sum by (agent, outcome) (increase(crawler_runs_total{outcome=~"error|'
                    'empty"}[10m])))'
                ),
                (
                    'topk(10, sum by (agent, instance) (increase(crawler_runs_total{outcome=~"error|'
                    'empty"}[10m])))'
                ),
            ],
        ),
        ("Increase", ["bottomk(10, sum by (site, instance) (increase(crawler_pages_total[1h])))"]),
        ("Threshold", ["topk(10, max by (instance) (crawler_disk_used_bytes))"]),
        (
            "Quantile",
            [
                (
                    "topk(10, histogram_quantile(0.95, sum by (agent, instance, le)"
                    " (rate(crawler_run_duration_seconds_bucket[10m]))))"
                )
            ],
        ),
        (
            "Stale",
            ["bottomk(10, min by (agent, instance) (crawler_last_success_seconds))"],
        ),
        ("Absent", []),
        ("Pod", ["topk(10, max by (pod) (kube_pod_ready))"]),
        (
            "AgentRunsErrorBudgetBurn1h",
            [
                (
                    "topk(10, sum by (agent, instance)"
                    ' (increase(crawler_runs_total{outcome="error"}[5m])))'
                )
            ],
        ),
    ],
)
def test_metrics_are_broken_down_by_the_labels_that_are_left(
    pages: Mapping[str, str], name: str, queries: list[str]
) -> None:
    assert blocks(section(pages[f"{name}.md"], "Break it down"), "promql") == queries


def test_metrics_lead_to_their_reference(pages: Mapping[str, str]) -> None:
    _, _, read_ = section(pages["Raw.md"], "The query").partition("It reads:\n\n")
    assert read_ == (
        "- [`site:crawler_pages:rate5m`](../reference/metrics.md#sitecrawler_pagesrate5m): Pages"
        " per second\n"
        "- `up`: made by Prometheus itself\n"
        "- [`crawler_pages_total`](../reference/metrics.md#crawler_pages_total): Pages read \\|"
        " fetched"
    )


def test_the_series_of_a_histogram_are_the_histogram(tmp_path: Path) -> None:
    alert = (
        "{A: {when: {expr: 'rate(crawler_run_duration_seconds_count[5m]) < 1'}, severity: info,"
        " annotations: {summary: s}, allow: {alert/untested: shown on a board}}}"
    )
    page = runbooks.render(with_alerts(tmp_path, alert))["docs/runbooks/A.md"]
    assert section(page, "The query").endswith(
        "- [`crawler_run_duration_seconds`](../reference/metrics.md#crawler_run_duration_seconds):"
        " Time of runs"
    )


# --- where to look ---------------------------------------------------------------------------


def test_panels_that_show_the_metrics(spec: Spec, pages: Mapping[str, str], tmp_path: Path) -> None:
    assert section(pages["Ratio.md"], "Dashboards") == (
        "- [Runs & pages](https://grafana.example/d/crawler-runs): Runs: Runs\n"
        "- [Other](https://grafana.example/d/crawler-other)"
    )
    through_the_recorded_series = section(pages["Increase.md"], "Dashboards")
    assert through_the_recorded_series == (
        "- [Runs & pages](https://grafana.example/d/crawler-runs): Runs: Pages \\[rate\\]"
    )
    assert section(pages["Absent.md"], "Dashboards") == ""
    bundle = render_bundle(spec, only=["grafana"])
    assert json.loads(bundle["dashboards/runs.json"].text)["uid"] == "crawler-runs"
    local = read(EVERY_KIND.replace("  grafana_url: https://grafana.example/\n", ""), tmp_path)
    page = runbooks.render(local)["docs/runbooks/Rate.md"]
    assert section(page, "Dashboards") == "- [Runs & pages](../../dashboards/runs.json): Runs: Runs"


def test_logs_of_the_time_before(pages: Mapping[str, str]) -> None:
    assert section(pages["Ratio.md"], "Logs") == (
        "In Kibana, with the data view `crawler-logs-*`, over the 20m before it fired:\n\n"
        '```\nservice.name : "crawler" and error.type : *\n```\n\n'
        'Add `gen_ai.agent.name : "..."` with the value of the alert\'s label `agent`.'
    )
    assert section(pages["Raw.md"], "Logs") == (
        "In Kibana, with the data view `crawler-logs-*`, over the 15m before it fired:\n\n"
        '```\nlevel : ("ERROR" or "CRITICAL" or "FATAL")\n```'
    )


def test_without_logs_and_dashboards_the_steps_leave_them_out() -> None:
    page = runbooks.render(small())["docs/runbooks/FewPages.md"]
    assert section(page, "First steps") == (
        "1. Run the query: which series are in its result, and since when?\n"
        "2. [Break it down](#break-it-down): is it one instance, one kind, or all?"
    )
    assert section(page, "Logs") == ""


def test_related_alerts_read_the_same_metrics(pages: Mapping[str, str]) -> None:
    assert section(pages["Absent.md"], "Related alerts") == "- [`Stale`](Stale.md) (warning)"
    assert section(pages["Pod.md"], "Related alerts") == ""


def test_of_many_related_alerts_ten_are_named(tmp_path: Path) -> None:
    one = "when: {threshold: {metric: crawler_active_runs, above: %d}}, severity: info, "
    alerts = ", ".join(f"A{n}: {{{one % n}annotations: {{summary: s}}}}" for n in range(1, 16))
    files = runbooks.render(with_alerts(tmp_path, f"{{{alerts}}}"))
    lines = section(files["docs/runbooks/A3.md"], "Related alerts").splitlines()
    assert lines == [
        *(f"- [`A{n}`](A{n}.md) (info)" for n in (1, 2, *range(4, 12))),
        "- and 4 more",
    ]


# --- who is told -----------------------------------------------------------------------------


def test_receivers_by_the_routes(pages: Mapping[str, str]) -> None:
    assert section(pages["Ratio.md"], "Who is told") == (
        "- `pager` (webhook, PagerDuty); route `urgent`; only during `office`\n"
        "- `writers` (webhook), where `agent` is `writer` or `editor`; route `writers`\n\n"
        "Where these times are:\n\n"
        "- `office`: monday, 09:00-17:00 (Europe/Berlin)"
    )
    assert section(pages["Rate.md"], "Who is told") == (
        "- `writers` (webhook), where `agent` is `writer` or `editor`; route `writers`\n"
        "- `team` (Slack), for all others"
    )
    assert section(pages["Level.md"], "Who is told") == "- `team` (Slack)"


def test_without_notifications_the_page_says_so() -> None:
    page = runbooks.render(small())["docs/runbooks/FewPages.md"]
    assert section(page, "Who is told") == (
        "The spec declares no `notifications`: who is told is settled elsewhere."
    )


def test_alerts_that_silence_each_other_say_so_on_both_pages(pages: Mapping[str, str]) -> None:
    assert section(pages["Ratio.md"], "Silence") == (
        "- While it fires, [`Rate`](Rate.md) is silent for the same `agent`."
    )
    assert section(pages["Rate.md"], "Silence") == (
        "- It is silent while [`Ratio`](Ratio.md) fires for the same `agent`."
    )
    burn = section(pages["AgentRunsErrorBudgetBurn1d.md"], "Silence")
    assert burn.splitlines()[0] == (
        "- It is silent while [`AgentRunsErrorBudgetBurn1h`](AgentRunsErrorBudgetBurn1h.md) fires"
        " for the same `slo` and `agent`."
    )


def test_pages_promise_no_silence_that_alertmanager_does_not_keep(tmp_path: Path) -> None:
    loud = EVERY_KIND.replace("  default: team\n", "  default: team\n  silence_milder: false\n")
    spec = read(loud, tmp_path)
    config = yaml.safe_load(
        render_bundle(spec, only=["alertmanager"])["rules/alertmanager.yml"].text
    )
    assert [rule["target_matchers"] for rule in config["inhibit_rules"]] != []
    files = runbooks.render(spec)
    silencing = {path for path, page in files.items() if section(page, "Silence")}
    assert silencing == {"docs/runbooks/Ratio.md", "docs/runbooks/Rate.md"}


# --- tests and silences ----------------------------------------------------------------------


def test_what_the_unit_tests_see(pages: Mapping[str, str]) -> None:
    run = "The unit tests are in [`rules/tests/`](../../rules/tests/); `autogpt-observe test` runs"
    assert section(pages["Raw.md"], "How it is tested") == (
        f"{run} them.\n\n| test | what is seen |\n| --- | --- |\n| `slow` | 1m: silent, 8m: fires |"
    )
    assert section(pages["Rate.md"], "How it is tested") == (
        f"{run} them. They follow from the condition: they see it fire and stay silent."
    )
    assert section(pages["Pod.md"], "How it is tested") == (
        "No test sees it fire. The one in [`rules/tests/`](../../rules/tests/) sees what it does"
        " without any data.\n\n- `alert/untested` is waived: shown on a board, \\*only\\*"
    )


def test_the_address_in_the_alert_is_that_of_its_page(spec: Spec, pages: Mapping[str, str]) -> None:
    bundle = render_bundle(spec, only=["prometheus"])
    base = "https://github.com/example/crawler/blob/main/"
    addresses = {
        found
        for artifact in bundle.values()
        for found in re.findall(r"runbook_url: (\S+)", artifact.text)
    }
    assert addresses == {f"{base}docs/runbooks/{path}" for path in pages if path != "README.md"}


@pytest.mark.parametrize(
    ("suffix", "end"),
    [
        ("", "/FewPages"),
        (", runbook_suffix: .html", "/FewPages.html"),
        (", runbook_suffix: /", "/"),
    ],
)
def test_addresses_of_other_sites(tmp_path: Path, suffix: str, end: str) -> None:
    base = f"runbook_base_url: 'https://runbooks.example/'{suffix}"
    text = SMALL.replace("owner: agents-team", f"owner: agents-team, {base}")
    rules = render_bundle(read(text, tmp_path), only=["prometheus"])["rules/alerts.rules.yml"]
    (address,) = re.findall(r"runbook_url: (\S+)", rules.text)
    assert address.startswith("https://runbooks.example/FewPages")
    assert address.endswith(end)


def test_the_command_silences_the_alert(tmp_path: Path, servers: None) -> None:
    del servers
    amtool, server = (find_tool(name, os.environ) for name in ("amtool", "alertmanager"))
    if amtool is None or server is None:
        pytest.skip(f"amtool is missing; {install_hint('amtool')}")
    config = "{route: {receiver: a}, receivers: [{name: a}]}"
    (tmp_path / "alertmanager.yml").write_text(config, encoding="utf-8")
    with Children(tmp_path) as children:
        address = on_free_port(lambda port: _alertmanager(children, str(server), tmp_path, port))

        def run(*arguments: str) -> str:
            argv = [str(amtool), *arguments, f"--alertmanager.url=http://{address}"]
            return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

        def names(listed: str) -> list[str]:
            return sorted(alert["labels"]["alertname"] for alert in json.loads(listed))

        same = ("service=crawler", "environment=production")
        for name in ("FewPages", "Other"):
            run("alert", "add", f"alertname={name}", *same)
        text = SMALL.replace("metrics:", f"prometheus: {{alertmanagers: ['{address}']}}\nmetrics:")
        page = runbooks.render(read(text, tmp_path))["docs/runbooks/FewPages.md"]
        (command,) = blocks(section(page, "Silence it by hand"), "text")
        assert names(run("alert", "query", "--output=json")) == ["FewPages", "Other"]
        path = os.pathsep.join([str(Path(amtool).parent), os.environ["PATH"]])
        subprocess.run(
            ["sh", "-ec", command], env={"PATH": path, "HOME": str(tmp_path)}, check=True
        )
        assert names(run("alert", "query", "--output=json")) == ["Other"]


def _alertmanager(children: Children, server: str, folder: Path, port: int) -> str:
    address = f"127.0.0.1:{port}"
    flags = (f"--storage.path={folder / 'data'}", "--cluster.listen-address=")
    config = f"--config.file={folder / 'alertmanager.yml'}"
    argv = (server, config, f"--web.listen-address={address}", *flags)
    children.start("alertmanager", argv, environ=os.environ)
    until = time.monotonic() + 30
    while not is_ready(f"http://{address}") and time.monotonic() < until:
        children.check()
        time.sleep(0.1)
    return address


# --- the packaged spec -----------------------------------------------------------------------


def test_the_packaged_alerts_lead_somewhere() -> None:
    spec = load_spec()
    files = runbooks.render(spec)
    for name in ("HighErrorRate", "HighMemoryUsage", "APIRateLimitApproaching"):
        page = files[f"docs/runbooks/{name}.md"]
        assert section(page, "Break it down") != ""
        assert "[AutoGPT overview](../../dashboards/overview.json)" in section(page, "Dashboards")
    for path, page in files.items():
        if not path.endswith("README.md"):
            assert section(page, "Who is told").startswith("- `webhook` (webhook)")
            assert section(page, "First steps").startswith("1. ")
