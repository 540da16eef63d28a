"""Who listens: the runtime's one piece of process-wide state.

`init` and `shutdown` set it; decorators and metric handles look here at each call. That late look
is what lets them stand before `init`, and what makes them inert without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autogpt_observe.runtime.hub import Hub
    from autogpt_observe.runtime.recorder import Recorder


class Active:
    """What runs and metric handles report to; None while nothing was initialised."""

    __slots__ = ("hub", "recorder")

    def __init__(self) -> None:
        self.hub: Hub | None = None
        self.recorder: Recorder | None = None

    def clear(self) -> None:
        """Make every decorator and handle inert."""
        self.hub = None
        self.recorder = None


ACTIVE = Active()
