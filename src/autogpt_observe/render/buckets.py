"""How the bounds of histogram buckets are written in the label ``le``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

_LONGEST_WHOLE = 6


def client_bound(bound: Decimal) -> str:
    """The bound as the Python client writes it: always with a dot, ``30.0``.

    Its own words for it: https://github.com/prometheus/client_python, `floatToGoString`.
    """
    text = repr(float(bound))
    whole = text.find(".")
    if whole <= _LONGEST_WHOLE:
        return text
    mantissa = f"{text[0]}.{text[1:whole]}{text[whole + 1 :]}".rstrip("0.")
    return f"{mantissa}e+0{whole - 1}"


def bound_spellings(bound: Decimal, *, foreign: bool) -> tuple[str, ...]:
    """The ways in which ``bound`` may be written; clients in other languages leave ``.0`` off."""
    own = client_bound(bound)
    return (own, own[:-2]) if foreign and own.endswith(".0") else (own,)
