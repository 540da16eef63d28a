"""YAML and JSON that every reader takes for what was written."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from autogpt_observe.render.emit import (
    Document,
    format_json,
    format_yaml,
    format_yaml_documents,
)


class _GoYaml(yaml.SafeLoader):
    """A reader that sees a number or a truth value wherever some YAML 1.1 or 1.2 reader does."""


for _tag, _pattern in (
    ("bool", "y|Y|n|N|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|[tT]rue|TRUE|[fF]alse|FALSE"),
    ("int", "[-+]?(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)"),
    ("float", r"[-+]?(?:[0-9][0-9_]*)?\.?[0-9_]*(?:[eE][-+]?[0-9]+)?(?<=[0-9.])"),
    ("float", r"[-+]?\.?(?:inf|Inf|INF|nan|NaN|NAN)"),
    ("null", "~|null|Null|NULL|"),
):
    _GoYaml.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), None
    )

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
WORDS = (
    "on off y N yes no true null ~ .nan .inf nan inf 1:30 22:22:22 1e3 1e+3 0o7 0x1F 0b1 017 1_000"
    " .5 5. +1 -1 - ? : , * & ! % @ ` { } [ ] # | > ' \" = << 2001-01-01 --- ... !!str <<: a: b:"
    " 2026-11-20T10:00:00Z 5m 1h30m 500m 2Gi 1E 1.5h %a /metrics a\\d \x00 \x7f \ufeffa 😀 é"
)
PHRASES = (
    "|  |a b|a: b|a #b| a|a |- a|? a|a :b|a:b|{{ $value }}|x{{ $value }}: y|# a|rate(x[5m]) > 0.1"
    '|x{a="b"}|\ta|a\x85b|a\u2028b|a\n|a\nb|a\nb\n\n|\n|\na| a\nb|a\n b|a \nb|a\n\n b|a\r\nb'
    "|a\n# b\n|a:\nb: c|a\n\n\n|a\n   \n|a\n---\nb|a\n...\nb"
)
TRICKY = st.sampled_from([*WORDS.split(" "), *PHRASES.split("|"), "long " * 180])
STRINGS = TEXT | TRICKY | st.lists(TRICKY, max_size=4).map("\n".join)
SCALARS = (
    STRINGS
    | st.integers()
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.none()
    | st.decimals(allow_nan=False, allow_infinity=False, places=6)
)


def nested(scalars: st.SearchStrategy[Document]) -> st.SearchStrategy[Document]:
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(STRINGS, inner, max_size=4)
            | st.tuples(inner, inner)
        ),
        max_leaves=15,
    )


DOCUMENTS = nested(SCALARS)
JSON_DOCUMENTS = nested(
    STRINGS
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-(10**9), 10**9, places=6)
    | st.booleans()
    | st.none()
)


def plain(value: object) -> object:
    """What a reader gives back for ``value``."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value


def same(one: object, other: object) -> bool:
    """Equality that tells 1, 1.0 and True apart."""
    match one, other:
        case dict(), dict():
            return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(DOCUMENTS)
def test_yaml_gives_back_every_value_with_its_type(document: Document) -> None:
    read = yaml.safe_load(format_yaml(document))
    assert same(read, plain(document)), format_yaml(document)


@given(st.dictionaries(STRINGS, STRINGS | st.lists(STRINGS)))
def test_a_string_is_a_string_to_every_reader(document: dict[str, Document]) -> None:
    written = format_yaml(document)
    assert same(yaml.load(written, _GoYaml), document), written  # noqa: S506 - a SafeLoader
    assert same(yaml.load(written, yaml.CSafeLoader), document), written


def test_the_tricky_reader_is_tricky() -> None:
    words = "y on 1e3 0o7 1_000 .5 1:30 ~"
    nodes = [yaml.compose(word, _GoYaml) for word in words.split()]
    tags = {node.tag.rpartition(":")[2] for node in nodes if node is not None}
    assert tags == {"bool", "float", "int", "null"}


@given(st.lists(DOCUMENTS.filter(lambda d: not isinstance(d, str)), min_size=1, max_size=3))
def test_documents_stay_apart(documents: list[Document]) -> None:
    written = format_yaml_documents(documents, header="several")
    assert written.startswith("# several\n")
    assert same(list(yaml.safe_load_all(written)), [plain(d) for d in documents])


def test_the_style_is_the_one_people_write() -> None:
    document: Document = {
        "groups": [
            {
                "name": "crawler",
                "rules": [
                    {
                        "alert": "HighErrorRate",
                        "expr": "rate(autogpt_errors_total[5m]) > 0.1",
                        "for": "2m",
                        "annotations": {"description": "Value: {{ $value }}", "switch": "on"},
                    },
                    {"expr": "sum(a)\n  / sum(b)", "labels": {}, "x": [], "y": [[1, 2.5], None]},
                ],
            }
        ],
        "limits": {"cpu": "500m", "memory": "2Gi", "ratio": Decimal("0.20"), "port": "80"},
    }
    assert (
        format_yaml(document, header="Generated.\n\nDo not edit.")
        == """\
# Generated.
#
# Do not edit.
groups:
  - name: crawler
    rules:
      - alert: HighErrorRate
        expr: rate(autogpt_errors_total[5m]) > 0.1
        for: 2m
        annotations:
          description: "Value: {{ $value }}"
          switch: "on"
      - expr: |-
          sum(a)
            / sum(b)
        labels: {}
        x: []
        "y":
          - - 1
            - 2.5
          - null
limits:
  cpu: 500m
  memory: 2Gi
  ratio: 0.2
  port: "80"
"""
    )


class _Level(StrEnum):
    LOW = "low"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1e16, "1.0e+16"),
        (1e-7, "1.0e-07"),
        (1.5e300, "1.5e+300"),
        (-0.0, "-0.0"),
        (float("inf"), ".inf"),
        (float("-inf"), "-.inf"),
        (float("nan"), ".nan"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.50"), "-0.5"),
    ],
)
def test_numbers_are_written_as_both_versions_of_yaml_read_them(
    value: float | Decimal, written: str
) -> None:
    assert format_yaml(value) == f"{written}\n"
    assert repr(yaml.safe_load(written)) == repr(plain(value))


def test_subclasses_and_views_count_as_what_they_are() -> None:
    document: Document = MappingProxyType({"level": _Level.LOW, "all": (_Level.LOW,)})
    assert format_yaml(document) == "level: low\nall:\n  - low\n"
    assert json.loads(format_json(document)) == {"level": "low", "all": ["low"]}


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        ({"a": object()}, TypeError, "object has no YAML form"),
        ({1: "a"}, TypeError, "a key must be a string, not int"),
        ({"a": "\ud800"}, ValueError, "a text with a lone surrogate can't be written as UTF-8"),
        ({"k" * 1001: 1}, ValueError, f"a key has more than 1000 characters: {'k' * 40}..."),
    ],
)
def test_what_yaml_cannot_hold_is_refused(
    document: Document, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        format_yaml(document)


@given(JSON_DOCUMENTS)
def test_json_gives_back_every_value(document: Document) -> None:
    written = format_json(document)
    assert written.endswith("\n")
    assert same(json.loads(written), plain(document))


def test_json_is_indented_by_two() -> None:
    assert format_json({"b": 1, "a": [Decimal("0.5")]}) == (
        '{\n  "b": 1,\n  "a": [\n    0.5\n  ]\n}\n'
    )
