"""Bucket bounds as the clients write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import utils

from autogpt_observe.render.buckets import bound_spellings, client_bound

BOUNDS = st.decimals(min_value="0.000000001", max_value=10**9, allow_nan=False, places=9)


@given(bound=BOUNDS)
def test_bounds_are_those_of_the_python_client(bound: Decimal) -> None:
    assert client_bound(bound) == utils.floatToGoString(bound)  # type: ignore[no-untyped-call]  # the library has no types


@pytest.mark.parametrize(
    ("bound", "own", "foreign"),
    [
        ("30", ("30.0",), ("30.0", "30")),
        ("0.5", ("0.5",), ("0.5",)),
        ("7200", ("7200.0",), ("7200.0", "7200")),
        ("1000000", ("1e+06",), ("1e+06",)),
        ("2500000", ("2.5e+06",), ("2.5e+06",)),
    ],
)
def test_spellings(bound: str, own: tuple[str, ...], foreign: tuple[str, ...]) -> None:
    assert bound_spellings(Decimal(bound), foreign=False) == own
    assert bound_spellings(Decimal(bound), foreign=True) == foreign
