"""Layers: packs and includes below, environments above; every value keeps its origin."""

# ruff: noqa: E501 - findings are asserted as they are printed

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from spec_reading import SMALL, expected, found_in, read_files, spec_of, tree_of, walk

from autogpt_observe.diagnostics import Report
from autogpt_observe.spec import model
from autogpt_observe.spec.merge import merge, merge_environment
from autogpt_observe.spec.tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from pathlib import Path

    from autogpt_observe.spec.tree import Node

ALERT = "{when: {expr: up == 0}, severity: info, annotations: {summary: s}, allow: {alert/untested: shown only}}"
OTHER = ALERT.replace("== 0", "== 1")


def layered(below: str, above: str, folder: Path, environment: str | None = None) -> str:
    """What is found in two files, the second below the first."""
    files: dict[str, str | bytes] = {
        "observe.yaml": f"{SMALL}include: [below.yaml]\n{dedent(above)}",
        "below.yaml": dedent(below),
    }
    return found_in(read_files(files, folder, environment))


def merged(below: str, above: str) -> object:
    report = Report()
    result = _data(merge(tree_of(dedent(below)), tree_of(dedent(above)), report))
    assert report.diagnostics == ()
    return result


def _data(node: Node) -> object:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [_data(item) for item in node.items]
        case Mapping():
            return {name: _data(entry.value) for name, entry in node.entries.items()}


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        (
            "alerts: {A: {for: 1m}}",
            "alerts: {A: {severity: info}}",
            {"alerts": {"A": {"for": "1m", "severity": "info"}}},
        ),
        (
            "prometheus: {scrape: ['a:1', 'b:1']}",
            "prometheus: {scrape: ['c:1']}",
            {"prometheus": {"scrape": ["c:1"]}},
        ),
        (
            "alerts: {A: {when: {ratio: {above: 1%, window: 5m}}}}",
            "alerts: {A: {when: {ratio: {above: 2%}}}}",
            {"alerts": {"A": {"when": {"ratio": {"above": "2%"}}}}},
        ),
        (
            "alerts: {A: {when: {ratio: {above: 1%}}}}",
            "alerts: {A: {when: {expr: up}}}",
            {"alerts": {"A": {"when": {"expr": "up"}}}},
        ),
        (
            "environments: {e: {alerts: {A: {when: {expr: up}}}}}",
            "environments: {e: {alerts: {A: {when: {ratio: {}}, for: 1m}}}}",
            {"environments": {"e": {"alerts": {"A": {"when": {"ratio": {}}, "for": "1m"}}}}},
        ),
        (
            "attributes: {when: {help: a}}",
            "attributes: {when: {log: b}}",
            {"attributes": {"when": {"help": "a", "log": "b"}}},
        ),
        (
            "alerts: {when: {labels: {when: a, x: b}}}",
            "alerts: {when: {labels: {when: c}}}",
            {"alerts": {"when": {"labels": {"when": "c", "x": "b"}}}},
        ),
        ("deployment: {image: a}", "deployment: ~", {"deployment": "~"}),
        ("deployment: ~", "deployment: {image: a}", {"deployment": {"image": "a"}}),
        (
            "alerts: {A: {for: 1m}}",
            "alerts: {A: {enabled: false}}",
            {"alerts": {"A": {"for": "1m", "enabled": "false"}}},
        ),
        (
            "deployment: {image: a}",
            "deployment: {env: {enabled: false}}",
            {"deployment": {"image": "a", "env": {"enabled": "false"}}},
        ),
        ("buckets: {a: [1]}", "buckets: {b: [2]}", {"buckets": {"a": ["1"], "b": ["2"]}}),
    ],
)
def test_maps_merge_by_key_and_the_rest_is_replaced(below: str, above: str, result: object) -> None:
    assert merged(below, above) == result


def test_neither_layer_is_changed() -> None:
    below, above = tree_of("alerts: {A: {for: 1m}}"), tree_of("alerts: {A: {for: 2m}, B: {}}")
    merge(below, above, Report())
    assert _data(below) == {"alerts": {"A": {"for": "1m"}}}
    assert _data(above) == {"alerts": {"A": {"for": "2m"}, "B": {}}}


def test_every_value_keeps_its_origin(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "observe.yaml": f"{SMALL}include: [below.yaml]\nprometheus:\n  series_budget: 7\nenvironments:\n  e: {{prometheus: {{scrape: ['b:1']}}}}\n",
        "below.yaml": "prometheus:\n  scrape_interval: 30s\n  scrape: ['a:1']\n",
    }
    tree = read_files(files, tmp_path, "e").tree
    assert tree is not None
    origins = {
        ".".join(map(str, path)): str(node.at).removeprefix(f"{tmp_path}/")
        for path, node in walk(tree)
        if isinstance(node, Scalar) and path[0] in ("prometheus", "service")
    }
    assert origins == {
        "prometheus.scrape_interval": "below.yaml:2:20",
        "prometheus.scrape.0": "observe.yaml:7:29",
        "prometheus.series_budget": "observe.yaml:5:18",
        "service.name": "observe.yaml:2:17",
        "service.owner": "observe.yaml:2:33",
        "service.environment": "observe.yaml:7:6",
    }


def test_a_finding_points_to_the_layer_it_is_about(tmp_path: Path) -> None:
    found = layered(
        "alerts: {A: {for: 5, severity: info}}", "alerts: {A: {severity: wrning}}", tmp_path
    )
    places = [line.split(": ")[0] for line in found.split("\n") if " error: " in line]
    assert places == [
        "below.yaml:1:19",
        "observe.yaml:4:10",
        "observe.yaml:4:10",
        "observe.yaml:4:24",
    ]


def test_a_map_of_two_layers_stands_where_the_upper_one_does(tmp_path: Path) -> None:
    found = layered(
        "prometheus: {series_budget: {a: 1}}", "prometheus: {series_budget: {b: 1}}", tmp_path
    )
    assert found.split("\n")[0] == (
        "observe.yaml:4:29: error: `series_budget`: expected a whole number, got a map [spec/type]"
    )


def test_enabled_false_removes_and_a_later_layer_brings_back(tmp_path: Path) -> None:
    text = f"{SMALL}alerts: {{A: {ALERT}}}\nenvironments: {{off: {{alerts: {{A: {{enabled: false}}}}}}}}\n"
    assert list(spec_of(text).alerts) == ["A"]
    assert list(spec_of(text, environment="off").alerts) == []
    files: dict[str, str | bytes] = {
        "observe.yaml": f"{SMALL}include: [b.yaml]\nalerts: {{A: {{enabled: true}}}}\n",
        "b.yaml": "include: [c.yaml]\nalerts: {A: {enabled: false}}\n",
        "c.yaml": f"alerts: {{A: {ALERT}}}\n",
    }
    spec = read_files(files, tmp_path).spec
    assert spec is not None
    assert list(spec.alerts) == ["A"]


def test_enabled_false_with_a_slip_in_the_name(tmp_path: Path) -> None:
    assert layered(
        f"alerts: {{Slow: {ALERT}}}", "alerts: {Slwo: {enabled: false}}", tmp_path
    ) == expected(
        """
        observe.yaml:4:10: error: `enabled: false` removes nothing: there is no `Slwo` below [merge/removes-nothing]
            4 | alerts: {Slwo: {enabled: false}}
              |          ^^^^
          = did you mean `Slow`?
        """
    )


@pytest.mark.parametrize(
    "above",
    [
        f"alerts: {{B: {ALERT.replace('{when', '{enabled: false, when')}}}",
        f"alerts: {{B: {{enabled: true, for: 1m, {ALERT[1:]}}}",
        "environments: {e: {alerts: {Slow: {enabled: false}}}}",
        "recording_rules: {r: {expr: up, labels: {enabled: false}}}",
    ],
)
def test_what_removes_nothing_but_is_meant(above: str, tmp_path: Path) -> None:
    assert layered(f"alerts: {{Slow: {ALERT}}}", above, tmp_path) == ""


def test_a_slip_in_the_name_of_what_is_changed(tmp_path: Path) -> None:
    found = layered(f"alerts: {{Slow: {ALERT}}}", "alerts: {Slwo: {severity: info}}", tmp_path)
    assert found.startswith(
        expected(
            """
        observe.yaml:4:10: error: `Slwo` is not whole, and nothing of that name is below to change [merge/changes-nothing]
            4 | alerts: {Slwo: {severity: info}}
              |          ^^^^
          = did you mean `Slow`?
        """
        ).rstrip("\n")
    )


def test_a_whole_part_under_a_near_name_is_a_part_of_its_own(tmp_path: Path) -> None:
    assert layered(f"alerts: {{Slow: {ALERT}}}", f"alerts: {{Slows: {OTHER}}}", tmp_path) == ""


def test_environment_with_a_slip_in_what_it_removes() -> None:
    report = Report()
    base, overlay = (
        tree_of(f"alerts: {{Slow: {ALERT}}}"),
        tree_of("alerts: {Slwo: {enabled: false}}"),
    )
    merge_environment(base, "e", overlay, report)
    assert [(d.id, str(d.at), d.fix) for d in report.diagnostics] == [
        ("merge/removes-nothing", "observe.yaml:1:10", "did you mean `Slow`?")
    ]


@pytest.mark.parametrize("part", ["type", "from", "unit", "attributes", "labels", "buckets"])
def test_an_environment_keeps_the_shape_of_metrics(part: str) -> None:
    report = Report()
    base, overlay = (
        tree_of("metrics: {a_total: {help: A}}"),
        tree_of(f"metrics: {{a_total: {{{part}: x}}}}"),
    )
    merge_environment(base, "staging", overlay, report)
    assert [(d.id, d.message, str(d.at), d.fix) for d in report.diagnostics] == [
        (
            "env/metric-shape",
            f"the environment `staging` can't change `{part}` of `a_total`",
            "observe.yaml:1:21",
            "the same code emits it everywhere; change it outside of `environments`",
        )
    ]


@pytest.mark.parametrize(
    "overlay",
    [
        "{a_total: {help: B}}",
        "{a_total: {exemplars: true}}",
        "{pages_read_total: {type: counter}}",
        "{a_total: {enabled: false}}",
    ],
)
def test_what_an_environment_may_say_of_metrics(overlay: str) -> None:
    report = Report()
    merge_environment(
        tree_of("metrics: {a_total: {type: counter}}"), "e", tree_of(f"metrics: {overlay}"), report
    )
    assert report.diagnostics == ()


@pytest.mark.parametrize("section", ["version: 2", "include: [autogpt]", "environments: {}"])
def test_sections_that_no_environment_changes(section: str) -> None:
    report = Report()
    merge_environment(tree_of("a: 1"), "staging", tree_of(section), report)
    name = section.split(":", maxsplit=1)[0]
    assert [(d.id, d.message, str(d.at), d.fix) for d in report.diagnostics] == [
        (
            "env/fixed-section",
            f"the environment `staging` can't change `{name}`",
            "observe.yaml:1:1",
            "set it outside of `environments`",
        )
    ]


def test_an_environment_gives_the_service_its_name_unless_it_says_another() -> None:
    text = (
        f"{SMALL}environments: {{staging: {{}}, eu: {{service: {{environment: production-eu}}}}}}\n"
    )
    names = [spec_of(text, environment=e).service.environment for e in (None, "staging", "eu")]
    assert names == ["production", "staging", "production-eu"]


def test_an_environment_can_remove_a_section() -> None:
    text = f"{SMALL}logs: {{pattern: '%{{X:timestamp}}', date_formats: [ISO8601], elasticsearch: ['http://a'], index: i}}\nenvironments: {{e: {{logs: ~}}}}\n"
    assert isinstance(spec_of(text).logs, model.Logs)
    assert spec_of(text, environment="e").logs is None


def test_another_condition_drops_what_the_runbook_said_of_the_old_one(tmp_path: Path) -> None:
    pack = """version: 1
metrics: {q: {type: gauge, from: code, help: Q}}
alerts:
  A:
    when: {threshold: {metric: q, above: 5}}
    severity: info
    annotations: {summary: s}
    runbook: {meaning: More than five, steps: [look]}
"""
    own = f"{SMALL}include: [pack.yaml]\nalerts: {{A: {{OVER}}}}\n"
    for over, meaning in (
        ("when: {threshold: {metric: q, above: 9}}", ""),
        ("severity: warning", "More than five"),
    ):
        files: dict[str, str | bytes] = {
            "observe.yaml": own.replace("{OVER}", f"{{{over}}}"),
            "pack.yaml": pack,
        }
        spec = read_files(files, tmp_path).spec
        assert spec is not None
        (alert,) = spec.alerts.values()
        assert (alert.runbook.meaning, alert.runbook.steps) == (meaning, ("look",))
