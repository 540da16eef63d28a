"""Who is told of an alert, when it is silent, and what it silences: said in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.render.markdown import bullets, code, codes, link
from autogpt_observe.spec.routing import (
    STANDARD_LABELS,
    conditions_of,
    find_stops,
    fixed_labels,
    routing_labels,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogpt_observe.names import Name
    from autogpt_observe.render.runbooks.book import Book
    from autogpt_observe.spec.inhibition import Silencing
    from autogpt_observe.spec.model import Notifications, Route, TimeInterval
    from autogpt_observe.spec.routing import Stop

_ALL_DAYS = "every day"


def describe_receivers(book: Book, name: Name) -> str:
    """Every receiver that can be told, and what that depends on."""
    notifications = book.spec.notifications
    if notifications is None:
        return "The spec declares no `notifications`: who is told is settled elsewhere."
    ways = _ways(book, name, notifications)
    fixed = fixed_labels(book.spec, name, book.spec.alerts[name])
    lines = []
    stops = {(stop.path, stop.receiver): stop for way in ways for stop in way}
    for stop in sorted(stops.values(), key=lambda stop: not stop.path):  # the default comes last
        always = all(stop in way for way in ways)
        depends = "" if always else _depends(stop, notifications, fixed)
        lines.append(f"{_receiver(stop.receiver, notifications)}{depends}{_silent(stop)}")
    times = _intervals(ways, notifications)
    return f"{bullets(lines)}\n\nWhere these times are:\n\n{times}" if times else bullets(lines)


def _ways(book: Book, name: Name, notifications: Notifications) -> list[tuple[Stop, ...]]:
    alert = book.spec.alerts[name]
    sets = routing_labels(book.spec, name, alert, book.mentioned)
    return [find_stops(notifications, labels) for labels in sets]


def _receiver(name: Name, notifications: Notifications) -> str:
    receiver = notifications.receivers.get(name)
    if receiver is None:
        return code(name)
    ways = {
        "webhook": receiver.webhook,
        "Slack": receiver.slack,
        "PagerDuty": receiver.pagerduty,
        "Opsgenie": receiver.opsgenie,
        "e-mail": receiver.email,
    }
    used = ", ".join(word for word, way in ways.items() if way is not None)
    return f"{code(name)} ({used})" if used else code(name)


def _depends(stop: Stop, notifications: Notifications, fixed: Mapping[str, str]) -> str:
    """What the labels that are known only when it fires must be."""
    open_: dict[str, tuple[str, ...]] = {}
    routes: Mapping[Name, Route] = notifications.routes
    for step in stop.path:
        asked = conditions_of(routes[step]).items()
        open_ |= {label: values for label, values in asked if label not in fixed}
        routes = routes[step].routes
    if not open_:
        return ", for all others"
    said = " and ".join(f"{code(name)} is {codes(open_[name], last='or')}" for name in open_)
    return f", where {said}"


def _silent(stop: Stop) -> str:
    if stop.route is None:
        return ""
    said = f"; route {code(' / '.join(stop.path))}"
    if stop.route.active:
        said += f"; only during {codes(stop.route.active, last='or')}"
    if stop.route.mute:
        said += f"; not during {codes(stop.route.mute, last='or')}"
    return said


def _intervals(ways: list[tuple[Stop, ...]], notifications: Notifications) -> str:
    """The time intervals that decide whether one of the receivers is told, as a list."""
    routes = [stop.route for way in ways for stop in way if stop.route is not None]
    named = dict.fromkeys(name for route in routes for name in (*route.active, *route.mute))
    known = notifications.time_intervals
    return bullets(f"{code(n)}: {_times(known[n])}" for n in named if n in known)


def _times(interval: TimeInterval) -> str:
    days = ", ".join(interval.weekdays) or _ALL_DAYS
    times = f", {', '.join(interval.times)}" if interval.times else ""
    return f"{days}{times} ({interval.timezone})"


def describe_silencing(book: Book, name: Name) -> str:
    """Which alerts it silences and which silence it; empty where there are none."""
    silenced = [
        f"While it fires, {page_link(one.target)} is silent{_same(one)}."
        for one in book.silences.get(name, ())
    ]
    silent = [
        f"It is silent while {page_link(one.source)} fires{_same(one)}."
        for one in book.silenced.get(name, ())
    ]
    return bullets([*silenced, *silent])


def _same(one: Silencing) -> str:
    own = [label for label in one.equal if label not in STANDARD_LABELS]
    return f" for the same {codes(own)}" if own else ""


def page_link(name: str) -> str:
    """A link from one page to another."""
    return link(code(name), f"{name}.md")
