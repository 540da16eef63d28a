"""What the fixture `observed` does: finds the spec for a test, and observes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autogpt_observe.errors import UsageError
from autogpt_observe.spec.load import default_path, load_spec
from autogpt_observe.testing.session import observe

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from autogpt_observe.spec.model import Spec
    from autogpt_observe.testing.observed import Observed

INI = "observe_spec"
MARKER = "observe"
_SPECS = pytest.StashKey[dict[tuple[Path | None, str | None], "Spec"]]()
"""The specs that were read: they don't change while tests run, and reading takes a while."""


def open_observation(node: pytest.Item, config: pytest.Config) -> AbstractContextManager[Observed]:
    """Observe as the test's marker says.

    Raises:
        SpecError: the spec has errors.
        UsageError: the marker is not one that `observe` can follow.
    """
    mark = node.get_closest_marker(MARKER)
    options = {} if mark is None else _options(mark)
    spec = options.get("spec")
    if spec is None or isinstance(spec, str | Path):
        path = _find_spec(spec, config)
        options["spec"] = _load(path, options.pop("environment", None), config)
    return observe(**options)  # type: ignore[arg-type]  # `observe` itself checks them


def _options(mark: pytest.Mark) -> dict[str, object]:
    try:
        return dict(inspect.signature(observe).bind(*mark.args, **mark.kwargs).arguments)
    except TypeError as error:
        raise UsageError(f"@pytest.mark.{MARKER}: {error}") from None


def _find_spec(given: str | Path | None, config: pytest.Config) -> Path | None:
    """The path of the spec, which stands below the root of the tests; None for the packaged one."""
    named = given or config.getini(INI)
    return config.rootpath / named if named else default_path(config.rootpath)


def _load(path: Path | None, environment: object, config: pytest.Config) -> Spec:
    if environment is not None and not isinstance(environment, str):
        raise UsageError(
            f"@pytest.mark.{MARKER}: environment: got {environment!r:.80}, expected text"
        )
    specs = config.stash.setdefault(_SPECS, {})
    key = (path, environment)
    if key not in specs:
        specs[key] = load_spec(path, environment=environment)
    return specs[key]
