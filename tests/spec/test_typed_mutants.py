"""Mutants of the typed tree: each value becomes another one of its type, or its key is left out.

Such specs are near to what people write. None may be met with an exception; the good ones (by far
not all: names refer to each other) must come to a bundle that the real promtool takes; and a fault
planted into a good one must be found under its own id, with its place.
"""

from __future__ import annotations

import os
import random
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from spec_reading import tree_of

from autogpt_observe.diagnostics import Report
from autogpt_observe.output.validators import Status, validate_bundle
from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.build import build_spec, field_types, inner_type, is_required
from autogpt_observe.spec.checks import check_spec
from autogpt_observe.spec.merge import merge
from autogpt_observe.spec.model import Alert, Spec
from autogpt_observe.spec.tree import Entry, Mapping, Node, Scalar, Sequence
from autogpt_observe.units import Amount, Duration, Ratio
from check_cases import read_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = tree_of((Path(__file__).parent / "mutants.yaml").read_text(encoding="utf-8"))
FULL = os.environ.get("AUTOGPT_OBSERVE_ALL_MUTANTS") == "1"
"""All 10,000 mutants and 200 bundles take minutes; otherwise a twentieth of them."""
BATCHES = 10
PER_BATCH = 1000 if FULL else 40
BUNDLES_PER_BATCH = 20 if FULL else 1

Place = tuple[Mapping, str, Any]
"""A map of the tree, one of its keys, and the type of the value there."""


def places(node: Node, type_: Any) -> Iterator[Place]:
    """Every key of the tree whose value has a type of its own."""
    if isinstance(node, Mapping):
        for name, entry in node.entries.items():
            inner = inner_type(type_, name)
            yield node, name, inner
            yield from places(entry.value, inner)
    elif isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from places(item, inner_type(type_, number))


def conditions(tree: Mapping) -> Iterator[Place]:
    """The keys inside of typed conditions, which have no one type that `inner_type` could tell."""
    alerts = tree.get("alerts")
    if not isinstance(alerts, Mapping):
        return
    variants = dict(field_types(Spec))["alerts"][1].__args__[1]
    one_of = field_types(variants)["when"][1].__metadata__[0]
    for entry in alerts.entries.values():
        when = entry.value.get("when") if isinstance(entry.value, Mapping) else None
        if isinstance(when, Mapping):
            for word, inner in when.entries.items():
                yield from places(inner.value, one_of.variants[word])


def kept_as_they_are(tree: Mapping) -> list[Node]:
    """The versions, which decide what is a fault, and the alert with tests of its author's."""
    alerts = tree.get("alerts")
    raw = alerts.get("Raw") if isinstance(alerts, Mapping) else None
    own: list[Node] = [node for node, _, _ in places(raw, Alert)] if raw is not None else []
    targets = tree.get("targets")
    return [*own, targets] if targets is not None else own


def other_value(text: str, type_: Any, chance: random.Random) -> str | None:
    """Another value of the type; None where there is none that is sure to be read."""
    if type_ is Duration:
        return chance.choice(("15s", "30s", "1m", "2m", "5m", "10m", "30m", "1h"))
    if type_ is Ratio:
        return chance.choice(("1%", "5%", "12.5%", "50%", "90%", "99%", "99.9%", "0.25"))
    if type_ is Amount and text[-1:].isalnum():
        number = "".join(char for char in text if char.isdigit() or char == ".") or "1"
        scaled = Decimal(number) * chance.choice((2, 3, Decimal("0.5"), 100))
        return f"{scaled:f}"
    if type_ is int:
        return str(max(1, int(text) * chance.choice((1, 2, 3, 10)) + chance.choice((-1, 0, 1))))
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        return str(chance.choice(list(type_)))
    return None


def mutate(tree: Mapping, chance: random.Random) -> Mapping:
    """A copy of the tree in which one to three keys are others, or missing."""
    copy = _copy(tree)
    assert isinstance(copy, Mapping)
    for _ in range(chance.choice((1, 1, 1, 2))):
        kept = kept_as_they_are(copy)
        found = [*places(copy, Spec), *conditions(copy)]
        found = [place for place in found if not any(place[0] is node for node in kept)]
        node, name, type_ = chance.choice(found)
        entry = node.entries[name]
        value = entry.value
        if isinstance(value, Scalar) and chance.random() < 0.9:
            text = other_value(value.text, type_, chance)
            if text is None:
                siblings = [
                    n.entries[k].value
                    for n, k, t in found
                    if t is type_ and isinstance(n.entries[k].value, Scalar)
                ]
                other = chance.choice(siblings)
                assert isinstance(other, Scalar)
                text = other.text
            node.entries[name] = Entry(entry.key, Scalar(text, plain=value.plain, at=value.at))
        else:
            del node.entries[name]
    return copy


def _copy(node: Node) -> Node:
    if isinstance(node, Mapping):
        entries = {name: Entry(e.key, _copy(e.value)) for name, e in node.entries.items()}
        return Mapping(entries, node.at)
    if isinstance(node, Sequence):
        return Sequence([_copy(item) for item in node.items], node.at)
    return node


def read(tree: Mapping) -> tuple[Spec | None, Report]:
    """The spec of a tree that has no errors."""
    report = Report()
    spec = build_spec(tree, report)
    if spec is not None:
        check_spec(spec, tree, report)
    return (None if report.has_errors else spec), report


def good_mutants(batch: int) -> Iterator[tuple[Mapping, Spec]]:
    chance = random.Random(batch)  # noqa: S311 - repeatable, not secret
    for _ in range(PER_BATCH):
        tree = mutate(BASE, chance)
        spec, report = read(tree)
        assert all(found.at is not None for found in report.diagnostics)
        if spec is not None:
            yield tree, spec


def test_the_base_is_good() -> None:
    spec, report = read(BASE)
    assert spec is not None
    assert report.diagnostics == ()
    assert any(is_required(field) for field, _ in field_types(Spec).values())


@pytest.mark.timeout(900)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutants_of_which_a_third_is_good(batch: int) -> None:
    good = list(good_mutants(batch))
    assert len(good) >= 0.3 * PER_BATCH
    chosen = random.Random(batch).sample(good, BUNDLES_PER_BATCH)  # noqa: S311 - as above
    for _, spec in chosen:
        files = {path: artifact.text for path, artifact in render_bundle(spec).items()}
        outcomes = validate_bundle(files, environ=os.environ)
        failed = [f"{o.name}: {o.detail}" for o in outcomes if o.status is Status.FAILED]
        assert failed == [], failed


FAULTS = [
    case
    for case in read_cases()
    if case.found.count("\n= ") == 0 and case.found.count(f"[{case.check}]") == 1
]
"""Refused pieces that are about one thing; laid over the base of the cases, not over this one."""


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_planted_fault_is_found(batch: int) -> None:
    chance = random.Random(batch)  # noqa: S311 - as above
    cases_base = tree_of((Path(__file__).parent / "cases" / "base.yaml").read_text())
    mutants = [tree for tree, _ in good_mutants(batch)][: PER_BATCH // 10]
    planted = 0
    for tree in mutants:
        case = chance.choice(FAULTS)
        fault = tree_of("version: 1\n" + case.text)
        whole = merge(merge(tree, cases_base, None), fault, None)
        _, report = read(whole)
        found = [d for d in report.diagnostics if d.id == case.check]
        assert found, (case.check, case.text)
        assert all(d.at is not None for d in found)
        planted += 1
    assert planted >= len(mutants) // 2
