"""Whatever a file holds: never an exception, always a spec or an error with a place in the text."""

from __future__ import annotations

import random
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from spec_reading import EVERY_KEY, tree_of, walk

from autogpt_observe.diagnostics import Report, format_diagnostic
from autogpt_observe.spec.build import build_spec
from autogpt_observe.spec.checks import check_spec
from autogpt_observe.spec.load import packaged_text
from autogpt_observe.spec.merge import merge, merge_environment
from autogpt_observe.spec.resolved import format_resolved
from autogpt_observe.spec.tree import Entry, Mapping, Node, Scalar, Sequence, parse_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from autogpt_observe.diagnostics import Diagnostic, Span

PACK = tree_of(packaged_text("packs/autogpt.yaml"))
ALONE = EVERY_KEY.replace("include: [autogpt]\n", "")
ROOT = tree_of(ALONE)
BATCHES = 16
TEXTS_PER_BATCH, TREES_PER_BATCH = 100, 100
ODD = (
    *(
        "~",
        "''",
        "on",
        "-1",
        "1e999",
        "0x1F",
        "1:30",
        "NaN",
        "9" * 400,
        "*x",
        "&x",
        "!!int 5",
        "<<",
    ),
    *("{{ $value }}", "[", "]", "{", "}", "|", ">", "- ", "? ", ": ", "#", '"\\u202e"', "'", '"'),
    *(
        "%",
        "@",
        "`",
        "\t",
        "\x00",
        "\x1b",
        "\ufeff",
        "\u2028",
        "\U0001f600",
        "\ud7ff",
        "---",
        "...",
    ),
    *("up{", "rate(", "(" * 300, "a" * 2000, "http://u:hunter2@h", "enabled: false", "\r", "\n"),
)


def outcome(data: bytes) -> tuple[Diagnostic, ...]:
    """Read ``data`` over the pack, alone and in its environments, as the loader does."""
    report = Report()
    tree = parse_tree(data, "observe.yaml", report)
    if tree is not None:
        judge(tree, report)
    assert_sound(report, read=tree is not None)
    return report.diagnostics


def judge(tree: Mapping, report: Report) -> None:
    merged = merge(PACK, tree, report) if tree.get("include") is not None else tree
    overlays = merged.get("environments")
    roots = [merged]
    for name, entry in overlays.entries.items() if isinstance(overlays, Mapping) else ():
        if isinstance(entry.value, Mapping):
            roots.append(merge_environment(merged, name, entry.value, report))
    for root in roots:
        spec = build_spec(root, report)
        assert spec is not None or report.has_errors
        if spec is not None:
            check_spec(spec, root, report)


def assert_sound(report: Report, *, read: bool) -> None:
    assert read or report.has_errors
    for found in report.diagnostics:
        shown = format_diagnostic(found)
        kinds = {unicodedata.category(char) for char in shown.replace("\n", "")}
        assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"}), shown
        assert len(shown.split("\n")) <= 5
        assert len(found.message) < 1000
        assert "hunter2" not in shown
        assert found.at is not None
        assert_inside(found.at)


def assert_inside(at: Span) -> None:
    lines = at.source.text.split("\n")
    assert 1 <= at.line <= len(lines), at
    assert 1 <= at.column <= len(lines[at.line - 1]) + 1, at
    assert at.length >= 1


# --- texts -----------------------------------------------------------------------------------


def cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text))]


def remove(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text))
    return text[:start] + text[start + chance.randrange(1, 40) :]


def insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(ODD) + text[at:]


def repeat(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text))
    piece = text[start : start + chance.randrange(1, 200)]
    at = chance.randrange(len(text))
    return text[:at] + piece + text[at:]


def swap_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return "\n".join(lines)


def indent(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((" ", "\t", "      ", "- ")) + lines[at]
    return "\n".join(lines)


def change_word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice(ODD)
    return " ".join(words)


TEXT_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    *(cut, remove, insert, repeat, swap_lines, indent, change_word),
)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutated_texts(batch: int) -> None:
    chance = random.Random(batch)  # noqa: S311 - repeatable, not secret
    for _ in range(TEXTS_PER_BATCH):
        text = EVERY_KEY if chance.random() < 0.3 else ALONE
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            text = chance.choice(TEXT_MUTATIONS)(text, chance) or "\n"
        outcome(text.encode("utf-8", "surrogatepass"))


# --- trees -----------------------------------------------------------------------------------


def mutate(node: Node, chance: random.Random, all_nodes: list[Node]) -> Node:
    """A copy of the tree with one thing wrong, somewhere."""
    if isinstance(node, Scalar) or (node is not ROOT and chance.random() < 0.15):
        return _other(node, chance, all_nodes)
    if isinstance(node, Sequence):
        items = list(node.items)
        if items:
            at = chance.randrange(len(items))
            items[at] = mutate(items[at], chance, all_nodes)
        return Sequence(items, node.at)
    if not node.entries:
        return _other(node, chance, all_nodes)
    entries = dict(node.entries)
    name = chance.choice(list(entries))
    entry = entries[name]
    match chance.randrange(8):
        case 0:
            del entries[name]
        case 1:
            text = chance.choice((name[:-1] or "x", name.upper(), name + "x", *ODD))
            entries[text] = Entry(Scalar(text, plain=True, at=entry.key.at), entry.value)
            del entries[name]
        case _:
            entries[name] = Entry(entry.key, mutate(entry.value, chance, all_nodes))
    return Mapping(entries, node.at)


def _other(node: Node, chance: random.Random, all_nodes: list[Node]) -> Node:
    match chance.randrange(6):
        case 0:
            return chance.choice(all_nodes)
        case 1:
            return Mapping({}, node.at)
        case 2:
            return Sequence([node, node], node.at)
        case 3:
            key = Scalar(chance.choice(ODD), plain=False, at=node.at)
            return Mapping({key.text: Entry(key, node)}, node.at)
        case _:
            return Scalar(chance.choice(ODD), chance.random() < 0.5, node.at)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutated_trees(batch: int) -> None:
    chance = random.Random(1000 + batch)  # noqa: S311 - repeatable, not secret
    all_nodes = [node for _, node in walk(ROOT)]
    for number in range(TREES_PER_BATCH):
        root: Node = ROOT
        for _ in range(chance.choice((1, 2, 4))):
            mutated = mutate(root, chance, all_nodes)
            root = mutated if isinstance(mutated, Mapping) else root
        assert isinstance(root, Mapping)
        report = Report()
        judge(root, report)
        assert_sound(report, read=True)
        if number % 10 == 0:
            format_resolved(root)


def test_there_are_enough_mutants_and_they_are_found() -> None:
    assert BATCHES * (TEXTS_PER_BATCH + TREES_PER_BATCH) >= 3000
    chance = random.Random(5)  # noqa: S311 - repeatable, not secret
    mutants = [change_word(EVERY_KEY, chance).encode() for _ in range(60)]
    assert sum(bool(outcome(mutant)) for mutant in mutants) > 40


# --- anything at all -------------------------------------------------------------------------

YAML_PIECES = st.sampled_from(
    [
        *ODD,
        "version: 1\n",
        "service:",
        " {name: a}",
        "\n",
        "\n  ",
        "alerts:",
        "A: ",
        "- x",
        ", ",
        "x",
    ]
)


@seed(1)
@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    assert outcome(data) == outcome(data)


@seed(2)
@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(YAML_PIECES, max_size=40).map("".join))
def test_random_yaml(text: str) -> None:
    assert outcome(text.encode()) == outcome(text.encode())


@seed(3)
@settings(
    max_examples=100, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.integers(0, 2**32))
def test_the_same_input_has_the_same_findings(number: int) -> None:
    chance = random.Random(number)  # noqa: S311 - repeatable, not secret
    text = chance.choice(TEXT_MUTATIONS)(EVERY_KEY, chance) or "\n"
    first, second = outcome(text.encode()), outcome(text.encode())
    assert list(map(format_diagnostic, first)) == list(map(format_diagnostic, second))
