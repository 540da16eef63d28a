"""The fixture `observed` in the test files of users: what they see when tests pass and fail."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

# Loaded here and not by the runs inside of this one, after each of which their modules are dropped:
# C extensions can't be loaded twice.
import autogpt_observe.testing.fixture
import autogpt_observe.testing.spans  # noqa: F401  # as above
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

SPEC = """
version: 1
service: {name: crawler, owner: team}
attributes:
  agent: {help: Agent, max_values: 5}
  outcome: {help: Outcome, values: [success, error, cancelled]}
metrics:
  runs_total: {type: counter, from: run.end, attributes: [agent, outcome], help: Runs}
  pages_total: {type: counter, from: code, help: Pages}
environments:
  staging: {service: {environment: staging}}
"""
AGENT = """
import autogpt_observe as obs

pages = obs.metric("pages_total")

@obs.tool
def search(query):
    raise TimeoutError("no answer")

@obs.agent("researcher")
def research(goal):
    pages.add(2)
    with obs.step("plan"):
        try:
            search(goal)
        except TimeoutError:
            pass

def main():
    obs.init("observe.yaml")
    research("cats")
    obs.shutdown()
"""
NOT_OBSERVED = "autogpt_observe.testing.failures.NotObservedError"
USAGE = "autogpt_observe.errors.UsageError"
NO_SPAN = "there is no span `step plam`; did you mean `step plan`? There are:"
NO_METRIC = "the spec declares no metric `run_total`; did you mean `runs_total`?"
HEAD = "import pytest\nimport autogpt_observe as obs\nfrom agent import main, pages, research\n"


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Pytester forgets modules that are first loaded in one of its runs; others still know them."""
    load_spec()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a spec and an agent."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    pytester.syspathinsert()
    pytester.makefile(".yaml", observe=SPEC)
    pytester.makepyfile(agent=AGENT)
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return pytester


def run(project: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    """Run one file of tests."""
    project.makepyfile(test_agent=HEAD + dedent(tests).lstrip("\n"))
    return project.runpytest_inprocess("-q", "--no-header", "-p", "no:cacheprovider", *options)


def shown(result: pytest.RunResult) -> str:
    """What pytest printed, without times."""
    return re.sub(r"in \d+\.\d+s", "in ...", "\n".join(result.outlines))


def test_a_test_that_passes(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        def test_main(observed):
            main()
            assert observed.moved() == {
                "pages_total": 2,
                'runs_total{agent="researcher",outcome="success"}': 1,
            }
            assert observed.metric("runs_total", outcome="success") == 1
            assert observed.tree() == (
                "invoke_agent researcher\\n"
                "  step plan\\n"
                "    execute_tool search  error: TimeoutError: no answer"
            )
        """,
    )
    assert shown(result) == f".{' ' * 92}[100%]\n1 passed in ..."


def test_a_whole_dict_says_what_differs(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        def test_main(observed):
            main()
            assert observed.moved() == {
                "pages_total": 3,
                'runs_total{agent="researcher",outcome="error"}': 1,
            }
        """,
        "--tb=short",
    )
    place, code, short, *differences = _failure(result).split("\n")
    assert (place, code) == (
        "test_agent.py:6: in test_main",
        "    assert observed.moved() == {",
    )
    assert short.startswith("E   assert {'pages_total...")
    assert differences == [
        "E",
        "E     Differing items:",
        "E     {'pages_total': 2} != {'pages_total': 3}",
        "E     Left contains 1 more item:",
        """E     {'runs_total{agent="researcher",outcome="success"}': 1}""",
        "E     Right contains 1 more item:",
        """E     {'runs_total{agent="researcher",outcome="error"}': 1}""",
        "E     Use -v to get more diff",
        "",
    ]


def test_what_was_not_observed_is_told_at_the_line_of_the_test(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        def test_span(observed):
            main()
            observed.span("step plam")

        def test_metric(observed):
            observed.metric("run_total")

        def test_call(observed):
            pages.add(1, site="docs")
        """,
        "--tb=line",
    )
    result.assert_outcomes(failed=3)
    places = [line for line in result.outlines if re.match(r"/.*\.py:\d+: ", line)]
    told = [re.sub(r"(incidents\.py):\d+", r"\1", line.rpartition("/")[2]) for line in places]
    assert "\n".join(told) == (
        f"test_agent.py:6: {NOT_OBSERVED}: {NO_SPAN}\n"
        f"test_agent.py:9: {USAGE}: {NO_METRIC}\n"
        f"incidents.py: {USAGE}: pages_total.add: got the attributes `site`, expected none"
    )


def test_the_traceback_ends_in_the_test(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        def test_span(observed):
            main()
            observed.span("step plam")
        """,
        "--tb=short",
    )
    assert _failure(result) == (
        "test_agent.py:6: in test_span\n"
        '    observed.span("step plam")\n'
        f"E   {NOT_OBSERVED}: {NO_SPAN}\n"
        "E     invoke_agent researcher\n"
        "E       step plan\n"
        "E         execute_tool search  error: TimeoutError: no answer\n"
    )
    result = run(
        project,
        """
        def test_metric(observed):
            observed.metric("run_total")
        """,
        "--tb=short",
    )
    assert _failure(result) == (
        "test_agent.py:5: in test_metric\n"
        '    observed.metric("run_total")\n'
        f"E   {USAGE}: {NO_METRIC}\n"
    )


def test_tests_see_nothing_of_one_another(project: pytest.Pytester) -> None:
    tests = """
        import threading

        released = threading.Event()

        @pytest.mark.parametrize("number", range(8))
        def test_alone(observed, number):
            assert observed.moved() == {}
            assert observed.clock() == 0
            research("cats")
            observed.clock.advance(5)
            assert observed.metric("runs_total") == 1
            assert [span.span_id[-1] for span in observed.spans] == ["1", "2", "3"]
            with pytest.raises(KeyError), obs.agent("failing"):
                raise KeyError
            obs.agent("left open").__enter__()
            threading.Thread(target=outlive, daemon=True).start()

        def outlive():
            with obs.agent("slow"):
                released.wait(20)

        def test_released(observed):
            released.set()
            assert observed.moved() == {}

        def test_unobserved():
            assert obs.init("observe.yaml", serve=False).enabled
            research("cats")
            obs.shutdown()
        """
    result = run(project, tests)
    result.assert_outcomes(passed=10)
    assert result.ret == 0
    run(project, tests, "-n", "2").assert_outcomes(passed=10)


def test_async_tests(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
        import asyncio

        pytestmark = pytest.mark.anyio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @obs.agent("async")
        async def work(clock):
            async with obs.step("wait"):
                await asyncio.sleep(0)
                clock.advance(1)

        @pytest.mark.parametrize("number", range(3))
        async def test_async(observed, number):
            await asyncio.gather(work(observed.clock), work(observed.clock))
            assert observed.metric("runs_total") == 2
            assert observed.tree() == "\\n".join(["invoke_agent async", "  step wait"] * 2)
            assert [span.seconds for span in observed.spans] == [1, 1, 2, 2]
            task = asyncio.create_task(work(observed.clock))  # outlives the test
        """,
    )
    result.assert_outcomes(passed=3)


def test_the_marker_says_what_is_observed(project: pytest.Pytester) -> None:
    (project.path / "more.yaml").write_text(SPEC.replace("crawler", "more"), encoding="utf-8")
    result = run(
        project,
        """
        from autogpt_observe.testing import FakeClock

        @pytest.mark.observe(environment="staging")
        def test_environment(observed):
            assert observed.spec.service.environment == "staging"

        @pytest.mark.observe("more.yaml")
        class TestClass:
            def test_inherited(self, observed):
                assert observed.spec.service.name == "more"

            @pytest.mark.observe
            def test_own(self, observed):
                assert observed.spec.service.name == "crawler"

        @pytest.mark.observe(strict=False)
        def test_lenient(observed, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            pages.add(1, site="docs")
        """,
    )
    result.assert_outcomes(passed=4)


def test_the_setting_says_which_spec_it_is(project: pytest.Pytester) -> None:
    folder = project.mkdir("config")
    (folder / "o.yaml").write_text(SPEC.replace("crawler", "configured"), encoding="utf-8")
    tests = """
        def test_it(observed):
            assert observed.spec.service.name == "configured"
        """
    run(project, tests, "-o", "observe_spec=config/o.yaml").assert_outcomes(passed=1)


def test_without_a_spec_it_is_the_packaged_one(project: pytest.Pytester) -> None:
    (project.path / "observe.yaml").unlink()
    tests = """
        def test_it(observed):
            assert observed.spec.service.name == "autogpt"
        """
    run(project, tests).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("(sepc=1)", "E   Failed: @pytest.mark.observe: got an unexpected keyword argument 'sepc'"),
        ("(1)", "E   Failed: spec: got 1, expected a path or a Spec"),
        (
            "(environment='stagin')",
            "E   Failed: unknown environment `stagin`: did you mean `staging`?",
        ),
        ("(environment=1)", "E   Failed: @pytest.mark.observe: environment: got 1, expected text"),
    ],
)
def test_a_marker_that_is_wrong(project: pytest.Pytester, marker: str, message: str) -> None:
    tests = f"""
        @pytest.mark.observe{marker}
        def test_it(observed):
            pass
        """
    result = run(project, tests)
    result.assert_outcomes(errors=1)
    assert message.removeprefix("E   Failed: ") in result.outlines


def test_a_spec_with_errors_is_told_with_its_place(project: pytest.Pytester) -> None:
    broken = SPEC.replace("from: run.end", "from: run.endd")
    (wrong,) = [line for line in broken.split("\n") if "run.endd" in line]
    (project.path / "observe.yaml").write_text(broken, encoding="utf-8")
    result = run(project, "def test_it(observed): pass")
    result.assert_outcomes(errors=1)
    lines = result.outlines
    start = lines.index(next(line for line in lines if "observe.yaml:8:37: error" in line))
    assert lines[start - 1].strip("_ ") == "ERROR at setup of test_it"
    assert lines[start].startswith(f"{project.path}/observe.yaml:8:37: error: `from`: expected one")
    assert lines[start + 1 : start + 4] == [
        f"    8 | {wrong}",
        "      |                                     ^^^^^^^^",
        "  = did you mean `run.end`?",
    ]
    assert lines[start + 4].strip("= ") == "short test summary info"


def test_pytest_knows_the_fixture_and_the_marker(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--markers")
    (marker,) = [line for line in result.outlines if line.startswith("@pytest.mark.observe")]
    assert marker == (
        "@pytest.mark.observe(spec, *, environment, variables, capture_content, strict, clock):"
        " what the fixture `observed` observes; the arguments are those of"
        " autogpt_observe.testing.observe"
    )
    result = project.runpytest_inprocess("--fixtures", "-q")
    at = [i for i, line in enumerate(result.outlines) if line.startswith("observed -- ")]
    assert len(at) == 1
    assert result.outlines[at[0] + 1] == (
        "    Observe what the code under test does: metrics, spans, events and log lines."
    )


def test_a_project_that_does_not_use_it_pays_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text(
        "import sys\n"
        "def test_none():\n"
        "    loaded = {name for name in sys.modules if name.startswith('autogpt_observe')}\n"
        "    assert loaded == {'autogpt_observe', 'autogpt_observe.testing',\n"
        "        'autogpt_observe.testing.plugin'}\n"
        "    assert not {'prometheus_client', 'opentelemetry', 'yaml'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout


def _failure(result: pytest.RunResult) -> str:
    """The one failure that is shown, without its head and the summary."""
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if re.fullmatch(r"_+ test_\w+ _+", line))
    end = next(i for i, line in enumerate(lines) if line.startswith("=") and i > start)
    return "\n".join([line.rstrip() for line in lines[start + 1 : end]] + [""])
