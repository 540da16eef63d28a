"""Typed quantities of the spec: each parses from text exactly and formats back canonically.

Every type has ``EXPECTED``, the words a diagnostic uses for what it takes, and ``parse``, which
raises ValueError for anything else. Numbers are exact decimals; nothing passes through a float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar, Self, assert_never

_DURATION = re.compile(
    r"(?:(?P<y>\d+)y)?(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?"
    r"(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?(?:(?P<ms>\d+)ms)?",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d{1,9}):(\d\d)(?::(\d\d))?", re.ASCII)
_FRACTION = re.compile(r"(\d{0,9}\.\d{1,9})(y|w|d|h|m|s|ms)", re.ASCII)
_DECIMAL = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?", re.ASCII)
_VERSION = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", re.ASCII)
_EXPONENT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))[eE]([+-]?\d+)", re.ASCII)
_LONGEST_DIGITS = 18
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")

_UNIT_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_LONGEST_MS = 100 * _UNIT_MS["y"]
_QUANTITY_FACTOR = {
    "m": Fraction(1, 1000),
    **{f"{p}i": Fraction(1024**n) for n, p in enumerate("KMGTPE", start=1)},
    **{p: Fraction(1000**n) for n, p in enumerate("kMGTPE", start=1)},
}


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in whole milliseconds, written as Prometheus writes it: ``1h30m``.

    Grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations
    (each unit once, largest first). ``format`` uses days as its largest unit.
    """

    EXPECTED: ClassVar[str] = "a duration such as `30s`, `5m` or `1h30m`"

    ms: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``; raises ValueError with a hint where the slip is a known one."""
        if text == "0":
            return cls(0)
        found = _DURATION.fullmatch(text)
        if not text or found is None:
            raise ValueError(_duration_hint(text))
        counts = {unit: n.lstrip("0")[:_LONGEST_DIGITS] for unit, n in found.groupdict("0").items()}
        total = sum(int(n or 0) * _UNIT_MS[unit] for unit, n in counts.items())
        if total > _LONGEST_MS:
            raise ValueError("longer than 100 years")
        return cls(total)

    @property
    def seconds(self) -> Decimal:
        """The length in seconds, exact."""
        return Decimal(self.ms) / 1000

    def scaled(self, factor: Fraction) -> Duration:
        """This length times ``factor``, at least 1 ms unless it was zero."""
        return Duration(max(1, round(self.ms * factor)) if self.ms else 0)

    def __str__(self) -> str:
        return _format_ms(self.ms)


@dataclass(frozen=True, slots=True, order=True)
class Ratio:
    """A share, written ``20%`` or ``0.2``; exact. May be above 1 (a burn rate, an overload)."""

    EXPECTED: ClassVar[str] = "a ratio such as `20%` or `0.2`"

    value: Decimal

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a percentage or a plain decimal; raises ValueError for anything else."""
        number = text.removesuffix("%")
        value = parse_decimal(number)
        if value < 0:
            raise ValueError("a ratio can't be negative")
        return cls(value / 100 if number != text else value)

    def __str__(self) -> str:
        return format_decimal(self.value)

    @property
    def percent(self) -> str:
        """The share for people: ``20%``."""
        return f"{format_decimal(self.value * 100)}%"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A Kubernetes resource quantity such as ``2Gi`` or ``500m``; keeps the text it was written in.

    Grammar (the decimal-exponent form left out):
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """

    EXPECTED: ClassVar[str] = "a Kubernetes quantity such as `500m` or `2Gi`"

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``; raises ValueError for anything that is no quantity."""
        if _QUANTITY.fullmatch(text) is None or len(text) > _LONGEST_DIGITS:
            hint = "write `Gi`, not `GB`" if text.upper().endswith("B") else ""
            raise ValueError(hint)
        return cls(text)

    @property
    def value(self) -> Fraction:
        """The amount in base units (cores or bytes), exact."""
        found = _QUANTITY.fullmatch(self.text)
        if found is None:  # only reachable past `parse`
            raise ValueError(self.text)
        return Fraction(found[1]) * _QUANTITY_FACTOR.get(found[2] or "", Fraction(1))

    def __str__(self) -> str:
        return self.text


class AmountKind(StrEnum):
    """How an amount was written, which says what it is an amount of."""

    NUMBER = "number"
    RATIO = "ratio"
    DURATION = "duration"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Amount:
    """A limit in the base unit of what it limits: a number, a share, seconds or bytes; exact."""

    EXPECTED: ClassVar[str] = (
        "a number such as `0.1`, a share such as `20%`, a duration such as `10s` or a size such as"
        " `2Gi`"
    )

    value: Decimal
    kind: AmountKind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an amount of any kind; raises ValueError for anything else."""
        if text.endswith("%"):
            return cls(Ratio.parse(text).value, AmountKind.RATIO)
        if text.endswith(_BINARY):
            size = Quantity.parse(text).value
            return cls(Decimal(size.numerator) / size.denominator, AmountKind.BYTES)
        if text[-1:].isalpha():
            return cls(Duration.parse(text).seconds, AmountKind.DURATION)
        return cls(parse_decimal(text), AmountKind.NUMBER)

    def scaled(self, factor: Fraction) -> Amount:
        """This amount on another clock: a duration times ``factor``, anything else as it is."""
        if self.kind is not AmountKind.DURATION:
            return self
        scaled = Duration(int(self.value * 1000)).scaled(factor)
        return Amount(scaled.seconds, AmountKind.DURATION)

    def __str__(self) -> str:
        match self.kind:
            case AmountKind.RATIO:
                return Ratio(self.value).percent
            case AmountKind.DURATION:
                return str(Duration(int(self.value * 1000)))
            case AmountKind.BYTES:
                return _format_bytes(self.value)
            case AmountKind.NUMBER:
                return format_decimal(self.value)
            case _:
                assert_never(self.kind)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The version of a product the bundle is made for: ``2.42``; missing parts are zero."""

    EXPECTED: ClassVar[str] = "a version such as `2.42`"

    parts: tuple[int, int, int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one to three dotted numbers; raises ValueError for anything else."""
        found = _VERSION.fullmatch(text.removeprefix("v"))
        if found is None or len(text) > _LONGEST_DIGITS:
            raise ValueError
        major, minor, patch = (int(part or 0) for part in found.groups())
        return cls((major, minor, patch))

    def __str__(self) -> str:
        major, minor, patch = self.parts
        return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


def parse_decimal(text: str) -> Decimal:
    """A plain decimal number (no exponent, underscore, NaN or infinity); raises ValueError."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(write_out(text) or "")
    if len(text) > _LONGEST_DIGITS:  # exact in Python's decimal context, times 100 as well
        raise ValueError(f"write at most {_LONGEST_DIGITS} digits")
    return Decimal(text)


def write_out(text: str) -> str | None:
    """What to write for a number with an exponent, ``1e-9``; None for any other text."""
    found = _EXPONENT.fullmatch(text)
    if found is None:
        return None
    small = len(found[1]) <= _LONGEST_DIGITS and abs(int(found[2][:4])) <= _LONGEST_DIGITS
    written = format_decimal(Decimal(text)) if small else ""
    if not 0 < len(written) <= _LONGEST_DIGITS:
        return "write the number out, without an exponent"
    return f"write `{written}` for `{text}`"


def format_decimal(value: Decimal) -> str:
    """``value`` without an exponent and without trailing zeros: ``0.2``, ``100``."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@lru_cache(maxsize=1024)  # a large spec writes a few lengths hundreds of thousands of times
def _format_ms(rest: int) -> str:
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNIT_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _format_bytes(value: Decimal) -> str:
    for suffix in reversed(_BINARY):
        if value and value % int(_QUANTITY_FACTOR[suffix]) == 0:
            return f"{format_decimal(value / int(_QUANTITY_FACTOR[suffix]))}{suffix}"
    return format_decimal(value)


def _duration_hint(text: str) -> str:
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        units = ("h", "m", "s") if clock[3] else ("m", "s")
        parts = [part for part in clock.groups() if part]
        written = "".join(f"{int(n)}{u}" for n, u in zip(parts, units, strict=True) if int(n))
        return f"YAML 1.1 reads this as a base-60 number; write `{written or '0s'}`"
    if text.isascii() and text.isdigit():
        return f"a unit is missing; write `{text}s` for seconds or `{text}m` for minutes"
    fraction = _FRACTION.fullmatch(text)
    if fraction is not None:
        ms = Decimal(fraction[1]) * _UNIT_MS[fraction[2]]
        return f"whole numbers only; write `{Duration(int(ms))}`" if ms == int(ms) else ""
    if text.startswith("-"):
        return "a duration can't be negative"
    return "units go from large to small, each once: y w d h m s ms" if text[:1].isdigit() else ""
