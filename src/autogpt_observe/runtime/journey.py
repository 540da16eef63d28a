"""What is known of a run in progress: its age, its progress, its loops, its budget.

The rules are those that `names.SIGNALS` states for `run.progress_age`, `run.loop` and
`run.budget_used`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from autogpt_observe.runtime.numbers import parse_number

_LONGEST_CYCLE = 8
_TIMES = 3
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one run may use; what is None is not limited. Nothing is stopped that uses more.

    Attributes:
        usd: money, in US dollars.
        tokens: tokens of all types.
        steps: steps that ended.
    """

    usd: float | None = None
    tokens: int | None = None
    steps: int | None = None


class Journey:
    """One run's way so far; times in seconds of the hub's clock. May be read by another thread.

    Attributes:
        pattern: the loop that it is in now, `repeat` or `cycle`; None for none.
        looped: whether it has been in one.
        passed: the fingerprints of what ended well, as far as they are remembered.
        steps, tokens, usd: what it used up.
    """

    __slots__ = (
        "_order",
        "_paused_at",
        "_progressed_at",
        "_recent",
        "_stalled",
        "agent",
        "budget",
        "looped",
        "passed",
        "pattern",
        "started_at",
        "steps",
        "tokens",
        "usd",
    )

    def __init__(self, agent: str, budget: Budget | None, now: float) -> None:
        self.agent = agent
        self.budget = budget
        self.started_at = now
        self.steps = 0
        self.tokens = 0
        self.usd = 0.0
        self.pattern: str | None = None
        self.looped = False
        self._stalled = 0.0
        self._progressed_at = now
        self._paused_at: float | None = None
        self.passed: set[int] = set()
        self._order: deque[int] = deque()
        self._recent: deque[int] = deque(maxlen=_LONGEST_CYCLE * _TIMES)

    def pause(self, now: float) -> None:
        """The run waits for its consumer."""
        self._paused_at = now

    def resume(self, now: float) -> None:
        """The run goes on; the wait was no lack of progress."""
        if self._paused_at is not None:
            self._progressed_at += now - self._paused_at
            self._paused_at = None

    def progress_age(self, now: float) -> float:
        """The time since the run last made progress, or since its start."""
        until = now if self._paused_at is None else self._paused_at
        return max(0.0, until - self._progressed_at)

    def longest_stall(self, now: float) -> float:
        """The longest time without progress so far."""
        return max(self._stalled, now - self._progressed_at)

    def pass_by(self, fingerprint: int, now: float) -> None:
        """Something ended well; it is progress if it is new."""
        passed, order = self.passed, self._order
        if fingerprint in passed:
            return
        passed.add(fingerprint)
        order.append(fingerprint)
        if len(order) > _MOST_REMEMBERED:
            passed.discard(order.popleft())
        self._stalled = self.longest_stall(now)
        self._progressed_at = now

    def call_tool(self, fingerprint: int) -> str | None:
        """A tool call ended; the pattern of the loop that the run is now found in, if it is new."""
        recent, known = self._recent, self.pattern
        is_new = fingerprint not in recent
        recent.append(fingerprint)
        self.pattern = pattern = None if is_new else _pattern(recent)
        if pattern is None:
            return None
        self.looped = True
        return pattern if known is None else None

    @property
    def budget_used(self) -> float | None:
        """The largest share used of what is limited; None without a limit."""
        budget = self.budget
        if budget is None:
            return None
        used = ((self.usd, budget.usd), (self.tokens, budget.tokens), (self.steps, budget.steps))
        limited = [(part, parse_number(whole)) for part, whole in used if whole is not None]
        return max((part / whole for part, whole in limited if whole), default=None)


def _pattern(recent: deque[int]) -> str | None:
    """`repeat` or `cycle` where the latest calls are some sequence for the third time in a row."""
    last = recent[-1]
    for length in range(1, min(_LONGEST_CYCLE, len(recent) // _TIMES) + 1):
        if recent[-1 - length] != last or recent[-1 - 2 * length] != last:
            continue
        if length == 1:
            return "repeat"
        calls = tuple(recent)
        if calls[-_TIMES * length :] == calls[-length:] * _TIMES:
            return "cycle"
    return None
