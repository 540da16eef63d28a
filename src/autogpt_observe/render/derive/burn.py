"""The unit tests of a burn-rate alert, derived from its numbers.

The main story has one course for every alert, in parts of its windows: all is well; then the budget
burns, until the long window has just gone past the threshold (the short one is far above by then);
then the short window is just above it, and at last just below, while the long one still burns.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, product
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.render.derive.burn_judge import BurnJudge
from autogpt_observe.render.derive.burn_series import ObjectiveSeries
from autogpt_observe.render.derive.clock import BOTH_CUTS, Clock, UnsteadyError
from autogpt_observe.render.derive.samples import format_samples, up_to
from autogpt_observe.render.derive.story import Labels, Printed, Story
from autogpt_observe.render.slo import ObjectiveRules, objective_rules
from autogpt_observe.slo import burn_threshold, is_tiled
from autogpt_observe.spec.expansion import alerts_of
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autogpt_observe.render.derive.burn_judge import Counter
    from autogpt_observe.spec.model import Alert, BurnCondition, Spec

_A_LITTLE = Fraction(1, 20)
"""How far the tests keep from the threshold, as a share of it: less than a tenth."""
_MOSTLY = Fraction(49, 50)
_CLEARLY = Fraction(11, 10)
_BLOCKS = ((5, 5), (2, 4), (1, 4), (1, 3))
"""Blocks of time in which all is well, and in which it burns until the long window is above: the
share of bad events can only rise to 1, so the nearer the threshold is to it, the fewer are well."""
_LONGEST = 60
"""How many blocks longer it may burn, so that the long window still does at the end."""
_PARTS = (5, 4, 6, 3, 2, 1)
_FEW_PARTS = range(4, 9)
_BAD_AT_LEAST = 100

Phase = tuple[int, Fraction]
"""A number of samples, and the share of bad events in them."""


def burn_clock(spec: Spec, when: BurnCondition) -> Duration:
    """The evaluation interval that an alert's tests are written for.

    Coarse beside the windows, so that a test over a day has some fifty evaluations, and such that
    whole tiles end at evaluations.
    """
    return _clock(_rules(spec, when), when)


def derive_burn_stories(
    spec: Spec, alert: Alert, when: BurnCondition, *, printed: Printed
) -> dict[str, Story]:
    """The tests by name; ``printed`` gives what a firing alert shows for its labels and share."""
    return dict(_Telling(_rules(spec, when), alert, when, printed).stories())


def _rules(spec: Spec, when: BurnCondition) -> ObjectiveRules:
    alerts = alerts_of(spec, when.slo)
    rules = objective_rules(spec, when.slo, spec.slos[when.slo], alerts.values())
    if rules is None:
        raise ObserveError(f"no alert reads the objective `{when.slo}`")
    return rules


def _clock(rules: ObjectiveRules, when: BurnCondition) -> Duration:
    if is_tiled(when.long, rules.tile):
        return Duration(rules.tile.ms // 2 if rules.tile.ms % 2 == 0 else rules.tile.ms)
    shared = rules.windows[0]  # the clock of the test of what is recorded: one file for both
    parts, rest = divmod(when.short.ms, shared.ms)
    if rest == 0 and parts in _FEW_PARTS:
        return shared
    parts = next(n for n in _PARTS if when.short.ms % n == 0)
    return Duration(when.short.ms // parts)


@dataclass(frozen=True)
class _Telling:
    """The stories of one alert. Phases are counted in samples, two for each evaluation."""

    rules: ObjectiveRules
    alert: Alert
    when: BurnCondition
    printed: Printed

    def stories(self) -> Iterator[tuple[str, Story]]:
        """The stories by name."""
        yield "burns_and_recovers", self._burns_and_recovers()
        yield "just_below", self._stays_below()
        few = self._few_events()
        if few is not None:
            yield "few_events", few

    @cached_property
    def clock(self) -> Clock:
        """The clock of the tests."""
        keep = self.alert.keep_firing_for
        return Clock(
            evaluation=_clock(self.rules, self.when).ms,
            hold=self.alert.for_.ms,
            keep=keep.ms if keep is not None else 0,
        )

    @cached_property
    def step(self) -> int:
        """Time between samples, in milliseconds."""
        evaluation = self.clock.evaluation
        return evaluation // 2 if evaluation % 2 == 0 else evaluation

    @cached_property
    def series(self) -> ObjectiveSeries:
        """The series that are counted."""
        return ObjectiveSeries(self.rules)

    @cached_property
    def threshold(self) -> Fraction:
        """The share of bad events that both windows must be above."""
        objective = self.rules.objective.objective.value
        return Fraction(burn_threshold(self.when.factor.value, objective))

    @cached_property
    def unit(self) -> int:
        """Samples that phases have a multiple of: an evaluation, or a tile."""
        tiled = is_tiled(self.when.long, self.rules.tile)
        return (self.rules.tile.ms if tiled else self.clock.evaluation) // self.step

    @cached_property
    def traffic(self) -> int:
        """Events at each sample: a round number, of which shares are still told apart."""
        least = max(
            _BAD_AT_LEAST / self.threshold,
            Fraction(self.rules.objective.min_events),
            self.series.most_members / (1 - self.threshold),
        )
        power = 1
        while True:
            for digit in (1, 2, 5):
                if digit * power >= least:
                    return digit * power
            power *= 10

    def _samples(self, length: int) -> int:
        """Whole units that last at least so many milliseconds, in samples."""
        return up_to(-(-length // self.step), self.unit)

    # --- the main story ----------------------------------------------------------------------

    def _burns_and_recovers(self) -> Story:
        for phases, smoulders in chain(self._courses(), self._plain_courses()):
            try:
                return self._recovery(phases, smoulders=smoulders)
            except UnsteadyError:
                continue
        raise ObserveError(
            "no course of events was found that makes it fire and resolve; show the share as"
            " `{{ $value | humanizePercentage }}`, or choose a long window of several short ones"
        )

    def _courses(self) -> Iterator[tuple[list[Phase], bool]]:
        short = self._samples(self.when.short.ms + self.clock.evaluation)
        block = self._samples(-(-self.when.short.ms // 3))
        held = self._samples(self.clock.hold + self.clock.evaluation)
        calm = self._samples(self.clock.keep)
        for (well, burning), more in product(_BLOCKS, range(_LONGEST)):
            share = self.threshold * (1 + _A_LITTLE) * (well + burning) / burning
            if share <= _MOSTLY:
                burns = (burning + more) * block + held
                course = self._course(well * block, burns, share, short, calm)
                if self._still_burns(course):
                    yield course, True

    def _plain_courses(self) -> Iterator[tuple[list[Phase], bool]]:
        """Without the asymmetry of the windows, where no share of bad events allows for it."""
        above = self._just_above
        burns = self._samples(self.clock.hold + self.clock.evaluation)
        length = self.when.long.ms + self.clock.keep
        yield [(burns, above), (self._samples(length) + self.unit, self._just_below)], False
        yield [(burns, above), (2 * self._samples(length), Fraction(0))], False

    def _course(self, well: int, burns: int, share: Fraction, short: int, calm: int) -> list[Phase]:
        above, below = (short, self._just_above), (short + calm, self._just_below)
        return [(well, Fraction(0)), (burns, share), above, below]

    def _still_burns(self, course: Sequence[Phase]) -> bool:
        """Whether the long window can be above the threshold at the end: a glance in advance."""
        samples = sum(n for n, _ in course)
        if samples * self.step > self.when.long.ms:
            return True  # it has left the beginning behind, so that it must be counted
        return sum(n * share for n, share in course) >= samples * self.threshold * _CLEARLY

    @property
    def _just_above(self) -> Fraction:
        near = self.threshold * (1 + _A_LITTLE)
        return near if near < 1 else (1 + self.threshold) / 2

    @property
    def _just_below(self) -> Fraction:
        return self.threshold * (1 - _A_LITTLE)

    def _recovery(self, phases: list[Phase], *, smoulders: bool) -> Story:
        """The story of these phases; raises UnsteadyError where they don't make one."""
        evaluation = self.clock.evaluation
        ends = [
            sum(n for n, _ in phases[: i + 1]) * self.step // evaluation * evaluation
            for i in range(len(phases))
        ]
        judge = self._judge(self._counters(self._ill, phases))
        well = phases[0][0] if not phases[0][1] else 0
        fires_at = self._fires_at(judge, well * self.step // evaluation * evaluation, ends[-1])
        moments = {fires_at - evaluation: 0, fires_at: 1, ends[-1]: 0}
        if smoulders:
            moments = {fires_at - evaluation: 0, fires_at: 1, ends[-2]: 1, ends[-1]: 0}
            self._check_still_burns(judge, ends[-1])
        if fires_at > ends[-2] or len(moments) < len(set(moments.values())) + 1:
            raise UnsteadyError("it fires too late")
        return self._story(phases, moments)

    def _fires_at(self, judge: BurnJudge, start: int, end: int) -> int:
        evaluation = self.clock.evaluation
        for now in range(start, end + 1, evaluation):
            if self.clock.fires(judge, now):
                if now < evaluation:
                    raise UnsteadyError("it fires at once")
                return now
        raise UnsteadyError("it never fires")

    def _check_still_burns(self, judge: BurnJudge, now: int) -> None:
        for closed in BOTH_CUTS:
            share = judge.counted.share(self.when.long.ms, now, closed=closed)
            if share is None or share < self.threshold * _CLEARLY:
                raise UnsteadyError("the long window has recovered as well")

    # --- the others --------------------------------------------------------------------------

    def _stays_below(self) -> Story:
        length = self.clock.hold + 2 * self.clock.evaluation
        phases = [(self._samples(length) + self.unit, self._just_below)]
        end = phases[0][0] * self.step // self.clock.evaluation * self.clock.evaluation
        return self._story(phases, {end - self.clock.evaluation: 0, end: 0})

    def _few_events(self) -> Story | None:
        """Bad events only, and too few for a verdict; None where even one is enough."""
        wanted = self.rules.objective.min_events
        length = self._samples(self.clock.hold + 3 * self.clock.evaluation) + 2 * self.unit
        few = wanted - 1
        while few > 0:
            counts = [(n + 1) * few // length - n * few // length for n in range(length)]
            counts = [0] * self.unit + counts
            counters = self.series.counters(self._ill, counts, counts)
            end = (len(counts) - 1) * self.step
            if not self.clock.ever_holds(self._judge(counters), end):
                return self._told_of_few(counters, end)
            few -= max(1, few // 20)
        return None

    def _told_of_few(self, counters: dict[str, Counter], end: int) -> Story | None:
        evaluation = self.clock.evaluation
        unguarded = self._judge(counters, min_events=1)
        try:
            fires_at = self._fires_at(unguarded, 0, end)
        except UnsteadyError:
            return None
        texts = {name: format_samples(counter.values) for name, counter in counters.items()}
        last = end // evaluation * evaluation
        seen: dict[int, Sequence[tuple[Labels, float]]] = {fires_at: (), last: ()}
        return Story(step=self.step, series=texts, seen=seen)

    # --- telling -----------------------------------------------------------------------------

    @property
    def _ill(self) -> Labels:
        return self.series.groups[0]

    def _counters(self, group: Labels, phases: Sequence[Phase]) -> dict[str, Counter]:
        """The counters of a group; at time 0 nothing has happened yet."""
        bad = [0]
        for samples, share in phases:
            bad += [round(share * self.traffic)] * samples
        total = [0] + [self.traffic] * (len(bad) - 1)
        return self.series.counters(group, bad, total)

    def _judge(self, counters: dict[str, Counter], *, min_events: int | None = None) -> BurnJudge:
        least = self.rules.objective.min_events if min_events is None else min_events
        return BurnJudge(
            counted=self.series.counted(counters, self.step),
            long=self.when.long.ms,
            short=self.when.short.ms,
            above=self.threshold,
            min_events=least,
        )

    def _story(self, phases: Sequence[Phase], moments: dict[int, int]) -> Story:
        """The first group goes through the phases, the others are well all the time."""
        well = [(sum(samples for samples, _ in phases), Fraction(0))]
        ill = self._counters(self._ill, phases)
        judge = self._judge(ill)
        counters = dict(ill)
        for group in self.series.groups[1:]:
            counters |= self._counters(group, well)
        seen: dict[int, Sequence[tuple[Labels, float]]] = {}
        for moment, expected in moments.items():
            fires = self.clock.fires(judge, moment)
            if fires is not bool(expected):
                raise UnsteadyError("it fires at another time")
            seen[moment] = ((self._labels(self._ill), self._value(judge, moment)),) if fires else ()
        texts = {name: format_samples(counter.values) for name, counter in counters.items()}
        return Story(step=self.step, series=texts, seen=seen)

    def _labels(self, group: Labels) -> Labels:
        return type(group)({**group, **self.rules.labels})

    def _value(self, judge: BurnJudge, moment: int) -> float:
        exact, possible = judge.values(moment)
        labels = self._labels(self._ill)
        shown = self.printed(labels, exact)
        if any(self.printed(labels, other) != shown for other in possible):
            raise UnsteadyError("it prints with digits that differ")
        return exact
