"""Writes YAML and JSON: small, fast, and the same bytes for the same document.

The YAML is block style. A scalar stands plain only where no reader of YAML 1.1 or 1.2 (PyYAML,
go-yaml 2 and 3, sigs.k8s.io/yaml) could take it for anything but that very string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from autogpt_observe.units import format_decimal

Scalar: TypeAlias = str | int | float | bool | Decimal | None
Document: TypeAlias = Scalar | Mapping[str, "Document"] | Sequence["Document"]

_INDENT = "  "
_LONGEST_KEY = 1000
"""Readers give up on a key of more than 1,024 characters."""

# Starts with a letter, `/` or `(`, or is a duration, an amount (`500m`, `2Gi`): no number, date or
# indicator of YAML does. A colon before a space, a `#` after one and a space at the end would mean
# something, so what follows a space or colon is spelt out.
_PLAIN = r"""[A-Za-z0-9_./+\-()\[\]{}<>=~$^*@%|;?!\#,&"'\\]"""
_SAFE = re.compile(
    rf"[A-Za-z/(]{_PLAIN}*(?:(?:\ +(?!\#)|:+){_PLAIN}+)*"
    r"|(?:[0-9]+(?:ms|[smhdwy]))+|[0-9]+(?:[KMGTP]i|Ei|[kMGTP])",
    re.ASCII,
)
_READ_AS_SOMETHING_ELSE = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"}
)
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\0": r"\0"}
_UNSEEN = "\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
_ESCAPED = re.compile(f'[\\\\"\x00-\x1f{_UNSEEN}]')
_NOT_IN_A_BLOCK = re.compile(f"[\x00-\x09\x0b-\x1f{_UNSEEN}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TRAILING_SPACE = re.compile(r" \n| \Z")


def format_yaml(document: Document, *, header: str = "") -> str:
    """``document`` as one YAML document; ``header`` stands above it as a comment.

    Keys keep their order; numbers are plain; subclasses of str count as str. Raises TypeError for
    a value that is none of these types, and ValueError for a text with a lone surrogate.
    """
    lines: list[str] = [f"# {line}".rstrip() + "\n" for line in header.split("\n") if header]
    _block(document, "", lines)
    return "".join(lines)


def format_yaml_documents(documents: Sequence[Document], *, header: str = "") -> str:
    """The documents in one file, separated by ``---``."""
    texts = [format_yaml(document) for document in documents]
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.split("\n") if header)
    return comment + "---\n".join(texts)


def format_json(document: Document) -> str:
    """``document`` as JSON, indented by two, with a line end; keys keep their order."""
    import orjson  # noqa: PLC0415 - only the targets that write JSON pay for it

    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATACLASS
    return orjson.dumps(document, default=_plain_value, option=options).decode()


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _block(value: Document, indent: str, out: list[str]) -> None:
    """Add the lines of ``value``, which stands on lines of its own."""
    if isinstance(value, Mapping) and value:
        _mapping(value, indent, indent, out)
    elif isinstance(value, Sequence) and value and not isinstance(value, str):
        _sequence(value, indent, indent, out)
    else:
        out.append(f"{indent}{_inline(value, indent)}\n")


def _mapping(value: Mapping[str, Document], first: str, indent: str, out: list[str]) -> None:
    """Add a mapping whose first line starts with ``first``, the others with ``indent``."""
    lead = first
    for key, item in value.items():
        name = _key(key)
        if isinstance(item, str):
            out.append(f"{lead}{name}: {_text(item, indent)}\n")
        elif item and (type(item) is dict or isinstance(item, Mapping)):
            out.append(f"{lead}{name}:\n")
            deeper = indent + _INDENT
            _mapping(item, deeper, deeper, out)
        elif item and (type(item) is list or isinstance(item, Sequence)):
            out.append(f"{lead}{name}:\n")
            deeper = indent + _INDENT
            _sequence(item, deeper, deeper, out)
        else:
            out.append(f"{lead}{name}: {_inline(item, indent)}\n")
        lead = indent


def _sequence(value: Sequence[Document], first: str, indent: str, out: list[str]) -> None:
    lead = first
    deeper = indent + _INDENT
    for item in value:
        if isinstance(item, str):
            out.append(f"{lead}- {_text(item, indent)}\n")
        elif item and (type(item) is dict or isinstance(item, Mapping)):
            _mapping(item, f"{lead}- ", deeper, out)
        elif isinstance(item, Sequence) and item:
            _sequence(item, f"{lead}- ", deeper, out)
        else:
            out.append(f"{lead}- {_inline(item, indent)}\n")
        lead = indent


def _inline(value: Document, indent: str) -> str:
    """A value that fits behind its key: a scalar, or an empty mapping or sequence."""
    if isinstance(value, str):
        return _text(value, indent)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            return _number(float(value))
        return format_decimal(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence):
        return "[]"
    raise TypeError(f"{type(value).__name__} has no YAML form")


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(float(value))
    mantissa, exponent, power = text.partition("e")
    # YAML 1.1 wants a dot in the mantissa and a sign in the exponent.
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    sign = "" if power.startswith(("-", "+")) else "+"
    return f"{mantissa}{exponent}{sign}{power}" if exponent else mantissa


def _text(value: str, indent: str) -> str:
    return _literal(value, indent) if "\n" in value else _flat(value)


@lru_cache(maxsize=1024)
def _key(value: str) -> str:
    if not isinstance(value, str):  # the document's type promises it; its maker may break it
        raise TypeError(f"a key must be a string, not {type(value).__name__}")
    name = _flat(value)
    if len(name) > _LONGEST_KEY:
        raise ValueError(f"a key has more than {_LONGEST_KEY} characters: {value[:40]}...")
    return name


@lru_cache(maxsize=4096)  # labels repeat: the rules of 1,000 objectives have 70,000 of them
def _flat(value: str) -> str:
    """A string on one line: plain where that is safe, else in double quotes."""
    if _SAFE.fullmatch(value) and value.lower() not in _READ_AS_SOMETHING_ELSE:
        return str(value)
    if _SURROGATE.search(value):
        raise ValueError("a text with a lone surrogate can't be written as UTF-8")
    return f'"{_ESCAPED.sub(_escape, value)}"'


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    short = _ESCAPES.get(found[0])
    if short is not None:
        return short
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def _literal(value: str, indent: str) -> str:
    """Lines as a literal block, or in double quotes where a block would not be exact."""
    body = value.rstrip("\n")
    if (
        not body
        or body[0] in " \n"
        or _NOT_IN_A_BLOCK.search(value)
        or _TRAILING_SPACE.search(body)
    ):
        return _flat(value)
    trailing = len(value) - len(body)
    chomping = "-" if trailing == 0 else "" if trailing == 1 else "+"
    deeper = indent + _INDENT
    lines = "\n".join(f"{deeper}{line}" if line else "" for line in body.split("\n"))
    return f"|{chomping}\n{lines}" + "\n" * (trailing - 1 if trailing else 0)
