"""Bucket bounds as the Python client writes them in the label `le`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

INFINITE = "+Inf"
_WHOLE_DIGITS = 6


def format_bound(bound: Decimal) -> str:
    """A positive bound as Go prints it, but whole numbers with ``.0``: ``30.0``, ``1e+06``.

    What `prometheus_client.utils.floatToGoString` does.
    """
    text = repr(float(bound))
    point = text.find(".")
    if point <= _WHOLE_DIGITS:
        return text
    mantissa = f"{text[0]}.{text[1:point]}{text[point + 1 :]}".rstrip("0.")
    return f"{mantissa}e+{point - 1:02d}"
