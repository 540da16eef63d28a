"""What takes more than a look: values of any kind, and lines that JSON can't be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from autogpt_observe.runtime.logs.trees import Walk, free_name
from autogpt_observe.runtime.logs.values import MOST_CHARS, clean, cut, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autogpt_observe.runtime.logs.places import Places, Redactor
    from autogpt_observe.runtime.logs.trees import Tree

Record = dict[str, object]
_CHARS_PER_ITEM = 64


class Draft(NamedTuple):
    """A line in the making: its ECS fields, and the host's own."""

    record: Record
    labels: Record
    numbers: Record


def place_late(
    late: Sequence[tuple[object, object]],
    draft: Draft,
    places: Places,
    redactor: Redactor | None,
) -> bool:
    """Give each field its place, after those whose names stand; whether anything was cut."""
    was_cut = False
    found = [(key, value, places.find(key)) for key, value in late]
    found.sort(key=lambda each: not each[2].is_plain)
    for key, value, place in found:
        walk = Walk()
        tree = walk.tree(value)
        if redactor is not None:
            tree = Walk().tree(redactor.value(text_of(key), tree))
        if not place.field and _is_numeric(tree):
            draft.numbers[free_name(place.label, draft.numbers)] = tree
            continue
        whole = _as_text(tree)
        text = shorten(whole, MOST_CHARS)
        was_cut = was_cut or walk.was_cut or text != whole
        if place.field:
            draft.record[place.field] = text
        else:
            draft.labels[free_name(place.label, draft.labels)] = text
    return was_cut


def shorten(value: object, limit: int) -> object:
    """``value`` with every text in it cut to ``limit``, and lists in keeping."""
    match value:
        case str():
            return cut(value, limit)
        case list():
            return [shorten(item, limit) for item in value[: limit // _CHARS_PER_ITEM]]
        case dict():
            return {key: shorten(item, limit) for key, item in value.items()}
        case _:
            return value


def mend(value: object) -> object:
    """``value`` with every text in it as UTF-8 can hold it."""
    match value:
        case str():
            return clean(value)
        case list():
            return [mend(item) for item in value]
        case dict():
            return {clean(key): mend(item) for key, item in value.items()}
        case _:
            return value


def _is_numeric(tree: Tree) -> bool:
    if isinstance(tree, list):
        return bool(tree) and all(type(item) in (int, float) for item in tree)
    return type(tree) in (int, float)


def _as_text(tree: Tree) -> str | list[str] | None:
    """As a keyword field takes it: a list of texts at the most; what is nested becomes JSON."""
    if tree is None:
        return None
    if isinstance(tree, list) and not any(isinstance(item, list | dict) for item in tree):
        return [_scalar(item) for item in tree]
    return _scalar(tree)


def _scalar(tree: Tree) -> str:
    return tree if isinstance(tree, str) else orjson.dumps(mend(tree)).decode()
