from __future__ import annotations

from pathlib import Path

import pytest
from layers import check_layers

PACKAGE = Path(__file__).parents[2] / "src" / "autogpt_observe"
DOWN_ONLY = "; imports go down to a lower layer only"


def test_package_keeps_its_layers() -> None:
    assert len(list(PACKAGE.rglob("*.py"))) > 10
    complaints = check_layers(PACKAGE)
    assert complaints == [], "\n".join(complaints)


@pytest.mark.parametrize(
    ("module", "code", "complaint"),
    [
        pytest.param(
            "render/rules.py",
            "from autogpt_observe.runtime import observer",
            "1: `render` (layer targets) imports `runtime` (layer targets)" + DOWN_ONLY,
            id="from-import-of-a-neighbour",
        ),
        pytest.param(
            "runtime/server.py",
            "import os\nimport autogpt_observe.render.rules as rules",
            "2: `runtime` (layer targets) imports `render` (layer targets)" + DOWN_ONLY,
            id="plain-import",
        ),
        pytest.param(
            "spec/load.py",
            "def load():\n    from autogpt_observe.output import plan",
            "2: `spec` (layer spec) imports `output` (layer edges)" + DOWN_ONLY,
            id="inside-a-function",
        ),
        pytest.param(
            "units.py",
            "if TYPE_CHECKING:\n    from autogpt_observe import slo",
            "2: `units` (layer ground) imports `slo` (layer arithmetic)" + DOWN_ONLY,
            id="under-type-checking",
        ),
        pytest.param(
            "promql/scan.py",
            "from ..spec import model",
            "1: `promql` (layer arithmetic) imports `spec` (layer spec)" + DOWN_ONLY,
            id="relative",
        ),
        pytest.param(
            "slo.py",
            "from . import spec",
            "1: `slo` (layer arithmetic) imports `spec` (layer spec)" + DOWN_ONLY,
            id="relative-module",
        ),
        pytest.param(
            "output/plan.py",
            "from importlib import import_module\nimport_module('autogpt_observe.proof.stack')",
            "2: `output` (layer edges) imports `proof` (layer proof)" + DOWN_ONLY,
            id="import-module",
        ),
        pytest.param(
            "render/__init__.py",
            "from importlib import import_module\nimport_module('..runtime', __package__)",
            "2: `render` (layer targets) imports `runtime` (layer targets)" + DOWN_ONLY,
            id="import-module-relative",
        ),
        pytest.param(
            "output/validators.py",
            "TABLE = {'stack': 'autogpt_observe.proof.stack'}",
            "1: `output` (layer edges) imports `proof` (layer proof)" + DOWN_ONLY,
            id="table-of-module-names",
        ),
        pytest.param(
            "runtime/sinks.py",
            "def load(name):\n    import_module(f'autogpt_observe.render.{name}')",
            "2: `runtime` (layer targets) imports `render` (layer targets)" + DOWN_ONLY,
            id="start-of-a-module-name",
        ),
        pytest.param(
            "render/grafana.py",
            "from autogpt_observe import init",
            "1: `render` (layer targets) imports `autogpt_observe` (layer edges)" + DOWN_ONLY,
            id="the-package-itself",
        ),
        pytest.param(
            "proof/demo.py",
            "from autogpt_observe import cli",
            "1: `proof` (layer proof) imports `cli` (layer command line)" + DOWN_ONLY,
            id="the-command-line",
        ),
        pytest.param(
            "runtime/sinks.py",
            "from autogpt_observe import testing",
            "1: `runtime` (layer targets) imports `testing` (layer targets)" + DOWN_ONLY,
            id="fakes-in-production",
        ),
        pytest.param(
            "gadgets.py",
            "",
            "1: `gadgets` belongs to no layer; name it in LAYERS of layers",
            id="module-without-a-layer",
        ),
    ],
)
def test_breach_is_reported(tmp_path: Path, module: str, code: str, complaint: str) -> None:
    package = _plant(tmp_path, module, code)
    assert check_layers(package) == [f"src/autogpt_observe/{module}:{complaint}"]


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("diagnostics.py", "from autogpt_observe.errors import ObserveError"),
        ("render/rules.py", "from autogpt_observe.spec.model import Spec\nfrom . import grafana"),
        ("testing.py", "from autogpt_observe.runtime import observer"),
        ("cli.py", "from autogpt_observe import __version__, proof, render, runtime"),
        ("__init__.py", "def init():\n    from autogpt_observe.runtime import observer"),
        ("names.py", "'a.b'.split('.')\n'x'.startswith('autogpt_observe.')"),
        ("spec/load.py", "FILE = 'autogpt_observe.yaml is no module'\nimport autogpt_observe_x"),
    ],
)
def test_downward_import_is_fine(tmp_path: Path, module: str, code: str) -> None:
    assert check_layers(_plant(tmp_path, module, code)) == []


def _plant(root: Path, module: str, code: str) -> Path:
    """A package of one module below ``root``."""
    package = root / "src" / "autogpt_observe"
    path = package / module
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
    return package
