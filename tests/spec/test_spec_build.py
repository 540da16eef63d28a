"""Tree to spec: every key is read, by its own type, and each slip is named with its mend."""

# ruff: noqa: E501 - findings are asserted as they are printed

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, get_args, get_origin

import pytest
from spec_reading import (
    EVERY_KEY,
    SMALL,
    expected,
    found,
    found_after_small,
    read_text,
    spec_of,
    tree_of,
)

from autogpt_observe.diagnostics import Report
from autogpt_observe.spec import model, tree
from autogpt_observe.spec.build import build_spec, inner_type, is_named_part
from autogpt_observe.spec.tree import Entry, Node, Scalar, Sequence
from autogpt_observe.units import Duration

Path = tuple[str | int, ...]

# --- every key -------------------------------------------------------------------------------


def declared_keys(type_: Any, seen: set[tuple[str, str]]) -> None:
    """Add every key that the model declares below ``type_``."""
    for cls, word, inner in _steps(type_):
        if (cls, word) not in seen:
            seen.add((cls, word))
            declared_keys(inner, seen)


def used_keys(type_: Any, node: Node, seen: set[tuple[str, str]]) -> None:
    """Add every key of the model that the tree uses."""
    origin, args = get_origin(type_), get_args(type_)
    if origin is types.UnionType:
        used_keys(args[0], node, seen)
    elif origin is tuple and isinstance(node, Sequence):
        for item in node.items:
            used_keys(args[0], item, seen)
    elif origin is Mapping and isinstance(node, tree.Mapping):
        for entry in node.entries.values():
            used_keys(args[1], entry.value, seen)
    elif isinstance(node, tree.Mapping):
        for cls, word, inner in _steps(type_):
            if word in node.entries:
                seen.add((cls, word))
                used_keys(inner, node.entries[word].value, seen)
    elif isinstance(node, Scalar) and node.text in getattr(type_, "SHORTHANDS", ()):
        seen.add((type_.__name__, node.text))


def _steps(type_: Any) -> Iterator[tuple[str, str, Any]]:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        yield from (("when", word, inner) for word, inner in args[1].variants.items())
    elif origin in (types.UnionType, tuple):
        yield from _steps(args[0])
    elif origin is Mapping:
        yield from _steps(args[1])
    elif dataclasses.is_dataclass(type_) and not hasattr(type_, "parse"):
        hints = typing.get_type_hints(type_, include_extras=True)
        name = getattr(type_, "__name__", "")
        for field in dataclasses.fields(type_):
            yield name, field.name.rstrip("_"), hints[field.name]
        yield from ((name, word, str) for word in getattr(type_, "SHORTHANDS", ()))


def test_the_spec_of_every_key_leaves_none_out() -> None:
    declared: set[tuple[str, str]] = set()
    used: set[tuple[str, str]] = set()
    declared_keys(model.Spec, declared)
    used_keys(model.Spec, tree_of(EVERY_KEY), used)
    assert sorted(declared - used) == []
    assert len(declared) > 100


def test_the_spec_of_every_key_is_good_everywhere() -> None:
    assert found(EVERY_KEY, everywhere=True) == ""


def test_values_are_what_was_written() -> None:
    spec = spec_of(EVERY_KEY)
    alert = spec.alerts[model.Name("PagesStopped")]
    ratio = spec.alerts[model.Name("PageFailureRatioHigh")].when
    assert isinstance(ratio, model.RatioCondition)
    assert spec.deployment is not None
    assert spec.logs is not None
    assert spec.autoscaling is not None
    assert spec.autoscaling.cpu is not None
    assert spec.autoscaling.memory is not None
    read = {
        "version": spec.version,
        "image": spec.deployment.image,
        "half a core": spec.deployment.resources.requests.cpu.value,
        "prometheus": str(spec.targets.prometheus),
        "alertmanager": str(spec.targets.alertmanager),
        "buckets": [str(bound.value) for bound in spec.buckets[model.Name("page_time")]],
        "for": alert.for_,
        "times": [str(at) for at in alert.tests[model.Name("stops")].at],
        "fires": [len(e.fires) for e in alert.tests[model.Name("stops")].at.values()],
        "above": ratio.above.value,
        "shares": (spec.autoscaling.cpu.value, spec.autoscaling.memory.value),
        "secret": spec.deployment.secrets[model.EnvName("OPENAI_API_KEY")].key,
        "timezone": spec.logs.timezone,
        "environments": list(spec.environments),
    }
    assert read == {
        "version": 1,
        "image": "crawler:1.10",
        "half a core": Fraction(1, 2),
        "prometheus": "2.42",
        "alertmanager": "0.25",
        "buckets": ["0.5", "1", "90"],
        "for": Duration(120_000),
        "times": ["3m", "13m", "20m"],
        "fires": [0, 1, 1],
        "above": Decimal("0.2"),
        "shares": (Decimal("0.7"), Decimal("0.8")),
        "secret": "openai-api-key",
        "timezone": "Europe/Berlin",
        "environments": ["staging"],
    }


def test_a_spec_can_not_be_changed() -> None:
    spec = spec_of(EVERY_KEY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.version = 2  # type: ignore[assignment,misc]  # what must fail
    with pytest.raises(TypeError):
        spec.alerts["x"] = None  # type: ignore[index]  # what must fail


# --- each type's slips -----------------------------------------------------------------------

SLIPS = {
    "a list for a text": (
        "recording_rules: {r: {expr: up, help: [a]}}",
        """
        observe.yaml:3:39: error: `help`: expected a text, got a list [spec/type]
            3 | recording_rules: {r: {expr: up, help: [a]}}
              |                                       ^
          = quote a text that starts with { or [
        """,
    ),
    "nothing for a text": (
        "recording_rules: {r: {expr: up, help: }}",
        """
        observe.yaml:3:33: error: `help`: expected a text, got nothing [spec/type]
            3 | recording_rules: {r: {expr: up, help: }}
              |                                 ^^^^
          = write "" for an empty text
        """,
    ),
    "a label's braces for an expression": (
        'recording_rules: {r: {expr: {job="x"}}}',
        """
        observe.yaml:3:29: error: `expr`: expected a PromQL expression, got a map [spec/type]
            3 | recording_rules: {r: {expr: {job="x"}}}
              |                             ^
          = quote a text that starts with { or [
        """,
    ),
    "yes for a truth value": (
        "metrics: {a_total: {type: counter, from: code, help: A, exemplars: Yes}}",
        """
        observe.yaml:3:68: error: `exemplars`: expected `true` or `false`, got `Yes` [spec/type]
            3 | ...: {a_total: {type: counter, from: code, help: A, exemplars: Yes}}
              |                                                                ^^^
          = write `true`
        """,
    ),
    "quotes around a truth value": (
        "metrics: {a_total: {type: counter, from: code, help: A, exemplars: 'true'}}",
        """
        observe.yaml:3:68: error: `exemplars`: expected `true` or `false`, got `true` [spec/type]
            3 | ...: {a_total: {type: counter, from: code, help: A, exemplars: 'true'}}
              |                                                                ^^^^^^
          = write `true`
        """,
    ),
    "a fraction for a whole number": (
        "prometheus: {series_budget: 1.5}",
        """
        observe.yaml:3:29: error: `series_budget`: expected a whole number, got `1.5` [spec/type]
            3 | prometheus: {series_budget: 1.5}
              |                             ^^^
        """,
    ),
    "quotes around a whole number": (
        'prometheus: {series_budget: "5"}',
        """
        observe.yaml:3:29: error: `series_budget`: expected a whole number, got `5` [spec/type]
            3 | prometheus: {series_budget: "5"}
              |                             ^^^
          = remove the quotes
        """,
    ),
    "a whole number that YAML 1.1 reads as octal": (
        "prometheus: {series_budget: 010}",
        """
        observe.yaml:3:29: error: `series_budget`: expected a whole number, got `010` [spec/type]
            3 | prometheus: {series_budget: 010}
              |                             ^^^
          = YAML 1.1 reads this as an octal number; write `10`
        """,
    ),
    "a whole number out of bounds": (
        "logs: {beats_port: 65536, pattern: '%{X:timestamp}', date_formats: [], elasticsearch: [], index: i}",
        """
        observe.yaml:3:20: error: `beats_port`: expected a whole number from 1 to 65,535, got `65536` [spec/type]
            3 | logs: {beats_port: 65536, pattern: '%{X:timestamp}', date_formats: [], elasticsearch: [], index: i}
              |                    ^^^^^
        """,
    ),
    "an unknown word": (
        "alerts: {A: {when: {expr: up}, severity: critcal, annotations: {summary: s}}}",
        """
        observe.yaml:3:42: error: `severity`: expected one of `info`, `warning`, `critical`, got `critcal` [spec/type]
            3 | alerts: {A: {when: {expr: up}, severity: critcal, annotations: {summary: s}}}
              |                                          ^^^^^^^
          = did you mean `critical`?
        """,
    ),
    "a clock for a duration": (
        "prometheus: {scrape_interval: 1:30}",
        """
        observe.yaml:3:31: error: `scrape_interval`: expected a duration such as `30s`, `5m` or `1h30m`, got `1:30` [spec/type]
            3 | prometheus: {scrape_interval: 1:30}
              |                               ^^^^
          = YAML 1.1 reads this as a base-60 number; write `1m30s`
        """,
    ),
    "no list": (
        "prometheus: {scrape: 'localhost:9464'}",
        """
        observe.yaml:3:22: error: `scrape`: expected a list, got `localhost:9464` [spec/type]
            3 | prometheus: {scrape: 'localhost:9464'}
              |                      ^^^^^^^^^^^^^^^^
          = write `[localhost:9464]`
        """,
    ),
    "a map for a list": (
        "prometheus: {scrape: {a: 1}}",
        """
        observe.yaml:3:22: error: `scrape`: expected a list, got a map [spec/type]
            3 | prometheus: {scrape: {a: 1}}
              |                      ^
        """,
    ),
    "one bad item of a list": (
        "prometheus: {scrape: ['a:1', a, 'b:2']}",
        """
        observe.yaml:3:30: error: `scrape`: expected an address `host:port`, such as `localhost:9090`, got `a` [spec/type]
            3 | prometheus: {scrape: ['a:1', a, 'b:2']}
              |                              ^
        """,
    ),
    "no map": (
        "prometheus: fast",
        """
        observe.yaml:3:13: error: `prometheus`: expected a map, got `fast` [spec/type]
            3 | prometheus: fast
              |             ^^^^
        """,
    ),
    "a list for a section of named parts": (
        "alerts: [{when: {expr: up}}]",
        """
        observe.yaml:3:9: error: `alerts`: expected a map, got a list [spec/type]
            3 | alerts: [{when: {expr: up}}]
              |         ^
        """,
    ),
    "nothing in a section": (
        "alerts:",
        """
        observe.yaml:3:1: error: `alerts`: expected a map, got nothing [spec/type]
            3 | alerts:
              | ^^^^^^
        """,
    ),
    "a name that is no metric's": (
        "metrics: {autogpt.runs: {type: gauge, from: code, help: Runs}}",
        """
        observe.yaml:3:11: error: expected a metric name of letters, digits and `_`, not starting with a digit, got `autogpt.runs` [spec/name]
            3 | metrics: {autogpt.runs: {type: gauge, from: code, help: Runs}}
              |           ^^^^^^^^^^^^
        """,
    ),
    "a label of Prometheus' own": (
        "recording_rules: {r: {expr: up, labels: {__name__: x}}}",
        """
        observe.yaml:3:42: error: expected a label name of letters, digits and `_`, starting with neither a digit nor `__`, got `__name__` [spec/name]
            3 | recording_rules: {r: {expr: up, labels: {__name__: x}}}
              |                                          ^^^^^^^^
        """,
    ),
    "one time, written in two ways": (
        """
        alerts:
          A:
            when: {expr: up}
            severity: info
            annotations: {summary: s}
            tests: {t: {series: {up: 0x9}, at: {0: silent, 60s: fires, 1m: fires}}}
        """,
        """
        observe.yaml:9:64: error: `1m` stands twice in `at`, written differently [spec/name]
            9 | ... tests: {t: {series: {up: 0x9}, at: {0: silent, 60s: fires, 1m: fires}}}
              |                                                                ^^
          = remove one of the two
        """,
    ),
    "a condition in one piece": (
        "alerts: {A: {when: up == 0, severity: info, annotations: {summary: s}}}",
        """
        observe.yaml:3:20: error: `when`: expected a map with one of `expr`, `ratio`, got `up == 0` [spec/type]
            3 | alerts: {A: {when: up == 0, severity: info, annotations: {summary: s}}}
              |                    ^^^^^^^
        """,
    ),
    "two conditions": (
        "alerts: {A: {when: {expr: up, ratio: {}}, severity: info, annotations: {summary: s}}}",
        """
        observe.yaml:3:31: error: `when`: expected a map with one of `expr`, `ratio`, got 2 of them [spec/type]
            3 | alerts: {A: {when: {expr: up, ratio: {}}, severity: info, annotations: {summary: s}}}
              |                               ^^^^^
          = keep one of them
        """,
    ),
    "an unknown condition": (
        "alerts: {A: {when: {exp: up}, severity: info, annotations: {summary: s}}}",
        """
        observe.yaml:3:21: error: unknown key `exp` in `when` [spec/unknown-key]
            3 | alerts: {A: {when: {exp: up}, severity: info, annotations: {summary: s}}}
              |                     ^^^
          = did you mean `expr`?
        """,
    ),
    "an unknown moment of a test": (
        """
        alerts:
          A:
            when: {expr: up}
            severity: info
            annotations: {summary: s}
            tests: {t: {series: {up: 0x9}, at: {1m: quiet}}}
        """,
        """
        observe.yaml:9:45: error: `1m`: expected `silent`, `fires`, or a map, got `quiet` [spec/type]
            9 |     tests: {t: {series: {up: 0x9}, at: {1m: quiet}}}
              |                                             ^^^^^
        """,
    ),
    "an unknown section": (
        "alert: {}",
        """
        observe.yaml:3:1: error: unknown section `alert` [spec/unknown-key]
            3 | alert: {}
              | ^^^^^
          = did you mean `alerts`?
        """,
    ),
    "an unknown key deep inside": (
        "notifications: {receivers: {t: {webhook: {url: 'http://a', send_resolvd: true}}}, default: t}",
        """
        observe.yaml:3:60: error: unknown key `send_resolvd` in `webhook` [spec/unknown-key]
            3 | notifications: {receivers: {t: {webhook: {url: 'http://a', send_resolvd: true}}}, default: t}
              |                                                            ^^^^^^^^^^^^
          = did you mean `send_resolved`?
        """,
    ),
    "a missing key": (
        "metrics: {a_total: {type: counter, from: code}}",
        """
        observe.yaml:3:11: error: `a_total` lacks the key `help` [spec/missing-key]
            3 | metrics: {a_total: {type: counter, from: code}}
              |           ^^^^^^^
          = add `help:` (What it counts, one line; becomes its # HELP text)
        """,
    ),
    "a missing key of an item": (
        "dashboards: {d: {title: D, rows: [{title: R, panels: [{expr: up}]}]}}",
        """
        observe.yaml:3:55: error: `panels` lacks the key `title` [spec/missing-key]
            3 | dashboards: {d: {title: D, rows: [{title: R, panels: [{expr: up}]}]}}
              |                                                       ^
          = add `title:` (Title of the panel)
        """,
    ),
    "`enabled` that is no truth value": (
        "recording_rules: {r: {expr: up, enabled: no}}",
        """
        observe.yaml:3:42: error: `enabled`: expected `true` or `false`, got `no` [spec/type]
            3 | recording_rules: {r: {expr: up, enabled: no}}
              |                                          ^^
          = write `false`
        """,
    ),
    "`enabled` where nothing can be removed": (
        "prometheus: {enabled: false}",
        """
        observe.yaml:3:14: error: unknown key `enabled` in `prometheus` [spec/unknown-key]
            3 | prometheus: {enabled: false}
              |              ^^^^^^^
          = known: `scrape_interval`, `evaluation_interval`, `series_budget`, `scrape`, `discovery`, `alertmanagers`
        """,
    ),
    "a URL with credentials": (
        "notifications: {receivers: {t: {webhook: {url: 'http://user:hunter2@host/'}}}, default: t}",
        """
        observe.yaml:3:48: error: `url`: expected an http or https URL, got `http://************@host/` [spec/type]
            3 | notifications: {receivers: {t: {webhook: {url: 'http://************@host/'}}}, default: t}
              |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = credentials don't belong in the spec; refer to a secret instead
        """,
    ),
    "a secret on the line of another slip": (
        "notifications: {receivers: {t: {webhook: {bearer_token: hunter2, url: 'http://a'}}}, default: t}",
        """
        observe.yaml:3:43: error: unknown key `bearer_token` in `webhook` [spec/unknown-key]
            3 | notifications: {receivers: {t: {webhook: {bearer_token: ****************************************
              |                                           ^^^^^^^^^^^^
          = known: `url`, `send_resolved`
        """,
    ),
}


@pytest.mark.parametrize("case", SLIPS)
def test_slip(case: str) -> None:
    text, message = SLIPS[case]
    assert found_after_small(text) == expected(message)


def test_the_smallest_spec() -> None:
    assert found(SMALL) == ""
    assert spec_of(SMALL) == model.Spec(
        version=1,
        service=model.Service(name=model.Name("crawler"), owner=model.Name("agents-team")),
    )


def test_sections_that_must_be_there() -> None:
    assert found("include: [autogpt]\n") == expected(
        """
        observe.yaml:1:1: error: the section `version` is missing [spec/missing-key]
            1 | include: [autogpt]
              | ^
          = add `version:` (Version of the spec's format)
        observe.yaml:1:1: error: the section `service` is missing [spec/missing-key]
            1 | include: [autogpt]
              | ^
          = add `service:` (Whose telemetry this is)
        """
    )


def test_one_run_finds_everything_in_reading_order() -> None:
    lines = found_after_small(
        """
        metrics:
          a_total: {type: countr, from: code, help: A}
          b_total: {type: counter, from: code}
          c_total: {type: counter, from: code, help: C, buckets: b}
        alerts:
          A:
            when: {expr: sum(d_total)}
            for: 5
            severity: info
            annotations: {summary: s}
          B:
            when: {expr: sum(a_total) + sum(b_total) + sum(e_total)}
            severity: info
            annotations: {summary: s}
            allow: {alert/untested: shown only}
        nonsense: 1
        """
    ).split("\n")
    assert [line for line in lines if " error: " in line] == [
        "observe.yaml:5:19: error: `type`: expected one of `counter`, `gauge`, `histogram`, got `countr` [spec/type]",
        "observe.yaml:6:3: error: `b_total` lacks the key `help` [spec/missing-key]",
        "observe.yaml:7:58: error: `c_total` is a counter, so it has no `buckets` [metric/buckets]",
        "observe.yaml:11:10: error: `for`: expected a duration such as `30s`, `5m` or `1h30m`, got `5` [spec/type]",
        "observe.yaml:15:52: error: the metric `e_total` is not declared [promql/unknown-metric]",
        "observe.yaml:19:1: error: unknown section `nonsense` [spec/unknown-key]",
    ]


# --- what YAML 1.1 makes of a plain word, in every kind of field -----------------------------

TRAPS = ("on", "yes", "true", "1:30", "1.10", "0o7", "010", "1e3", "~", "'5'", "5")
FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "text": (
        "help",
        {trap: trap.strip("'") for trap in TRAPS if trap != "~"},
    ),
    "name": ("owner", {"on": "on", "yes": "yes", "true": "true", "~": "None"}),
    "truth value": ("exemplars", {"true": "True"}),
    "whole number": ("series_budget", {"5": "5"}),
    "duration": ("scrape_interval", {}),
    "ratio": ("cpu", {"1.10": "1.1", "010": "10", "'5'": "5", "5": "5", "~": "None"}),
    "quantity": ("memory", {"1.10": "1.10", "010": "010", "'5'": "5", "5": "5"}),
    "version": ("prometheus", {"1.10": "1.10", "010": "10.0", "'5'": "5.0", "5": "5.0"}),
    "word": ("severity", {}),
    "bucket": ("b", {"1.10": "1.10", "010": "10", "'5'": "5", "5": "5"}),
    "expression": ("expr", {trap: trap.strip("'") for trap in TRAPS if trap != "~"}),
    "address": ("scrape", {"1:30": "1:30"}),
    "URL": ("runbook_base_url", {"~": "None"}),
}
SNIPPETS = {
    "help": "metrics: {a_total: {type: counter, from: code, help: TRAP}}",
    "owner": "alerts: {A: {when: {expr: up}, severity: info, annotations: {summary: s}, owner: TRAP}}",
    "exemplars": "metrics: {a_total: {type: counter, from: code, help: A, exemplars: TRAP}}",
    "series_budget": "prometheus: {series_budget: TRAP}",
    "scrape_interval": "prometheus: {scrape_interval: TRAP}",
    "cpu": "autoscaling: {min: 1, max: 2, cpu: TRAP}",
    "memory": "deployment: {image: i, resources: {requests: {cpu: 1, memory: TRAP}, limits: {cpu: 1, memory: 1}}}",
    "prometheus": "targets: {prometheus: TRAP}",
    "severity": "alerts: {A: {when: {expr: up}, severity: TRAP, annotations: {summary: s}}}",
    "b": "buckets: {b: [TRAP]}",
    "expr": "recording_rules: {r: {expr: TRAP}}",
    "scrape": "prometheus: {scrape: [TRAP]}",
    "runbook_base_url": "service: {name: a, owner: b, runbook_base_url: TRAP}",
}


def read_trap(key: str, trap: str) -> str:
    """The value as text, or `refused`."""
    text = SNIPPETS[key].replace("TRAP", trap)
    service = "" if key == "runbook_base_url" else "service: {name: a, owner: b}\n"
    report = Report()
    spec = build_spec(tree_of(f"version: 1\n{service}{text}\n"), report)
    if report.diagnostics:
        (only,) = report.diagnostics
        assert only.id == "spec/type"
        assert only.message.startswith(f"`{key}`: expected ")
        return "refused"
    assert spec is not None
    return str(_values(spec)[key]())


def _values(spec: model.Spec) -> dict[str, Any]:
    return {
        "help": lambda: spec.metrics[model.MetricName("a_total")].help,
        "owner": lambda: spec.alerts[model.Name("A")].owner,
        "exemplars": lambda: spec.metrics[model.MetricName("a_total")].exemplars,
        "series_budget": lambda: spec.prometheus.series_budget,
        "scrape_interval": lambda: spec.prometheus.scrape_interval,
        "cpu": lambda: spec.autoscaling and spec.autoscaling.cpu,
        "memory": lambda: spec.deployment and spec.deployment.resources.requests.memory,
        "prometheus": lambda: spec.targets.prometheus,
        "severity": lambda: spec.alerts[model.Name("A")].severity,
        "b": lambda: spec.buckets[model.Name("b")][0].value,
        "expr": lambda: spec.recording_rules[model.RecordName("r")].expr,
        "scrape": lambda: spec.prometheus.scrape[0],
        "runbook_base_url": lambda: spec.service.runbook_base_url,
    }


@pytest.mark.parametrize("kind", FIELDS)
def test_no_word_turns_into_something_else(kind: str) -> None:
    key, taken = FIELDS[kind]
    wanted = {trap: taken.get(trap, "refused") for trap in TRAPS}
    assert {trap: read_trap(key, trap) for trap in TRAPS} == wanted


def test_keys_stay_texts_too() -> None:
    spec = spec_of(f"{SMALL}recording_rules: {{r: {{expr: up, labels: {{on: on, yes: 1.10}}}}}}\n")
    assert dict(spec.recording_rules[model.RecordName("r")].labels) == {"on": "on", "yes": "1.10"}


# --- every node of the spec of every key, spoilt ---------------------------------------------


def all_nodes() -> list[tuple[Path, Any, Node]]:
    """Each node of the spec of every key, with its path and type; conditions are looked into."""

    def inside(path: Path, type_: Any, node: Node) -> Iterator[tuple[Path, Any, Node]]:
        yield path, type_, node
        if isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                yield from inside((*path, index), inner_type(type_, index), item)
        elif isinstance(node, tree.Mapping):
            variants = get_args(type_)[1].variants if get_origin(type_) is Annotated else {}
            for name, entry in node.entries.items():
                inner = variants.get(name) or inner_type(type_, name)
                yield from inside((*path, name), inner, entry.value)

    return list(inside((), model.Spec, tree_of(EVERY_KEY)))


def spoilt(path: Path, node: Node) -> list[str]:
    """The ids of what is found with ``node`` at ``path``."""

    def put(into: Node, rest: Path) -> Node:
        if not rest:
            return node
        step = rest[0]
        if isinstance(into, Sequence):
            items = [put(c, rest[1:]) if i == step else c for i, c in enumerate(into.items)]
            return Sequence(items, into.at)
        assert isinstance(into, tree.Mapping)
        entry = into.entries[str(step)]
        changed = Entry(entry.key, put(entry.value, rest[1:]))
        return tree.Mapping({**into.entries, str(step): changed}, into.at)

    root = put(tree_of(EVERY_KEY), path)
    assert isinstance(root, tree.Mapping)
    report = Report()
    build_spec(root, report)
    return [found.id for found in report.diagnostics]


NODES = [(path, type_, node) for path, type_, node in all_nodes() if path]
OVERLAYS = [path for path, _, _ in NODES if path[0] == "environments" and len(path) > 2]


@pytest.mark.parametrize("index", range(0, len(NODES), 25))
def test_no_node_can_be_of_another_kind(index: int) -> None:
    for path, type_, node in NODES[index : index + 25]:
        if path in OVERLAYS:  # read once they are merged
            continue
        others: list[Node] = [tree.Mapping({}, node.at), Sequence([], node.at)]
        others.append(Scalar("\x00", plain=False, at=node.at))
        for other in others:
            or_a_map = type_ is model.Expectation and isinstance(other, tree.Mapping)
            if type(other) is not type(node):
                wanted = "spec/missing-key" if or_a_map else "spec/type"
                assert spoilt(path, other) == [wanted], path


def test_enabled_belongs_to_named_parts_alone() -> None:
    switch_at = tree_of("enabled: true\n").entries["enabled"]
    taken = []
    parent_is_map = {path: get_origin(type_) is Mapping for path, type_, _ in NODES}
    for path, type_, node in NODES:
        if not isinstance(node, tree.Mapping) or path in OVERLAYS:
            continue
        entries = {name: e for name, e in node.entries.items() if name != "enabled"}
        found_ids = spoilt(path, tree.Mapping({**entries, "enabled": switch_at}, node.at))
        if len(path) > 1 and parent_is_map[path[:-1]] and is_named_part(type_):
            assert found_ids == [], path
            taken.append(".".join(map(str, path)))
        elif get_origin(type_) is Mapping:  # the name of a part, or of a label
            assert "spec/unknown-key" not in found_ids, path
        elif type_ is not model.Overlay:
            assert found_ids == ["spec/unknown-key"], path
    assert taken == [
        *(f"attributes.{name}" for name in ("site", "agent")),
        *(
            f"metrics.{name}"
            for name in (
                "crawler_pages_total",
                "crawler_page_failures_total",
                "crawler_page_duration_seconds",
                "crawler_runs_total",
                "crawler_build_info",
                "kube_pod_status_ready",
            )
        ),
        "recording_rules.site:crawler_pages:rate5m",
        "alerts.PagesStopped",
        "alerts.PagesStopped.tests.stops",
        "alerts.PodNotReady",
        "alerts.PageFailureRatioHigh",
        "notifications.receivers.team",
        "notifications.routes.urgent",
        "dashboards.crawler",
        "deployment.secrets.OPENAI_API_KEY",
    ]


def test_every_required_key_is_missed() -> None:
    missed = 0
    for path, type_, node in NODES:
        if not isinstance(node, tree.Mapping) or path in OVERLAYS:
            continue
        cls = type_ if dataclasses.is_dataclass(type_) else None
        for field in dataclasses.fields(cls) if cls is not None else ():
            name = field.name.rstrip("_")
            required = (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            )
            if name in node.entries:
                less = {n: e for n, e in node.entries.items() if n != name}
                wanted = ["spec/missing-key"] if required else []
                assert spoilt(path, tree.Mapping(less, node.at)) == wanted, (path, name)
                missed += required
    assert missed > 50


def test_what_is_switched_off_is_not_read() -> None:
    text = "alerts: {A: {enabled: false, when: nonsense, severity: 7, unknown: key}}\n"
    assert found(SMALL + text) == ""
    assert spec_of(SMALL + text).alerts == {}


def test_a_part_that_can_not_be_read_does_not_hide_the_others() -> None:
    loaded = read_text(
        f"{SMALL}metrics: {{a_total: {{type: x}}, b: {{type: counter, from: code, help: B}}}}\n"
    )
    assert [found.id for found in loaded.diagnostics] == [
        "spec/missing-key",
        "spec/missing-key",
        "spec/type",
        "metric/suffix",
    ]
    assert loaded.spec is None
