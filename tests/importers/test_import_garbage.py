"""Whatever the files hold: a spec that is valid, or an error that says what is wrong."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from import_cases import CASES, refused
from input_slips import changed, dump, inputs, places

from autogpt_observe.diagnostics import SpecError
from autogpt_observe.importers import import_files
from autogpt_observe.spec.load import read_spec

NAMES = sorted(folder.name for folder in CASES.iterdir())
WORDS = st.sampled_from(
    [
        "",
        "x",
        "5m",
        "0",
        "-1",
        "99.9",
        "true",
        "sum(",
        "up",
        "a: b",
        "{{.window}}",
        "ünï ✗",
        "\t#",
        "'",
    ]
)
TEXTS = WORDS | st.text(max_size=20)
KEYS = st.sampled_from(
    (
        "groups",
        "rules",
        "alert",
        "record",
        "expr",
        "for",
        "labels",
        "annotations",
        "tests",
        "input_series",
        "alert_rule_test",
        "version",
        "service",
        "slos",
        "sli",
        "events",
        "error_query",
        "name",
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "items",
    )
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.none() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=12,
)


def assert_usable(files: list[tuple[str, bytes]]) -> None:
    try:
        imported = import_files(files)
    except SpecError as error:
        assert any(found.severity == "error" for found in error.diagnostics)  # noqa: PT017 - both ways are good
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "observe.yaml"
        path.write_text(imported.text, encoding="utf-8")
        loaded = read_spec(path)
    assert loaded.spec is not None, imported.text
    assert len(loaded.diagnostics) == imported.warnings


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_one_place_changed(data: st.DataObject) -> None:
    files = inputs(data.draw(st.sampled_from(NAMES)))
    name = data.draw(st.sampled_from(sorted(files)))
    path, _ = data.draw(st.sampled_from([p for p in places(files[name]) if p[0]]))
    assert_usable(dump(changed(files, name, path, data.draw(VALUES))))


@given(st.lists(VALUES, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_data(documents: list[Any]) -> None:
    assert_usable(dump({"a.yml": documents}))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    assert_usable([("a.yml", data), ("b.yml", b"---\n" + data)])


def test_file_of_no_kind() -> None:
    assert refused("one: 1\ntwo: 2\n") == (
        "a.yml:1:1: error: can't import a file of this kind [import/kind]\n"
        "    1 | one: 1\n"
        "      | ^\n"
        "  = what is read: Prometheus rules (`groups`), their unit tests (`tests`), Sloth"
        " (`version: prometheus/v1`), OpenSLO (`apiVersion: openslo/v1`), and the objects"
        " `PrometheusRule` and `PrometheusServiceLevel`"
    )


def test_old_openslo() -> None:
    assert refused("apiVersion: openslo/v1alpha\nkind: SLO\n").splitlines()[0] == (
        "a.yml:1:1: error: can't import `apiVersion: openslo/v1alpha` [import/kind]"
    )


def test_broken_yaml_says_where_in_which_document() -> None:
    assert refused("groups: []\n---\n# b\ngroups: [\n") == (
        "a.yml:5:1: error: not valid YAML: did not find expected node content while parsing a flow"
        " node [yaml/syntax]\n"
        "    5 |\n"
        "      | ^\n"
        "  = close the bracket; inside of brackets, quote a text that holds `,` or a bracket"
    )


def test_nothing_left() -> None:
    text = "groups:\n  - rules:\n      - {alert: A, expr: 'sum('}\n"
    assert refused(text).splitlines()[-1] == "error: nothing could be carried over [import/nothing]"
