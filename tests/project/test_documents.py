from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import RUNNABLE, check_blocks, check_links, parse_blocks

import autogpt_observe
from autogpt_observe.cli import COMMANDS, load_command
from autogpt_observe.names import SETTING_PREFIX, SIGNALS
from autogpt_observe.output.tools import TOOLS

ROOT = Path(__file__).parents[2]
OURS = ("docs", "examples", "benchmarks", "rules", "dashboards", "pipelines", "deploy")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(p for name in OURS for p in ROOT.glob(f"{name}/**/*.md"))]
)
WITH_BLOCKS = [
    path
    for path in DOCUMENTS
    if any(block.language in RUNNABLE for block in parse_blocks(path.read_text(encoding="utf-8")))
]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", WITH_BLOCKS, ids=_name)
def test_blocks_run(path: Path, tmp_path: Path) -> None:
    complaints = check_blocks(path.read_text(encoding="utf-8"), name=_name(path), folder=tmp_path)
    assert complaints == [], "\n".join(complaints)


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    complaints = check_links(path, ROOT)
    assert complaints == [], "\n".join(complaints)


def test_readme_names_the_two_commands() -> None:
    blocks = parse_blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    commands = {
        line for block in blocks if block.language == "sh" for line in block.text.split("\n")
    }
    assert {"make demo", "make test"} <= {line.split("#")[0].strip() for line in commands}


def test_every_signal_stands_in_the_metrics_page() -> None:
    lines = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").splitlines()
    for source, signal in SIGNALS.items():
        attributes = ", ".join(f"`{name}`" for name in signal.attributes) or "-"
        shown = [f"`{source}`", signal.help, signal.type, signal.unit or "-", attributes]
        assert f"| {' | '.join(shown)} |" in lines


def test_every_option_stands_in_the_command_line_page() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = {part.split("\n")[0]: part for part in page.split("\n### ")[1:]}
    assert set(sections) == set(COMMANDS)
    for name, section in sections.items():
        command = load_command(name)
        options = [
            word for option in command.params for word in (*option.opts, *option.secondary_opts)
        ]
        named = [word for word in options if word.startswith("-")]
        assert [word for word in named if f"`{word}" not in section] == []


def test_every_setting_stands_in_the_command_line_page() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'f"{SETTING_PREFIX}([A-Z_]+)"', text)}
    own = {f"{SETTING_PREFIX}{name}" for name in {*named, *map(str.upper, TOOLS)}}
    assert len(named) > 3
    assert rows == {*own, "NO_COLOR", "OTEL_SDK_DISABLED"}


def test_changelog_has_the_current_version() -> None:
    headings = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    current = f"## {autogpt_observe.__version__}"
    assert [line for line in headings if line == current or line.startswith(f"{current} ")] != []


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        pytest.param(
            "```sh\ntrue\nfalse\ntrue\n```\n", ["1: exited 1, expected 0:\n"], id="sh-stops"
        ),
        pytest.param("<!-- exit: 3 -->\n\n```sh\nexit 3\n```\n", [], id="sh-code"),
        pytest.param("text\n```sh\nfalse\n```\n", ["2: exited 1, expected 0:\n"], id="line"),
        pytest.param(
            "<!-- exit: 1 -->\nwords\n```sh\nfalse\n```\n", ["3: exited 1, expected 0:\n"], id="far"
        ),
        pytest.param("<!-- not run: takes hours -->\n```sh\nfalse\n```\n", [], id="not-run"),
        pytest.param(
            "<!-- not run:  -->\n```sh\nfalse\n```\n",
            ["2: exited 1, expected 0:\n"],
            id="no-reason",
        ),
        pytest.param("```console\n$ echo a b\na ...\n$ echo c\n```\n", [], id="console"),
        pytest.param(
            "```console\n$ echo a\nb\n```\n",
            ["1: `echo a` printed:\na\n\ninstead of:\nb\n"],
            id="output",
        ),
        pytest.param(
            "<!-- exit: 1 -->\n```console\n$ false\n$ false\n```\n",
            ["2: `false` exited 1, expected 0:\n"],
            id="code-of-the-last",
        ),
        pytest.param(
            "```console\necho a\n```\n",
            ["1: a console block starts with a line `$ COMMAND`"],
            id="no-command",
        ),
        pytest.param(
            "```bash\ntrue\n```\n",
            ["1: `bash` is not checked; expected one of sh, console, python"],
            id="bash",
        ),
        pytest.param(
            "<!-- file: a/b -->\n```yaml\nx: 1\n```\n```sh\ngrep x a/b\n```\n", [], id="file"
        ),
        pytest.param("```python\nimport autogpt_observe\n```\n", [], id="python"),
        pytest.param("```yaml\n: not run\n```\n", [], id="other-language"),
    ],
)
def test_block_that_fails_is_reported(tmp_path: Path, text: str, complaints: list[str]) -> None:
    found = check_blocks(text, name="doc.md", folder=tmp_path)
    assert found == [f"doc.md:{complaint}" for complaint in complaints]


def test_link_to_nowhere_is_reported(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `b`: c\n## Twice\n## Twice\n", encoding="utf-8")
    lines = [
        "# Top",
        "[a](other.md) [b](other.md#a-b-c) [c](other.md#twice-1) [d](#top) [e](https://x.example/y)",
        "[a](gone.md) and `[code](gone.md)`",
        "[a](other.md#twice-2)",
        "```",
        "[block](gone.md)",
        "```",
        "[![picture](gone.png)](#nowhere)",
        "[ref]: ../outside.md",
    ]
    document = tmp_path / "doc.md"
    document.write_text("\n".join(lines), encoding="utf-8")
    assert check_links(document, tmp_path) == [
        "doc.md:3: `gone.md`: there is no such file in the project",
        "doc.md:4: `other.md#twice-2`: there is no heading `twice-2`",
        "doc.md:8: `gone.png`: there is no such file in the project",
        "doc.md:8: `#nowhere`: there is no heading `nowhere`",
        "doc.md:9: `../outside.md`: there is no such file in the project",
    ]


def test_readme_example_emits_what_it_says(tmp_path: Path) -> None:
    blocks = parse_blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    (example,) = [block.text for block in blocks if block.language == "python"]
    run_in(tmp_path, "-m", "autogpt_observe", "init")
    program = example.replace('obs.init("observe.yaml")', 'up = obs.init("observe.yaml", port=0)')
    program = program.replace("obs.shutdown()", SHOW)
    shown, logged = run_in(tmp_path, "-c", program)
    assert set(shown.splitlines()) >= {
        'autogpt_runs_total{agent="researcher",outcome="success"} 1.0',
        'autogpt_steps_total{agent="researcher"} 1.0',
        'autogpt_tool_calls_total{result="ok",tool="search"} 1.0',
        'autogpt_llm_tokens_total{model="gpt-4o",token_type="input"} 812.0',
    }
    lines = [json.loads(line) for line in logged.splitlines()]
    (answered,) = [line for line in lines if line["message"] == "answered"]
    assert answered["numeric_labels"] == {"pages": 1}
    assert len(answered["trace.id"]) == 32


SHOW = """
import prometheus_client
print(prometheus_client.generate_latest(up.registry).decode())
obs.shutdown()
"""


def run_in(folder: Path, *arguments: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr
