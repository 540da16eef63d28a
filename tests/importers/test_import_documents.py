"""Files of several documents: each place is the one in the file."""

from __future__ import annotations

import pytest

from autogpt_observe.diagnostics import Report
from autogpt_observe.importers.documents import parse_documents
from autogpt_observe.spec.tree import Scalar


def _first_keys(text: str) -> list[str]:
    report = Report()
    documents = parse_documents(text.encode(), "f.yml", report)
    assert report.diagnostics == ()
    keys = [next(iter(document.root.entries.values())).key for document in documents]
    return [f"{key.text} {key.at.line}:{key.at.column}" for key in keys]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a: 1\n", ["a 1:1"]),
        ("---\na: 1\n---\nb: 1\n", ["a 2:1", "b 4:1"]),
        ("# only words\n---\n---\n# again\n---\na: 1\n...\n", ["a 6:1"]),
        ("%YAML 1.1\n---\na: 1\n", ["a 3:1"]),
        ("a: 1\n...\n---\nb: 1\n", ["a 1:1", "b 4:1"]),
        ("--- {a: 1}\n--- {b: 1}\n", ["a 1:6", "b 2:6"]),
        ("a: 1\r\n---\r\nb: 1\r\n", ["a 1:1", "b 3:1"]),
        ("a: |\n  ---\n  text\n---\nb: 1\n", ["a 1:1", "b 5:1"]),
        ("- a: 1\n- b: 1\n", ["a 1:3", "b 2:3"]),
        ("---\n- a: 1\n---\nb: 1\n", ["a 2:3", "b 4:1"]),
        ("kind: List\nitems:\n  - a: 1\n", ["a 3:5"]),
        ("\ufeffa: 1\n---\nb: 1\n", ["a 1:1", "b 3:1"]),
        ("", []),
        ("---\n", []),
    ],
)
def test_places(text: str, keys: list[str]) -> None:
    assert _first_keys(text) == keys


def test_values_stay_texts() -> None:
    (document,) = parse_documents(b"a: 1.10\n", "f.yml", Report())
    value = document.root.get("a")
    assert isinstance(value, Scalar)
    assert value.text == "1.10"


def test_shared_nodes_are_moved_once() -> None:
    text = b"x: 1\n---\na: &n {k: 1}\nb: *n\n"
    _, document = parse_documents(text, "f.yml", Report())
    shared = document.root.get("b")
    assert shared is not None
    assert str(shared.at) == "f.yml:3:4"
