"""Free ports for programs that can't be asked which port they took."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, TypeVar

from autogpt_observe.errors import ToolError
from autogpt_observe.proof.process import EndedEarlyError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
ATTEMPTS = 5
_TAKEN = "address already in use"


def on_free_port(start: Callable[[int], T]) -> T:
    """``start(port)`` on a port of 127.0.0.1 that was free the moment before.

    When ``start`` raises :class:`EndedEarlyError` because somebody else took the port meanwhile,
    it is called again with another one. Raises ToolError after five such attempts.
    """
    taken: EndedEarlyError | None = None
    for _ in range(ATTEMPTS):
        with socket.socket() as held:
            held.bind((LOOPBACK, 0))
            port = int(held.getsockname()[1])
        try:
            return start(port)
        except EndedEarlyError as exc:
            if _TAKEN not in exc.tail.casefold():
                raise
            taken = exc
    raise ToolError(f"{ATTEMPTS} free ports were taken by others before use; last: {taken}")
