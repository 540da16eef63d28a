"""What the proof reads over HTTP: readiness, targets, values and alerts of a local Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from autogpt_observe.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT_SECONDS = 2.0


class NoAnswerError(ToolError):
    """A server gave no answer, or not the one asked for; it may give it a moment later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A scraped address; ``health`` is up, down or unknown, ``error`` the last scrape's."""

    address: str
    health: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlert:
    """An alert that is ``pending`` or ``firing``, with the value of its expression."""

    name: str
    state: str
    value: float


def is_ready(url: str) -> bool:
    """Whether the Prometheus or Alertmanager at ``url`` says that it works."""
    try:
        return _get(f"{url}/-/ready").ok
    except NoAnswerError:
        return False


@dataclass(frozen=True, slots=True)
class PrometheusApi:
    """The part of Prometheus' HTTP API that the proof reads.

    Each method raises NoAnswerError when the server gives no answer or an error.
    Reference: https://prometheus.io/docs/prometheus/latest/querying/api/
    """

    url: str

    def targets(self) -> tuple[Target, ...]:
        """The scraped targets that were discovered so far."""
        data = self._data("/api/v1/targets", {"state": "active"})
        return tuple(
            Target(
                address=_text(target, "discoveredLabels", "__address__"),
                health=_text(target, "health"),
                error=_text(target, "lastError"),
            )
            for target in _items(data, "activeTargets")
        )

    def alerts(self) -> tuple[ActiveAlert, ...]:
        """The alerts that are pending or firing."""
        data = self._data("/api/v1/alerts")
        return tuple(
            ActiveAlert(
                name=_text(alert, "labels", "alertname"),
                state=_text(alert, "state"),
                value=float(_text(alert, "value")),
            )
            for alert in _items(data, "alerts")
        )

    def value(self, expr: str) -> float | None:
        """The value of the first series that ``expr`` yields now; None when it yields none."""
        for sample in _items(self._data("/api/v1/query", {"query": expr}), "result"):
            match sample:
                case {"value": [_, str(value)]}:
                    return float(value)
        return None

    def _data(self, path: str, parameters: Mapping[str, str] | None = None) -> object:
        answer = _get(f"{self.url}{path}", parameters)
        try:
            match answer.json():
                case {"status": "success", "data": data}:
                    return data
        except requests.JSONDecodeError:
            pass
        text = answer.text[:200]
        raise NoAnswerError(f"{self.url}{path} answered {answer.status_code}: {text}")


def _get(url: str, parameters: Mapping[str, str] | None = None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy can't reach this machine's loopback interface
        try:
            return session.get(url, params=parameters, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as exc:
            raise NoAnswerError(f"{url} can't be read: {exc}") from exc


def _items(data: object, name: str) -> Iterator[object]:
    match data:
        case dict() if isinstance(found := data.get(name), list):
            yield from found


def _text(data: object, *path: str) -> str:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return "" if data is None else str(data)
