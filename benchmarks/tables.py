"""Results, as a table for a terminal and as one for a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rounds import Figure

_UNITS = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))
_ABSENT = "-"


@dataclass(frozen=True)
class Headline:
    """What a reader wants to know of a table, beside what it was meant to be.

    Attributes:
        what: the work.
        target: what it should cost, in words.
        reached: what it does cost.
        peer: what the best known other way costs, in the same run.
    """

    what: str
    target: str
    reached: str
    peer: str


@dataclass(frozen=True)
class Table:
    """The figures of several ways to do one piece of work.

    Attributes:
        title: the work.
        about: what is measured and what was compared before, in sentences.
        figures: by the name of the way.
        peer: the way that the others are compared with.
        base: the way whose cost the others' contain, such as the bare client; None if there is
            none.
        absent: why a way has no figures, by its name.
        headlines: what to say of it on top.
    """

    title: str
    about: str
    figures: Mapping[str, Figure]
    peer: str
    base: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    headlines: tuple[Headline, ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        over = () if self.base is None else (f"over {self.base}",)
        return ("way", "median", "least", "most", *over, "peer / this")

    def rows(self) -> list[tuple[str, ...]]:
        """A row for each way, those without figures last."""
        rows = []
        for name, figure in self.figures.items():
            over: tuple[str, ...] = ()
            if self.base is not None:
                more = figure.over(self.figures[self.base])
                over = (_ABSENT if name == self.base else format_time(more),)
            times = figure.times(self.figures[self.peer])
            label = f"{name} (the peer)" if name == self.peer else name
            spread = (format_time(figure.least), format_time(figure.most))
            rows.append((label, format_time(figure.median), *spread, *over, f"{times:.2f}"))
        rest = (_ABSENT,) * (len(self.header) - 2)
        rows += [(name, *rest, reason) for name, reason in self.absent.items()]
        return rows


def format_time(nanoseconds: float) -> str:
    """In the unit that fits."""
    unit, size = next((each for each in _UNITS if abs(nanoseconds) >= each[1]), _UNITS[-1])
    value = nanoseconds / size
    return f"{value:.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"  # noqa: PLR2004


def format_times(times: float) -> str:
    return f"{times:.3g}x"


def headline_rows(tables: Iterable[Table]) -> list[tuple[str, ...]]:
    return [
        (each.what, each.target, each.reached, each.peer)
        for table in tables
        for each in table.headlines
    ]


HEADLINE_HEADER = ("what", "target", "reached", "peer")


def format_plain(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns: the first to the left, the others to the right."""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    rule = "  ".join("-" * width for width in widths)
    lines = [title, _plain_line(header, widths), rule]
    lines += [_plain_line(row, widths) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _plain_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join((first, *others))


def format_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_markdown_line(header), "|---|" + "---:|" * (len(header) - 1)]
    lines += [_markdown_line(row) for row in rows]
    return "\n".join(lines)


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
