"""Small specs for the renderers' goldens, and the comparison of a bundle with its golden folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogpt_observe.names import LabelName, MetricName, MetricSource, MetricType, Name, Url
from autogpt_observe.spec import model
from autogpt_observe.units import Quantity, Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = Path(__file__).parent / "cases"
REWRITE = "AUTOGPT_OBSERVE_REWRITE_GOLDENS"
"""Set to 1, goldens are written instead of compared, and their tests fail to say so."""


def small_spec(*, service: str = "crawler", **parts: Any) -> model.Spec:
    named = model.Service(name=Name(service), owner=Name("agents-team"))
    return replace(model.Spec(version=1, service=named), **parts)


def metric(
    type_: str, *, unit: str | None = None, attributes: tuple[str, ...] = ()
) -> model.Metric:
    return model.Metric(
        type=MetricType(type_),
        from_=MetricSource.CODE,
        help=f"A {type_} of the tests",
        unit=None if unit is None else model.Unit(unit),
        attributes=tuple(map(LabelName, attributes)),
    )


def panel(title: str, name: str | None = None, **options: Any) -> model.Panel:
    by = tuple(map(LabelName, options.pop("by", ())))
    of = options.pop("of", None)
    return model.Panel(
        title=title,
        metric=None if name is None else MetricName(name),
        of=None if of is None else MetricName(of),
        by=by,
        **options,
    )


def logs(**changed: Any) -> model.Logs:
    seed = model.Logs(
        pattern="%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} %{GREEDYDATA:message}",
        date_formats=("ISO8601",),
        elasticsearch=(Url("http://elasticsearch:9200"),),
        index="autogpt-logs-%{+YYYY.MM.dd}",
    )
    return replace(seed, **changed)


def deployment(**changed: Any) -> model.Deployment:
    seed = model.Deployment(
        image="significantgravitas/auto-gpt:latest",
        replicas=3,
        resources=model.Resources(
            requests=model.ComputeResources(cpu=Quantity("500m"), memory=Quantity("2Gi")),
            limits=model.ComputeResources(cpu=Quantity("1000m"), memory=Quantity("4Gi")),
        ),
    )
    return replace(seed, **changed)


def autoscaling(**changed: Any) -> model.Autoscaling:
    seed = model.Autoscaling(min=2, max=10, cpu=Ratio.parse("70%"), memory=Ratio.parse("80%"))
    return replace(seed, **changed)


def assert_golden(case: str, files: Mapping[str, str]) -> None:
    """The bundle is, file by file and byte by byte, what stands in ``cases/<case>``."""
    folder = CASES / case
    if os.environ.get(REWRITE) == "1":
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    known = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    assert dict(files) == known
    assert REWRITE not in os.environ, f"{case} was rewritten: look at the difference"


def render_elsewhere(target: str, case: str) -> str:
    """The repr of a case's bundle, made by a process with another order of hashes."""
    code = (
        f"from test_{target} import {case}; from autogpt_observe.render.{target} import render;"
        f"print(render({case}()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")
