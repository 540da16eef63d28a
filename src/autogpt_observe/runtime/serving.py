"""Serves a registry's metrics: its own, or those of all processes that share a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from prometheus_client import CollectorRegistry

    from autogpt_observe.runtime.incidents import Incidents
    from autogpt_observe.runtime.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served, and where.

    Attributes:
        registry: whose metrics these are.
        host: the address to listen on.
        port: the port to listen on, 0 for a free one.
        folder: where the processes that count together keep their values; None for this one alone.
        incidents: told of scrapes that fail.
    """

    registry: CollectorRegistry
    host: str
    port: int
    folder: Path | None
    incidents: Incidents

    def open(self, undo: ExitStack) -> Server | None:
        """Listen until ``undo``; None where another process of the folder does it for all.

        Raises:
            UsageError: the port is taken by another program.
        """
        # loaded late: a host that serves its registry itself does without a server
        from autogpt_observe.runtime.server import Server  # noqa: PLC0415

        if self.folder is not None:
            from autogpt_observe.runtime.multiprocess.locks import (  # noqa: PLC0415  # seldom needed
                hold_port,
            )

            if not hold_port(self.folder, self.port, undo):
                return None
        server = Server(self._app(), host=self.host, port=self.port)
        undo.callback(server.stop)
        return server

    def _app(self) -> WSGIApplication:
        from autogpt_observe.runtime.exposition import metrics_app  # noqa: PLC0415  # as above

        note = self.incidents.note
        if self.folder is None:
            return metrics_app(self.registry, on_error=note)
        from autogpt_observe.runtime.multiprocess.shared import (  # noqa: PLC0415  # seldom needed
            SharedMetrics,
        )

        shared = SharedMetrics(self.folder, on_error=note)
        return metrics_app(self.registry, on_error=note, substitute=shared)
