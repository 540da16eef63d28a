"""Tree to typed values: reads every key by the type its field has in `model`.

A reader is made once for each type and kept. Readers never raise for bad input: they report it
and give back ``INVALID``. What holds an invalid value is invalid as a whole, up to the named part
(an alert, a metric) or section, which is left out: the checks still see all the others, so that
one run finds everything.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable
from collections.abc import Mapping as AbcMapping
from enum import Enum, StrEnum
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from autogpt_observe.diagnostics import Report, Span, did_you_mean
from autogpt_observe.names import PromQL
from autogpt_observe.spec.model import Overlay, Spec
from autogpt_observe.spec.tree import ENABLED, Entry, Mapping, Node, Scalar, Sequence, describe
from autogpt_observe.units import write_out

if TYPE_CHECKING:
    from autogpt_observe.spec.keys import Key, OneOf

T = TypeVar("T")


class _Invalid(Enum):
    INVALID = 0


INVALID: Final = _Invalid.INVALID
"""What a reader gives back for input it has reported."""

# A reader takes the node, the key it stands under, and the report. What it returns is checked by
# the field's own type, which `dataclasses` and mypy see; in between it has no static type.
Reader = Callable[[Node, Scalar, Report], Any]

_INT = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})", re.ASCII)
_LEADING_ZEROS = re.compile(r"0+[1-9]\d{0,14}", re.ASCII)
_YAML11_BOOLS = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}
_TOP = "the spec"
_QUOTE = "quote a text that starts with { or ["


def build_spec(root: Mapping, report: Report) -> Spec | None:
    """Read the merged tree.

    Args:
        root: the tree after packs, includes and the environment were merged.
        report: takes every finding.

    Returns:
        The spec without the parts that were reported as errors, or None when it can't do without
        them. Only for checks, as long as the report has errors.
    """
    top = Scalar(_TOP, plain=False, at=Span(root.at.source, 1, 1))
    spec = _reader(Spec)(root, top, report)
    return spec if isinstance(spec, Spec) else None


def yaml_key(field_name: str) -> str:
    """The YAML key of a field: its name without the underscore that dodges a Python keyword."""
    return field_name.rstrip("_")


@cache
def field_types(cls: type) -> AbcMapping[str, tuple[dataclasses.Field[Any], Any]]:
    """For each YAML key of a spec class: its field and its resolved type."""
    hints = get_type_hints(cls, include_extras=True)
    return {yaml_key(f.name): (f, hints[f.name]) for f in dataclasses.fields(cls)}


def key_of(field: dataclasses.Field[Any]) -> Key:
    """What a field declares of its key."""
    declared: Key = field.metadata["key"]
    return declared


@cache
def inner_type(type_: Any, step: str | int) -> Any:
    """The type under a key (or list position) of a value of ``type_``; None where it has none."""
    origin, args = get_origin(type_), get_args(type_)
    inner: Any = None
    if origin is AbcMapping:
        inner = args[1]
    elif origin is tuple:
        inner = args[0]
    elif type_ is Overlay:
        return inner_type(Spec, step)
    elif dataclasses.is_dataclass(type_) and isinstance(type_, type):
        inner = field_types(type_)[str(step)][1] if step in field_types(type_) else None
    if get_origin(inner) is types.UnionType:
        return next(arg for arg in get_args(inner) if arg is not types.NoneType)
    return inner


def check_section(entry: Entry, report: Report) -> None:
    """Report what is wrong with one section of a file, where the sections above hide it."""
    _reader(field_types(Spec)[entry.key.text][1])(entry.value, entry.key, report)


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether the key has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@cache
def _reader(type_: Any) -> Reader:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _read_one_of(args[1])
    if origin is types.UnionType:  # only `T | None` is left
        inner = _reader(next(arg for arg in args if arg is not types.NoneType))
        return lambda node, key, report: (
            None if isinstance(node, Scalar) and node.is_null else inner(node, key, report)
        )
    if origin is tuple:
        return _read_list(_reader(args[0]))
    if origin is AbcMapping:
        return _read_map(args[0], args[1])
    if origin is Literal:
        return _read_literal(args[0])
    if type_ is Overlay:
        return _read_overlay
    if dataclasses.is_dataclass(type_) and not hasattr(type_, "parse"):
        return _read_fields(type_)
    return _scalar_reader(type_)


def _scalar_reader(type_: Any) -> Reader:
    if type_ is bool:
        return _read_bool
    if type_ is int:
        return _read_int
    if issubclass(type_, StrEnum):
        return _read_enum(type_)
    if hasattr(type_, "parse"):
        return _read_parsed(type_)
    if type_ is str:
        return _read_text
    raise TypeError(f"no reader for {type_!r}")  # a mistake in `model`, seen by its first use


def _reject(
    report: Report, node: Node, key: Scalar, expected: str, fix: str | None = None
) -> _Invalid:
    message = f"`{key.text}`: expected {expected}, got {describe(node)}"
    at = key.at if isinstance(node, Scalar) and node.is_null and not node.text else node.at
    report.error("spec/type", message, at, fix=fix)
    return INVALID


def _read_text(node: Node, key: Scalar, report: Report) -> Any:
    if isinstance(node, Scalar) and not node.is_null:
        return node.text
    fix = 'write "" for an empty text' if isinstance(node, Scalar) else _QUOTE
    return _reject(report, node, key, "a text", fix)


def _read_bool(node: Node, key: Scalar, report: Report) -> Any:
    if isinstance(node, Scalar) and node.plain and node.text in ("true", "false"):
        return node.text == "true"
    meant = _YAML11_BOOLS.get(node.text.lower()) if isinstance(node, Scalar) else None
    meant = node.text.lower() if isinstance(node, Scalar) and meant is None else meant
    fix = f"write `{meant}`" if meant in ("true", "false") else None
    return _reject(report, node, key, "`true` or `false`", fix)


def _read_int(node: Node, key: Scalar, report: Report) -> Any:
    fix = None
    if isinstance(node, Scalar) and _INT.fullmatch(node.text):
        if node.plain:
            return int(node.text)
        fix = "remove the quotes"
    elif isinstance(node, Scalar) and _LEADING_ZEROS.fullmatch(node.text):
        fix = f"YAML 1.1 reads this as an octal number; write `{node.text.lstrip('0')}`"
    elif isinstance(node, Scalar):
        fix = write_out(node.text)
    return _reject(report, node, key, "a whole number", fix)


def _read_literal(value: int) -> Reader:
    def read(node: Node, key: Scalar, report: Report) -> Any:
        if isinstance(node, Scalar) and node.text == str(value):
            return value
        return _reject(report, node, key, f"`{value}`")

    return read


def _read_enum(type_: type[StrEnum]) -> Reader:
    words = tuple(member.value for member in type_)
    expected = "one of " + ", ".join(f"`{word}`" for word in words)

    def read(node: Node, key: Scalar, report: Report) -> Any:
        if isinstance(node, Scalar) and node.text in words:
            return type_(node.text)
        fix = did_you_mean(node.text, words) if isinstance(node, Scalar) and node.text else None
        return _reject(report, node, key, expected, fix if fix and fix.startswith("did") else None)

    return read


def _read_parsed(type_: Any) -> Reader:
    def read(node: Node, key: Scalar, report: Report) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            in_brackets = type_ is PromQL and not isinstance(node, Scalar)
            return _reject(report, node, key, type_.EXPECTED, _QUOTE if in_brackets else None)
        try:
            return type_.parse(node.text)
        except ValueError as error:
            if not getattr(type_, "SHOWN", True):
                message = f"`{key.text}`: expected {type_.EXPECTED}, got another text"
                report.error("spec/type", message, node.at, fix=str(error) or None)
                return INVALID
            return _reject(report, node, key, type_.EXPECTED, str(error) or None)

    return read


def _read_list(item: Reader) -> Reader:
    def read(node: Node, key: Scalar, report: Report) -> Any:
        if not isinstance(node, Sequence):
            word = isinstance(node, Scalar) and not node.is_null
            fix = f"write `[{node.text}]`" if isinstance(node, Scalar) and word else None
            return _reject(report, node, key, "a list", fix)
        items = [item(c, Scalar(key.text, plain=False, at=c.at), report) for c in node.items]
        return INVALID if INVALID in items else tuple(items)

    return read


def _read_map(key_type: Any, value_type: Any, *, lenient: bool = False) -> Reader:
    named_part = is_named_part(value_type)
    value = _read_fields(value_type, ENABLED) if named_part else _reader(value_type)
    parse_key = getattr(key_type, "parse", str)

    def read(node: Node, key: Scalar, report: Report) -> Any:
        if not isinstance(node, Mapping):
            return _reject(report, node, key, "a map")
        built: dict[Any, Any] = {}
        valid = True
        for entry in node.entries.values():
            if named_part and not _is_enabled(entry.value, report):
                continue
            try:
                parsed_key = parse_key(entry.key.text)
            except ValueError as error:
                message = f"expected {key_type.EXPECTED}, got {describe(entry.key)}"
                report.error("spec/name", message, entry.key.at, fix=str(error) or None)
                valid = False
                continue
            if parsed_key in built:
                message = f"`{entry.key.text}` stands twice in `{key.text}`, written differently"
                report.error("spec/name", message, entry.key.at, fix="remove one of the two")
            built[parsed_key] = value(entry.value, entry.key, report)
            valid = valid and built[parsed_key] is not INVALID
        if lenient:
            built = {name: part for name, part in built.items() if part is not INVALID}
        return types.MappingProxyType(built) if valid or lenient else INVALID

    return read


def is_named_part(type_: Any) -> bool:
    """Whether a map's values are named parts: whole objects, each removable by ``enabled``."""
    return dataclasses.is_dataclass(type_) and not (
        hasattr(type_, "parse") or hasattr(type_, "SHORTHANDS") or type_ is Overlay
    )


def holds_parts(type_: Any) -> bool:
    """Whether a type is a map of named parts."""
    return get_origin(type_) is AbcMapping and is_named_part(get_args(type_)[1])


def _is_enabled(node: Node, report: Report) -> bool:
    if not isinstance(node, Mapping) or ENABLED not in node.entries:
        return True
    entry = node.entries[ENABLED]
    return _read_bool(entry.value, entry.key, report) is not False


def _read_one_of(one_of: OneOf) -> Reader:
    readers = {word: _reader(type_) for word, type_ in one_of.variants.items()}
    expected = "a map with one of " + ", ".join(f"`{word}`" for word in readers)

    def read(node: Node, key: Scalar, report: Report) -> Any:
        if not isinstance(node, Mapping):
            return _reject(report, node, key, expected)
        if not node.entries:
            message = f"`{key.text}`: expected {expected}, got an empty one"
            fix = f"write what it is, such as `{key.text}: {{{next(iter(readers))}: ...}}`"
            report.error("spec/type", message, node.at, fix=fix)
            return INVALID
        first, *others = node.entries.values()
        for entry in (first, *others):
            if entry.key.text not in readers:
                return _unknown_key(entry.key, key, tuple(readers), report)
        if others:
            message = f"`{key.text}`: expected {expected}, got {len(node.entries)} of them"
            report.error("spec/type", message, others[0].key.at, fix="keep one of them")
            return INVALID
        return readers[first.key.text](first.value, first.key, report)

    return read


def _read_overlay(node: Node, key: Scalar, report: Report) -> Any:
    if not isinstance(node, Mapping):
        return _reject(report, node, key, "a map of sections")
    return Overlay()


def _unknown_key(key: Scalar, owner: Scalar, known: tuple[str, ...], report: Report) -> _Invalid:
    message = f"unknown key `{key.text}` in `{owner.text}`"
    if owner.text == _TOP:
        message = f"unknown section `{key.text}`"
    report.error("spec/unknown-key", message, key.at, fix=did_you_mean(key.text, known))
    return INVALID


def _read_fields(cls: Any, *also_known: str) -> Reader:
    shorthands = getattr(cls, "SHORTHANDS", {})
    lenient = cls is Spec

    def read(node: Node, key: Scalar, report: Report) -> Any:
        if isinstance(node, Scalar) and node.text in shorthands:
            return cls(**shorthands[node.text])
        if not isinstance(node, Mapping):
            words = "".join(f"`{word}`, " for word in shorthands)
            return _reject(report, node, key, f"{words}or a map" if words else "a map")
        fields = field_types(cls)  # resolved on first use: the classes refer to one another
        values: dict[str, Any] = {}
        valid = True
        for name, entry in node.entries.items():
            if name in fields:
                field, type_ = fields[name]
                reader = _section_reader(type_) if lenient else _reader(type_)
                value = _read_bounded(entry, field, reader, report)
                if value is not INVALID:
                    values[field.name] = value
                elif is_required(field) or not lenient:
                    valid = False
            elif name not in also_known:
                _unknown_key(entry.key, key, (*fields, *also_known), report)
                valid = valid and lenient
        return cls(**values) if _report_missing(cls, node, key, report) and valid else INVALID

    return read


@cache
def _section_reader(type_: Any) -> Reader:
    if get_origin(type_) is AbcMapping:
        return _read_map(*get_args(type_), lenient=True)
    return _reader(type_)


def _read_bounded(
    entry: Entry, field: dataclasses.Field[Any], reader: Reader, report: Report
) -> Any:
    value = reader(entry.value, entry.key, report)
    bounds = key_of(field).bounds
    if bounds is not None and isinstance(value, int) and not bounds[0] <= value <= bounds[1]:
        expected = f"a whole number from {bounds[0]:,} to {bounds[1]:,}"
        return _reject(report, entry.value, entry.key, expected)
    return value


def _report_missing(cls: type, node: Mapping, key: Scalar, report: Report) -> bool:
    complete = True
    for name, (field, _) in field_types(cls).items():
        if is_required(field) and name not in node.entries:
            complete = False
            fix = f"add `{name}:` ({key_of(field).help})"
            message = f"`{key.text}` lacks the key `{name}`"
            if key.text == _TOP:
                message = f"the section `{name}` is missing"
            report.error("spec/missing-key", message, key.at, fix=fix)
    return _report_not_one(cls, node, key, report) and complete


def _report_not_one(cls: Any, node: Mapping, key: Scalar, report: Report) -> bool:
    """Where exactly one of some keys must be given: whether it is."""
    choices: tuple[str, ...] = getattr(cls, "EXACTLY_ONE", ())
    entries = node.entries
    given = [n for n in choices if n in entries and not _is_null(entries[n].value)]
    if not choices or len(given) == 1:
        return True
    words = " or ".join(f"`{name}`" for name in choices)
    if given:
        message = f"`{key.text}` takes {words}, not both"
        report.error("spec/type", message, entries[given[1]].key.at, fix="keep one of them")
    else:
        message = f"`{key.text}` lacks {words}"
        report.error("spec/missing-key", message, key.at, fix="add one of them")
    return False


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null
