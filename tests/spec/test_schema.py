"""The JSON Schema: valid itself, and of one mind with the reader where it claims to check."""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, get_args, get_origin

import jsonschema
import pytest
from spec_reading import EVERY_KEY, SMALL, tree_of, walk
from test_spec_fuzz import mutate

from autogpt_observe.diagnostics import Report
from autogpt_observe.spec import model
from autogpt_observe.spec.build import build_spec, field_types, inner_type
from autogpt_observe.spec.load import packaged_text
from autogpt_observe.spec.schema import DIALECT, render_schema
from autogpt_observe.spec.tree import (
    ENABLED,
    Entry,
    Mapping,
    Scalar,
    Sequence,
    is_switched_off,
    parse_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autogpt_observe.spec.tree import Node

Path = tuple[str | int, ...]

ROOT = FilePath(__file__).parents[2]
FENCED = re.MULTILINE | re.DOTALL
SECTIONS = tuple(field_types(model.Spec))
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


def subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a value in ``schema``, with where it stands."""
    yield path, schema
    for word in ("properties", "$defs"):
        for name, inner in schema.get(word, {}).items():
            yield from subschemas(inner, f"{path}.{name}")
    for word in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(word), dict):
            yield from subschemas(schema[word], f"{path}.{word}")
    for word in ("anyOf", "oneOf"):
        for number, inner in enumerate(schema.get(word, [])):
            if not inner.keys() <= {"required", "properties"}:
                yield from subschemas(inner, f"{path}.{word}{number}")


def test_everything_is_described() -> None:
    silent = [p for p, found in subschemas(SCHEMA) if not {"description", "$ref"} & found.keys()]
    assert silent == []
    assert len(list(subschemas(SCHEMA))) > 400


def test_keys_keep_their_help() -> None:
    definitions: Any = SCHEMA["$defs"]
    alert = definitions["NamedAlert"]["properties"]
    assert alert["for"]["description"] == (
        "How long it must hold before it fires (a duration such as `30s`, `5m` or `1h30m`)"
    )
    assert alert["when"]["properties"]["burn"]["description"] == (
        "An objective's error budget burns too fast, over a long and a short window alike."
    )
    assert definitions["NamedRoute"]["properties"]["receiver"]["description"].startswith(
        "Name of a declared receiver (a name of at most 63 letters"
    )


def test_words_say_what_they_mean() -> None:
    told = {
        tuple(found["enum"]): found.get("enumDescriptions")
        for _, found in subschemas(SCHEMA)
        if "enum" in found and "const" not in found
    }
    assert told["info", "warning", "critical"] == [
        "Good to know; nobody has to act",
        "Somebody should look in working hours",
        "Somebody must act now",
    ]
    without = {words[0] for words, means in told.items() if means is None}
    assert without == {1, "silent", "monday"}
    assert all(len(words) == len(means) for words, means in told.items() if means is not None)


def test_defaults_and_examples_are_good_values() -> None:
    checked = Counter[str]()
    for path, found in subschemas(SCHEMA):
        values = [("default", found["default"])] if "default" in found else []
        values += [("example", example) for example in found.get("examples", [])]
        for kind, value in values:
            wrong = [e.message for e in VALIDATOR.evolve(schema=found).iter_errors(value)]
            assert wrong == [], (path, value)
            checked[kind] += 1
    assert checked["default"] > 60
    assert checked["example"] > 60


def test_defaults_are_those_of_the_reader() -> None:
    properties: Any = SCHEMA["$defs"]
    assert properties["Prometheus"]["properties"]["scrape_interval"]["default"] == "15s"
    assert properties["Targets"]["properties"]["prometheus"]["default"] == "2.42"
    assert properties["Notifications"]["properties"]["group_by"]["default"] == [
        "alertname",
        "service",
    ]
    assert properties["WholeActivity"]["properties"]["above"]["default"] == "0"
    assert properties["WholePanel"]["properties"]["kind"]["default"] == "timeseries"
    assert "default" not in properties["Service"]["properties"]["name"]


# --- the project's own specs -----------------------------------------------------------------


def written_specs() -> dict[str, str]:
    """Every spec in the repository: files, and the blocks of the documents."""
    found = {}
    for path in (*ROOT.glob("examples/**/*.y*ml"), *ROOT.glob("tests/**/*.yaml")):
        found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")):
        text = path.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", text, FENCED)):
            found[f"{path.relative_to(ROOT).as_posix()}#{number}"] = block
    return {name: text for name, text in found.items() if _is_spec(text)}


def _is_spec(text: str) -> bool:
    report = Report()
    tree = parse_tree(text.encode(), "observe.yaml", report)
    return tree is not None and not report.has_errors and set(tree.entries) <= set(SECTIONS)


WRITTEN = written_specs()


@pytest.mark.parametrize("name", WRITTEN)
def test_every_written_spec_is_valid(name: str) -> None:
    tree = tree_of(WRITTEN[name])
    refused = [f for f in reader_refuses(tree) if "lacks" not in f and "is missing" not in f]
    assert bool(schema_refuses(tree)) is bool(refused), (schema_refuses(tree), refused)


def test_written_specs_are_found() -> None:
    names = set(WRITTEN)
    assert {"tests/spec/every_key.yaml", "tests/render/every_kind.yaml", "docs/spec.md#0"} <= names
    valid = [name for name in names if not schema_refuses(tree_of(WRITTEN[name]))]
    assert len(valid) > 8


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


EVERYTHING = tree_of(EVERY_KEY)
NODES = [n for n in nodes_of(EVERYTHING, model.Spec) if n[0] and n[0][0] != "environments"]


def one_of_each_kind() -> list[tuple[Path, Node]]:
    """A scalar of each type and bounds; optional and required ones apart."""
    found: dict[object, tuple[Path, Node]] = {}
    for path, type_, node in NODES:
        if not isinstance(node, Scalar):
            continue
        parent = next(t for p, t, _ in nodes_of(EVERYTHING, model.Spec) if p == path[:-1])
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
        root = with_node(EVERYTHING, path, scalar)
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
                root = with_node(EVERYTHING, path, other)
                wrong_kind = any(": expected " in message for message in reader_refuses(root))
                assert bool(schema_refuses(root)) is wrong_kind, path


def test_schema_and_reader_agree_on_unknown_keys() -> None:
    nonsense = tree_of("nonsense: 1").entries["nonsense"]
    checked = 0
    for path, _, node in NODES:
        if isinstance(node, Mapping):
            root = with_node(
                EVERYTHING, path, Mapping({**node.entries, "nonsense": nonsense}, node.at)
            )
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
            root = with_node(EVERYTHING, path, Mapping(less, node.at))
            assert bool(schema_refuses(root)) is bool(reader_refuses(root)), (path, name)
            missed += bool(reader_refuses(root))
    assert missed >= 10


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("alert: {}", ["Additional properties are not allowed ('alert' was unexpected)"]),
        (
            "alerts: {A: {severity: critcal}}",
            ["'critcal' is not one of ['info', 'warning', 'critical']"],
        ),
        ("alerts: {A: {for: 5}}", ["5 is greater than the maximum of 0"]),
        (
            "environments: {e: {alert: {}}}",
            ["Additional properties are not allowed ('alert' was unexpected)"],
        ),
        (
            "environments: {e: {include: [autogpt]}}",
            ["Additional properties are not allowed ('include' was unexpected)"],
        ),
        (
            "environments: {e: {environments: {}}}",
            ["Additional properties are not allowed ('environments' was unexpected)"],
        ),
        (
            "service: {enabled: false}",
            ["Additional properties are not allowed ('enabled' was unexpected)"],
        ),
        ("prometheus: {series_budget: 0}", ["0 is less than the minimum of 1"]),
        ("prometheus: {scrape: 'a:1'}", ["'a:1' is not of type 'array'"]),
        ("alerts: {A: {when: {}}}", ["{} should be non-empty"]),
        (
            "alerts: {A: {when: {expr: up, absent: {metric: up}}}}",
            ["{'expr': 'up', 'absent': {'metric': 'up'}} has too many properties"],
        ),
        ("alerts: {A: {when: {absent: {}}}}", ["'metric' is a required property"]),
        (
            "alerts: {A: {when: {rate: {metric: a, window: 5m, above: 1, belwo: 2}}}}",
            ["Additional properties are not allowed ('belwo' was unexpected)"],
        ),
        ("metrics: {1a: {}}", ["'1a' does not match '^(?:[a-zA-Z_][a-zA-Z0-9_]{0,199})$'"]),
        ("recording_rules: {r: {expr: ' '}}", ["' ' does not match '\\\\S'"]),
    ],
)
def test_what_an_editor_shows(text: str, messages: list[str]) -> None:
    assert schema_refuses(tree_of(text)) == messages
    assert reader_refuses(tree_of(text)) != []


LIMIT = "{metric: a, window: 5m, %s}"
CHOICES = {  # what is given, and whether a whole value may say so
    "above: 1": True,
    "below: 1": True,
    "above: 1, below: 2": False,
    "by: [b]": False,
    "above: null, below: 1": True,
    "above: null": False,
    "above: null, below: null": False,
}


@pytest.mark.parametrize("given", CHOICES)
def test_of_two_limits_exactly_one_is_given(given: str) -> None:
    tree = tree_of(f"alerts: {{A: {{when: {{rate: {LIMIT % given}}}}}}}")
    refused = [found for found in reader_refuses(tree) if "above" in found]
    assert bool(schema_refuses(tree)) is not CHOICES[given]
    assert bool(refused) is not CHOICES[given]


EVENTS = "events: {bad: {metric: a}, total: {metric: b}}"
LATENCY = "latency: {metric: a, within: 1s}"


@pytest.mark.parametrize("above", ["%s", "environments: {e: {%s}}"])
@pytest.mark.parametrize(
    ("given", "good"),
    [
        (EVENTS, True),
        (LATENCY, True),
        (f"{EVENTS}, latency: null", True),
        ("objective: 99%", True),  # another layer says what is counted
        (f"{EVENTS}, {LATENCY}", False),
    ],
)
def test_a_layer_may_leave_a_choice_to_another_but_not_take_both(
    above: str,
    given: str,
    good: bool,  # noqa: FBT001 - a column of the table
) -> None:
    tree = tree_of(above % f"slos: {{s: {{{given}}}}}")
    assert (schema_refuses(tree) == []) is good


def test_a_part_of_a_layer_may_be_incomplete() -> None:
    for text in (
        "alerts: {HighErrorRate: {severity: info}}",
        "alerts: {HighErrorRate: {enabled: false}}",
        "slos: {s: {events: {bad: {where: {outcome: [error]}}}}}",
        "environments: {e: {alerts: {HighErrorRate: {when: {expr: up == 0}}}}}",
    ):
        assert schema_refuses(tree_of(text)) == []


def test_what_is_whole_in_one_place_is_a_part_in_another() -> None:
    """A selection is whole in a condition, and may be a part in an objective."""
    ratio = "ratio: {bad: {where: {}}, total: {metric: a}, window: 5m, above: 1%}"
    assert schema_refuses(tree_of(f"alerts: {{A: {{when: {{{ratio}}}}}}}")) == [
        "'metric' is a required property"
    ]
    assert schema_refuses(tree_of("slos: {s: {events: {bad: {where: {}}}}}")) == []


# --- whatever the reader takes ---------------------------------------------------------------


@pytest.mark.parametrize("batch", range(4))
def test_what_the_reader_takes_the_schema_takes(batch: int) -> None:
    chance = random.Random(batch)  # noqa: S311 - repeatable, not secret
    all_nodes = [node for _, node in walk(MUTABLE)]
    taken = 0
    for _ in range(300):
        mutant = mutate(MUTABLE, chance, all_nodes)
        if isinstance(mutant, Mapping) and is_taken(mutant):
            taken += 1
            assert schema_refuses(mutant) == []
    assert taken > 20


def is_taken(root: Node) -> bool:
    """Whether the reader takes all of it; parts that are switched off it does not look at."""
    removed = any(isinstance(n, Mapping) and is_switched_off(n) for _, n in walk(root))
    return not removed and reader_refuses(root) == []


MUTABLE = Mapping(
    {n: e for n, e in EVERYTHING.entries.items() if n != "environments"}, EVERYTHING.at
)
