"""One collector's part of an exposition, kept from scrape to scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.runtime.exposition import shapes
from autogpt_observe.runtime.exposition.blocks import LINES_PER_BLOCK, Block, slice_blocks
from autogpt_observe.runtime.exposition.formats import Syntax
from autogpt_observe.runtime.exposition.numbers import format_float
from autogpt_observe.runtime.exposition.skeleton import learn_skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client.metrics import MetricWrapperBase

    from autogpt_observe.runtime.exposition.formats import Format
    from autogpt_observe.runtime.exposition.shapes import Child, Shape
    from autogpt_observe.runtime.exposition.skeleton import Skeleton


class CachedFamily:
    """Renders one collector of the library; not from two threads at once.

    Label sets keep their order: new ones come last. So one more costs a block, not the family.
    """

    def __init__(self, collector: MetricWrapperBase, format_: Format) -> None:
        self._collector = collector
        self._shape = shapes.shape_of(collector)
        self._identity = shapes.identity_of(collector)
        self._exemplars = self._shape.takes_exemplars and format_.syntax is Syntax.OPENMETRICS
        self._skeleton = learn_skeleton(
            shapes.heading_of(collector),
            self._shape.lines,
            format_,
            created=self._shape.shows_created,
        )
        self._children: list[Child] = []
        self._portions: list[_Portion] = []

    def is_current(self) -> bool:
        """Whether what was learned of the collector still holds.

        Raises:
            UnknownShapeError: the library has to render it from now on.
        """
        return shapes.identity_of(self._collector) == self._identity

    def render(self) -> list[bytes]:
        """Its lines, with the values of now."""
        children = shapes.children_of(self._collector)
        if children != self._children:
            self._follow(children)
        parts = [self._skeleton.head]
        parts += [portion.render() for portion in self._portions]
        if self._skeleton.created_head and children:
            parts.append(self._skeleton.created_head)
            parts += [portion.created for portion in self._portions]
        return parts

    def _follow(self, children: list[Child]) -> None:
        """Keep what is rendered of label sets that are still there; they never change places."""
        portions = self._surviving(children)
        kept = [child for portion in portions for child in portion.children]
        if kept != children[: len(kept)] or len(portions) > self._most_portions(len(children)):
            portions, kept = [], []
        if portions and len(children) > len(kept):
            last = portions.pop()  # it may have room
            kept = kept[: -len(last.children)]
        for some in slice_blocks(children[len(kept) :], len(self._shape.lines)):
            portions.append(self._portion(some))
        self._portions, self._children = portions, children

    def _surviving(self, children: list[Child]) -> list[_Portion]:
        alive = set(children)
        portions = []
        for portion in self._portions:
            kept = [child for child in portion.children if child in alive]
            if len(kept) == len(portion.children):
                portions.append(portion)
            elif kept:
                portions.append(self._portion(kept))
        return portions

    def _most_portions(self, children: int) -> int:
        """How many portions, thinned out by removals, are better than to begin anew."""
        return 2 + children * len(self._shape.lines) // (LINES_PER_BLOCK // 4)

    def _portion(self, children: Sequence[Child]) -> _Portion:
        return _Portion(list(children), self._shape, self._skeleton, exemplars=self._exemplars)


class _Portion:
    """Some label sets of a family."""

    def __init__(
        self, children: list[Child], shape: Shape, skeleton: Skeleton, *, exemplars: bool
    ) -> None:
        shape.check(children)
        self.children = children
        self.created = b""
        self._shape = shape
        self._skeleton = skeleton
        self._exemplars = exemplars
        self._times: Sequence[float] = ()
        self._block: Block | None = None

    def render(self) -> bytes:
        """The lines of these label sets."""
        children, shape = self.children, self._shape
        times = shapes.created_of(children) if shape.shows_created else ()
        if self._block is None or times != self._times:
            self._block = self._make(times)
        exemplars = shape.exemplars(children) if self._exemplars else None
        return self._block.render(shape.read(children), exemplars, spread=shape.spread)

    def _make(self, times: Sequence[float]) -> Block:
        skeleton, self._times = self._skeleton, times
        values = [skeleton.escaped(shapes.label_values_of(child)) for child in self.children]
        created = [
            f"{skeleton.created % each}{format_float(made)}\n"
            for each, made in zip(values, times, strict=False)  # there are none if not shown
        ]
        between = [f"\n{line}" for line in created] or ["\n"] * len(values)
        if skeleton.created_head:
            self.created = "".join(created).encode("utf-8")
            between = ["\n"] * len(values)
        befores: list[str] = []
        for each, before in zip(values, ["", *between], strict=False):  # the last one ends it all
            befores += skeleton.befores(each, before)
        return Block(befores, after=between[-1])
