"""How many rate limits are remembered, and which."""

from __future__ import annotations

from autogpt_observe.runtime.headroom import Headroom

MOST = 1_000


def filled() -> Headroom:
    headroom = Headroom()
    for number in range(MOST):
        headroom.tell(("openai", f"{number}", "requests"), 0.5, 100.0 + number)
    return headroom


def test_a_new_limit_takes_the_place_of_one_that_was_reset() -> None:
    headroom = filled()
    headroom.tell(("openai", "long gone", "requests"), 0.5, 1.0)
    headroom.tell(("openai", "new", "requests"), 0.25, 9_000.0)
    left = headroom.left(50.0)
    assert left["openai", "new", "requests"] == 0.25
    assert ("openai", "0", "requests") not in left  # it made room for the one that is long gone
    assert ("openai", "1", "requests") in left
    assert len(left) == MOST


def test_a_limit_that_is_known_takes_nobody_s_place() -> None:
    headroom = filled()
    headroom.tell(("openai", "7", "requests"), 0.75, 5_000.0)
    left = headroom.left(0.0)
    assert len(left) == MOST
    assert left["openai", "7", "requests"] == 0.75
