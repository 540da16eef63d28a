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
from itertools import combinations
from typing import Annotated, Any, Literal, get_args, get_origin

from autogpt_observe.spec.build import field_types, is_named_part, is_required, key_of
from autogpt_observe.spec.keys import Key, OneOf
from autogpt_observe.spec.merge import NOT_BY_ENVIRONMENT
from autogpt_observe.spec.model import BucketBound, LogOutput, Overlay, Spec
from autogpt_observe.spec.tree import ENABLED
from autogpt_observe.spec.words import WORDS
from autogpt_observe.units import Amount, Duration, Quantity, Ratio, Version

Schema = dict[str, object]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PATTERNS: Mapping[type, str] = {
    Duration: r"^(0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$",
    Amount: r"^(-?(\d+(\.\d*)?|\.\d+)|(\d+(\.\d*)?|\.\d+)%|\d+(\.\d+)?[KMGTPE]i|(\d+[a-z]+)+)$",
    Ratio: r"^(\d+(\.\d*)?|\.\d+)%?$",
    Quantity: r"^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$",
    Version: r"^v?\d+(\.\d+){0,2}$",
    LogOutput: r"^(stderr|stdout|.*/.*[^/])$",
    BucketBound: r"^(\d+(\.\d*)?|\.\d+|(\d+[a-z]+)+)$",
}
_NOT_NULL: Schema = {"not": {"type": "null"}}
_QUOTED = re.compile(r"`([^`]+)`")


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where a type is met.

    Attributes:
        whole: a layer gives such a value as a whole (it stands in a list or is a condition), so
            that its required keys must be there; elsewhere another layer may have them.
        named: it is a part in a map of parts, which `enabled: false` removes.
    """

    definitions: dict[str, Schema]
    key: Key
    whole: bool = False
    named: bool = False


def render_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a spec file.

    One definition for each class, and one more where it must be given whole (`Whole...`) or is a
    part with a name (`Named...`).
    """
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
    for name, (field, type_) in _keys(cls).items():
        inner = dataclasses.replace(place, key=key_of(field), named=False)
        properties[name] = _property_schema(field, type_, inner)
        if place.whole and is_required(field):
            required.append(name)
    if place.named:
        properties[ENABLED] = {
            "type": "boolean",
            "description": "`false` removes this part",
            "default": True,
        }
    return {
        "type": "object",
        "description": _first_paragraph(cls),
        "properties": properties,
        **({"required": required} if required else {}),
        **_choice(getattr(cls, "EXACTLY_ONE", ()), whole=place.whole),
        "additionalProperties": False,
    }


def _keys(cls: type) -> Mapping[str, tuple[dataclasses.Field[Any], Any]]:
    if cls is not Overlay:
        return field_types(cls)
    return {n: f for n, f in field_types(Spec).items() if n not in NOT_BY_ENVIRONMENT}


def _property_schema(field: dataclasses.Field[Any], type_: Any, place: _Place) -> Schema:
    schema = _type_schema(type_, place)
    description = place.key.help
    kind = getattr(_plain(type_), "EXPECTED", None)
    if kind is not None and kind not in description:
        description = f"{description} ({kind})"
    default = field.default_factory() if callable(field.default_factory) else field.default
    if default is not dataclasses.MISSING and default is not None:
        schema = {**schema, "default": _as_yaml(default)}
    return {**schema, "description": description}


def _choice(names: tuple[str, ...], *, whole: bool) -> Schema:
    """What is said of keys of which exactly one is given; a layer may leave it to another one."""
    given = {name: {"required": [name], "properties": {name: _NOT_NULL}} for name in names}
    if whole and names:
        return {"oneOf": list(given.values())}
    both = [{"not": {"allOf": [given[a], given[b]]}} for a, b in combinations(names, 2)]
    return {"allOf": both} if both else {}


def _reference(cls: Any, place: _Place) -> Schema:
    prefix = "Named" if place.named else "Whole" if place.whole else ""
    name = f"{prefix}{cls.__name__}"
    if name not in place.definitions:
        place.definitions[name] = {}  # stands for itself while it is being made
        place.definitions[name] = _class_schema(cls, place)
    return {"$ref": f"#/$defs/{name}"}


def _type_schema(type_: Any, place: _Place) -> Schema:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _one_of_schema(args[1], dataclasses.replace(place, whole=True))
    if origin is types.UnionType:
        nothing = {"type": "null", "description": "as if it were not given"}
        return {"anyOf": [_type_schema(_plain(type_), place), nothing]}
    if origin is tuple:
        whole = dataclasses.replace(place, whole=True)
        items = _type_schema(args[0], whole)
        return {"type": "array", "description": "a list", "items": items}
    if origin is Mapping:
        return _map_schema(args[0], args[1], place)
    if origin is Literal:
        return {"enum": [args[0], str(args[0])]}
    if dataclasses.is_dataclass(type_) and not hasattr(type_, "parse"):
        return _shorthand_schema(type_, _reference(type_, place))
    return _scalar_schema(type_, place.key)


def _map_schema(key_type: Any, value_type: Any, place: _Place) -> Schema:
    inner = dataclasses.replace(place, named=is_named_part(value_type))
    values = _type_schema(value_type, inner)
    schema: Schema = {"type": "object", "description": "a map", "additionalProperties": values}
    pattern = _pattern(key_type)
    if pattern is not None:
        schema["propertyNames"] = {"pattern": pattern, "description": key_type.EXPECTED}
    return schema


def _one_of_schema(one_of: OneOf, place: _Place) -> Schema:
    variants = {
        word: {
            **_type_schema(type_, place),
            "description": getattr(type_, "EXPECTED", None) or _first_paragraph(type_),
        }
        for word, type_ in one_of.variants.items()
    }
    return {
        "type": "object",
        "properties": variants,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _shorthand_schema(cls: Any, reference: Schema) -> Schema:
    words = list(getattr(cls, "SHORTHANDS", ()))
    if not words:
        return reference
    short = {"enum": words, "description": _first_paragraph(cls)}
    return {"description": _first_paragraph(cls), "oneOf": [short, reference]}


def _scalar_schema(type_: Any, key: Key) -> Schema:
    if type_ is bool:
        return {"type": "boolean", "description": "true or false"}
    if type_ is int:
        bounds = key.bounds
        return {
            "type": "integer",
            "description": "a whole number",
            **({"minimum": bounds[0], "maximum": bounds[1]} if bounds else {}),
        }
    if issubclass(type_, StrEnum):
        return _enum_schema(type_)
    expected = getattr(type_, "EXPECTED", "a text")
    examples: Schema = {"examples": found} if (found := _examples(expected, key)) else {}
    described: Schema = {"description": expected}
    pattern = _pattern(type_)
    if pattern is not None:
        return {**described, **_unquoted(pattern), "pattern": pattern, **examples}
    return {**described, "type": ["string", "number", "boolean"], **examples}


def _enum_schema(type_: type[StrEnum]) -> Schema:
    """The words; editors that know `enumDescriptions` show what each one means."""
    means = WORDS.get(type_, {})
    told: Schema = {"enumDescriptions": [means[word] for word in type_]} if means else {}
    words = [member.value for member in type_]
    return {"enum": words, **told, "description": _first_paragraph(type_)}


def _examples(expected: str, key: Key) -> list[str]:
    if key.example is not None:
        return [key.example.strip("'\"")]
    _, _, named = expected.partition("such as ")
    return _QUOTED.findall(named)


def _unquoted(pattern: str) -> Schema:
    """What else than a string an editor may see: what fits the pattern and needs no quotes."""

    def fits(text: str) -> bool:
        return re.search(pattern, text, re.ASCII) is not None

    words = ["boolean"] if fits("true") else []
    if not fits("0"):
        return {"type": ["string", *words]}
    least = {} if fits("-1") else {"minimum": 0}
    most = {} if fits("1") else {"maximum": 0}
    return {"type": ["string", "number", *words], **least, **most}


def _pattern(type_: Any) -> str | None:
    if type_ in _PATTERNS:
        return _PATTERNS[type_]
    own = getattr(type_, "PATTERN", None)
    if own is None:
        return None
    return r"\S" if own.flags & re.DOTALL else f"^(?:{own.pattern})$"


def _plain(type_: Any) -> Any:
    """The type without `| None`."""
    if get_origin(type_) is not types.UnionType:
        return type_
    return next(arg for arg in get_args(type_) if arg is not types.NoneType)


def _first_paragraph(cls: Any) -> str:
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def _as_yaml(value: Any) -> Any:
    """A default as an editor would see it written."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): _as_yaml(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_as_yaml(item) for item in value]
    if dataclasses.is_dataclass(value) and not hasattr(value, "parse"):
        return {}  # a part whose keys all have defaults of their own
    return str(value)
