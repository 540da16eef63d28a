"""Rules that are imported and rendered again are the rules they were."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from autogpt_observe.importers import import_files
from autogpt_observe.names import Name
from autogpt_observe.render.prometheus import render
from autogpt_observe.spec.load import load_spec

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,30}", fullmatch=True)
RECORDS = st.from_regex(r"job:[a-z_]{1,10}:rate[1-9]m", fullmatch=True)
LABELS = st.from_regex(r"l_[a-z]{1,6}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: "{{" not in text and text.strip() != ""
)
DURATIONS = st.sampled_from(["1m", "90s", "1h", "10m"])
EXPRESSIONS = st.sampled_from(
    [
        "up == 0",
        "sum by (job) (rate(a_total[5m])) > 0.5",
        'sum(rate(a_total{code=~"5..", path!~`/x\\d`}[5m]))\n  / sum(rate(a_total[5m]))\n> 0.1\n',
        "histogram_quantile(0.9, sum by (le) (rate(b_seconds_bucket[5m]))) > 2 # slow",
        "  c_bytes{x='it'} offset 5m\n  > 1e9 # big\n\n",
        "max_over_time(c_bytes[1h:5m]) > 3 and on (job) d == 1",
        'label_replace(e, "x", "$1", "y", "(.*)") > 0',
        "changes(e[10m]) > 3 unless f",
    ]
)
ALERTS = st.fixed_dictionaries(
    {
        "expr": EXPRESSIONS,
        "labels": st.dictionaries(LABELS, TEXTS, max_size=2),
        "severity": st.sampled_from(["info", "warning", "critical"]),
        "annotations": st.dictionaries(LABELS, TEXTS, max_size=2),
        "summary": TEXTS,
    },
    optional={"for": DURATIONS, "keep_firing_for": DURATIONS},
)


def _rule(name: str, alert: dict[str, Any]) -> dict[str, Any]:
    times: dict[str, Any] = {key: alert[key] for key in ("for", "keep_firing_for") if key in alert}
    return {
        "alert": name,
        "expr": alert["expr"],
        **times,
        "labels": {**alert["labels"], "severity": alert["severity"]},
        "annotations": {**alert["annotations"], "summary": alert["summary"]},
    }


def _rendered(text: str) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "observe.yaml"
        path.write_text(text, encoding="utf-8")
        files = render(load_spec(path))
    rules: dict[str, Any] = {}
    for name, content in files.items():
        if name.endswith(".rules.yml"):
            for group in yaml.safe_load(content)["groups"]:
                rules |= {rule.get("alert", rule.get("record")): rule for rule in group["rules"]}
    return rules


@given(
    st.dictionaries(NAMES, ALERTS, min_size=1, max_size=4).filter(
        lambda alerts: len({name.lower() for name in alerts}) == len(alerts)
    ),
    st.dictionaries(RECORDS, EXPRESSIONS, max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_same_rules(alerts: dict[str, Any], records: dict[str, str]) -> None:
    given_rules: list[dict[str, Any]] = [
        *({"record": name, "expr": expr} for name, expr in records.items()),
        *(_rule(name, alert) for name, alert in alerts.items()),
    ]
    text = yaml.safe_dump({"groups": [{"name": "g", "rules": given_rules}]}, allow_unicode=False)
    imported = import_files([("a.yml", text.encode())], service=Name("shop"), owner=Name("team"))
    rendered = _rendered(imported.text)
    assert imported.diagnostics == ()
    assert list(rendered) != []
    ours = {"owner": "team", "service": "shop"}
    for rule in given_rules:
        again = rendered.pop(str(rule.get("alert", rule.get("record"))))
        assert again["expr"].strip() == rule["expr"].strip()
        if "alert" in rule:
            assert again["labels"] == {**rule["labels"], **ours}
            assert again["annotations"] == rule["annotations"]
            times = ("for", "keep_firing_for")
            canonical = {"90s": "1m30s"}
            assert {k: again[k] for k in times if k in again} == {
                k: canonical.get(rule[k], rule[k]) for k in times if k in rule
            }
    assert rendered == {}
