"""Shows a prometheus_client registry to scrapers: the library's own bytes, many times cheaper."""

from __future__ import annotations

from autogpt_observe.runtime.exposition.endpoint import Endpoint, Request, Response, metrics_app

__all__ = ["Endpoint", "Request", "Response", "metrics_app"]
