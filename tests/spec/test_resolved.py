"""`show --resolved`: it reads back as the same spec, and every value says where it came from."""

# ruff: noqa: E501 - the text is asserted as it is printed

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_reading import EVERY_KEY, SMALL, expected, found_in, read_files, read_text, spec_of

from autogpt_observe.spec.load import read_spec
from autogpt_observe.spec.resolved import format_resolved

if TYPE_CHECKING:
    from autogpt_observe.spec.load import Loaded
    from autogpt_observe.spec.model import Spec


def resolved(loaded: Loaded) -> str:
    assert loaded.spec is not None, found_in(loaded)
    assert loaded.tree is not None
    return format_resolved(loaded.tree)


def without_layers(spec: Spec | None) -> Spec:
    """The spec without what has done its work once it is merged."""
    assert spec is not None
    return dataclasses.replace(spec, include=(), environments={})


def assert_reads_back(loaded: Loaded) -> None:
    again = read_text(resolved(loaded) + "\n")
    assert again.spec is not None, found_in(again)
    assert without_layers(again.spec) == without_layers(loaded.spec)


@pytest.mark.parametrize("environment", [None, "staging"])
def test_the_spec_of_every_key_reads_back(environment: str | None) -> None:
    assert_reads_back(read_text(EVERY_KEY, environment=environment))


def test_the_packaged_spec_reads_back() -> None:
    assert_reads_back(read_spec())


def test_every_value_has_its_origin(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "observe.yaml": f"""{SMALL}include: [below.yaml]
prometheus: {{series_budget: 7}}
alerts: {{Off: {{enabled: false}}, On: {{severity: critical}}}}
dashboards: {{d: {{title: 'a: b', rows: [{{title: R, panels: []}}, {{title: "S", panels: [{{title: P, expr: up}}]}}]}}}}
environments: {{staging: {{prometheus: {{scrape: ['a:1', 'b:1']}}}}}}
""",
        "below.yaml": """prometheus: {scrape_interval: 30s}
alerts:
  Off: {when: {expr: up}, severity: info, annotations: {summary: s}}
  On: {when: {expr: up}, severity: info, annotations: {summary: s}}
recording_rules: {'site:up': {expr: up, labels: {enabled: false, "null": ~x}}}
""",
    }
    text = resolved(read_files(files, tmp_path, "staging")).replace(f"{tmp_path}/", "")
    assert "\n".join(" ".join(line.split("  #")).rstrip() for line in _squeezed(text)) == expected(
        """
        prometheus:
          scrape_interval: 30s # below.yaml:1
          series_budget: 7 # observe.yaml:4
          scrape: ["a:1", "b:1"] # observe.yaml:7
        alerts:
          On:
            when:
              expr: up # below.yaml:4
            severity: critical # observe.yaml:5
            annotations:
              summary: s # below.yaml:4
        recording_rules:
          "site:up":
            expr: up # below.yaml:5
            labels:
              enabled: false # below.yaml:5
              "null": "~x" # below.yaml:5
        version: 1 # observe.yaml:1
        service:
          name: crawler # observe.yaml:2
          owner: agents-team # observe.yaml:2
          environment: staging # observe.yaml:7
        dashboards:
          d:
            title: "a: b" # observe.yaml:6
            rows:
              -
                title: R # observe.yaml:6
                panels: [] # observe.yaml:6
              -
                title: "S" # observe.yaml:6
                panels:
                  -
                    title: P # observe.yaml:6
                    expr: up # observe.yaml:6
        """
    )


def _squeezed(text: str) -> list[str]:
    """The lines, with one space before their origin."""
    lines = []
    for line in text.split("\n"):
        value, mark, origin = line.rpartition("  # ")
        lines.append(f"{value.rstrip()} # {origin}" if mark else line)
    return lines


def test_origins_stand_in_one_column() -> None:
    lines = resolved(read_text(SMALL)).split("\n")
    assert {line.index("# ") for line in lines if "# " in line} == {74}


def test_the_name_of_a_file_can_not_break_out_of_its_comment() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a\nversion: 2.yaml"
        path.write_text(SMALL)
        text = resolved(read_spec(path))
    assert all(r"a\nversion: 2.yaml:" in line for line in text.split("\n") if "#" in line)
    assert spec_of(text + "\n") == spec_of(SMALL)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
label_names = st.from_regex(r"\A[a-z]{1,6}\Z") | st.sampled_from(["null", "true", "on", "enabled"])


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(label_names, texts | st.sampled_from(["null", "~", "1.10", "false", "- a"])),
    st.sampled_from(["~", "null", "", "http://a/#b"]),
    st.sampled_from(["5", "+5"]),
)
def test_any_text_reads_back(labels: dict[str, str], url: str, number: str) -> None:
    quoted = ", ".join(f'"{key}": "{_escaped(text)}"' for key, text in labels.items())
    loaded = read_text(f"""version: 1
service: {{name: a, owner: b, runbook_base_url: {f"'{url}'" if "#" in url else url}}}
prometheus: {{series_budget: {number}}}
recording_rules: {{r: {{expr: up, labels: {{{quoted}}}}}}}
""")
    assert_reads_back(loaded)


def _escaped(text: str) -> str:
    return "".join(f"\\U{ord(char):08x}" for char in text)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["HighErrorRate", "HighMemoryUsage", "APIRateLimitApproaching"]),
        st.sampled_from(["{enabled: false}", "{severity: info}", "{for: 7m, owner: ~}"]),
    ),
    st.dictionaries(
        st.sampled_from(["HighErrorRate", "HighMemoryUsage"]),
        st.sampled_from(["{enabled: false}", "{enabled: true}", "{keep_firing_for: 90s}"]),
    ),
    st.booleans(),
)
def test_any_layers_read_back(
    above: dict[str, str], overlay: dict[str, str], in_environment: object
) -> None:
    def alerts(parts: dict[str, str]) -> str:
        return ", ".join(f"{name}: {part}" for name, part in parts.items())

    text = f"""{SMALL}include: [autogpt]
alerts: {{{alerts(above)}}}
environments: {{e: {{alerts: {{{alerts(overlay)}}}}}}}
"""
    assert_reads_back(read_text(text, environment="e" if in_environment else None))
