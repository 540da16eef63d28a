"""From a path to a spec: reads the files, follows includes, applies the environment, checks."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import Diagnostic, Report, Span, SpecError, did_you_mean
from autogpt_observe.errors import UsageError
from autogpt_observe.spec.build import build_spec, check_section
from autogpt_observe.spec.checks import check_spec, check_telemetry
from autogpt_observe.spec.merge import drop_references_to_removed, merge, merge_environment
from autogpt_observe.spec.tree import MAX_BYTES, Mapping, Scalar, Sequence, parse_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from autogpt_observe.spec.model import Spec

    Check = Callable[[Spec, Mapping, Report], None]

SPEC_FILE = "observe.yaml"
"""The spec that is used when none is named, if it stands in the current folder."""
PACKS = ("autogpt",)
"""The built-in packs: specs of signals, rules and dashboards without a service."""
_MAX_INCLUDE_DEPTH = 50
_OF_ITS_OWN = ("include", "version")
"""What a file says of itself alone, and not of the file that includes it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a reading found.

    Attributes:
        spec: the spec, or None when an error was found.
        tree: the merged tree it was built from, or None when there was none to build from.
        diagnostics: all findings, in the order of the text.
    """

    spec: Spec | None
    tree: Mapping | None
    diagnostics: tuple[Diagnostic, ...]


def load_spec(path: Path | None = None, *, environment: str | None = None) -> Spec:
    """Read, merge, build and check the spec at ``path``, or the one :func:`default_path` names.

    Raises:
        SpecError: the spec has errors; the exception holds all of them.
        UsageError: the environment is not one of the spec's.
    """
    return _spec_of(read_spec(path, environment=environment))


def load_telemetry(path: Path | None = None, *, environment: str | None = None) -> Spec:
    """As :func:`load_spec`, for the runtime: what is made of the telemetry is not checked.

    An alert that reads an unknown metric is no reason for a service not to start, and to read all
    PromQL of a spec takes as long as to start.
    """
    return _spec_of(read_spec(path, environment=environment, check=check_telemetry))


def _spec_of(loaded: Loaded) -> Spec:
    if loaded.spec is None:
        raise SpecError(loaded.diagnostics)
    return loaded.spec


def default_path(folder: Path) -> Path | None:
    """``observe.yaml`` in ``folder`` if it is there; None stands for the packaged default spec."""
    path = folder / SPEC_FILE
    return path if path.exists() else None


def read_spec(
    path: Path | None = None, *, environment: str | None = None, check: Check = check_spec
) -> Loaded:
    """Like :func:`load_spec`, but gives the findings back instead of raising SpecError."""
    report = Report()
    with _collector_paused():
        tree = _read_layers(path, report)
        if tree is None:
            return Loaded(None, None, report.diagnostics)
        if environment is not None:
            tree = _apply_environment(tree, environment, report)
        return _finish(tree, report, check)


def read_all_environments(path: Path | None = None) -> Loaded:
    """Read the spec as it is, and check it in each of its environments as well."""
    report = Report()
    with _collector_paused():
        tree = _read_layers(path, report)
        if tree is None:
            return Loaded(None, None, report.diagnostics)
        base = _finish(tree, report)
        for name, overlay in _environments(tree).items():
            _finish(merge_environment(tree, name, overlay, report), report)
    spec = None if report.has_errors else base.spec
    return Loaded(spec, tree, report.diagnostics)


def packaged_text(name: str) -> str:
    """The text of a YAML file that comes with the package, such as ``default.yaml``."""
    return (resources.files("autogpt_observe.spec") / name).read_text(encoding="utf-8")


def _finish(tree: Mapping, report: Report, check: Check = check_spec) -> Loaded:
    if any(found.id.startswith("include/") for found in report.diagnostics):
        # half of the spec is missing: what else would be found follows from that
        return Loaded(None, tree, report.diagnostics)
    tree = drop_references_to_removed(tree)
    spec = build_spec(tree, report)
    if spec is not None:
        check(spec, tree, report)
    return Loaded(None if report.has_errors else spec, tree, report.diagnostics)


def _environments(tree: Mapping) -> dict[str, Mapping]:
    environments = tree.get("environments")
    if not isinstance(environments, Mapping):
        return {}
    entries = environments.entries.items()  # one that is no map is the reader's to report
    nothing = Mapping({}, environments.at)
    return {n: e.value if isinstance(e.value, Mapping) else nothing for n, e in entries}


def _apply_environment(tree: Mapping, name: str, report: Report) -> Mapping:
    environments = _environments(tree)
    if name not in environments:
        known = tuple(environments)
        hint = did_you_mean(name, known) if known else "the spec declares no `environments`"
        raise UsageError(f"unknown environment `{name}`: {hint}")
    return merge_environment(tree, name, environments[name], report)


# --- files and includes ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """Which files are being read.

    ``chain`` leads from the first file to this one; ``done`` keeps what an include came to, so
    that files which include one another in many ways are still read once each.
    """

    report: Report
    chain: tuple[str, ...] = ()
    done: dict[tuple[str, str], Mapping | None] = field(default_factory=dict)


def _read_layers(path: Path | None, report: Report) -> Mapping | None:
    reading = _Reading(report)
    if path is None:
        return _read_packaged("default.yaml", reading)
    data = _read_bytes(path, None, report)
    return None if data is None else _read_one(data, str(path), path.parent, reading)


def _read_packaged(name: str, reading: _Reading) -> Mapping | None:
    return _read_one(packaged_text(name).encode(), f"<{name}>", None, reading)


def _read_one(data: bytes, name: str, folder: Path | None, reading: _Reading) -> Mapping | None:
    tree = parse_tree(data, name, reading.report)
    if tree is None:
        return None
    below = Mapping({}, tree.at)
    inner = replace(reading, chain=(*reading.chain, name))
    for included in _includes(tree):
        layer = _read_include(included, folder, inner)
        if layer is not None:
            below = merge(below, layer, reading.report)
    return merge(below, tree, reading.report)


def _includes(tree: Mapping) -> tuple[Scalar, ...]:
    include = tree.get("include")
    items = include.items if isinstance(include, Sequence) else [include]
    # A wrong type is the reader's to report; following a lone name all the same saves the user
    # a finding for everything in it.
    return tuple(node for node in items if isinstance(node, Scalar) and not node.is_null)


def _read_include(included: Scalar, folder: Path | None, reading: _Reading) -> Mapping | None:
    report = reading.report
    if len(reading.chain) > _MAX_INCLUDE_DEPTH:
        message = f"includes are nested more than {_MAX_INCLUDE_DEPTH} files deep"
        report.error("include/depth", message, included.at, fix="include fewer files, from the top")
        return None
    if included.text in PACKS:
        layer = _read_packaged(f"packs/{included.text}.yaml", reading)
    elif folder is None or not _looks_like_path(included.text):
        message = f"there is no built-in pack `{included.text}`"
        fix = did_you_mean(included.text, PACKS) + " (the path of a file ends in .yaml or .yml)"
        report.error("include/unknown-pack", message, included.at, fix=fix)
        return None
    else:
        layer = _read_included_file(included, folder, reading)
    if layer is None:
        return None
    for own in _OF_ITS_OWN:
        if own in layer.entries:
            check_section(layer.entries[own], report)
    return Mapping({k: e for k, e in layer.entries.items() if k not in _OF_ITS_OWN}, layer.at)


def _looks_like_path(text: str) -> bool:
    return text.endswith((".yaml", ".yml")) or "/" in text


def _read_included_file(included: Scalar, folder: Path, reading: _Reading) -> Mapping | None:
    path = folder / included.text
    name = str(path)
    if any(_same_file(path, outer) for outer in reading.chain):
        ways = " -> ".join((*reading.chain, name))
        message = f"the file includes itself: {ways}"
        reading.report.error("include/cycle", message, included.at, fix="remove one `include`")
        return None
    identity = _identity(path)
    if identity not in reading.done:
        data = _read_bytes(path, included.at, reading.report)
        layer = None if data is None else _read_one(data, name, path.parent, reading)
        reading.done[identity] = layer
    return reading.done[identity]


def _identity(path: Path) -> tuple[str, str]:
    """The same for two spellings of a path, if includes in the file lead to the same files too."""
    try:
        return os.path.realpath(path), os.path.realpath(path.parent)
    except ValueError:  # a path that no file can have
        return str(path), ""


def _same_file(path: Path, outer: str) -> bool:
    try:
        return path.samefile(outer)
    except (OSError, ValueError):
        return False


def _read_bytes(path: Path, at: Span | None, report: Report) -> bytes | None:
    try:
        if not path.is_file() and path.exists() and not path.is_fifo():
            message = f"{path} is not a file"
            report.error("spec/unreadable", message, at, fix="name the spec's file itself")
            return None
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"can't read {path}: {reason}"
        fix = "`autogpt-observe init` writes a spec to start from" if at is None else None
        report.error("spec/unreadable", message, at, fix=fix)
        return None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without garbage collection a large spec reads a third faster; nothing in it is cyclic."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
