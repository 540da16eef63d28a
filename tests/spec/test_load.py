"""Files, includes and environments: what is read, and what can be wrong on the way."""

# ruff: noqa: E501 - findings are asserted as they are printed

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from spec_reading import EVERY_KEY, SMALL, expected, found_in, read_files

from autogpt_observe.diagnostics import Report, SpecError, format_diagnostics
from autogpt_observe.errors import UsageError
from autogpt_observe.names import Name
from autogpt_observe.spec import load, model
from autogpt_observe.spec.load import (
    PACKS,
    SPEC_FILE,
    default_path,
    load_spec,
    packaged_text,
    read_all_environments,
    read_spec,
)
from autogpt_observe.spec.tree import Mapping, parse_tree

Files = dict[str, str | bytes]


def found(files: Files, folder: Path) -> str:
    return found_in(read_files(files, folder)).replace(f"{folder}/", "")


def test_the_packaged_specs_are_good_everywhere(tmp_path: Path) -> None:
    assert read_all_environments().diagnostics == ()
    assert found({"observe.yaml": packaged_text("starter.yaml")}, tmp_path) == ""
    assert load_spec().service.name == "autogpt"


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_alone_lacks_a_service_only(pack: str, tmp_path: Path) -> None:
    loaded = read_files({"observe.yaml": packaged_text(f"packs/{pack}.yaml")}, tmp_path)
    assert [d.message for d in loaded.diagnostics] == ["the section `service` is missing"]


def test_the_spec_of_this_folder_is_the_default(tmp_path: Path) -> None:
    assert default_path(tmp_path) is None
    (tmp_path / SPEC_FILE).write_text(SMALL)
    assert default_path(tmp_path) == tmp_path / SPEC_FILE


def test_a_bad_spec_raises_with_everything_found(tmp_path: Path) -> None:
    path = tmp_path / "observe.yaml"
    path.write_text(f"{SMALL}nonsense: 1\nprometheus: {{series_budget: x}}\nalerts: {{A: 1}}\n")
    with pytest.raises(SpecError) as raised:
        load_spec(path)
    assert [(d.id, d.at and d.at.line) for d in raised.value.diagnostics] == [
        ("spec/unknown-key", 3),
        ("spec/type", 4),
        ("spec/type", 5),
    ]
    assert str(raised.value) == format_diagnostics(raised.value.diagnostics)


def test_warnings_do_not_stop_a_spec(tmp_path: Path) -> None:
    text = f"{SMALL}alerts: {{A: {{when: {{expr: up == 0}}, severity: info, annotations: {{summary: s}}}}}}\n"
    loaded = read_files({"observe.yaml": text}, tmp_path)
    assert [d.id for d in loaded.diagnostics] == ["alert/untested"]
    assert loaded.spec is not None


def test_an_unknown_environment(tmp_path: Path) -> None:
    path = tmp_path / "observe.yaml"
    path.write_text(EVERY_KEY)
    with pytest.raises(UsageError) as raised:
        load_spec(path, environment="stagign")
    assert str(raised.value) == "unknown environment `stagign`: did you mean `staging`?"
    path.write_text(SMALL)
    with pytest.raises(UsageError) as raised:
        load_spec(path, environment="staging")
    assert str(raised.value) == (
        "unknown environment `staging`: the spec declares no `environments`"
    )


def test_an_environment_of_nothing_is_a_finding_and_no_unknown_one(tmp_path: Path) -> None:
    message = """
        observe.yaml:4:3: error: `staging`: expected a map of sections, got nothing [spec/type]
            4 |   staging:
              |   ^^^^^^^
        """
    loaded = read_files(
        {"observe.yaml": f"{SMALL}environments:\n  staging:\n"}, tmp_path, "staging"
    )
    assert found_in(loaded) == expected(message)


def test_findings_of_all_environments_are_told_once_each(tmp_path: Path) -> None:
    text = f"""{SMALL}prometheus: {{series_budget: x}}
environments:
  staging: {{alerts: {{A: {{for: 5}}}}, prometheus: {{scrape_interval: 9}}}}
  canary: {{alerts: {{B: {{enabled: false}}}}}}
"""
    loaded = read_files({"observe.yaml": text}, tmp_path, everywhere=True)
    assert [line for line in found_in(loaded).split("\n") if " error: " in line] == [
        "observe.yaml:3:29: error: `series_budget`: expected a whole number, got `x` [spec/type]",
        "observe.yaml:5:22: error: `A` lacks the key `when` [spec/missing-key]",
        "observe.yaml:5:22: error: `A` lacks the key `severity` [spec/missing-key]",
        "observe.yaml:5:22: error: `A` lacks the key `annotations` [spec/missing-key]",
        "observe.yaml:5:31: error: `for`: expected a duration such as `30s`, `5m` or `1h30m`, got `5` [spec/type]",
        "observe.yaml:5:66: error: `scrape_interval`: expected a duration such as `30s`, `5m` or `1h30m`, got `9` [spec/type]",
        "observe.yaml:6:21: error: `enabled: false` removes nothing: there is no `B` below [merge/removes-nothing]",
    ]
    assert loaded.spec is None


# --- files -----------------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found_text = format_diagnostics(read_spec(tmp_path / "gone.yaml").diagnostics)
    assert found_text.replace(f"{tmp_path}/", "") == expected(
        """
        error: can't read gone.yaml: No such file or directory [spec/unreadable]
          = `autogpt-observe init` writes a spec to start from
        """
    )


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    found_text = format_diagnostics(read_spec(tmp_path).diagnostics)
    assert found_text.replace(str(tmp_path), "FOLDER") == expected(
        """
        error: FOLDER is not a file [spec/unreadable]
          = name the spec's file itself
        """
    )


@pytest.mark.parametrize("name", ["x" * 300 + ".yaml", "a\0b.yaml"])
def test_a_name_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    (only,) = read_spec(tmp_path / name).diagnostics
    assert only.id == "spec/unreadable"


def test_a_device_without_end_is_not_read() -> None:
    (only,) = read_spec(Path("/dev/zero")).diagnostics
    assert only.message == "/dev/zero is not a file"


def test_a_pipe_is_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        out.write(SMALL)
    path = tmp_path / "observe.yaml"
    path.symlink_to(f"/dev/fd/{reading}")
    assert load_spec(path).service.name == "crawler"
    os.close(reading)


# --- includes --------------------------------------------------------------------------------


def test_includes_are_relative_to_the_file_that_says_so(tmp_path: Path) -> None:
    files: Files = {
        "observe.yaml": f"{SMALL}include: [teams/a.yaml]\n",
        "teams/a.yaml": "include: [../shared/b.yml, c.yaml]\nattributes: {a: {help: a}}\n",
        "shared/b.yml": "include: [autogpt]\nattributes: {b: {help: b}}\n",
        "teams/c.yaml": "attributes: {c: {help: c}}\n",
    }
    spec = read_files(files, tmp_path).spec
    assert spec is not None
    assert list(spec.attributes)[-3:] == ["b", "c", "a"]
    assert "HighErrorRate" in spec.alerts
    assert spec.include == ("teams/a.yaml",)


def test_later_includes_lie_over_earlier_ones(tmp_path: Path) -> None:
    files: Files = {
        "observe.yaml": f"{SMALL}include: [a.yaml, b.yaml]\nprometheus: {{scrape_interval: 3s}}\n",
        "a.yaml": "prometheus: {scrape_interval: 1s, evaluation_interval: 1s, series_budget: 1}\n",
        "b.yaml": "prometheus: {scrape_interval: 2s, evaluation_interval: 2s}\n",
    }
    spec = read_files(files, tmp_path).spec
    assert spec is not None
    prometheus = spec.prometheus
    assert (prometheus.scrape_interval.ms, prometheus.evaluation_interval.ms) == (3000, 2000)
    assert prometheus.series_budget == 1


def test_a_file_included_in_two_ways_is_judged_once(tmp_path: Path) -> None:
    files: Files = {
        "observe.yaml": f"{SMALL}include: [a.yaml, b.yaml]\n",
        "a.yaml": "include: [shared/c.yaml]\n",
        "b.yaml": "include: [shared/../shared/c.yaml]\n",
        "shared/c.yaml": "nonsense: 1\n",
    }
    assert [line for line in found(files, tmp_path).split("\n") if "error" in line] == [
        "shared/c.yaml:1:1: error: unknown section `nonsense` [spec/unknown-key]"
    ]


def test_links_to_one_file_include_what_lies_beside_each(tmp_path: Path) -> None:
    files: Files = {
        "observe.yaml": f"{SMALL}include: [a/link.yaml, b/link.yaml]\n",
        "shared/real.yaml": "include: [own.yaml]\n",
        "a/own.yaml": "attributes: {a: {help: a}}\n",
        "b/own.yaml": "attributes: {b: {help: b}}\n",
    }
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "link.yaml").symlink_to(tmp_path / "shared" / "real.yaml")
    spec = read_files(files, tmp_path).spec
    assert spec is not None
    assert list(spec.attributes) == ["a", "b"]


PROBLEMS: dict[str, tuple[Files, str]] = {
    "a cycle": (
        {
            "observe.yaml": f"{SMALL}include: [a.yaml]\n",
            "a.yaml": "include: [./b.yaml]\n",
            "d/x": "",
            "b.yaml": "include: [d/../observe.yaml]\n",
        },
        """
        b.yaml:1:11: error: the file includes itself: observe.yaml -> a.yaml -> b.yaml -> d/../observe.yaml [include/cycle]
            1 | include: [d/../observe.yaml]
              |           ^^^^^^^^^^^^^^^^^
          = remove one `include`
        """,
    ),
    "a file that is not there": (
        {"observe.yaml": f"{SMALL}include: [gone.yaml]\n"},
        """
        observe.yaml:3:11: error: can't read gone.yaml: No such file or directory [spec/unreadable]
            3 | include: [gone.yaml]
              |           ^^^^^^^^^
        """,
    ),
    "a folder": (
        {"observe.yaml": f"{SMALL}include: [./teams/]\n", "teams/a.yaml": ""},
        """
        observe.yaml:3:11: error: teams is not a file [spec/unreadable]
            3 | include: [./teams/]
              |           ^^^^^^^^
          = name the spec's file itself
        """,
    ),
    "a pack that is none": (
        {"observe.yaml": f"{SMALL}include: [autogtp]\n"},
        """
        observe.yaml:3:11: error: there is no built-in pack `autogtp` [include/unknown-pack]
            3 | include: [autogtp]
              |           ^^^^^^^
          = did you mean `autogpt`? (the path of a file ends in .yaml or .yml)
        """,
    ),
    "a NUL byte in a path": (
        {"observe.yaml": f'{SMALL}include: ["a\\0b.yaml"]\n'},
        """
        observe.yaml:3:11: error: can't read a\\x00b.yaml: embedded null byte [spec/unreadable]
            3 | include: ["a\\0b.yaml"]
              |           ^^^^^^^^^^^
        """,
    ),
    "no list": (
        {"observe.yaml": f"{SMALL}include: autogpt\n"},
        """
        observe.yaml:3:10: error: `include`: expected a list, got `autogpt` [spec/type]
            3 | include: autogpt
              |          ^^^^^^^
          = write `[autogpt]`
        """,
    ),
    "no list in an included file": (
        {"observe.yaml": f"{SMALL}include: [a.yaml]\n", "a.yaml": "version: 2\ninclude: autogpt\n"},
        """
        a.yaml:1:10: error: `version`: expected `1`, got `2` [spec/type]
            1 | version: 2
              |          ^
        a.yaml:2:10: error: `include`: expected a list, got `autogpt` [spec/type]
            2 | include: autogpt
              |          ^^^^^^^
          = write `[autogpt]`
        """,
    ),
    "an included file that is no spec": (
        {"observe.yaml": f"{SMALL}include: [a.yaml]\n", "a.yaml": "- 1\n"},
        """
        a.yaml:1:1: error: expected a map of sections at the top, got a list [spec/type]
            1 | - 1
              | ^
          = `autogpt-observe init` writes a spec to start from
        """,
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_problem_with_includes(case: str, tmp_path: Path) -> None:
    files, message = PROBLEMS[case]
    assert found(files, tmp_path) == expected(message)


def test_includes_that_nest_too_deep(tmp_path: Path) -> None:
    files: Files = {"observe.yaml": f"{SMALL}include: [f1.yaml]\n"}
    files |= {f"f{n}.yaml": f"include: [f{n + 1}.yaml]\n" for n in range(1, 60)}
    assert found(files, tmp_path) == expected(
        """
        f50.yaml:1:11: error: includes are nested more than 50 files deep [include/depth]
            1 | include: [f51.yaml]
              |           ^^^^^^^^
          = include fewer files, from the top
        """
    )


def test_files_that_include_each_other_in_many_ways_are_read_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Files = {"observe.yaml": f"{SMALL}include: [f1.yaml]\n", "d/x": "", "e/x": ""}
    for n in range(1, 40):
        following = f"f{n + 1}.yaml"
        files[f"f{n}.yaml"] = f"include: [{following}, d/../{following}, e/../{following}]\n"
    files["f40.yaml"] = "attributes: {a: {help: a}}\n"
    reads: list[str] = []

    def counted(data: bytes, name: str, report: Report) -> Mapping | None:
        reads.append(name)
        return parse_tree(data, name, report)

    monkeypatch.setattr(load, "parse_tree", counted)
    spec = read_files(files, tmp_path).spec
    assert spec is not None
    assert list(spec.attributes) == ["a"]
    assert len(reads) == 41


def test_the_collector_is_left_as_it_was(tmp_path: Path) -> None:
    gc.disable()
    try:
        read_files({"observe.yaml": SMALL}, tmp_path)
        assert not gc.isenabled()
    finally:
        gc.enable()
    read_files({"observe.yaml": SMALL}, tmp_path)
    assert gc.isenabled()


def test_a_spec_of_ten_thousand_alerts_is_read_whole(tmp_path: Path) -> None:
    alerts = [
        f"  A{n}: {{when: {{expr: 'rate(m{n % 100}_total[5m]) > {n}'}}, severity: info, annotations: {{summary: s}}}}"
        for n in range(10_000)
    ]
    metrics = [f"  m{n}_total: {{type: counter, from: code, help: M}}" for n in range(100)]
    text = "\n".join([SMALL, "metrics:", *metrics, "alerts:", *alerts, ""])
    loaded = read_files({"observe.yaml": text}, tmp_path)
    assert loaded.spec is not None
    assert len(loaded.spec.alerts) == 10_000
    assert {d.id for d in loaded.diagnostics} == {"alert/untested"}
    assert loaded.spec.alerts[Name("A9999")].severity is model.Severity.INFO
