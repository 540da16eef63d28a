"""The lines that are logged in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from autogpt_observe.runtime.logs.fields import EVENT_ID, PROCESS_ID, THREAD_NAME, TIMESTAMP
from autogpt_observe.runtime.logs.writer import Writer

if TYPE_CHECKING:
    from autogpt_observe.testing.clock import FakeClock

_DIFFERS = (EVENT_ID, PROCESS_ID, THREAD_NAME)
"""What is another one in each run of a test."""


class Lines(Writer):
    """Keeps lines instead of writing them, in the thread that logs them.

    Attributes:
        records: the lines, read back, by the test's clock.
        is_listening: whether lines are kept now.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(_Nowhere(), on_drop=_ignore, on_error=_ignore)
        self._clock = clock
        self.records: list[dict[str, object]] = []
        self.is_listening = False

    def put(self, line: bytes) -> None:
        """Keep a line."""
        if self.is_listening:
            record: dict[str, object] = orjson.loads(line)
            record[TIMESTAMP] = f"{self._clock.now():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
            self.records.append(
                {name: each for name, each in record.items() if name not in _DIFFERS}
            )

    def put_urgent(self, line: bytes) -> None:
        """Keep a line."""
        self.put(line)

    def flush(self, timeout: float) -> bool:  # noqa: ARG002  # nothing waits
        """Nothing is left to write."""
        return True

    def close(self, timeout: float) -> None:  # noqa: ARG002  # as above
        """Keep no more lines."""
        self.is_listening = False

    def renew(self) -> None:
        """In a forked child: go on."""


class _Nowhere:
    """Where no line ever arrives."""

    def write(self, data: bytes, /) -> int:
        return len(data)

    def renew(self) -> None:
        pass

    def close(self) -> None:
        pass


def _ignore(_: str, __: object) -> None:
    pass
