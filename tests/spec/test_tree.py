"""What a file of bytes can get wrong before any key is read: each finding word for word."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_reading import expected, tree_findings, tree_of
from tree_slips import TO_MEND

from autogpt_observe.diagnostics import Report
from autogpt_observe.spec import tree
from autogpt_observe.spec.load import packaged_text
from autogpt_observe.spec.tree import MAX_BYTES, MAX_DEPTH, Mapping, Scalar, Sequence, parse_tree

if TYPE_CHECKING:
    from autogpt_observe.spec.tree import Node


@pytest.mark.parametrize("case", TO_MEND)
def test_finding(case: str) -> None:
    text, message = TO_MEND[case]
    assert tree_findings(text) == expected(message)


def test_all_control_characters_of_a_file_are_not_listed_one_by_one() -> None:
    lines = tree_findings("\x01" * 100_000).split("\n")
    assert [line for line in lines if "error" in line] == [
        f"observe.yaml:1:{column}: error: the file holds the control character U+0001"
        " [yaml/control]"
        for column in range(1, 21)
    ]


def test_one_reading_finds_everything_up_to_a_syntax_error() -> None:
    lines = tree_findings("a: !x 1\na: *b\n[c]: 1\nd: [\n").split("\n")
    assert [line.split(": ")[0] for line in lines if " error: " in line] == [
        "observe.yaml:1:4",
        "observe.yaml:2:1",
        "observe.yaml:2:4",
        "observe.yaml:3:1",
        "observe.yaml:5:1",
    ]


def test_largest_file() -> None:
    message = """
        observe.yaml:1:1: error: the file is larger than the limit of 8 MiB [yaml/size]
            1 |
              | ^
          = split it into several files and `include` them
        """
    assert tree_findings(b"a: 1\n#" + b"x" * (MAX_BYTES - 6)) == ""
    assert tree_findings(b"a: 1\n#" + b"x" * (MAX_BYTES - 5)) == expected(message)


def test_deepest_nesting() -> None:
    deepest = "\n".join("  " * depth + "a:" for depth in range(MAX_DEPTH - 1))
    assert tree_findings(f"{deepest} {{a: 1}}") == ""
    assert tree_findings(f"{deepest} {{a: [1]}}") == expected(
        f"""
        observe.yaml:49:104: error: nested more than 50 levels deep [yaml/depth]
           49 | ...{" " * 53}a: {{a: [1]}}
              | {" " * 63}^
          = a spec needs about ten levels
        """
    )


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_endless_nesting_is_refused_at_once(opening: str) -> None:
    report = Report()
    assert parse_tree((opening * 100_000).encode(), "observe.yaml", report) is None
    assert [found.id for found in report.diagnostics] == ["yaml/depth"]


def test_nesting_through_a_chain_of_aliases_counts() -> None:
    chain = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH - 1)]
    one_more = f"last: [*a{MAX_DEPTH - 2}]"
    assert tree_findings("\n".join(chain)) == ""
    assert tree_findings("\n".join([*chain, one_more])) == expected(
        """
        observe.yaml:50:8: error: nested more than 50 levels deep [yaml/depth]
           50 | last: [*a48]
              |        ^^^^
          = a spec needs about ten levels
        """
    )


def test_alias_bomb() -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefg", "bcdefgh", strict=True):
        rows.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    assert tree_findings("\n".join(rows)) == expected(
        """
        observe.yaml:6:4: error: aliases expand to more than 1,000,000 values [yaml/alias-bomb]
            6 | f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
              |    ^^^^
          = write values out
        """
    )


def test_an_alias_stands_where_it_is_written_and_a_node_where_it_is() -> None:
    read = tree_of("a: &a up\nb: &b {c: 1}\nd: *a\ne: *b\n")
    places = {name: str(entry.value.at) for name, entry in read.entries.items()}
    assert places == {
        "a": "observe.yaml:1:4",
        "b": "observe.yaml:2:4",
        "d": "observe.yaml:3:4",
        "e": "observe.yaml:2:4",
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: [1]}\nc: 2\n",
        "\ufeffa: {b: [1]}\nc: 2\n",
        "a: {b: [1]}\r\nc: 2\r\n",
        "a: {b: [1]}\rc: 2\r",
        "%YAML 1.2\n---\na: {b: [1]}\nc: 2\n",
        "---\na: {b: [1]}\nc: 2\n...\n",
        "? a\n: {b: [1]}\n? c\n: 2\n",
        "a: &x {b: [1]}\nc: ! 2\n",
    ],
)
def test_ways_to_write_the_same(text: str) -> None:
    assert _data(tree_of(text)) == {"a": {"b": ["1"]}, "c": "2"}


def test_positions_after_line_ends_of_windows_and_old_macs() -> None:
    assert [
        [entry.key.at.line for entry in tree_of(f"a: 1{end}b: 2{end}c: 3").entries.values()]
        for end in ("\n", "\r\n", "\r")
    ] == [[1, 2, 3]] * 3


def test_quotes_are_remembered_and_nothing_is_typed() -> None:
    items = tree_of("a: [on, 1:30, 1.10, 0o7, 1e3, ~, '~', \"on\", null, 'null', 2024-01-01]").get(
        "a"
    )
    assert isinstance(items, Sequence)
    scalars = [item for item in items.items if isinstance(item, Scalar)]
    assert [(s.text, s.plain, s.is_null) for s in scalars] == [
        ("on", True, False),
        ("1:30", True, False),
        ("1.10", True, False),
        ("0o7", True, False),
        ("1e3", True, False),
        ("~", True, True),
        ("~", False, False),
        ("on", False, False),
        ("null", True, True),
        ("null", False, False),
        ("2024-01-01", True, False),
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text("abcé :#{[&*!|>'\"%@`", max_size=8), inner, max_size=4)
        ),
        max_leaves=20,
    )
)
def test_what_another_writer_wrote_reads_back(data: object) -> None:
    text = yaml.safe_dump({"top": data}, default_style='"', allow_unicode=True)
    assert _data(tree_of(text)) == {"top": data}


def test_the_slower_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)  # noqa: S311 - not for secrets
    for name in ("default.yaml", "starter.yaml", "packs/autogpt.yaml"):
        lines = packaged_text(name).split("\n")
        for _ in range(5):
            cut = "\n".join(lines[: chance.randrange(len(lines))])
            fast = _outcome(cut)
            with monkeypatch.context() as patched:
                patched.setattr(tree, "_LOADER", yaml.SafeLoader)
                assert _outcome(cut) == fast


def _outcome(text: str) -> object:
    report = Report()
    read = parse_tree(text.encode(), "observe.yaml", report)
    return _data(read) if read is not None else [str(found.at) for found in report.diagnostics]


def _data(node: Node) -> object:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [_data(item) for item in node.items]
        case Mapping():
            return {name: _data(entry.value) for name, entry in node.entries.items()}
