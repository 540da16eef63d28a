"""A webhook receiver on 127.0.0.1 that keeps what Alertmanager posts.

The standard library's server is enough: one trusted client on the loopback interface, and its
``shutdown`` returns only when the loop has ended. The TCP server, because the HTTP server of the
library asks the name service for the host's name when it starts.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Self

from autogpt_observe.names import Url
from autogpt_observe.proof.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredAlert:
    """One alert of a delivery; ``status`` is ``firing`` or ``resolved``."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notification, as Alertmanager's webhook posts it.

    Attributes:
        text: the whole payload as indented JSON, its keys in the order they came.
        alerts: its alerts.
    """

    text: str
    alerts: tuple[DeliveredAlert, ...]


def parse_delivery(body: bytes) -> Delivery:
    """Read a payload; raises ValueError when it is not one.

    Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """
    payload = json.loads(body)
    try:
        alerts = tuple(
            DeliveredAlert(
                status=str(alert["status"]),
                labels=_texts(alert["labels"]),
                annotations=_texts(alert["annotations"]),
            )
            for alert in payload["alerts"]
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a payload of Alertmanager's webhook: {exc!r}") from exc
    return Delivery(text=json.dumps(payload, indent=2, ensure_ascii=False), alerts=alerts)


class WebhookReceiver:
    """Listens from ``__enter__`` to ``__exit__``, on a port of its own."""

    def __init__(self) -> None:
        self._deliveries: list[Delivery] = []
        self._server = _Server((LOOPBACK, 0), _handler(self._deliveries.append))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="webhook", daemon=True
        )

    @property
    def url(self) -> Url:
        """Where it listens."""
        return Url.parse(f"http://{LOOPBACK}:{self._server.server_address[1]}/alerts")

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What has come so far, in order."""
        return tuple(self._deliveries)

    def find(self, alert: str, *, status: str) -> Delivery | None:
        """The first delivery that has ``alert`` with ``status``; a probe for ``wait_for``."""
        for delivery in self.deliveries:
            for found in delivery.alerts:
                if found.labels.get("alertname") == alert and found.status == status:
                    return delivery
        return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client that went away go quietly; print the traceback of anything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # only printed


def _handler(keep: Callable[[Delivery], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > LARGEST_BODY:
                self.send_error(411 if not length else 413)
                return
            try:
                keep(parse_delivery(self.rfile.read(int(length))))
            except ValueError as exc:
                self.send_error(400, explain=str(exc))
                return
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Keep quiet: the terminal shows the deliveries."""

    return Handler


def _texts(found: Mapping[object, object]) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in found.items()}
