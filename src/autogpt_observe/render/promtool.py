"""Unit tests of every alert, for ``promtool test rules``.

Raw PromQL brings its tests in the spec; those of typed conditions are derived. Every alert is also
seen where there is no data at all, unless it brings a test named ``no_data`` of its own: silent,
unless it watches for absence, or is the watchdog that always fires.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogpt_observe.errors import ObserveError
from autogpt_observe.names import PromQL, RecordName
from autogpt_observe.promql import metric_names
from autogpt_observe.render.alerts import (
    FOLDER,
    GENERATED,
    RECORDING,
    RECORDING_FILE,
    alert_annotations,
    alert_labels,
    alerts_by_file,
    group_name,
    plain,
)
from autogpt_observe.render.derive import derive_stories
from autogpt_observe.render.derive.burn import burn_clock
from autogpt_observe.render.derive.clock import evaluation_of
from autogpt_observe.render.emit import format_yaml
from autogpt_observe.render.gotemplate import TemplateError, expand
from autogpt_observe.render.slo import group_names, objective_rules, rules_file
from autogpt_observe.render.slo_tests import records_test
from autogpt_observe.spec.expansion import burn_alerts
from autogpt_observe.spec.model import BurnCondition
from autogpt_observe.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.render.derive import Labels, Story
    from autogpt_observe.render.emit import Document
    from autogpt_observe.spec.model import Alert, Firing, RuleTest, Spec

NO_DATA = "no_data"
_ALWAYS = 1.0
"""The value of `vector(1)`, which an alert that always fires is made of."""


def render(spec: Spec) -> Mapping[str, str]:
    """``rules/tests/``: a file for each rule file with alerts, and for each clock of its tests.

    One file has one evaluation interval, and names the rules that its tests are about. Nothing
    without alerts. Raises ObserveError for an alert whose texts can't be worked out in advance.
    """
    own_clock = spec.prometheus.evaluation_interval
    rendered = {}
    for about in (*_alert_files(spec), *_objective_files(spec)):
        for clock, tests in about.tests_by_clock().items():
            document: Document = {
                "rule_files": [f"../{name}" for name in about.rule_files],
                "evaluation_interval": str(clock),
                **({"group_eval_order": about.groups} if about.groups else {}),
                "tests": tests,
            }
            file = about.name if clock == own_clock else f"{about.name}-every-{clock}"
            rendered[f"{FOLDER}/tests/{file}.yml"] = format_yaml(document, header=GENERATED)
    return rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """The tests of some rule files.

    Attributes:
        groups: the order in which promtool evaluates the groups, where one reads another's records;
            without it the order is another one each time.
        tests: with the evaluation interval that each is written for.
    """

    name: str
    rule_files: Sequence[str]
    groups: Sequence[str] = ()
    tests: Sequence[tuple[Duration, Document]]

    def tests_by_clock(self) -> dict[Duration, list[Document]]:
        """The tests by evaluation interval."""
        found: dict[Duration, list[Document]] = {}
        for clock, test in self.tests:
            found.setdefault(clock, []).append(test)
        return found


def _alert_files(spec: Spec) -> Iterator[_About]:
    for stem, alerts in alerts_by_file(spec).items():
        tests = [t for name, a in alerts.items() for t in _Subject(spec, name, a).tests()]
        files, groups = [f"{stem}.rules.yml"], [group_name(spec, stem)]
        if any(_reads_records(spec, alert) for alert in alerts.values()):
            files.append(RECORDING_FILE)
            groups = [group_name(spec, RECORDING), *groups]
        yield _About(name=stem, rule_files=files, groups=groups[1:] and groups, tests=tests)


def _reads_records(spec: Spec, alert: Alert) -> bool:
    """Whether the alert reads recorded series; typed conditions read metrics."""
    if not isinstance(alert.when, PromQL) or not spec.recording_rules:
        return False
    return any(RecordName(token.text) in spec.recording_rules for token in metric_names(alert.when))


def _objective_files(spec: Spec) -> Iterator[_About]:
    for slo, alerts in burn_alerts(spec).items():
        rules = objective_rules(spec, slo, spec.slos[slo], alerts.values())
        if rules is not None:
            tests = [t for name, a in alerts.items() for t in _Subject(spec, name, a).tests()]
            yield _About(
                name=f"slo-{slo}",
                rule_files=[rules_file(slo)],
                groups=group_names(spec, slo),
                tests=[*tests, records_test(rules, alerts)],
            )


@dataclass(frozen=True, slots=True)
class _Subject:
    """The alert under test."""

    spec: Spec
    name: Name
    alert: Alert

    def tests(self) -> Iterator[tuple[Duration, Document]]:
        """Every test of the alert, and the evaluation interval it is written for."""
        own, clock = self.spec.prometheus.evaluation_interval, self._clock
        stories = self._stories()
        for test_name, story in stories.items():
            if test_name not in self.alert.tests:
                yield clock, self._told(test_name, story)
        for name, declared in self.alert.tests.items():
            yield declared.evaluation_interval or own, self._declared(name, declared)
        if NO_DATA not in self.alert.tests and NO_DATA not in stories:
            yield clock, self._no_data()

    @property
    def _clock(self) -> Duration:
        """The evaluation interval of the derived tests: that of the rules, or a coarser one."""
        when = self.alert.when
        if isinstance(when, BurnCondition):
            return burn_clock(self.spec, when)
        return evaluation_of(self.spec, self.alert)

    def _stories(self) -> Mapping[str, Story]:
        def printed(labels: Labels, value: float) -> object:
            return self._alert(labels, value)

        try:
            return derive_stories(self.spec, self.alert, printed=printed)
        except ObserveError as error:
            raise ObserveError(f"alert `{self.name}` can't be tested: {error}") from error

    def _told(self, test_name: str, story: Story) -> Document:
        seen = {
            Duration(moment): [self._alert(labels, value) for labels, value in firing]
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
        evaluation = self._clock
        pending = Duration(self.alert.for_.ms + evaluation.ms)
        seen: list[Document] = [self._alert({}, _ALWAYS)] if self.alert.watchdog else []
        moments: dict[Duration, list[Document]] = {
            Duration(0): [] if self.alert.for_.ms else seen,
            pending: seen,
            Duration(2 * pending.ms): seen,
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
