"""Where panels stand on a dashboard's grid of 24 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autogpt_observe.spec.model import PanelKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autogpt_observe.spec.model import Panel

COLUMNS = 24
ROW_HEIGHT = 1
"""Height of a row's title, in grid units of 30 pixels."""

_HEIGHT = {PanelKind.TIMESERIES: 8, PanelKind.STAT: 4}
_MOST_ABREAST = {PanelKind.TIMESERIES: 3, PanelKind.STAT: 6}


class Place(NamedTuple):
    """A panel's rectangle in grid units, in Grafana's own terms."""

    x: int
    y: int
    w: int
    h: int


def place_panels(panels: Sequence[Panel], *, top: int) -> Iterator[tuple[Panel, Place]]:
    """Each panel with its place: lines of equal panels, as full as each other, from ``top`` down.

    A line of stats alone is lower and holds more of them; one graph sets the pace for its row.
    """
    kinds = {panel.kind for panel in panels}
    pace = PanelKind.STAT if kinds == {PanelKind.STAT} else PanelKind.TIMESERIES
    lines = -(-len(panels) // _MOST_ABREAST[pace])
    for line, (start, end) in enumerate(_even_cuts(len(panels), lines)):
        y = top + line * _HEIGHT[pace]
        columns = _even_cuts(COLUMNS, end - start)
        for panel, (left, right) in zip(panels[start:end], columns, strict=True):
            yield panel, Place(left, y, right - left, _HEIGHT[pace])


def _even_cuts(whole: int, parts: int) -> Iterator[tuple[int, int]]:
    """``whole`` cut into ``parts`` stretches whose lengths differ by one at the most."""
    for part in range(parts):
        yield whole * part // parts, whole * (part + 1) // parts
