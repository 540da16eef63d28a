"""The hooks and the workflow in docs/ci.md work, on a repository such as a user has."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from documents import parse_blocks

from autogpt_observe.output.tools import find_tool, install_hint

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FILES = {b.directives["file"]: b.text for b in parse_blocks(PAGE) if "file" in b.directives}
HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
)
WORKFLOW_PATH = ".github/workflows/observability.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILES[WORKFLOW_PATH])
HERE = os.path.dirname(sys.executable)  # noqa: PTH120 - not resolved: a link out of the venv
ENVIRON = {**os.environ, "PATH": os.pathsep.join([HERE, os.environ["PATH"]]), "NO_COLOR": "1"}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=ENVIRON, capture_output=True, text=True, check=False
    )


def python_tool(name: str) -> str:
    found = shutil.which(name, path=ENVIRON["PATH"])
    if found is None:
        pytest.skip(f"{name} is missing; pip install {name}")
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository with the page's spec and its bundle."""
    (tmp_path / "observe.yaml").write_text(FILES["observe.yaml"], encoding="utf-8")
    assert run(tmp_path, "autogpt-observe", "generate").returncode == 0
    run(tmp_path, "git", "init", "--quiet")
    assert run(tmp_path, "git", "add", "--all").returncode == 0
    return tmp_path


def break_spec(project: Path) -> None:
    spec = project / "observe.yaml"
    spec.write_text(FILES["observe.yaml"].replace("owner", "ownr"), encoding="utf-8")


def change_spec(project: Path) -> None:
    text = FILES["observe.yaml"] + "alerts: {HighErrorRate: {severity: critical}}\n"
    (project / "observe.yaml").write_text(text, encoding="utf-8")


def edit_bundle(project: Path) -> None:
    with (project / "docs" / "runbooks" / "HighErrorRate.md").open("a", encoding="utf-8") as page:
        page.write("by hand\n")


def remove_spec(project: Path) -> None:
    (project / "observe.yaml").unlink()


def change_nothing(project: Path) -> None:
    del project


OUTCOMES: dict[str, tuple[Callable[[Path], None], list[int]]] = {
    "nothing": (change_nothing, [0, 0]),
    "the spec is broken": (break_spec, [2, 2]),
    "the spec changed": (change_spec, [0, 1]),
    "a generated file was edited": (edit_bundle, [0, 1]),
    "there is no spec": (remove_spec, [2, 2]),
}
"""What happened, and the codes of the two hooks."""


@pytest.mark.parametrize("change", OUTCOMES)
def test_the_hooks_see_what_is_wrong(project: Path, change: str) -> None:
    make, codes = OUTCOMES[change]
    make(project)
    done = [run(project, *shlex.split(hook["entry"]), *hook["args"]) for hook in HOOKS]
    assert [one.returncode for one in done] == codes, [one.stderr for one in done]


@pytest.mark.parametrize("change", OUTCOMES)
def test_pre_commit_runs_the_hooks(project: Path, change: str) -> None:
    program = python_tool("pre-commit")
    local = [{**hook, "language": "system"} for hook in HOOKS]
    config = yaml.safe_dump({"repos": [{"repo": "local", "hooks": local}]})
    (project / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    make, codes = OUTCOMES[change]
    make(project)
    run(project, "git", "add", "--all")
    done = run(project, program, "run", "--all-files", "--color=never")
    states = re.findall(r"\.(Passed|Failed|Skipped)$", done.stdout, re.MULTILINE)
    assert states == ["Failed" if code else "Passed" for code in codes], done.stdout + done.stderr
    assert done.returncode == max(min(code, 1) for code in codes)


def test_pre_commit_takes_the_list_of_hooks() -> None:
    program = python_tool("pre-commit")
    done = run(ROOT, program, "validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


def test_the_page_names_these_hooks_and_leaves_the_version_to_the_reader() -> None:
    (repo,) = yaml.safe_load(FILES[".pre-commit-config.yaml"])["repos"]
    assert [hook["id"] for hook in repo["hooks"]] == [hook["id"] for hook in HOOKS]
    assert repo["rev"] == "TAG"
    assert "autogpt-observe@TAG\n" in FILES[WORKFLOW_PATH]


def test_other_arguments_of_the_page_work(project: Path) -> None:
    (example,) = [
        yaml.safe_load(block.text)
        for block in parse_blocks(PAGE)
        if block.language == "yaml" and "args:" in block.text
    ]
    (project / "monitoring").mkdir()
    (project / "observe.yaml").rename(project / "monitoring" / "crawler.yaml")
    bundle = ("generate", "monitoring/crawler.yaml", "--output", "monitoring/bundle")
    assert run(project, "autogpt-observe", *bundle).returncode == 0
    entries = {hook["id"]: hook["entry"] for hook in HOOKS}
    assert [hook["id"] for hook in example] == list(entries)
    for hook in example:
        done = run(project, *shlex.split(entries[hook["id"]]), *hook["args"])
        assert done.returncode == 0, done.stderr


def test_the_workflow_fits_the_schema_of_github(tmp_path: Path) -> None:
    program = python_tool("check-jsonschema")
    path = tmp_path / "workflow.yml"
    path.write_text(FILES[WORKFLOW_PATH], encoding="utf-8")
    schema = ("--builtin-schema", "vendor.github-workflows")
    done = run(tmp_path, program, *schema, str(path))
    assert done.returncode == 0, done.stdout
    path.write_text(FILES[WORKFLOW_PATH].replace("runs-on", "run-on"), encoding="utf-8")
    assert run(tmp_path, program, *schema, str(path)).returncode == 1


def test_the_steps_of_the_workflow_run(project: Path) -> None:
    for tool in ("promtool", "amtool"):
        if find_tool(tool, os.environ) is None:
            pytest.skip(f"{tool} is missing; {install_hint(tool)}")
    (job,) = WORKFLOW["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    ours = [command for command in commands if command.startswith("autogpt-observe")]
    assert [command.split()[1] for command in ours] == ["validate", "generate", "test", "validate"]
    for command in ours:
        done = run(project, "sh", "-ec", command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert '"version": "2.1.0"' in (project / "observe.sarif").read_text(encoding="utf-8")


def test_the_workflow_runs_on_pull_requests_and_may_not_write() -> None:
    assert set(WORKFLOW[True]) == {"push", "pull_request"}  # YAML 1.1 reads `on` as true
    assert WORKFLOW["permissions"] == {"contents": "read", "security-events": "write"}
    (job,) = WORKFLOW["jobs"].values()
    assert all(set(step) <= {"uses", "with", "name", "run", "if"} for step in job["steps"])


def test_the_page_is_linked_to_the_schema_it_writes(project: Path) -> None:
    first = FILES["observe.yaml"].splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    done = run(project, "sh", "-ec", f"autogpt-observe schema > {name}")
    assert done.returncode == 0
    program = python_tool("check-jsonschema")
    checked = run(project, program, "--schemafile", name, "observe.yaml")
    assert checked.returncode == 0, checked.stdout
    break_spec(project)
    broken = run(project, program, "--schemafile", name, "observe.yaml")
    assert "'ownr' was unexpected" in broken.stdout
