"""The registry of targets."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from alert_specs import RATIO, read
from small_specs import small_spec

from autogpt_observe.artifacts import Artifact
from autogpt_observe.errors import UsageError
from autogpt_observe.render import targets
from autogpt_observe.spec.load import load_spec

if TYPE_CHECKING:
    from pathlib import Path


def test_a_bundle_is_every_targets_files_sorted_by_path() -> None:
    spec = load_spec()
    bundle = targets.render_bundle(spec)
    assert list(bundle) == sorted(bundle)
    assert {artifact.target for artifact in bundle.values()} == set(targets.TARGETS)
    for target in targets.TARGETS.values():
        files = {path: text for path, text in target.render(spec).items()}  # noqa: C416 - a copy
        assert files == {p: a.text for p, a in bundle.items() if a.target == target.name}


def test_only_some_targets(tmp_path: Path) -> None:
    bundle = targets.render_bundle(read(RATIO, tmp_path), only=["promtool"])
    assert list(bundle) == ["rules/tests/alerts.yml"]
    assert bundle["rules/tests/alerts.yml"].target == "promtool"


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        targets.render_bundle(small_spec(), only=["prometheus", "promtol"])
    assert str(caught.value) == "no target `promtol`; did you mean `promtool`?"


def test_two_targets_never_write_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = dataclasses.replace(targets.TARGETS["prometheus"], name="twin")
    both = {"prometheus": targets.TARGETS["prometheus"], "twin": twin}
    monkeypatch.setattr(targets, "TARGETS", MappingProxyType(both))
    message = "prometheus and twin write the same file, rules/prometheus.yml"
    with pytest.raises(RuntimeError, match=f"^{message}$"):
        targets.render_bundle(small_spec())


def test_an_artifact_says_who_made_it() -> None:
    bundle = targets.render_bundle(small_spec(), only=["prometheus"])
    assert isinstance(bundle["rules/prometheus.yml"], Artifact)
