"""Typed quantities: what they take, what they print, and what they say of a slip."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autogpt_observe.spec.model import BucketBound
from autogpt_observe.units import Duration, Quantity, Ratio, Version, format_decimal, parse_decimal

MS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
HUNDRED_YEARS = 100 * MS["y"]


def prometheus_duration(text: str) -> int | None:
    """Milliseconds as Prometheus' `ParseDuration` reads them, character by character, else None."""
    if text == "0":
        return 0
    units = list(MS)
    total, rest = 0, text
    while rest:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        unit = rest[len(digits) :]
        unit = "ms" if unit.startswith("ms") else unit[:1]
        if not digits or unit not in units:
            return None
        total += int(digits) * MS[unit]
        units = units[units.index(unit) + 1 :]
        rest = rest[len(digits) + len(unit) :]
    return total if text else None


def parsed(type_: Any, text: str) -> Any:
    """The value, or the hint of the refusal."""
    try:
        return type_.parse(text)
    except ValueError as error:
        return f"refused: {error}".strip()


pieces = st.lists(
    st.tuples(st.integers(0, 99999).map(str), st.sampled_from([*MS, "M", "µs", ""])), max_size=5
)


@settings(max_examples=600, deadline=None)
@given(
    pieces.map(lambda found: "".join(n + u for n, u in found))
    | st.lists(st.sampled_from(list(MS)), unique=True).map(
        lambda units: "".join(f"7{unit}" for unit in sorted(units, key=list(MS).index))
    )
    | st.text("0123456789ywdhms.- ", max_size=12)
)
def test_durations_are_those_of_prometheus(text: str) -> None:
    ms = prometheus_duration(text)
    refused = ms is None or ms > HUNDRED_YEARS
    found = parsed(Duration, text)
    assert found == Duration(ms or 0) if not refused else isinstance(found, str)


@given(st.integers(0, HUNDRED_YEARS))
def test_a_duration_reads_back_as_it_prints(ms: int) -> None:
    text = str(Duration(ms))
    assert Duration.parse(text) == Duration(ms)
    assert prometheus_duration(text) == ms


@given(st.integers(0, 10**12), st.fractions(min_value=Fraction(1, 1000), max_value=1000))
def test_a_duration_scales_to_whole_milliseconds(ms: int, factor: Fraction) -> None:
    scaled = Duration(ms).scaled(factor)
    assert abs(scaled.ms - ms * factor) <= Fraction(1, 2) or (scaled.ms == 1 and ms > 0)
    assert (scaled.ms == 0) is (ms == 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Duration(0)),
        ("0s", Duration(0)),
        ("1h30m", Duration(5_400_000)),
        ("1y2w3d4h5m6s7ms", Duration(33_019_506_007)),
        ("00000000000000000000000005m", Duration(300_000)),
        ("100y", Duration(HUNDRED_YEARS)),
        ("", "refused:"),
        ("5", "refused: a unit is missing; write `5s` for seconds or `5m` for minutes"),
        ("1:30", "refused: YAML 1.1 reads this as a base-60 number; write `1m30s`"),
        ("22:22:00", "refused: YAML 1.1 reads this as a base-60 number; write `22h22m`"),
        ("0:00", "refused: YAML 1.1 reads this as a base-60 number; write `0s`"),
        ("1.10", "refused: units go from large to small, each once: y w d h m s ms"),
        ("1.5h", "refused: whole numbers only; write `1h30m`"),
        (".5m", "refused: whole numbers only; write `30s`"),
        ("0.0001ms", "refused:"),
        ("-5m", "refused: a duration can't be negative"),
        ("5 m", "refused: units go from large to small, each once: y w d h m s ms"),
        ("5min", "refused: units go from large to small, each once: y w d h m s ms"),
        ("30m1h", "refused: units go from large to small, each once: y w d h m s ms"),
        ("5m5m", "refused: units go from large to small, each once: y w d h m s ms"),
        ("5m\n", "refused: units go from large to small, each once: y w d h m s ms"),
        ("\u0665m", "refused: units go from large to small, each once: y w d h m s ms"),
        ("100y1ms", "refused: longer than 100 years"),
        ("9" * 5000 + "m", "refused: longer than 100 years"),
    ],
)
def test_duration(text: str, expected: Duration | str) -> None:
    assert parsed(Duration, text) == expected


def test_durations_order_by_length_and_print_days_at_the_most() -> None:
    assert sorted(map(Duration.parse, ["1w", "61s", "1m", "90ms"])) == [
        Duration(90),
        Duration(60_000),
        Duration(61_000),
        Duration(604_800_000),
    ]
    assert [str(Duration.parse(text)) for text in ("0", "1w", "1y", "90s", "1500ms")] == [
        "0s",
        "7d",
        "365d",
        "1m30s",
        "1s500ms",
    ]
    assert Duration.parse("1m500ms").seconds == Decimal("60.5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20%", Ratio(Decimal("0.2"))),
        ("0.2", Ratio(Decimal("0.2"))),
        ("99.95%", Ratio(Decimal("0.9995"))),
        (".5", Ratio(Decimal("0.5"))),
        ("5.", Ratio(Decimal(5))),
        ("0", Ratio(Decimal(0))),
        ("150%", Ratio(Decimal("1.5"))),
        ("-1%", "refused: a ratio can't be negative"),
        ("1e3", "refused: write `1000` for `1e3`"),
        ("1.5E-3%", "refused: write `0.0015` for `1.5E-3`"),
        ("-2.e+1", "refused: write `-20` for `-2.e+1`"),
        ("1e-9", "refused: write `0.000000001` for `1e-9`"),
        ("1e99", "refused: write the number out, without an exponent"),
        ("1e-99999999999", "refused: write the number out, without an exponent"),
        ("1_0", "refused:"),
        ("NaN", "refused:"),
        ("Infinity", "refused:"),
        ("%", "refused:"),
        ("", "refused:"),
        ("20 %", "refused:"),
        ("20%%", "refused:"),
        ("0,2", "refused:"),
        ("1/3", "refused:"),
        ("\u0662", "refused:"),
        ("0.3333333333333333333", "refused: write at most 18 digits"),
    ],
)
def test_ratio(text: str, expected: Ratio | str) -> None:
    assert parsed(Ratio, text) == expected


@given(st.decimals(0, 1000, places=6))
def test_a_ratio_reads_back_as_it_prints_and_as_percent(value: Decimal) -> None:
    ratio = Ratio(value)
    assert Ratio.parse(str(ratio)) == ratio
    assert Ratio.parse(ratio.percent) == ratio


@given(st.from_regex(r"\A[0-9]{1,9}\.[0-9]{1,8}\Z"))
def test_percent_is_exact(text: str) -> None:
    assert Fraction(Ratio.parse(f"{text}%").value) * 100 == Fraction(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-99, max_value=99))
def test_a_decimal_prints_without_exponent_and_reads_back(value: Decimal) -> None:
    text = format_decimal(value)
    assert parse_decimal(text) == value
    assert set(text) <= set("-0123456789.")
    assert not text.endswith((".", "0")) or "." not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500m", Fraction(1, 2)),
        ("1", Fraction(1)),
        ("0.5", Fraction(1, 2)),
        ("2Gi", Fraction(2 * 1024**3)),
        ("2G", Fraction(2 * 10**9)),
        ("1.5Ki", Fraction(1536)),
        ("1k", Fraction(1000)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(1024**6)),
        ("2GB", "refused: write `Gi`, not `GB`"),
        ("500mb", "refused: write `Gi`, not `GB`"),
        ("1K", "refused:"),
        ("1e3", "refused:"),
        ("-1", "refused:"),
        ("+1", "refused:"),
        ("1.", "refused:"),
        ("", "refused:"),
        ("1 Gi", "refused:"),
        ("9" * 5000, "refused:"),
    ],
)
def test_quantity(text: str, expected: Fraction | str) -> None:
    found = parsed(Quantity, text)
    assert (found if isinstance(found, str) else found.value) == expected
    assert isinstance(expected, str) or str(found) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2.42", "2.42"),
        ("1.10", "1.10"),
        ("1.1", "1.1"),
        ("v12", "12.0"),
        ("2.42.3", "2.42.3"),
        ("2.42.0", "2.42"),
        ("2.42-rc1", "refused:"),
        ("1.2.3.4", "refused:"),
        ("latest", "refused:"),
        ("1e3", "refused:"),
        ("-1", "refused:"),
        ("", "refused:"),
        ("v", "refused:"),
        ("1" * 19, "refused:"),
    ],
)
def test_version(text: str, printed: str) -> None:
    assert str(parsed(Version, text)) == printed


@given(st.tuples(*[st.integers(0, 999)] * 3))
def test_a_version_reads_back_as_it_prints_and_sorts_by_number(parts: tuple[int, int, int]) -> None:
    assert Version.parse(str(Version(parts))) == Version(parts)
    assert Version.parse("1.9") < Version.parse("1.10") < Version.parse("2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", BucketBound(Decimal("0.5"))),
        ("10s", BucketBound(Decimal(10))),
        ("1h30m", BucketBound(Decimal(5400))),
        ("100ms", BucketBound(Decimal("0.1"))),
        ("0", "refused: a bucket's bound must be above zero"),
        ("0s", "refused: a bucket's bound must be above zero"),
        ("-1", "refused: a bucket's bound must be above zero"),
        ("50%", "refused:"),
        ("1.5s", "refused: whole numbers only; write `1s500ms`"),
        ("1e3", "refused: write `1000` for `1e3`"),
        ("1:30", "refused:"),
        ("", "refused:"),
    ],
)
def test_bucket_bound(text: str, expected: BucketBound | str) -> None:
    assert parsed(BucketBound, text) == expected
