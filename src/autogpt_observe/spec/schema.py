"""The spec's JSON Schema, derived from the classes in `model`: for editors and for tests.

The schema is as strict as text can say it: the reader checks more (names that must be declared,
files that must exist). It reads YAML as an editor does, where a plain `5` is a number, so a text
key also takes numbers and booleans.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin

from autogpt_observe.spec.build import field_types, is_named_part, is_required, key_of
from autogpt_observe.spec.keys import Key, OneOf
from autogpt_observe.spec.model import BucketBound, Overlay, Spec
from autogpt_observe.spec.tree import ENABLED
from autogpt_observe.units import Duration, Quantity, Ratio, Version

Schema = dict[str, object]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATTERNS: Mapping[type, str] = {
    Duration: r"^(0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$",
    Ratio: r"^(\d+(\.\d*)?|\.\d+)%?$",
    Quantity: r"^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$",
    Version: r"^v?\d+(\.\d+){0,2}$",
    BucketBound: r"^(\d+(\.\d*)?|\.\d+|(\d+[a-z]+)+)$",
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where a type is met.

    ``whole`` says that a layer gives such a value as a whole (it stands in a list or is a
    condition), so that its required keys must be there; elsewhere another layer may have them.
    """

    definitions: dict[str, Schema]
    key: Key
    whole: bool = False
    named: bool = False


def render_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a spec file, one definition for each class."""
    definitions: dict[str, Schema] = {}
    top = _class_schema(Spec, _Place(definitions, Key("the spec")))
    return {
        "$schema": DIALECT,
        "title": "autogpt-observe spec",
        **top,
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def _class_schema(cls: type, place: _Place) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for name, (field, type_) in field_types(cls).items():
        key = key_of(field)
        inner = dataclasses.replace(place, key=key, named=False)
        properties[name] = {"description": key.help, **_type_schema(type_, inner)}
        if place.whole and is_required(field):
            required.append(name)
    if place.named:
        properties[ENABLED] = {"type": "boolean", "description": "`false` removes this part"}
    doc = (cls.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return {
        "type": "object",
        "description": doc,
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _reference(cls: Any, place: _Place) -> Schema:
    name = cls.__name__
    if name not in place.definitions:
        place.definitions[name] = {}  # stands for itself while it is being made
        place.definitions[name] = _class_schema(cls, place)
    return {"$ref": f"#/$defs/{name}"}


def _type_schema(type_: Any, place: _Place) -> Schema:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _one_of_schema(args[1], dataclasses.replace(place, whole=True))
    if origin is types.UnionType:
        given = next(arg for arg in args if arg is not types.NoneType)
        return {"anyOf": [_type_schema(given, place), {"type": "null"}]}
    if origin is tuple:
        whole = dataclasses.replace(place, whole=True)
        return {"type": "array", "items": _type_schema(args[0], whole)}
    if origin is Mapping:
        return _map_schema(args[0], args[1], place)
    if origin is Literal:
        return {"enum": [args[0], str(args[0])]}
    if type_ is Overlay:
        return {"$ref": "#"}
    if dataclasses.is_dataclass(type_) and not hasattr(type_, "parse"):
        return _shorthand_schema(type_, _reference(type_, place))
    return _scalar_schema(type_, place.key)


def _map_schema(key_type: Any, value_type: Any, place: _Place) -> Schema:
    values = _type_schema(value_type, dataclasses.replace(place, named=is_named_part(value_type)))
    schema: Schema = {"type": "object", "additionalProperties": values}
    pattern = _pattern(key_type)
    if pattern is not None:
        schema["propertyNames"] = {"pattern": pattern}
    return schema


def _one_of_schema(one_of: OneOf, place: _Place) -> Schema:
    return {
        "type": "object",
        "properties": {word: _type_schema(t, place) for word, t in one_of.variants.items()},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _shorthand_schema(cls: Any, reference: Schema) -> Schema:
    words = list(getattr(cls, "SHORTHANDS", ()))
    return {"oneOf": [{"enum": words}, reference]} if words else reference


def _scalar_schema(type_: Any, key: Key) -> Schema:
    if type_ is bool:
        return {"type": "boolean"}
    if type_ is int:
        bounds = key.bounds
        return {
            "type": "integer",
            **({"minimum": bounds[0], "maximum": bounds[1]} if bounds else {}),
        }
    if issubclass(type_, StrEnum):
        return {"enum": [member.value for member in type_]}
    example: Schema = {"examples": [key.example]} if key.example else {}
    pattern = _pattern(type_)
    if pattern is not None:
        return {**_unquoted(pattern), "pattern": pattern, **example}
    return {"type": ["string", "number", "boolean"], **example}


def _unquoted(pattern: str) -> Schema:
    """What else than a string an editor may see: what fits the pattern and needs no quotes."""

    def fits(text: str) -> bool:
        return re.search(pattern, text, re.ASCII) is not None

    words = ["boolean"] if fits("true") else []
    if not fits("0"):
        return {"type": ["string", *words]}
    most = {} if fits("1") else {"maximum": 0}
    return {"type": ["string", "number", *words], "minimum": 0, **most}


def _pattern(type_: Any) -> str | None:
    if type_ in _PATTERNS:
        return _PATTERNS[type_]
    own = getattr(type_, "PATTERN", None)
    if own is None or own.flags & 16:  # DOTALL: "any text", which a schema says by its type
        return None
    return f"^(?:{own.pattern})$"
