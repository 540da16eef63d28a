"""Builds PromQL. Names are trusted to be names (they were parsed as such); values are escaped."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NewType, TypeVar

from autogpt_observe.units import format_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.units import Duration

Expression = NewType("Expression", str)
"""PromQL that needs no parentheses as a function's argument or an operand of what is built here."""

Condition = NewType("Condition", str)
"""PromQL with samples where something holds: comparisons, joined by ``and``."""

Difference = NewType("Difference", str)
"""PromQL that can be compared, and needs parentheses as an operand of anything else."""

Label = TypeVar("Label", bound=str)

_ZERO = Decimal(0)
_REGEX_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\ufffd": r"\ufffd"}
# U+FFFD is how Go's scanner sees broken UTF-8, so Prometheus refuses it unescaped.
_ESCAPED = re.compile(r'[\\"\x00-\x1f\x7f\ufffd]')


def quote_string(value: str) -> str:
    """``value`` as a double-quoted PromQL string."""
    return f'"{_ESCAPED.sub(_escape, value)}"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\x{ord(found[0]):02x}"


def quote_regex(value: str) -> str:
    """The RE2 pattern that matches ``value`` alone: Go's ``regexp.QuoteMeta``."""
    return _REGEX_META.sub(lambda found: f"\\{found[0]}", value)


def selector(
    metric: str, where: Mapping[Label, Sequence[str]], *, window: Duration | None = None
) -> Expression:
    """The series of ``metric`` whose labels have one of the given values each.

    With a ``window`` their samples of that length, as ``rate`` and ``increase`` take them.
    """
    matchers = ", ".join(_matcher(label, values) for label, values in where.items())
    braces = f"{{{matchers}}}" if matchers else ""
    span = f"[{window}]" if window is not None else ""
    return Expression(f"{metric}{braces}{span}")


def _matcher(label: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return f"{label}={quote_string(values[0])}"
    return f"{label}=~{quote_string('|'.join(quote_regex(value) for value in values))}"


def rate(samples: Expression) -> Expression:
    """The per-second increase of a counter."""
    return Expression(f"rate({samples})")


def increase(samples: Expression) -> Expression:
    """The increase of a counter over its window."""
    return Expression(f"increase({samples})")


def predict_linear(samples: Expression, ahead: Duration) -> Expression:
    """Where a gauge will be that long from now, by linear regression over its samples."""
    return Expression(f"predict_linear({samples}, {format_decimal(ahead.seconds)})")


def absent(series: Expression) -> Expression:
    """1 where there is no such series, with the labels that the selector pins to one value."""
    return Expression(f"absent({series})")


def absent_over_time(samples: Expression) -> Expression:
    """1 where no such series had a sample all that time."""
    return Expression(f"absent_over_time({samples})")


def since(moment: Expression) -> Difference:
    """The seconds since ``moment``, a Unix timestamp in seconds."""
    return Difference(f"time() - {moment}")


def aggregate(op: str, inner: Expression | Condition, *, by: Sequence[str] = ()) -> Expression:
    """``inner`` reduced by ``op`` (``sum``, ``max``); one result per combination of ``by``."""
    grouping = f" by ({', '.join(by)}) " if by else ""
    return Expression(f"{op}{grouping}({inner})")


def quantile(share: Decimal, buckets: Expression) -> Expression:
    """The value below which ``share`` of a histogram's observations lie."""
    return Expression(f"histogram_quantile({format_decimal(share)}, {buckets})")


def divide(part: Expression, whole: Expression) -> Expression:
    """``part`` as a share of ``whole``; nothing, rather than NaN, where the whole is zero."""
    return Expression(f"{part} / ({above(whole, _ZERO)})")


def divide_positive(part: Expression, whole: Expression) -> Expression:
    """``part`` as a share of ``whole``, which has no samples of zero."""
    return Expression(f"{part} / {whole}")


def above(value: Expression | Difference, limit: Decimal) -> Condition:
    """The samples of ``value`` greater than ``limit``."""
    return Condition(f"{value} > {format_decimal(limit)}")


def below(value: Expression | Difference, limit: Decimal) -> Condition:
    """The samples of ``value`` less than ``limit``."""
    return Condition(f"{value} < {format_decimal(limit)}")


def positive(value: Expression) -> Condition:
    """The samples of ``value`` above zero."""
    return above(value, _ZERO)


def at_least(value: Expression, limit: Decimal) -> Condition:
    """The samples of ``value`` not less than ``limit``."""
    return Condition(f"{value} >= {format_decimal(limit)}")


def both(condition: Condition, other: Condition) -> Condition:
    """The samples of ``condition`` whose labels ``other`` has a sample for."""
    return Condition(f"{condition} and {other}")
