"""Unit tests of every alert, for ``promtool test rules``.

Raw PromQL brings its tests in the spec; those of typed conditions are derived. Every alert is also
seen silent where there is no data at all, unless it brings a test named ``no_data`` of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import PromQL
from autogpt_observe.render.alerts import (
    ALERTS_FILE,
    FOLDER,
    GENERATED,
    RECORDING_FILE,
    alert_annotations,
    alert_labels,
    plain,
)
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.render.gotemplate import TemplateError, expand
from autogpt_observe.render.ratio_tests import Story, derive_tests
from autogpt_observe.spec.model import Firing, RatioCondition, RuleTest
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.render.emit import Document
    from autogpt_observe.render.ratio_series import Labels
    from autogpt_observe.spec.model import Alert, Spec

NO_DATA = "no_data"


def render(spec: Spec) -> Mapping[str, str]:
    """``rules/tests/alerts.yml``, and a file for each other clock that tests were written for.

    One file has one evaluation interval. Nothing without alerts. Raises ObserveError for an alert
    whose texts can't be worked out in advance.
    """
    if not spec.alerts:
        return {}
    files = [ALERTS_FILE, *([RECORDING_FILE] if spec.recording_rules else [])]
    own_clock = spec.prometheus.evaluation_interval
    by_clock: dict[Duration, list[Document]] = {}
    for name, alert in spec.alerts.items():
        for clock, test in _Subject(spec, name, alert).tests():
            by_clock.setdefault(clock, []).append(test)
    rendered = {}
    for clock, tests in by_clock.items():
        document: Document = {
            "rule_files": [f"../{name}" for name in files],
            "evaluation_interval": str(clock),
            "tests": tests,
        }
        file = "alerts" if clock == own_clock else f"alerts-every-{clock}"
        rendered[f"{FOLDER}/tests/{file}.yml"] = format_yaml(document, header=GENERATED)
    return rendered


@dataclass(frozen=True, slots=True)
class _Subject:
    """The alert under test."""

    spec: Spec
    name: Name
    alert: Alert

    def tests(self) -> Iterator[tuple[Duration, Document]]:
        """Every test of the alert, and the evaluation interval it is written for."""
        clock = self.spec.prometheus.evaluation_interval
        when = self.alert.when
        match when:
            case PromQL():
                pass
            case RatioCondition():
                for test in self._derived(when):
                    yield clock, test
            case _:
                assert_never(when)
        for name, declared in self.alert.tests.items():
            yield declared.evaluation_interval or clock, self._declared(name, declared)
        if NO_DATA not in self.alert.tests:
            yield clock, self._no_data()

    def _derived(self, when: RatioCondition) -> Iterator[Document]:
        def printed(labels: Labels, share: float) -> object:
            return self._alert(labels, share)

        try:
            stories = derive_tests(self.spec, self.alert, when, printed=printed)
        except ObserveError as error:
            raise ObserveError(f"alert `{self.name}` can't be tested: {error}") from error
        for test_name, story in stories.items():
            if test_name not in self.alert.tests:
                yield self._told(test_name, story)

    def _told(self, test_name: str, story: Story) -> Document:
        seen = {
            Duration(moment): [self._alert(labels, share) for labels, share in firing]
            for moment, firing in story.seen.items()
        }
        return self._test(test_name, Duration(story.step), story.series, seen)

    def _declared(self, test_name: Name, test: RuleTest) -> Document:
        try:
            seen = {
                moment: [self._firing(firing) for firing in expected.fires]
                for moment, expected in sorted(test.at.items())
            }
        except ObserveError as error:
            place = f"alert `{self.name}`, test `{test_name}`"
            raise ObserveError(f"{place}: {error}") from error
        interval = test.interval or self.spec.prometheus.scrape_interval
        return self._test(test_name, interval, test.series, seen)

    def _no_data(self) -> Document:
        evaluation = self.spec.prometheus.evaluation_interval
        pending = Duration(self.alert.for_.ms + evaluation.ms)
        moments: dict[Duration, list[Document]] = {
            Duration(0): [],
            pending: [],
            Duration(2 * pending.ms): [],
        }
        return self._test(NO_DATA, evaluation, {}, moments)

    def _test(
        self,
        test_name: str,
        interval: Duration,
        series: Mapping[str, str],
        seen: Mapping[Duration, Sequence[Document]],
    ) -> Document:
        return {
            "name": f"{self.name}/{test_name}",
            "interval": str(interval),
            "input_series": [{"series": s, "values": values} for s, values in series.items()],
            "alert_rule_test": [
                {"eval_time": str(moment), "alertname": self.name, "exp_alerts": alerts}
                for moment, alerts in seen.items()
            ],
        }

    def _firing(self, firing: Firing) -> Document:
        try:
            value = None if firing.value is None else float(firing.value)
        except ValueError:
            raise ObserveError(f"the value `{firing.value}` is no number") from None
        try:
            return self._alert(plain(firing.labels), value, known=plain(firing.annotations))
        except TemplateError as error:
            fix = "give the firing alert its `value`, or the rendered texts as `annotations`"
            raise TemplateError(f"{error}; {fix}") from error

    def _alert(
        self,
        labels: Mapping[str, str],
        value: float | None,
        *,
        known: Mapping[str, str] | None = None,
    ) -> Document:
        """The alert as promtool compares it: all labels, all texts filled in."""
        known = known or {}
        texts = alert_annotations(self.spec, self.name, self.alert)
        own = alert_labels(self.spec, self.alert)
        return {
            "exp_labels": {
                **labels,
                **{label: self._filled(label, text, labels, value) for label, text in own.items()},
            },
            "exp_annotations": {
                name: known[name] if name in known else self._filled(name, text, labels, value)
                for name, text in texts.items()
            },
        }

    def _filled(
        self, name: str, template: str, labels: Mapping[str, str], value: float | None
    ) -> str:
        if "{{" not in template:
            return template
        try:
            return expand(template, value=value, labels=labels)
        except TemplateError as error:
            raise TemplateError(f"{error}, in `{name}`") from error
