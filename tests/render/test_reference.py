"""The reference of metrics: complete, right, and one with the runbooks that link to it."""

# ruff: noqa: E501 - what a page says stands as it is printed

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from alert_specs import read
from markdown_reader import html_of
from runbook_specs import EVERY_KIND, SMALL
from small_specs import assert_golden, render_elsewhere

from autogpt_observe.names import SIGNALS, MetricSource
from autogpt_observe.render import reference
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Spec

PATH = "docs/reference/metrics.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return reference.render(read(EVERY_KIND, tmp_path_factory.mktemp("spec")))[PATH]


def small() -> Spec:
    with TemporaryDirectory() as folder:
        return read(SMALL, Path(folder))


def facts(page: str, name: str) -> list[str]:
    """What is said of a metric or recorded series, line by line."""
    _, _, after = page.partition(f"\n### `{name}`\n\n")
    return [
        line
        for line in re.split(r"^##", after, maxsplit=1, flags=re.MULTILINE)[0].splitlines()
        if line
    ]


def test_a_small_reference_is_golden() -> None:
    assert_golden("reference_small", reference.render(small()))


def test_a_full_reference_is_golden(page: str) -> None:
    assert_golden("reference_full", {PATH: page})


def test_the_reference_is_the_same_in_every_process() -> None:
    assert render_elsewhere("reference", "small") == repr(reference.render(small()))


def test_nothing_declared_no_reference() -> None:
    spec = small()
    assert reference.render(type(spec)(version=1, service=spec.service)) == {}


def test_a_counter_with_its_labels_and_readers(page: str) -> None:
    assert facts(page, "crawler_runs_total") == [
        "Runs that ended",
        "- Type: `counter`. Only rises; starts again at 0 with its process",
        "- Moved by: `code`. The service's own code moves it: `obs.metric(...)`",
        "- Label `agent`: Agent name, as in `@obs.agent` (at most 50 values, the rest become `other`)",
        "- Label `outcome`: How a run ended (`success`, `error` or `empty`)",
        "- Read by alerts "
        + ", ".join(
            f"[`{name}`](../runbooks/{name}.md)"
            for name in (
                "Ratio",
                "Rate",
                *(f"AgentRunsErrorBudgetBurn{w}" for w in ("1h", "6h", "1d", "3d")),
            )
        )
        + "; objectives `agent-runs`; dashboards [Runs & pages](../../dashboards/runs.json)",
    ]


def test_a_histogram_with_its_buckets(page: str) -> None:
    assert facts(page, "crawler_run_duration_seconds")[2:] == [
        "- Unit: `seconds`. Time in seconds",
        "- Moved by: `code`. The service's own code moves it: `obs.metric(...)`",
        "- Label `agent`: Agent name, as in `@obs.agent` (at most 50 values, the rest become `other`)",
        "- Buckets: `run`, with the upper bounds 1, 10, 60",
        "- Exemplars: its samples carry trace ids",
        "- Read by alerts [`Quantile`](../runbooks/Quantile.md)",
    ]


def test_what_nobody_reads_says_so(tmp_path: Path) -> None:
    text = SMALL.replace(
        "alerts:", "  crawler_idle: {type: gauge, from: code, help: Idle}\nalerts:"
    )
    found = reference.render(read(text, tmp_path))[PATH]
    assert facts(found, "crawler_idle")[-1] == "- Nothing in the spec reads it"


def test_recorded_series_lead_to_what_they_read_and_back(page: str) -> None:
    assert facts(page, "site:crawler_pages:rate5m") == [
        "Pages per second",
        "```promql",
        "sum by (site) (rate(crawler_pages_total[5m]))",
        "```",
        "- Reads [`crawler_pages_total`](#crawler_pages_total)",
        "- Label `tier`: `batch`",
        "- Read by alerts [`Raw`](../runbooks/Raw.md); dashboards [Runs & pages](../../dashboards/runs.json)",
    ]
    assert facts(page, "crawler_pages_total")[-1].endswith(
        "; recording rules [`site:crawler_pages:rate5m`](#sitecrawler_pagesrate5m)"
    )


def test_the_numbers_of_series(page: str) -> None:
    series = {
        cells[1].split("`")[1]: cells[-2]
        for line in page.splitlines()
        if line.startswith("| [`")
        and len(cells := line.split(" | "))
        and (cells := ["", *line.removeprefix("| ").removesuffix(" |").split(" | "), ""])
    }
    assert series == {
        "crawler_runs_total": "153",  # 51 agents, 3 outcomes
        "crawler_pages_total": "no limit",
        "crawler_run_duration_seconds": "306",  # 51 agents; 3 buckets, `+Inf`, sum and count
        "crawler_disk_used_bytes": "1",
        "crawler_disk_size_bytes": "1",
        "crawler_active_runs": "51",
        "crawler_last_success_seconds": "51",
        "kube_pod_ready": "not ours",
    }
    assert "563 and those without limit in all. The budget of the whole service is 20,000." in page


def test_the_attributes_with_their_other_names(page: str) -> None:
    cells = re.findall(r"<td>(.*?)</td>", html_of(page).split("The attributes</h2>")[1])
    assert [cells[n : n + 5] for n in range(0, 18, 6)] == [
        [
            "<code>agent</code>",
            "Agent name, as in <code>@obs.agent</code>",
            "at most 50 values, the rest become <code>other</code>",
            "-",
            "<code>gen_ai.agent.name</code>",
        ],
        [
            "<code>outcome</code>",
            "How a run ended",
            "<code>success</code>, <code>error</code> or <code>empty</code>",
            "<code>run.outcome</code>",
            "-",
        ],
        ["<code>site</code>", "Site that was read", "any value", "-", "-"],
    ]


def test_the_packaged_metrics_say_what_moves_them() -> None:
    spec = load_spec()
    found = reference.render(spec)[PATH]
    moved = 0
    for name, metric in spec.metrics.items():
        if metric.from_ in SIGNALS:
            assert f"- Moved by: `{metric.from_}`. {SIGNALS[metric.from_].help}" in facts(
                found, name
            )
            moved += metric.from_ is not MetricSource.CODE
    assert moved >= 8
