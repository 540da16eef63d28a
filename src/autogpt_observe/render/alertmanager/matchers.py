"""Alertmanager's matchers, written so that its old and its new parser read the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autogpt_observe.promql import quote_regex

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPED = re.compile(r'[\\"\n]')
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n"}


def matcher(label: str, values: Sequence[str]) -> str:
    """The matcher of a label that has one of the values.

    https://prometheus.io/docs/alerting/latest/configuration/#matcher
    """
    if len(values) == 1:
        return f"{label}={quote(values[0])}"
    return f"{label}=~{quote('|'.join(quote_regex(value) for value in values))}"


def quote(value: str) -> str:
    r"""``value`` in double quotes.

    The parser before 0.27 knows no escapes but ``\\``, ``\"`` and ``\n``; the one since takes
    those of Go. All else stands as it is, which both allow.
    """
    return f'"{_ESCAPED.sub(lambda found: _ESCAPES[found[0]], value)}"'
