"""Alerting rules with one thing changed, and the real promtool's verdict on each.

A rule is well tested if its unit tests turn red for every mutant of it. `survivors` finds those
that don't, for a whole bundle: the mutants of one alert stand in one file, each under a name of its
own, and one run of promtool looks at all of them over the same series.
"""

from __future__ import annotations

import copy
import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from alert_specs import try_tool

from autogpt_observe.promql import Kind, scan
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from autogpt_observe.promql import Token

    Document = dict[str, Any]

_FLIPPED = {">": "<", "<": ">", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
_SWAPPED = {"max": "min", "min": "max", "sum": "max", "avg": "max"}
_BRACES = {"{": 1, "}": -1}
_COUNTED = ">="
"""How rules compare whole numbers of events."""
_BUCKET_BOUND = "le"
_MARK = "__mutant_"


def mutants(rules: Document, evaluation: Duration) -> Iterator[tuple[str, Document]]:
    """What was changed in which alert, and the rules with that change alone."""
    for group, entries in enumerate(rules["groups"]):
        for index, rule in enumerate(entries["rules"]):
            for what, changed in rule_mutants(rule, evaluation) if "alert" in rule else ():
                document = copy.deepcopy(rules)
                document["groups"][group]["rules"][index] = changed
                yield f"{rule['alert']}: {what}", document


def rule_mutants(
    rule: Document, evaluation: Duration, *, thorough: bool = False
) -> Iterator[tuple[str, Document]]:
    """What was changed, and the rule with that change alone.

    Every comparison is flipped and its number moved by a tenth, or by one where whole events are
    counted; `by` is dropped; the alert is held for one evaluation more, and one less. If
    ``thorough``, matchers and what stands after `and` are dropped and aggregations swapped as well.
    """
    expr = rule["expr"]
    tokens = [token for token in scan(expr) if token.kind not in (Kind.SPACE, Kind.COMMENT)]
    changes = [*_comparisons(tokens), *_groupings(tokens)]
    changes += _parts(tokens) if thorough else ()
    for what, (start, end), text in changes:
        changed = expr[:start] + text + expr[end:]
        if changed != expr:
            yield what, {**rule, "expr": changed}
    held = Duration.parse(rule.get("for", "0"))
    yield "held longer", {**rule, "for": str(Duration(held.ms + evaluation.ms))}
    if held.ms:
        yield "held shorter", {**rule, "for": str(Duration(max(0, held.ms - evaluation.ms)))}


def _comparisons(tokens: Sequence[Token]) -> Iterator[tuple[str, tuple[int, int], str]]:
    for at, token in enumerate(tokens):
        if token.text not in _FLIPPED or token.kind is not Kind.PUNCTUATION:
            continue
        if sum(_BRACES.get(before.text, 0) for before in tokens[:at]):
            continue  # a matcher
        yield f"`{token.text}` flipped", (token.start, token.end), _FLIPPED[token.text]
        limit = tokens[at + 1 + (tokens[at + 1].text == "-")]
        if limit.kind is Kind.NUMBER and float(limit.text):
            for what, moved in _moved(limit.text, counted=token.text == _COUNTED):
                yield f"{limit.text} {what}", (limit.start, limit.end), moved


def _parts(tokens: Sequence[Token]) -> Iterator[tuple[str, tuple[int, int], str]]:
    for at, token in enumerate(tokens):
        if token.text == "{":
            close = next(after for after in tokens[at:] if after.text == "}")
            yield "matchers dropped", (token.start, close.end), ""
        elif token.text == "and":
            yield "`and` dropped", (token.start, tokens[-1].end), ""
        elif token.text in _SWAPPED and token.kind is Kind.IDENTIFIER:
            yield f"{token.text} swapped", (token.start, token.end), _SWAPPED[token.text]


def _moved(number: str, *, counted: bool) -> Iterator[tuple[str, str]]:
    value = float(number)
    if counted and value == int(value):
        yield "raised", str(max(math.ceil(value * 1.1), int(value) + 1))
        if value > 1:  # no event at all is no verdict anyway
            yield "lowered", str(min(math.floor(value * 0.9), int(value) - 1))
        return
    yield "raised", repr(value * 1.1)
    yield "lowered", repr(value * 0.9)


def _groupings(tokens: Sequence[Token]) -> Iterator[tuple[str, tuple[int, int], str]]:
    for at, token in enumerate(tokens):
        if token.kind is not Kind.IDENTIFIER or token.text != "by":
            continue
        close = next(i for i in range(at, len(tokens)) if tokens[i].text == ")")
        labels = [t.text for t in tokens[at:close] if t.kind is Kind.IDENTIFIER][1:]
        kept = f"by ({_BUCKET_BOUND})" if _BUCKET_BOUND in labels else ""
        yield f"by ({', '.join(labels)}) dropped", (token.start, tokens[close].end), kept


@dataclass(frozen=True)
class Trial:
    """An alert, its mutants, and the tests that look at it.

    Attributes:
        changes: what was changed, by the mutant's name.
        rules: the rule itself, its mutants, and the series they may read.
        tests: test documents, which see of each mutant what they should see of the alert.
    """

    alert: str
    changes: dict[str, str]
    rules: Document
    tests: list[Document]

    def survivors(self, folder: Path) -> list[str]:
        """The changes that no test notices; the tests must pass for the rule itself."""
        folder.mkdir(parents=True)
        (folder / "rules.yml").write_text(yaml.safe_dump(self.rules), encoding="utf-8")
        names = []
        for number, test in enumerate(self.tests):
            names.append(f"tests-{number}.yml")
            (folder / names[-1]).write_text(yaml.safe_dump(test), encoding="utf-8")
        done = try_tool(folder, "promtool", "test", "rules", *names)
        said = done.stdout + done.stderr
        failed = set(re.findall(r"alertname: ?(\w+)", said))
        assert self.alert not in failed, said
        assert failed <= {self.alert, *self.changes}, said
        assert bool(failed) is (done.returncode != 0), said
        return [
            f"{self.alert}: {what}" for name, what in self.changes.items() if name not in failed
        ]


def survivors(
    bundle: Path, work: Path, *, alerts: Sequence[str] = (), thorough: bool = False
) -> list[str]:
    """The mutants of the rules below ``bundle`` that no unit test notices.

    ``bundle`` holds ``rules/``; ``work`` is a folder for what promtool reads; ``alerts`` are all
    unless some are given. Fails where a rule does not pass its own tests.
    """
    trials = [
        trial
        for trial in trials_of(bundle, thorough=thorough)
        if not alerts or trial.alert in alerts
    ]
    assert trials, f"no alerts in {bundle}"
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = pool.map(lambda trial: trial.survivors(work / trial.alert), trials)
        return [survivor for some in found for survivor in some]


def trials_of(bundle: Path, *, thorough: bool = False) -> Iterator[Trial]:
    """A trial for each alert below ``bundle``."""
    tests = [(path, _read(path)) for path in sorted((bundle / "rules/tests").glob("*.yml"))]
    for path in sorted((bundle / "rules").glob("*.rules.yml")):
        about = [test for at, test in tests if path.resolve() in _rule_files(at, test)]
        for group in _read(path)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    yield _trial(rule, about, _recorded(bundle), thorough=thorough)


def _trial(
    rule: Document, tests: Sequence[Document], recorded: list[Document], *, thorough: bool
) -> Trial:
    alert = rule["alert"]
    own = [test for test in (_about(alert, test) for test in tests) if test["tests"]]
    assert own, f"{alert} has no tests"
    clocks = {str(test["evaluation_interval"]) for test in own}
    evaluation = min(map(Duration.parse, clocks))
    changed = {
        f"{alert}{_MARK}{number}": (what, mutant)
        for number, (what, mutant) in enumerate(rule_mutants(rule, evaluation, thorough=thorough))
    }
    rules = [rule, *({**mutant, "alert": name} for name, (_, mutant) in changed.items())]
    return Trial(
        alert=alert,
        changes={name: what for name, (what, _) in changed.items()},
        rules={
            "groups": [{"name": "recorded", "rules": recorded}, {"name": "all", "rules": rules}]
        },
        tests=[_looking_at(test, [alert, *changed]) for test in own],
    )


def _about(alert: str, document: Document) -> Document:
    tests = [
        {**test, "alert_rule_test": looks}
        for test in document["tests"]
        if (
            looks := [
                look for look in test.get("alert_rule_test", ()) if look["alertname"] == alert
            ]
        )
    ]
    plain = [{k: v for k, v in test.items() if k != "promql_expr_test"} for test in tests]
    return {**document, "tests": plain}


def _looking_at(document: Document, names: Sequence[str]) -> Document:
    tests = [
        {
            **test,
            "alert_rule_test": [
                {**look, "alertname": name} for look in test["alert_rule_test"] for name in names
            ],
        }
        for test in document["tests"]
    ]
    return {**document, "rule_files": ["rules.yml"], "tests": tests}


def _recorded(bundle: Path) -> list[Document]:
    return [
        rule
        for path in sorted((bundle / "rules").glob("*.rules.yml"))
        for group in _read(path)["groups"]
        for rule in group["rules"]
        if "record" in rule
    ]


def _rule_files(at: Path, test: Document) -> set[Path]:
    return {(at.parent / name).resolve() for name in test["rule_files"]}


def _read(path: Path) -> Document:
    document: Document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return document
