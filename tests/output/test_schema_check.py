from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest
from good_bundle import BUNDLE, RULES

from autogpt_observe.output.schema_check import SCHEMAS, check_schemas


@pytest.mark.parametrize("schema", sorted({name for _, name in SCHEMAS}))
def test_the_schemas_are_schemas(schema: str) -> None:
    file = resources.files("autogpt_observe.output").joinpath("schemas", f"{schema}.json")
    jsonschema.Draft202012Validator.check_schema(json.loads(file.read_text()))


@pytest.mark.parametrize(
    "path",
    [
        "rules/deep/a.rules.yml",
        "rules/other.yml",
        "dashboards/x.yml",
        "dashboards/x.json/y.json",
        "pipelines/a.json",
        "b.yaml",
    ],
)
def test_a_file_that_no_schema_covers_is_a_failure(path: str) -> None:
    assert check_schemas({path: "{}"}) == [f"{path}: no schema covers {path}"]


RULES_PATH, TESTS_PATH = "rules/alerts.rules.yml", "rules/tests/down.yml"
BOARD_PATH, KUBERNETES_PATH = "dashboards/overview.json", "deploy/kubernetes/all.yaml"
DASHBOARDS_PATH, DATASOURCES_PATH = (
    "dashboards/provisioning/dashboards.yml",
    "dashboards/provisioning/datasources.yml",
)


@pytest.mark.parametrize(
    ("path", "good", "bad", "finding"),
    [
        (RULES_PATH, RULES, "", "is empty"),
        (RULES_PATH, RULES, "groups: {}\n", "$.groups: got {}, expected a list"),
        (RULES_PATH, RULES, "- a\n", '$: got ["a"], expected an object'),
        (
            RULES_PATH,
            "for: 1m",
            "for: 60",
            "$.groups[0].rules[0].for: got 60, expected a text",
        ),
        (
            RULES_PATH,
            "for: 1m",
            "for: 1m30",
            '$.groups[0].rules[0].for: got "1m30", expected a duration such as `5m`',
        ),
        (
            RULES_PATH,
            "annotations:",
            "anotations:",
            "$.groups[0].rules[0]: got the unknown key `anotations`; did you mean `annotations`?",
        ),
        (
            RULES_PATH,
            "record: job:up:sum",
            "record: job-up",
            (
                '$.groups[0].rules[1].record: got "job-up", expected a metric name of letters,'
                " digits, `_` and `:`"
            ),
        ),
        (
            RULES_PATH,
            "        expr: up == 0\n",
            "",
            "$.groups[0].rules[0]: the key `expr` is missing",
        ),
        (
            RULES_PATH,
            "for: 1m",
            "for: 1m\n        for: 2m",
            "line 7, column 9: the key `for` stands twice",
        ),
        (
            RULES_PATH,
            "{severity: critical}",
            "{on: critical}",
            "line 7, column 18: got the key True, expected a text; put it in quotes",
        ),
        (
            RULES_PATH,
            "expr: up == 0",
            "expr: 'up",
            "line 11, column 1: found unexpected end of stream",
        ),
        (
            RULES_PATH,
            "{severity: critical}",
            "{severity: !!python/name:os.x }",
            (
                "line 7, column 28: could not determine a constructor for the tag"
                " 'tag:yaml.org,2002:python/name:os.x'"
            ),
        ),
        (
            TESTS_PATH,
            "values: 1 0x5",
            "valeus: 1 0x5",
            (
                "$.tests[0].input_series[0]: the key `values` is missing\n"
                "$.tests[0].input_series[0]: got the unknown key `valeus`; did you mean `values`?"
            ),
        ),
        (
            "rules/prometheus.yml",
            "['*.rules.yml']",
            "'*.rules.yml'",
            '$.rule_files: got "*.rules.yml", expected a list',
        ),
        (
            "rules/alertmanager.yml",
            "send_resolved: true",
            "timeout: 5s",
            (
                "$.receivers[0].webhook_configs[0]: got the unknown key `timeout`; known:"
                " `http_config`, `max_alerts`, `send_resolved`, `url`, `url_file`"
            ),
        ),
        (
            "rules/alertmanager.yml",
            "  receiver: webhook\n",
            "",
            "$.route: the key `receiver` is missing",
        ),
        (
            "rules/alertmanager.yml",
            "[{url: 'http://localhost:8080/', send_resolved: true}]",
            "[{url: 'localhost:8080'}]",
            (
                '$.receivers[0].webhook_configs[0].url: got "localhost:8080", expected an http or'
                " https URL"
            ),
        ),
        (
            BOARD_PATH,
            '"w": 24, "h": 8',
            '"w": 25, "h": 0',
            (
                "$.panels[1].gridPos.w: got 25, expected at most 24\n"
                "$.panels[1].gridPos.h: got 0, expected at least 1"
            ),
        ),
        (BOARD_PATH, '"id": 2', '"id": 1', "$.panels: 2 panels have the id 1, expected one"),
        (BOARD_PATH, '"id": 2, ', "", "$.panels[1]: the key `id` is missing"),
        (
            BOARD_PATH,
            '"schemaVersion": 41',
            '"schemaVersion": NaN',
            "got NaN, which JSON does not have",
        ),
        (BOARD_PATH, '"uid": "autogpt-', '"uid": "x", "uid": "', "the key `uid` stands twice"),
        (
            BOARD_PATH,
            '"autogpt-overview"',
            f'"{"x" * 41}"',
            f"$.uid: '{'x' * 41}' is too long",
        ),
        (
            BOARD_PATH,
            '"expr": "up"',
            '"expr": ""',
            '$.panels[1].targets[0].expr: got "", expected at least 1 character',
        ),
        (
            DASHBOARDS_PATH,
            "apiVersion: 1",
            "apiVersion: 2",
            "$.apiVersion: got 2, expected 1",
        ),
        (
            DATASOURCES_PATH,
            "url:",
            "access: server, url:",
            '$.datasources[0].access: got "server", expected "proxy", "direct"',
        ),
        (
            KUBERNETES_PATH,
            "kind: Service",
            "kind: Sevice",
            (
                'document 2: $.kind: got "Sevice", expected "Deployment", "Service",'
                ' "HorizontalPodAutoscaler"'
            ),
        ),
        (
            KUBERNETES_PATH,
            "autoscaling/v2",
            "autoscaling/v1",
            'document 3: $.apiVersion: got "autoscaling/v1", expected "autoscaling/v2"',
        ),
        (
            KUBERNETES_PATH,
            "memory: 2Gi",
            "memory: 2GB",
            (
                "document 1: $.spec.template.spec.containers[0].resources.requests.memory: got"
                ' "2GB", expected a quantity such as `500m` or `2Gi`'
            ),
        ),
        (
            KUBERNETES_PATH,
            "type: Utilization, averageUtilization",
            "type: Utilization, averageValue: 1, averageUtilisation",
            (
                "document 3: $.spec.metrics[0].resource.target: the key `averageUtilization` is"
                " missing\n"
                "document 3: $.spec.metrics[0].resource.target: got the unknown key"
                " `averageUtilisation`; did you mean `averageUtilization`?\n"
                "document 3: $.spec.metrics[0].resource.target.averageValue: got 1, expected a text"
            ),
        ),
    ],
)
def test_a_planted_fault_is_found_where_it_is(path: str, good: str, bad: str, finding: str) -> None:
    assert BUNDLE[path].count(good) == 1
    findings = check_schemas({**BUNDLE, path: BUNDLE[path].replace(good, bad)})
    assert set(findings) == {f"{path}: {line}" for line in finding.split("\n")}


def test_a_uid_that_two_dashboards_have_is_found() -> None:
    findings = check_schemas({**BUNDLE, "dashboards/second.json": BUNDLE[BOARD_PATH]})
    assert findings == [
        (
            "dashboards/second.json: $.uid: got `autogpt-overview`, which is the uid of"
            " dashboards/overview.json already"
        )
    ]


def test_the_panels_in_a_collapsed_row_count_too() -> None:
    board = json.loads(BUNDLE[BOARD_PATH])
    row, panel = board["panels"]
    board["panels"] = [{**row, "collapsed": True, "panels": [panel, panel]}]
    assert check_schemas({BOARD_PATH: json.dumps(board)}) == [
        "dashboards/overview.json: $.panels: 2 panels have the id 2, expected one"
    ]


def test_a_slip_that_repeats_is_cut_off() -> None:
    rules = "".join(f"      - {{alert: A{n}, expr: up, severity: x}}\n" for n in range(200))
    findings = check_schemas({RULES_PATH: f"groups:\n  - name: a\n    rules:\n{rules}"})
    assert len(findings) == 11
    assert findings[0] == (
        "rules/alerts.rules.yml: $.groups[0].rules[0]: got the unknown key `severity`; known:"
        " `alert`, `annotations`, `expr`, `for`, `keep_firing_for`, `labels`"
    )
    assert findings[-1] == "rules/alerts.rules.yml: and 190 more findings"
