"""`metric()`: handles on the metrics that the service's own code feeds."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from typing import TYPE_CHECKING

from autogpt_observe.errors import UsageError
from autogpt_observe.runtime.active import ACTIVE

if TYPE_CHECKING:
    from typing import SupportsFloat

    from autogpt_observe.runtime.recorder import Recorder


def metric(name: str, /) -> MetricHandle:
    """A handle on the metric ``name``, one `from: code`. It may be made before `init`.

    Raises:
        UsageError: after `init`, for a name that the spec does not declare `from: code`; before
            it, that error is `init`'s.
    """
    # `inspect.currentframe()` in a variable would be a cycle that keeps the caller's locals alive
    caller = sys._getframe(1)  # noqa: SLF001  # documented, and what `warnings` and `logging` use
    made_at = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    if not isinstance(name, str):
        raise UsageError(f"{made_at}: obs.metric: got {name!r:.80}, expected the name of a metric")
    recorder = ACTIVE.recorder
    if recorder is not None:
        recorder.check(name, made_at)
    return MetricHandle(name, made_at)


class MetricHandle:
    """Moves one metric. Inert without `init`; its methods never raise into the host.

    What does not fit the metric (other attributes, a negative amount of a counter, NaN) is dropped,
    counted in `autogpt_observe_rejected_calls_total`, and raised under test.
    """

    __slots__ = ("__weakref__", "made_at", "name")

    def __init__(self, name: str, made_at: str) -> None:
        self.name = name
        self.made_at = made_at
        with _LOCK:
            _HANDLES.add(self)

    def add(self, amount: SupportsFloat = 1, /, **attributes: str) -> None:
        """Count ``amount`` more (counter), or change the value by it (gauge)."""
        recorder = ACTIVE.recorder
        if recorder is not None:
            recorder.record(self.name, "add", amount, attributes)

    def set(self, value: SupportsFloat, /, **attributes: str) -> None:
        """Make ``value`` the value (gauge)."""
        recorder = ACTIVE.recorder
        if recorder is not None:
            recorder.record(self.name, "set", value, attributes)

    def observe(self, value: SupportsFloat, /, **attributes: str) -> None:
        """Count one observation of ``value`` (histogram)."""
        recorder = ACTIVE.recorder
        if recorder is not None:
            recorder.record(self.name, "observe", value, attributes)

    def __repr__(self) -> str:
        return f"<obs.metric({self.name!r}) made at {self.made_at}>"


_HANDLES: weakref.WeakSet[MetricHandle] = weakref.WeakSet()
_LOCK = threading.RLock()  # a signal handler may make a handle while it is held


def renew_lock() -> None:
    """In a forked child: nobody holds it."""
    global _LOCK  # noqa: PLW0603  # a thread that the child lacks may hold the old one for ever
    _LOCK = threading.RLock()


def check_handles(recorder: Recorder) -> None:
    """Raise one UsageError for all the handles in use whose metric is not declared."""
    wrong = _complaints(recorder)
    if wrong:
        gc.collect()  # a handle in a dead cycle, such as a caught exception's, is not in use
        wrong = _complaints(recorder)
    if wrong:
        raise UsageError("\n".join(wrong))


def _complaints(recorder: Recorder) -> list[str]:
    with _LOCK:
        used = {(handle.name, handle.made_at) for handle in _HANDLES}
    complaints = []
    for name, made_at in sorted(used):
        try:
            recorder.check(name, made_at)
        except UsageError as error:
            complaints.append(str(error))
    return complaints
