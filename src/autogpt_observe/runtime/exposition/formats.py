"""Which exposition format a scraper asked for, and the library's own encoder of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from prometheus_client import exposition
from prometheus_client.openmetrics import exposition as openmetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import Collector

END = b"# EOF\n"
"""What ends an OpenMetrics exposition."""


class Syntax(Enum):
    """The two families of exposition formats."""

    TEXT = "text"
    OPENMETRICS = "openmetrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """An exposition format.

    Attributes:
        syntax: None for one that only the library's encoder knows.
        escaping: what becomes of names outside the classic character set.
        content_type: the header that announces it.
        encode: the library's encoder.
    """

    syntax: Syntax | None
    escaping: str
    content_type: str
    encode: Callable[[Collector], bytes]

    @property
    def key(self) -> tuple[Syntax | None, str]:
        """Equal for formats whose bytes are equal."""
        return self.syntax, self.escaping

    def encode_part(self, collector: Collector) -> bytes:
        """What ``collector`` contributes to an exposition, as the library writes it."""
        text = self.encode(collector)
        return text.removesuffix(END) if self.syntax is Syntax.OPENMETRICS else text


class Shown:
    """A collector of what is at hand."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        """These families."""
        return self._families


def negotiate(accept: str) -> Format:
    """The format that the library chooses for an Accept header; nonsense counts as none."""
    try:
        encode, content_type = exposition.choose_encoder(accept)
    except Exception:  # noqa: BLE001  # the library's parser gives up in many ways; any will do
        encode, content_type = exposition.choose_encoder("")
    function = getattr(encode, "func", encode)  # a partial of the encoder, or the encoder itself
    options = getattr(encode, "keywords", {})
    syntax = {
        exposition.generate_latest: Syntax.TEXT,
        openmetrics.generate_latest: Syntax.OPENMETRICS,
    }.get(function)
    escaping = options.get("escaping", openmetrics.UNDERSCORES)
    return Format(syntax=syntax, escaping=escaping, content_type=content_type, encode=encode)
