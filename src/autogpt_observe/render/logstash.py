"""The Logstash pipeline: lines from Beats are parsed, dated and sent to Elasticsearch.

Logstash reads a config's strings with escapes off (its default ``config.support_escapes: false``):
a backslash is a backslash, and only the choice of the quote can make room for the other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.diagnostics import printable
from autogpt_observe.errors import ObserveError

if TYPE_CHECKING:
    from autogpt_observe.spec.model import Logs, Spec

MESSAGE = "message"
TIMESTAMP = "timestamp"
"""The fields that grok reads and that it must fill for the date filter."""

ISO8601 = "ISO8601"
ISO8601_WITH_A_SPACE = (
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd HH:mm:ssZZ",
    "yyyy-MM-dd HH:mm:ss.SSSSSSSSS",
    "yyyy-MM-dd HH:mm:ss.SSSSSSSSSZZ",
    "yyyy-MM-dd HH:mm:ss,SSSSSSSSS",
    "yyyy-MM-dd HH:mm:ss,SSSSSSSSSZZ",
    "yyyy-MM-dd HH:mm",
    "yyyy-MM-dd HH:mmZZ",
)
"""What grok's TIMESTAMP_ISO8601 takes and the date filter's ISO8601 refuses.

With a space in place of the ``T``, ISO8601 takes a fraction of one to three digits only. A run of
``S`` takes up to that many digits; the time is cut to milliseconds.
"""

_ANCHORED = (r"\A", "^")
_INDENT = "  "

Value = str | int | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin of a pipeline: its options in order, and a comment line or more above it."""

    name: str
    options: Mapping[str, Value]
    comment: Sequence[str] = ()


def render(spec: Spec) -> Mapping[str, str]:
    """The pipeline of the spec's logs as ``pipelines/logstash/<service>.conf``; none without logs.

    Raises ObserveError for a text that no Logstash string can hold.
    """
    if spec.logs is None:
        return {}
    _check_texts(spec.logs)
    sections = {
        "input": [Plugin("beats", {"port": spec.logs.beats_port})],
        "filter": [_grok(spec.logs), _date(spec.logs)],
        "output": [_elasticsearch(spec.logs)],
    }
    header = (
        f"# Log lines of {spec.service.name}: Beats to Elasticsearch.\n"
        "# Written for `config.support_escapes: false`, the default.\n\n"
    )
    return {f"pipelines/logstash/{spec.service.name}.conf": header + format_pipeline(sections)}


def _check_texts(logs: Logs) -> None:
    quote(logs.pattern, key="logs.pattern")
    for date_format in logs.date_formats:
        quote(date_format, key="logs.date_formats")
    quote(logs.timezone, key="logs.timezone")
    for address in logs.elasticsearch:
        quote(address, key="logs.elasticsearch")
    quote(logs.index, key="logs.index")


def _grok(logs: Logs) -> Plugin:
    options: dict[str, Value] = {"match": {MESSAGE: _anchored(logs.pattern)}}
    comment = ["From the first character on: what stands before a match would be lost."]
    if re.search(rf":{MESSAGE}[:}}]|\(\?<{MESSAGE}>", logs.pattern):
        options["overwrite"] = [MESSAGE]
        comment.append(f"Without `overwrite`, `{MESSAGE}` becomes an array: the line, its rest.")
    return Plugin("grok", options, comment)


def _anchored(pattern: str) -> str:
    if pattern.startswith(_ANCHORED):
        return pattern
    return rf"\A(?:{pattern})" if "|" in pattern else rf"\A{pattern}"


def _date(logs: Logs) -> Plugin:
    formats = list(logs.date_formats)
    comment = ["A time without a zone is in `timezone`; unset, it would be the JVM's."]
    if ISO8601 in formats and f"%{{TIMESTAMP_ISO8601:{TIMESTAMP}}}" in logs.pattern:
        formats += [added for added in ISO8601_WITH_A_SPACE if added not in formats]
        comment.append("ISO8601 alone refuses `2026-11-20 10:00:00`, which grok lets through.")
    return Plugin("date", {"match": [TIMESTAMP, *formats], "timezone": logs.timezone}, comment)


def _elasticsearch(logs: Logs) -> Plugin:
    return Plugin("elasticsearch", {"hosts": logs.elasticsearch, "index": logs.index})


def format_pipeline(sections: Mapping[str, Sequence[Plugin]]) -> str:
    """A config's text: each section (``input``, ``filter``, ``output``) with its plugins."""
    return "\n".join(
        "\n".join((f"{section} {{", *_lines(plugins), "}", ""))
        for section, plugins in sections.items()
    )


def _lines(plugins: Sequence[Plugin]) -> list[str]:
    lines: list[str] = []
    for plugin in plugins:
        lines += [f"{_INDENT}# {line}" for line in plugin.comment]
        lines.append(f"{_INDENT}{plugin.name} {{")
        lines += [f"{_INDENT * 2}{key} => {_value(value)}" for key, value in plugin.options.items()]
        lines.append(f"{_INDENT}}}")
    return lines


def _value(value: Value) -> str:
    match value:
        case str():
            return quote(value)
        case int():
            return str(value)
        case Mapping():
            pairs = (f"{quote(key)} => {quote(item)}" for key, item in value.items())
            return _block("{", pairs, "}", separator="")
        case Sequence():
            return _block("[", map(quote, value), "]", separator=",")
        case _:
            assert_never(value)


def _block(start: str, items: Iterable[str], end: str, *, separator: str) -> str:
    """One item on the line of its brackets, several on a line each."""
    parts = list(items)
    if len(parts) == 1:
        return f"{start} {parts[0]} {end}" if start == "{" else f"{start}{parts[0]}{end}"
    inner = f"{separator}\n".join(_INDENT * 3 + part for part in parts)
    return f"{start}\n{inner}\n{_INDENT * 2}{end}"


def quote(text: str, *, key: str = "logs") -> str:
    r"""``text`` as a Logstash string, in the quotes that leave it whole.

    A quote inside a string ends it unless a backslash stands directly before it, and that
    backslash stays in the value. Raises ObserveError, which names ``key``, where neither kind of
    quotes fits.
    """
    for mark in ('"', "'"):
        if not text.endswith("\\") and re.search(rf"(?<!\\){mark}", text) is None:
            return f"{mark}{text}{mark}"
    if text.endswith("\\"):
        found, fix = "ends in a backslash", "end it in another character"
    else:
        found, fix = "holds both kinds of quotes", r"write one kind as `.` or `\x22` in a pattern"
    raise ObserveError(
        f"{key}: `{printable(text)}` {found}, which a Logstash string can't hold; {fix}"
    )
