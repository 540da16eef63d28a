"""The spec of every key: none is left out, and each of its nodes is missed or refused in turn."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, get_args, get_origin

import pytest
from spec_reading import EVERY_KEY, found, spec_of, tree_of

from autogpt_observe.diagnostics import Report
from autogpt_observe.names import EnvName, Name
from autogpt_observe.spec import model, tree
from autogpt_observe.spec.build import build_spec, inner_type, is_named_part
from autogpt_observe.spec.tree import Entry, Node, Scalar, Sequence
from autogpt_observe.units import Duration

Path = tuple[str | int, ...]

# --- every key -------------------------------------------------------------------------------


def declared_keys(type_: Any, seen: set[tuple[str, str]]) -> None:
    """Add every key that the model declares below ``type_``."""
    for cls, word, inner in _steps(type_):
        if (cls, word) not in seen:
            seen.add((cls, word))
            declared_keys(inner, seen)


def used_keys(type_: Any, node: Node, seen: set[tuple[str, str]]) -> None:
    """Add every key of the model that the tree uses."""
    origin, args = get_origin(type_), get_args(type_)
    if origin is types.UnionType:
        used_keys(args[0], node, seen)
    elif origin is tuple and isinstance(node, Sequence):
        for item in node.items:
            used_keys(args[0], item, seen)
    elif origin is Mapping and isinstance(node, tree.Mapping):
        for entry in node.entries.values():
            used_keys(args[1], entry.value, seen)
    elif isinstance(node, tree.Mapping):
        for cls, word, inner in _steps(type_):
            if word in node.entries:
                seen.add((cls, word))
                used_keys(inner, node.entries[word].value, seen)
    elif isinstance(node, Scalar) and node.text in getattr(type_, "SHORTHANDS", ()):
        seen.add((type_.__name__, node.text))


def _steps(type_: Any) -> Iterator[tuple[str, str, Any]]:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        yield from (("when", word, inner) for word, inner in args[1].variants.items())
    elif origin in (types.UnionType, tuple):
        yield from _steps(args[0])
    elif origin is Mapping:
        yield from _steps(args[1])
    elif dataclasses.is_dataclass(type_) and not hasattr(type_, "parse"):
        hints = typing.get_type_hints(type_, include_extras=True)
        name = getattr(type_, "__name__", "")
        for field in dataclasses.fields(type_):
            yield name, field.name.rstrip("_"), hints[field.name]
        yield from ((name, word, str) for word in getattr(type_, "SHORTHANDS", ()))


def test_the_spec_of_every_key_leaves_none_out() -> None:
    declared: set[tuple[str, str]] = set()
    used: set[tuple[str, str]] = set()
    declared_keys(model.Spec, declared)
    used_keys(model.Spec, tree_of(EVERY_KEY), used)
    assert sorted(declared - used) == []
    assert len(declared) > 100


def test_the_spec_of_every_key_is_good_everywhere() -> None:
    assert found(EVERY_KEY, everywhere=True) == ""


def test_values_are_what_was_written() -> None:
    spec = spec_of(EVERY_KEY)
    alert = spec.alerts[Name("PagesStopped")]
    ratio = spec.alerts[Name("PageFailureRatioHigh")].when
    assert isinstance(ratio, model.RatioCondition)
    assert spec.deployment is not None
    assert spec.logs is not None
    assert spec.autoscaling is not None
    assert spec.autoscaling.cpu is not None
    assert spec.autoscaling.memory is not None
    read = {
        "version": spec.version,
        "image": spec.deployment.image,
        "half a core": spec.deployment.resources.requests.cpu.value,
        "prometheus": str(spec.targets.prometheus),
        "alertmanager": str(spec.targets.alertmanager),
        "buckets": [str(bound.value) for bound in spec.buckets[Name("page_time")]],
        "for": alert.for_,
        "times": [str(at) for at in alert.tests[Name("stops")].at],
        "fires": [len(e.fires) for e in alert.tests[Name("stops")].at.values()],
        "above": ratio.above.value,
        "shares": (spec.autoscaling.cpu.value, spec.autoscaling.memory.value),
        "secret": spec.deployment.secrets[EnvName("OPENAI_API_KEY")].key,
        "timezone": spec.logs.timezone,
        "environments": list(spec.environments),
    }
    assert read == {
        "version": 1,
        "image": "crawler:1.10",
        "half a core": Fraction(1, 2),
        "prometheus": "2.42",
        "alertmanager": "0.26",
        "buckets": ["0.5", "1", "90"],
        "for": Duration(120_000),
        "times": ["3m", "13m", "20m"],
        "fires": [0, 1, 1],
        "above": Decimal("0.2"),
        "shares": (Decimal("0.7"), Decimal("0.8")),
        "secret": "openai-api-key",
        "timezone": "Europe/Berlin",
        "environments": ["staging"],
    }


def test_a_spec_can_not_be_changed() -> None:
    spec = spec_of(EVERY_KEY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.version = 2  # type: ignore[assignment,misc]  # what must fail
    with pytest.raises(TypeError):
        spec.alerts["x"] = None  # type: ignore[index]  # what must fail


# --- every node of the spec of every key, spoilt ---------------------------------------------


def all_nodes() -> list[tuple[Path, Any, Node]]:
    """Each node of the spec of every key, with its path and type; conditions are looked into."""

    def inside(path: Path, type_: Any, node: Node) -> Iterator[tuple[Path, Any, Node]]:
        yield path, type_, node
        if isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                yield from inside((*path, index), inner_type(type_, index), item)
        elif isinstance(node, tree.Mapping):
            variants = get_args(type_)[1].variants if get_origin(type_) is Annotated else {}
            for name, entry in node.entries.items():
                inner = variants.get(name) or inner_type(type_, name)
                yield from inside((*path, name), inner, entry.value)

    return list(inside((), model.Spec, tree_of(EVERY_KEY)))


def spoilt(path: Path, node: Node) -> list[str]:
    """The ids of what is found with ``node`` at ``path``."""

    def put(into: Node, rest: Path) -> Node:
        if not rest:
            return node
        step = rest[0]
        if isinstance(into, Sequence):
            items = [put(c, rest[1:]) if i == step else c for i, c in enumerate(into.items)]
            return Sequence(items, into.at)
        assert isinstance(into, tree.Mapping)
        entry = into.entries[str(step)]
        changed = Entry(entry.key, put(entry.value, rest[1:]))
        return tree.Mapping({**into.entries, str(step): changed}, into.at)

    root = put(tree_of(EVERY_KEY), path)
    assert isinstance(root, tree.Mapping)
    report = Report()
    build_spec(root, report)
    return [found.id for found in report.diagnostics]


NODES = [(path, type_, node) for path, type_, node in all_nodes() if path]
OVERLAYS = [path for path, _, _ in NODES if path[0] == "environments" and len(path) > 2]


@pytest.mark.parametrize("index", range(0, len(NODES), 25))
def test_no_node_can_be_of_another_kind(index: int) -> None:
    for path, type_, node in NODES[index : index + 25]:
        if path in OVERLAYS:  # read once they are merged
            continue
        others: list[Node] = [tree.Mapping({}, node.at), Sequence([], node.at)]
        others.append(Scalar("\x00", plain=False, at=node.at))
        for other in others:
            or_a_map = type_ is model.Expectation and isinstance(other, tree.Mapping)
            if type(other) is not type(node):
                wanted = "spec/missing-key" if or_a_map else "spec/type"
                assert spoilt(path, other) == [wanted], path


def test_enabled_belongs_to_named_parts_alone() -> None:
    switch_at = tree_of("enabled: true\n").entries["enabled"]
    taken = []
    parent_is_map = {path: get_origin(type_) is Mapping for path, type_, _ in NODES}
    for path, type_, node in NODES:
        if not isinstance(node, tree.Mapping) or path in OVERLAYS:
            continue
        entries = {name: e for name, e in node.entries.items() if name != "enabled"}
        found_ids = spoilt(path, tree.Mapping({**entries, "enabled": switch_at}, node.at))
        if len(path) > 1 and parent_is_map[path[:-1]] and is_named_part(type_):
            assert found_ids == [], path
            taken.append(".".join(map(str, path)))
        elif get_origin(type_) is Mapping:  # the name of a part, or of a label
            assert "spec/unknown-key" not in found_ids, path
        elif type_ is not model.Overlay:
            assert found_ids == ["spec/unknown-key"], path
    assert taken == [
        *(f"attributes.{name}" for name in ("site", "agent")),
        *(
            f"metrics.{name}"
            for name in (
                "crawler_pages_total",
                "crawler_page_failures_total",
                "crawler_page_duration_seconds",
                "crawler_runs_total",
                "crawler_build_info",
                "crawler_queue",
                "crawler_queue_room",
                "crawler_progress_timestamp_seconds",
                "kube_pod_status_ready",
            )
        ),
        "recording_rules.site:crawler_pages:rate5m",
        "alerts.PagesStopped",
        "alerts.PagesStopped.tests.stops",
        "alerts.PodNotReady",
        "alerts.PageFailureRatioHigh",
        "alerts.PageFailureRatioHigh.inhibits.PagesStopped",
        "alerts.PagesMany",
        "alerts.PagesFew",
        "alerts.FailuresMany",
        "alerts.RunsFew",
        "alerts.QueueFull",
        "alerts.QueueEmpty",
        "alerts.PagesSlow",
        "alerts.PagesFast",
        "alerts.QueueGone",
        "alerts.PagesStuck",
        "alerts.QueueFillsUp",
        "alerts.QueueDrains",
        "alerts.Watchdog",
        "alerts.Watchdog.tests.always",
        "alerts.PagesBudgetBurns",
        "slos.pages",
        "slos.page-time",
        *(f"notifications.receivers.{name}" for name in ("team", "forwarder", "chat", "pager")),
        "notifications.receivers.mail",
        "notifications.routes.urgent",
        "notifications.routes.docs",
        "notifications.routes.docs.routes.forwarded",
        "notifications.routes.quiet",
        "notifications.time_intervals.office-hours",
        "dashboards.crawler",
        "deployment.secrets.OPENAI_API_KEY",
    ]


def test_every_required_key_is_missed() -> None:
    missed = 0
    for path, type_, node in NODES:
        if not isinstance(node, tree.Mapping) or path in OVERLAYS:
            continue
        cls = type_ if dataclasses.is_dataclass(type_) else None
        for field in dataclasses.fields(cls) if cls is not None else ():
            name = field.name.rstrip("_")
            required = (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            )
            if name in node.entries:
                less = {n: e for n, e in node.entries.items() if n != name}
                is_choice = name in getattr(cls, "EXACTLY_ONE", ())
                wanted = ["spec/missing-key"] if required or is_choice else []
                assert spoilt(path, tree.Mapping(less, node.at)) == wanted, (path, name)
                missed += required
    assert missed > 50
