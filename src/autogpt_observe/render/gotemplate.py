"""The part of Go's templates, as Prometheus fills them in, that can be worked out without it.

Functions: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/ and their
source, https://github.com/prometheus/prometheus/blob/v2.42.0/template/template.go
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.gotemplate import (
    KNOWN_IN_ADVANCE,
    TemplateSyntaxError,
    parse_template,
    shown_by,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autogpt_observe.gotemplate import Action

_MOST_SECONDS = 2.0**63
_FEWEST_FIXED, _MOST_FIXED = -4, 6


class TemplateError(ObserveError):
    """A template that can't be filled in here."""


def expand(template: str, *, value: float | None, labels: Mapping[str, str]) -> str:
    """``template`` with its actions replaced; a label that is missing is empty, as in Prometheus.

    Raises TemplateError for an action that isn't `KNOWN_IN_ADVANCE`, and where a value is needed
    but None.
    """
    try:
        pieces = parse_template(template).pieces
    except TemplateSyntaxError as error:
        raise TemplateError(f"not a valid template: {error}") from error
    return "".join(
        piece if isinstance(piece, str) else _filled(piece, template, value, labels)
        for piece in pieces
    )


def _filled(action: Action, template: str, value: float | None, labels: Mapping[str, str]) -> str:
    if not action.tokens:  # a comment
        return ""
    written = template[action.start : action.end]
    shown = shown_by(action)
    if shown is None:
        raise TemplateError(f"`{written}` can't be worked out here, only {KNOWN_IN_ADVANCE}")
    if shown.label is not None:
        return labels.get(shown.label, "")
    if value is None:
        raise TemplateError(f"`{written}` needs a value")
    if shown.function == "printf":
        return _print(shown.format, value)
    return format_float(value) if shown.function is None else FUNCTIONS[shown.function](value)


def _print(pattern: str, value: float) -> str:
    """``printf`` with one ``%f``, which Python rounds as Go does."""
    if math.isfinite(value):
        return pattern % value
    before, _, after = pattern.replace("%%", "\0").partition("%")
    after = after.partition("f")[2]
    return f"{before}{_not_finite(value)}{after}".replace("\0", "%")


def format_float(value: float) -> str:
    """``value`` as Go prints it (``%v``): shortest, with an exponent from 1e+06 and below 1e-04."""
    if not math.isfinite(value):
        return _not_finite(value)
    sign, digits, point = _decimal(value)
    if not _FEWEST_FIXED <= point - 1 < _MOST_FIXED:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{point - 1:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    whole = digits[:point].ljust(point, "0")
    return f"{sign}{whole}.{digits[point:]}" if len(digits) > point else f"{sign}{whole}"


def _decimal(value: float) -> tuple[str, str, int]:
    """Sign, shortest digits, and where the point stands in them; zero is ``0`` with point 1."""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    sign = "-" if math.copysign(1, value) < 0 else ""
    return (sign, digits.rstrip("0"), point) if digits.strip("0") else (sign, "0", 1)


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _short(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else _not_finite(value)


def _humanize(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return _short(value)
    if abs(value) >= 1:
        return _scaled(value, "kMGTPEZY", 1000)
    return _shrunk(value)


def _humanize_1024(value: float) -> str:
    if abs(value) <= 1 or not math.isfinite(value):
        return _short(value)
    text = _scaled(value, "kMGTPEZY", 1024)
    return f"{text}i" if text[-1].isalpha() else text


def _humanize_percentage(value: float) -> str:
    return f"{_short(value * 100)}%"


def _humanize_duration(value: float) -> str:
    if not math.isfinite(value):
        return _short(value)
    if abs(value) < 1:
        return f"{_short(value) if value == 0 else _shrunk(value)}s"
    if abs(value) >= _MOST_SECONDS:
        raise TemplateError(f"{format_float(value)} seconds are too many for humanizeDuration")
    sign, whole = "-" if value < 0 else "", int(abs(value))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_short(abs(value))}s"


def _scaled(value: float, prefixes: str, base: int) -> str:
    prefix = ""
    for larger in prefixes:
        if abs(value) < base:
            break
        prefix, value = larger, value / base
    return f"{_short(value)}{prefix}"


def _shrunk(value: float) -> str:
    prefix = ""
    for smaller in "munpfazy":
        if abs(value) >= 1:
            break
        prefix, value = smaller, value * 1000
    return f"{_short(value)}{prefix}"


FUNCTIONS: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {
        "humanize": _humanize,
        "humanize1024": _humanize_1024,
        "humanizePercentage": _humanize_percentage,
        "humanizeDuration": _humanize_duration,
    }
)
