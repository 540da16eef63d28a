"""Numbers as they come from responses of providers: in all types, as texts, or not at all."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"(?:(\d{1,9}(?:\.\d{1,9})?)(ms|h|m|s))", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 40


def parse_number(value: object) -> float | None:
    """A number that is finite and not negative; None if ``value`` is no such number.

    Takes what converts to a float, Decimals and numpy's numbers too, and texts of one.
    """
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return None
    elif isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    try:
        number = float(value)
    except Exception:  # noqa: BLE001  # a text that is none, or the host's own `__float__`
        return None
    return number if math.isfinite(number) and number >= 0 else None


def parse_count(value: object) -> int | None:
    """A whole number that is not negative; None if ``value`` is no such number."""
    number = parse_number(value)
    return int(number) if number is not None and number.is_integer() else None


def parse_seconds(value: object) -> float | None:
    """Seconds, also where a text says them as Go does, such as `6m0s` or `120ms`."""
    number = parse_number(value)
    if number is not None or not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return number
    parts = list(_DURATION.finditer(value))
    if "".join(part[0] for part in parts) != value:
        return None
    return sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
