"""An expression as the checks see it, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from autogpt_observe.promql.parser import parse
from autogpt_observe.promql.shapes import Shape, infer
from autogpt_observe.promql.tree import Node, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.promql.catalogue import Catalogue
    from autogpt_observe.promql.functions import VersionParts


class Purpose(StrEnum):
    """What an expression is for."""

    ALERT = "alert"
    WATCHDOG = "watchdog"
    RECORDING = "recording"
    PANEL = "panel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with a stretch of an expression, from ``start`` up to ``end``.

    An error is sure never to work; a ``warning`` is most likely not what was meant.
    """

    id: str
    message: str
    start: int
    end: int
    fix: str | None = None
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An expression, its tree, and the shape of each node."""

    text: str
    purpose: Purpose
    catalogue: Catalogue
    version: VersionParts
    evaluation_ms: int
    root: Node
    nodes: tuple[Node, ...]
    shapes: Mapping[int, Shape]

    def shape(self, node: Node) -> Shape:
        """What the node gives."""
        return self.shapes[id(node)]

    def written(self, node: Node) -> str:
        """The node as the author wrote it, on one line and not too long."""
        text = " ".join(self.text[node.start : node.end].split())
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST = 60


def read(
    text: str,
    catalogue: Catalogue,
    *,
    purpose: Purpose,
    version: VersionParts,
    evaluation_ms: int,
) -> Reading:
    """Parse ``text`` and infer what it gives. Raises PromQLError where `parse` does."""
    root = parse(text)
    return Reading(
        text=text,
        purpose=purpose,
        catalogue=catalogue,
        version=version,
        evaluation_ms=evaluation_ms,
        root=root,
        nodes=tuple(walk(root)),
        shapes=infer(root, catalogue),
    )
