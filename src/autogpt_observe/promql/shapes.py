"""What an expression gives, told from its text and the declared series: type, labels, values."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, assert_never

from autogpt_observe.promql import effects
from autogpt_observe.promql.catalogue import NO_DIMENSION, SECONDS, Dimension, SeriesKind
from autogpt_observe.promql.functions import FUNCTIONS, ValueKind
from autogpt_observe.promql.joins import joined_labels
from autogpt_observe.promql.regexes import accepts, alternatives
from autogpt_observe.promql.tree import (
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Group,
    Matcher,
    Node,
    Number,
    Range,
    Selector,
    Subquery,
    Text,
    Unary,
    bare,
)
from autogpt_observe.promql.values import (
    ABSENT,
    ANY,
    EVERYTHING,
    PRESENT,
    SHARE,
    Interval,
    Values,
    always_holds,
    chosen,
    computed,
    join,
    narrowed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.promql.catalogue import Catalogue, Series

NO_LABELS: Mapping[str, Values] = MappingProxyType({})
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


class Shape(NamedTuple):
    """What a node gives.

    Attributes:
        kind: its type.
        labels: the labels of its series, the name left out.
        rest: the values of the labels that ``labels`` does not list.
        bounds: where the samples lie.
        unit: their unit, None where it is not known; of no meaning for a constant.
        series: the declared series that its samples come from.
        constant: whether no series and no clock is read.
        counter: whether the samples are what a counter stood at.
        share: whether the samples are a declared ratio.
        conditional: whether there are samples only while something holds.
        certain: whether there are samples whatever is scraped.
    """

    kind: ValueKind
    labels: Mapping[str, Values] = NO_LABELS
    rest: Values = ANY
    bounds: Interval = EVERYTHING
    unit: Dimension | None = None
    series: frozenset[Series] = frozenset()
    constant: bool = False
    counter: bool = False
    share: bool = False
    conditional: bool = False
    certain: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether its series may have any label."""
        return any(values != ABSENT for values in (self.rest, *self.labels.values()))

    def label(self, name: str) -> Values:
        """The values that the label can have."""
        return self.labels.get(name, self.rest)


def infer(root: Node, catalogue: Catalogue) -> dict[int, Shape]:
    """The shape of every node of the tree, by the node's ``id``."""
    shapes: dict[int, Shape] = {}
    _Inference(catalogue, shapes).of(root)
    return shapes


@dataclass(frozen=True, slots=True)
class _Inference:
    catalogue: Catalogue
    shapes: dict[int, Shape]

    def of(self, node: Node) -> Shape:
        shape = self._of(node)
        self.shapes[id(node)] = shape
        return shape

    def _of(self, node: Node) -> Shape:  # noqa: C901 - one case for each kind of node
        match node:
            case Selector():
                return self._selector(node)
            case Number(value=value):
                return _scalar(Interval(value, value) if value == value else EVERYTHING)  # noqa: PLR0124 - NaN
            case Text():
                return Shape(ValueKind.STRING, rest=ABSENT, constant=True)
            case Group(inner=inner):
                return self.of(inner)
            case Range(inner=inner) | Subquery(inner=inner):
                return self.of(inner)._replace(kind=ValueKind.RANGE)
            case Unary(op=op, inner=inner):
                shape = self.of(inner)
                low, high = shape.bounds
                negative = op == "-"
                if not negative:
                    return shape
                return shape._replace(bounds=Interval(-high, -low), counter=False)
            case Call():
                return self._call(node)
            case Aggregation():
                return self._aggregation(node)
            case Binary():
                return self._binary(node)
            case _:
                assert_never(node)

    def _selector(self, node: Selector) -> Shape:
        series = self.catalogue.find(node.name.text) if node.name is not None else None
        labels = dict(series.labels) if series is not None else {}
        rest = series.rest if series is not None else ANY
        for matcher in node.matchers:
            label = matcher.label.text
            if label != "__name__":
                labels[label] = matched(labels.get(label, rest), matcher)
        if series is None:
            return Shape(ValueKind.INSTANT, labels)
        return Shape(
            ValueKind.INSTANT,
            labels,
            rest,
            series.bounds,
            series.unit,
            frozenset((series,)),
            counter=series.kind in (SeriesKind.COUNTER, SeriesKind.BUCKET),
            share=series.is_share,
            conditional=series.conditional,
        )

    def _call(self, node: Call) -> Shape:
        arguments = [self.of(argument) for argument in node.arguments]
        name = node.function
        known = FUNCTIONS.get(name)
        if name == "time":
            return _scalar(effects.CLOCK)._replace(unit=SECONDS, constant=False)
        vector = next(
            (a for a in arguments if a.kind in (ValueKind.INSTANT, ValueKind.RANGE)), None
        )
        if vector is None:
            return self._call_without_series(node, arguments)
        kind = known.returns if known is not None else ValueKind.INSTANT
        if kind is ValueKind.SCALAR:
            return vector._replace(
                kind=kind, labels=NO_LABELS, rest=ABSENT, conditional=False, certain=True
            )
        labels, rest = _labels_after(node, vector)
        return Shape(
            kind,
            labels,
            rest,
            effects.bounds_after(name, vector.bounds, [a.bounds for a in arguments], vector.series),
            effects.unit_after(name, vector.unit),
            vector.series,
            counter=vector.counter and name in effects.KEEP_VALUES,
            share=vector.share and name in effects.KEEP_SHARES,
            conditional=vector.conditional or name in effects.ABSENCE,
            certain=vector.certain and name not in effects.MAY_FIND_NOTHING,
        )

    def _call_without_series(self, node: Call, arguments: list[Shape]) -> Shape:
        bounds = [a.bounds for a in arguments]
        first = bounds[0] if bounds else EVERYTHING
        constant = all(a.constant for a in arguments) and bool(arguments)
        known = FUNCTIONS.get(node.function)
        if known is not None and known.returns is ValueKind.SCALAR:
            return _scalar(first)._replace(constant=constant)
        unit = arguments[0].unit if arguments else None
        found = effects.bounds_after(node.function, first, bounds, frozenset())
        return Shape(
            ValueKind.INSTANT,
            rest=ABSENT,
            bounds=first if node.function == "vector" else found,
            unit=unit,
            constant=constant,
            certain=True,
        )

    def _aggregation(self, node: Aggregation) -> Shape:
        param = self.of(node.param) if node.param is not None else None
        inner = self.of(node.inner)
        labels, rest = _grouped_labels(node, inner)
        within = param is None or (param.bounds.low >= 0 and param.bounds.high <= 1)
        return Shape(
            ValueKind.INSTANT,
            labels,
            rest,
            effects.bounds_of_group(node.op, inner.bounds)
            if node.op != "quantile" or within
            else EVERYTHING,
            inner.unit if node.op in effects.GROUPS_KEEP_UNITS else None,
            inner.series,
            constant=inner.constant,
            counter=inner.counter and node.op in effects.GROUPS_KEEP_VALUES,
            share=inner.share and node.op in effects.GROUPS_KEEP_SHARES,
            conditional=inner.conditional,
            certain=inner.certain,
        )

    def _binary(self, node: Binary) -> Shape:
        left, right = self.of(node.left), self.of(node.right)
        if node.op in SET_OPERATORS:
            return _combined(node, left, right)
        vectors = [s for s in (left, right) if s.kind is not ValueKind.SCALAR]
        if len(vectors) == 2:  # noqa: PLR2004 - one on each side
            labels, rest = joined_labels(node, left, right)
        else:
            only = vectors[0] if vectors else left
            labels, rest = only.labels, only.rest
        return Shape(
            vectors[0].kind if vectors else ValueKind.SCALAR,
            labels,
            rest,
            self._bounds(node, left, right),
            _unit_of(node, left, right),
            left.series | right.series,
            constant=left.constant and right.constant,
            share=node.filters and left.share,
            conditional=left.conditional
            or right.conditional
            or (node.filters and bool(vectors) and not holds_always(node, left, right)),
            certain=_certain(node, left, right),
        )

    def _bounds(self, node: Binary, left: Shape, right: Shape) -> Interval:
        if node.returns_bool:
            return SHARE
        if not node.filters:
            if (
                node.op == "/"
                and effects.is_part_of(node.left, node.right)
                and left.bounds.low >= 0
            ):
                return SHARE
            return computed(left.bounds, node.op, right.bounds)
        if left.kind is ValueKind.SCALAR:
            found = narrowed(right.bounds, _FLIPPED.get(node.op, node.op), left.bounds)
        else:
            found = narrowed(left.bounds, node.op, right.bounds)
        return EVERYTHING if found.is_empty else found


def _certain(node: Binary, left: Shape, right: Shape) -> bool:
    """Whether there is a result whatever is scraped: two vectors match if neither has labels."""
    vectors = [shape for shape in (left, right) if shape.kind is not ValueKind.SCALAR]
    matched = len(vectors) < 2 or not any(s.has_labels for s in vectors)  # noqa: PLR2004 - two
    holds = not node.filters or holds_always(node, left, right)
    return left.certain and right.certain and matched and holds


def holds_always(node: Binary, left: Shape, right: Shape) -> bool:
    """Whether the comparison is true of every sample that there can be."""
    return always_holds(left.bounds, node.op, right.bounds)


def matched(values: Values, matcher: Matcher) -> Values:
    """The values of a label that pass a matcher, as far as that can be told.

    A value that the label never has is kept as if it had it: one finding is enough.
    """
    value = matcher.value.text
    if matcher.op == "=":
        return frozenset((value,))
    listed = alternatives(value) if matcher.op == "=~" else None
    if listed is not None and not isinstance(values, frozenset):
        return frozenset(alternative.text for alternative in listed)
    accept = accepts(matcher)
    if accept is None:
        return values
    return chosen(values, accept) or values


def _scalar(bounds: Interval) -> Shape:
    return Shape(
        ValueKind.SCALAR, rest=ABSENT, bounds=bounds, unit=NO_DIMENSION, constant=True, certain=True
    )


def _labels_after(node: Call, vector: Shape) -> tuple[Mapping[str, Values], Values]:
    name = node.function
    if name in effects.ABSENCE:
        return _absent_labels(node.arguments[0]), ABSENT
    if name in ("histogram_quantile", "histogram_fraction"):
        return {**vector.labels, "le": ABSENT}, vector.rest
    if name in ("label_replace", "label_join") and len(node.arguments) > 1:
        target = bare(node.arguments[1])
        if isinstance(target, Text):
            return {**vector.labels, target.value: _replaced(node)}, vector.rest
    if name == "info":
        return vector.labels, ANY
    return vector.labels, vector.rest


def _replaced(node: Call) -> Values:
    texts = [bare(argument) for argument in node.arguments[2:]]
    if node.function == "label_replace" and len(texts) == 3:  # noqa: PLR2004 - replacement, source, pattern
        replacement, _, pattern = texts
        if isinstance(replacement, Text) and isinstance(pattern, Text):
            matches_all = pattern.value in ("", ".*", "(.*)")
            if "$" not in replacement.value and matches_all:
                return frozenset((replacement.value,))
    return ANY


def _absent_labels(argument: Node) -> Mapping[str, Values]:
    """Those of the matchers that name one value: what `absent` builds its labels from."""
    node = bare(argument)
    selector = node.inner if isinstance(node, Range) else node
    if not isinstance(selector, Selector):
        return NO_LABELS
    seen: dict[str, Values] = {}
    refused: set[str] = {"__name__"}
    for matcher in selector.matchers:
        label = matcher.label.text
        if matcher.op != "=" or label in seen:
            refused.add(label)
        seen[label] = frozenset((matcher.value.text,))
    return {label: values for label, values in seen.items() if label not in refused}


def _grouped_labels(node: Aggregation, inner: Shape) -> tuple[Mapping[str, Values], Values]:
    if node.op in effects.SELECTING:
        return inner.labels, inner.rest
    added: dict[str, Values] = {}
    if node.op == "count_values" and isinstance(node.param, Text):
        added = {node.param.value: PRESENT}
    if node.grouping is None:
        return added, ABSENT
    named = [label.text for label in node.grouping.labels]
    if node.grouping.without:
        return {**inner.labels, **dict.fromkeys(named, ABSENT), **added}, inner.rest
    return {**{label: inner.label(label) for label in named}, **added}, ABSENT


def _combined(node: Binary, left: Shape, right: Shape) -> Shape:
    """What ``and``, ``or`` and ``unless`` give."""
    if node.op != "or":
        return left._replace(conditional=True, certain=False)
    labels = {
        label: join(left.label(label), right.label(label))
        for label in {**left.labels, **right.labels}
    }
    return Shape(
        left.kind,
        labels,
        join(left.rest, right.rest),
        Interval(min(left.bounds.low, right.bounds.low), max(left.bounds.high, right.bounds.high)),
        left.unit if left.unit == right.unit or right.constant else None,
        left.series | right.series,
        counter=left.counter or right.counter,
        conditional=left.conditional and right.conditional,
        certain=left.certain or right.certain,
    )


def _unit_of(node: Binary, left: Shape, right: Shape) -> Dimension | None:
    if node.returns_bool:
        return None
    one = NO_DIMENSION if left.constant else left.unit
    other = NO_DIMENSION if right.constant else right.unit
    if node.op in ("*", "/"):
        if one is None or other is None:
            return None
        return one.times(other, 1 if node.op == "*" else -1)
    if node.op in ("^", "atan2"):
        return None
    if left.constant:
        return right.unit
    if node.filters or right.constant:
        return left.unit
    return left.unit if left.unit == right.unit else None
