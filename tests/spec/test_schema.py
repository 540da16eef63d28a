"""The JSON Schema: valid itself, and of one mind with the reader where it claims to check."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, get_args, get_origin

import jsonschema
import pytest
from spec_reading import EVERY_KEY, SMALL, tree_of

from autogpt_observe.diagnostics import Report
from autogpt_observe.spec import model
from autogpt_observe.spec.build import build_spec, field_types, inner_type
from autogpt_observe.spec.load import packaged_text
from autogpt_observe.spec.schema import DIALECT, render_schema
from autogpt_observe.spec.tree import ENABLED, Entry, Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec.tree import Node

Path = tuple[str | int, ...]

SCHEMA = render_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WORDS = ("on", "true", "abc", "5m", "20%", "critical", "2Gi", "v2", "http://a", "a:1", "silent", "")
NUMBERS = ("5", "-5", "0", "0.5", "70000")
QUOTED = ("5", "true", "5m", "null", "a b")


def as_editor(node: Node) -> Any:
    """What an editor sees: YAML 1.2 with its core types."""
    match node:
        case Scalar():
            return _typed(node)
        case Sequence():
            return [as_editor(item) for item in node.items]
        case Mapping():
            return {name: as_editor(entry.value) for name, entry in node.entries.items()}


def _typed(scalar: Scalar) -> Any:
    if not scalar.plain:
        return scalar.text
    if scalar.is_null:
        return None
    if scalar.text in ("true", "false"):
        return scalar.text == "true"
    if re.fullmatch(r"[-+]?[0-9]+", scalar.text):
        return int(scalar.text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", scalar.text):
        return float(scalar.text)
    return scalar.text


def schema_refuses(root: Node) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(as_editor(root))]


def reader_refuses(root: Node) -> list[str]:
    assert isinstance(root, Mapping)
    report = Report()
    build_spec(root, report)
    return [found.message for found in report.diagnostics]


def test_the_schema_is_valid_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT
    assert SCHEMA["additionalProperties"] is False


@pytest.mark.parametrize("name", ["packs/autogpt.yaml", "default.yaml", "starter.yaml"])
def test_packaged_specs_are_valid(name: str) -> None:
    assert schema_refuses(tree_of(packaged_text(name))) == []


def test_the_spec_of_every_key_is_valid() -> None:
    assert schema_refuses(tree_of(EVERY_KEY)) == []
    assert schema_refuses(tree_of(SMALL)) == []


def test_every_key_is_described() -> None:
    def undescribed(schema: Any, path: str) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            if not inner.get("description") and not path.endswith(".when"):
                yield f"{path}.{name}"
            yield from undescribed(inner, f"{path}.{name}")

    definitions: Any = SCHEMA["$defs"]
    assert list(undescribed(SCHEMA, "")) == []
    assert [n for d in definitions for n in undescribed(definitions[d], d)] == []
    assert "Alert" in definitions


# --- mutants ---------------------------------------------------------------------------------


def nodes_of(node: Node, type_: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Node]]:
    yield path, type_, node
    variants = get_args(type_)[1].variants if hasattr(type_, "__metadata__") else {}
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from nodes_of(item, inner_type(type_, index), (*path, index))
    elif isinstance(node, Mapping):
        for name, entry in node.entries.items():
            inner = variants.get(name) or inner_type(type_, name)
            yield from nodes_of(entry.value, inner, (*path, name))


def with_node(root: Node, path: Path, node: Node) -> Node:
    if not path:
        return node
    step, *rest = path
    if isinstance(root, Sequence):
        items = list(root.items)
        items[int(step)] = with_node(items[int(step)], tuple(rest), node)
        return Sequence(items, root.at)
    assert isinstance(root, Mapping)
    entry = root.entries[str(step)]
    changed = Entry(entry.key, with_node(entry.value, tuple(rest), node))
    return Mapping({**root.entries, str(step): changed}, root.at)


ROOT = tree_of(EVERY_KEY)
NODES = [n for n in nodes_of(ROOT, model.Spec) if n[0] and n[0][0] != "environments"]


def one_of_each_kind() -> list[tuple[Path, Node]]:
    """A scalar of each type and bounds; optional and required ones apart."""
    found: dict[object, tuple[Path, Node]] = {}
    for path, type_, node in NODES:
        if not isinstance(node, Scalar):
            continue
        parent = next(t for p, t, _ in nodes_of(ROOT, model.Spec) if p == path[:-1])
        declared = None
        if dataclasses.is_dataclass(parent) and path[-1] != ENABLED:
            field, own = field_types(parent)[str(path[-1])]  # type: ignore[arg-type]  # a class
            declared = (field.metadata["key"].bounds, type(None) in get_args(own))
        found.setdefault((type_, declared, get_origin(parent)), (path, node))
    return list(found.values())


KINDS = one_of_each_kind()


@pytest.mark.parametrize("number", range(len(KINDS)), ids=lambda n: ".".join(map(str, KINDS[n][0])))
def test_schema_and_reader_agree_on_scalars(number: int) -> None:
    path, node = KINDS[number]
    scalars = [Scalar(word, plain=True, at=node.at) for word in (*WORDS, *NUMBERS, "~")]
    scalars += [Scalar(word, plain=False, at=node.at) for word in QUOTED]
    for scalar in scalars:
        root = with_node(ROOT, path, scalar)
        by_schema, by_reader = bool(schema_refuses(root)), bool(reader_refuses(root))
        shown = (scalar.text, scalar.plain, reader_refuses(root), schema_refuses(root))
        if isinstance(_typed(scalar), int | float):  # an editor has already made a number of it
            assert by_reader or not by_schema, shown
        else:
            assert by_reader is by_schema, shown


def test_schema_and_reader_agree_on_kinds_of_nodes() -> None:
    for path, _, node in NODES:
        for other in (Mapping({}, node.at), Sequence([], node.at)):
            if type(other) is not type(node):
                root = with_node(ROOT, path, other)
                wrong_kind = any(": expected " in message for message in reader_refuses(root))
                assert bool(schema_refuses(root)) is wrong_kind, path


def test_schema_and_reader_agree_on_unknown_keys() -> None:
    nonsense = tree_of("nonsense: 1").entries["nonsense"]
    checked = 0
    for path, _, node in NODES:
        if isinstance(node, Mapping):
            root = with_node(ROOT, path, Mapping({**node.entries, "nonsense": nonsense}, node.at))
            assert bool(schema_refuses(root)) is bool(reader_refuses(root)), path
            checked += 1
    assert checked > 50


def test_in_lists_and_conditions_the_schema_knows_what_must_be_there() -> None:
    missed = 0
    for path, type_, node in NODES:
        whole = any(isinstance(step, int) for step in path) or "when" in path
        if not isinstance(node, Mapping) or not whole or not dataclasses.is_dataclass(type_):
            continue
        for name in node.entries:
            less = {n: e for n, e in node.entries.items() if n != name}
            root = with_node(ROOT, path, Mapping(less, node.at))
            assert bool(schema_refuses(root)) is bool(reader_refuses(root)), (path, name)
            missed += bool(reader_refuses(root))
    assert missed >= 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alert: {}", "Additional properties are not allowed ('alert' was unexpected)"),
        (
            "alerts: {A: {severity: critcal}}",
            "'critcal' is not one of ['info', 'warning', 'critical']",
        ),
        ("alerts: {A: {for: 5}}", "5 is greater than the maximum of 0"),
        (
            "environments: {e: {alert: {}}}",
            "Additional properties are not allowed ('alert' was unexpected)",
        ),
        (
            "service: {enabled: false}",
            "Additional properties are not allowed ('enabled' was unexpected)",
        ),
        ("prometheus: {series_budget: 0}", "0 is less than the minimum of 1"),
    ],
)
def test_what_an_editor_shows(text: str, message: str) -> None:
    assert schema_refuses(tree_of(text)) == [message]


def test_a_part_of_a_layer_may_be_incomplete() -> None:
    assert schema_refuses(tree_of("alerts: {HighErrorRate: {severity: info}}")) == []
    assert schema_refuses(tree_of("alerts: {HighErrorRate: {enabled: false}}")) == []
