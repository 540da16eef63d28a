"""The committed bundle is what the packaged default spec renders, byte for byte."""

from __future__ import annotations

from pathlib import Path

from autogpt_observe.output.plan import format_plan, plan_bundle
from autogpt_observe.render.targets import render_bundle
from autogpt_observe.spec.load import load_spec

ROOT = Path(__file__).parents[2]


def test_the_committed_bundle_is_current() -> None:
    plan = plan_bundle(ROOT, render_bundle(load_spec()))
    assert format_plan(plan) == f"up to date: {len(plan.changes)} files"
