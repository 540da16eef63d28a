"""The page of one alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.names import (
    ALERT_NAME,
    ENVIRONMENT,
    SERVICE,
    SYNTHETIC_METRICS,
    MetricName,
    PromQL,
    RecordName,
)
from autogpt_observe.render.alerts import FOLDER, GENERATED
from autogpt_observe.render.markdown import (
    bullets,
    code,
    document,
    fenced,
    link,
    numbered,
    prose,
    table,
)
from autogpt_observe.render.reference import FROM_RUNBOOKS
from autogpt_observe.render.runbooks.looks import (
    breakdowns,
    describe_logs,
    describe_panels,
    describe_related,
    prometheus_link,
)
from autogpt_observe.render.runbooks.meaning import describe_alert
from autogpt_observe.render.runbooks.notified import describe_receivers, describe_silencing
from autogpt_observe.spec.model import BurnCondition
from autogpt_observe.spec.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from autogpt_observe.names import Name
    from autogpt_observe.render.runbooks.book import Book
    from autogpt_observe.spec.model import Alert, Expectation, RuleTest

SUMMARY = "summary"
_DESCRIPTION = "description"
_LOOKS = {
    "Break it down": "[Break it down](#break-it-down): is it one instance, one kind, or all?",
    "Dashboards": "Look at the [dashboards](#dashboards): what else changed at that time?",
    "Logs": "Read the [logs](#logs) of that time.",
}
_SILENCE_FOR = "2h"
_UP = "../.."


def render_page(book: Book, name: Name) -> str:
    """The Markdown of an alert's page; sections that have nothing to say are left out."""
    alert = book.spec.alerts[name]
    looks = {
        "Break it down": _breakdowns(book, name),
        "Dashboards": describe_panels(book, name),
        "Logs": describe_logs(book, name),
    }
    sections = {
        "What it means": _meaning(book, alert),
        "The query": _query(book, name),
        "Likely causes": _numbered(book, alert.runbook.causes),
        "First steps": _steps(book, alert, looks),
        **looks,
        "Who is told": describe_receivers(book, name),
        "Silence": describe_silencing(book, name),
        "Related alerts": describe_related(book, name),
        "How it is tested": _tests(alert),
        "Silence it by hand": _silence(book, name),
    }
    return document(
        f"# {name}",
        prose(_annotation(alert, SUMMARY)),
        _facts(book, alert),
        *(f"## {title}\n\n{text}" for title, text in sections.items() if text),
        f"{link('All alerts', 'README.md')}",
        note=GENERATED,
    )


def _facts(book: Book, alert: Alert) -> str:
    service = book.spec.service
    owner = alert.owner if alert.owner is not None else service.owner
    severity = WORDS[type(alert.severity)][alert.severity]
    facts = [
        f"Severity: **{alert.severity}** ({severity[0].lower()}{severity[1:]})",
        f"Owner: {code(owner)}",
        f"Service: {code(service.name)}, {code(service.environment)}",
    ]
    if isinstance(alert.when, BurnCondition):
        facts.append(f"Objective: {code(alert.when.slo)}")
    labels = (f"{code(label)}: {code(text)}" for label, text in alert.labels.items())
    return bullets([*facts, *((f"Labels: {', '.join(labels)}",) if alert.labels else ())])


def _meaning(book: Book, alert: Alert) -> str:
    paragraphs = alert.runbook.meaning.split("\n\n")
    own = "\n\n".join(prose(paragraph, book.pages) for paragraph in paragraphs)
    told = prose(_annotation(alert, _DESCRIPTION)) if not own else ""
    derived = describe_alert(alert, book.spec)
    return "\n\n".join(filter(None, (own, told, derived)))


def _annotation(alert: Alert, wanted: str) -> str:
    return next((text for label, text in alert.annotations.items() if label == wanted), "")


def _query(book: Book, name: Name) -> str:
    expr = book.queries[name]
    run = prometheus_link(book.spec, "Run it in Prometheus", expr)
    return "\n\n".join(filter(None, (fenced(expr, "promql"), f"{run}.", _reads(book, name))))


def _reads(book: Book, name: Name) -> str:
    lines = []
    for series in book.read[name]:
        anchor = book.anchors.get(series)
        if anchor is not None:
            told = prose(_help(book, series))
            linked = link(code(series), f"{FROM_RUNBOOKS}#{anchor}")
            lines.append(f"{linked}: {told}" if told else linked)
        elif series in SYNTHETIC_METRICS:
            lines.append(f"{code(series)}: made by Prometheus itself")
    return f"It reads:\n\n{bullets(lines)}" if lines else ""


def _help(book: Book, series: str) -> str:
    metric = book.spec.metrics.get(MetricName(series))
    if metric is not None:
        return metric.help
    rule = book.spec.recording_rules.get(RecordName(series))
    return rule.help if rule is not None else ""


def _numbered(book: Book, texts: Iterable[str]) -> str:
    return numbered(prose(text, book.pages) for text in texts)


def _steps(book: Book, alert: Alert, looks: Mapping[str, str]) -> str:
    """What the spec says, else the ways to look closer that the page has."""
    if alert.runbook.steps:
        return _numbered(book, alert.runbook.steps)
    steps = ["Run the query: which series are in its result, and since when?"]
    return numbered([*steps, *(_LOOKS[title] for title, text in looks.items() if text)])


def _breakdowns(book: Book, name: Name) -> str:
    queries = (
        f"{prometheus_link(book.spec, f'{code(q.metric)} by {code(q.label)}', q.expr)}:"
        f"\n\n{fenced(q.expr, 'promql')}"
        for q in breakdowns(book, name)
    )
    return "\n\n".join(queries)


def _tests(alert: Alert) -> str:
    waived = (f"{code(id_)} is waived: {prose(why)}" for id_, why in alert.allow.items())
    return "\n\n".join(filter(None, (_unit_tests(alert), bullets(waived))))


def _unit_tests(alert: Alert) -> str:
    where = link(code(f"{FOLDER}/tests/"), f"{_UP}/{FOLDER}/tests/")
    run = f"The unit tests are in {where}; {code('autogpt-observe test')} runs them."
    if not alert.tests and not isinstance(alert.when, PromQL):
        return f"{run} They follow from the condition: they see it fire and stay silent."
    if not alert.tests:
        return f"No test sees it fire. The one in {where} sees what it does without any data."
    rows = [(code(name), _seen(test)) for name, test in alert.tests.items()]
    return f"{run}\n\n{table(('test', 'what is seen'), rows)}"


def _seen(test: RuleTest) -> str:
    return ", ".join(f"{at}: {_outcome(seen)}" for at, seen in test.at.items())


def _outcome(seen: Expectation) -> str:
    if not seen.fires:
        return "silent"
    return "fires" if len(seen.fires) == 1 else f"fires {len(seen.fires)} times"


def _silence(book: Book, name: Name) -> str:
    return "\n\n".join(
        (
            f"For {_SILENCE_FOR}, with the reason in the comment:",
            fenced(" \\\n  ".join(_silence_command(book, name)), "text"),
            *_narrower(book, name),
        )
    )


def _silence_command(book: Book, name: Name) -> Iterator[str]:
    service, known = book.spec.service, book.spec.prometheus.alertmanagers
    yield f"amtool silence add --alertmanager.url=http://{known[0] if known else 'localhost:9093'}"
    yield f"--duration={_SILENCE_FOR} --comment='why it is silenced'"
    matchers = {ALERT_NAME: name, SERVICE: service.name, ENVIRONMENT: service.environment}
    yield " ".join(f"{label}={value}" for label, value in matchers.items())


def _narrower(book: Book, name: Name) -> Iterator[str]:
    by = book.by(name)
    if by:
        each = " ".join(f"{label}=..." for label in by)
        yield f"Add {code(each)} to silence it for one of them only."
