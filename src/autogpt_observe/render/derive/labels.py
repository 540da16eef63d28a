"""Label sets: the groups that a condition judges, and the series that each group has."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from autogpt_observe.names import INSTANCE, LabelName
from autogpt_observe.promql import selector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.render.derive.story import Labels
    from autogpt_observe.spec.model import Selection, Spec

_MADE_UP = ("one", "two")
_INSTANCE = LabelName(INSTANCE)
_OTHERS = ("other", "another")


def labels_of(labels: Mapping[LabelName, str]) -> Labels:
    """A label set that can't be changed."""
    return MappingProxyType({str(label): value for label, value in labels.items()})


def declared_values(spec: Spec, label: LabelName) -> tuple[str, ...]:
    """The values that the spec lists for a label, if it does."""
    attribute = spec.attributes.get(label)
    return attribute.values if attribute is not None else ()


def groups_of(
    spec: Spec, by: Sequence[LabelName], known: Mapping[LabelName, Sequence[str]]
) -> tuple[Labels, ...]:
    """Groups to judge: the tests make the first one ill; each other differs from it in one label.

    ``known`` are the only values that some of the labels can have.
    """
    choices = {label: (known.get(label) or _values(spec, label))[:2] for label in by}
    ill = {label: values[0] for label, values in choices.items()}
    others = ({**ill, label: values[1]} for label, values in choices.items() if len(values) > 1)
    return (labels_of(ill), *map(labels_of, others))


def covering(values: Mapping[LabelName, Sequence[str]]) -> tuple[Labels, ...]:
    """As few label sets as have every value of every label."""
    most = max(map(len, values.values()), default=1)
    return tuple(
        labels_of({label: known[min(index, len(known) - 1)] for label, known in values.items()})
        for index in range(most)
    )


def members_of(selection: Selection, by: Sequence[LabelName]) -> tuple[Labels, ...]:
    """The series of one group: together they have every value that counts, and they are several.

    One alone could not tell whether a rule takes them together.
    """
    values = {label: known for label, known in selection.where.items() if label not in by}
    if all(len(known) < len(_MADE_UP) for known in values.values()) and _INSTANCE not in (
        *by,
        *selection.where,
    ):
        values[_INSTANCE] = _MADE_UP
    return covering(values)


def stranger_to(spec: Spec, selection: Selection, by: Sequence[LabelName]) -> Labels | None:
    """Labels of a series of the same metric that doesn't count; None where every one does."""
    for label, known in selection.where.items():
        if label in by:
            continue
        outside = (v for v in declared_values(spec, label) or _OTHERS if v not in known)
        value = next(outside, None)
        if value is not None:
            first = {name: values[0] for name, values in selection.where.items() if name not in by}
            return labels_of({**first, label: value})
    return None


def series_name(metric: str, *parts: Labels) -> str:
    """A series as promtool reads it."""
    labels = {label: (value,) for part in parts for label, value in part.items()}
    return selector(metric, labels)


def _values(spec: Spec, label: LabelName) -> tuple[str, ...]:
    return declared_values(spec, label) or _MADE_UP
