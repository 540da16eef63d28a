"""What the library writes around the values of a family: header lines, names, label names.

It is learned from the library itself, by letting it write the family once with empty label values
and zeros. So its rules for names, escaping schemes and units hold without being repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric as Family

from autogpt_observe.runtime.exposition.formats import Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.runtime.exposition.formats import Format

CREATED = "_created"


class SkeletonError(Exception):
    """The library did not write what was expected."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that each label set has.

    Attributes:
        suffix: what follows the family's name.
        extra: the text of its own label, such as ``("le", "0.5")``.
    """

    suffix: str
    extra: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What describes a family, whatever its label sets."""

    name: str
    help: str
    type: str
    unit: str
    label_names: tuple[str, ...]

    def family(self) -> Family:
        """The family, empty."""
        return Family(self.name, self.help, self.type, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """The text of a family without its values.

    Attributes:
        head: its HELP, TYPE and UNIT lines.
        rows: the lines of one label set, up to their values: templates that take the escaped label
            values, in the order of ``places``.
        created_head: as ``head``, for creation times that stand apart; empty if they don't.
        created: as one of ``rows``, for the line of the creation time; empty if there is none.
        places: which label values, of those in the order of the family's label names.
    """

    head: bytes
    rows: tuple[str, ...]
    created_head: bytes
    created: str
    places: tuple[int, ...]

    def befores(self, values: tuple[str, ...], between: str) -> list[str]:
        """What stands before each value of a label set; ``between`` ends what came before it."""
        first, *others = [row % values for row in self.rows]
        return [between + first, *[f"\n{row}" for row in others]]

    def escaped(self, values: Sequence[str]) -> tuple[str, ...]:
        """Label values ready for the templates."""
        return tuple([escape_label_value(values[place]) for place in self.places])


def escape_label_value(value: str) -> str:
    """A label value as all formats write it."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def learn_skeleton(
    heading: Heading,
    lines: Sequence[Line],
    format_: Format,
    *,
    created: bool,
) -> Skeleton:
    """How the library writes a family of this ``heading``, with these ``lines`` per label set.

    ``created`` says whether each label set shows its creation time too.

    Raises:
        SkeletonError: it writes something else than one line per sample.
    """
    head, rows = _written(heading, lines, format_)
    places = {name: place for place, name in enumerate(heading.label_names)}
    names = sorted(places)
    created_head, created_rows = b"", list[str]()
    if created:
        before, created_rows = _written(heading, (Line(CREATED),), format_)
        created_head = before.removeprefix(head)
    return Skeleton(
        head=head,
        rows=tuple([_template(row, len(names)) for row in rows]),
        created_head=created_head,
        created="".join([_template(row, len(names)) for row in created_rows]),
        places=tuple(places[name] for name in names),
    )


def _written(heading: Heading, lines: Sequence[Line], format_: Format) -> tuple[bytes, list[str]]:
    """The header lines, and each sample's line without its value."""
    family = heading.family()
    labels = dict.fromkeys(heading.label_names, "")
    for line in lines:
        extra = {} if line.extra is None else {line.extra[0]: line.extra[1]}
        family.add_sample(heading.name + line.suffix, labels | extra, 0.0)
    text = format_.encode_part(Shown([family])).decode("utf-8")
    written = text.split("\n")
    head, rows = written[: -len(lines) - 1], written[-len(lines) - 1 : -1]
    if written[-1] or not all(row.endswith(" 0.0") for row in rows):
        raise SkeletonError(f"unexpected lines for {heading.name}")
    if not all(line.startswith("# ") for line in head):
        raise SkeletonError(f"unexpected header of {heading.name}")
    return "".join([f"{line}\n" for line in head]).encode(), [row[:-3] for row in rows]


def _template(row: str, labels: int) -> str:
    parts = row.replace("%", "%%").split('=""')
    if len(parts) != labels + 1:
        raise SkeletonError(f"unexpected labels in {row}")
    return '="%s"'.join(parts)
