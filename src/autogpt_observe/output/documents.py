"""Reads rendered YAML and JSON as strictly as its strictest reader: no key may stand twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(ValueError):
    """A text that is no YAML or JSON; says where and why."""


def read_documents(path: str, text: str) -> list[Json]:
    """The documents in a file: JSON by its ending, else YAML. Raises UnreadableError."""
    if path.endswith(".json"):
        return [_read_json(text)]
    try:
        return list(yaml.load_all(text, Loader=_StrictLoader))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise UnreadableError(f"{at}{exc.problem or exc.context}") from exc
    except yaml.YAMLError as exc:
        raise UnreadableError(" ".join(str(exc).split())) from exc


class _StrictLoader(Loader):  # type: ignore[misc,valid-type]  # the C loader where there is one
    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's own
    ) -> dict[Hashable, object]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                _refuse(key_node, f"got the key {key!r}, expected a text; put it in quotes")
            if key in seen:
                _refuse(key_node, f"the key `{key}` stands twice")
            seen.add(key)
        mapping: dict[Hashable, object] = super().construct_mapping(node, deep=deep)
        return mapping


def _refuse(node: yaml.Node, problem: str) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _read_json(text: str) -> Json:
    try:
        document: Json = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as exc:
        raise UnreadableError(f"line {exc.lineno}, column {exc.colno}: {exc.msg}") from exc
    except ValueError as exc:
        raise UnreadableError(str(exc)) from exc
    return document


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key `{key}` stands twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"got {name}, which JSON does not have")
