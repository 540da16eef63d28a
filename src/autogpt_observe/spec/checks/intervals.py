"""Checks of time intervals, and the minutes of the week that they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autogpt_observe.diagnostics import did_you_mean, suggest
from autogpt_observe.spec.model import Weekday
from autogpt_observe.spec.routing import route_path, walk_routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autogpt_observe.names import Name
    from autogpt_observe.spec.checks.context import Context, Path
    from autogpt_observe.spec.model import Notifications, Route, TimeInterval

_DAY = 24 * 60
_WHOLE_WEEK = (1 << 7 * _DAY) - 1


def check_intervals(context: Context, notifications: Notifications) -> None:
    """Check that every interval is declared, used, and in a time zone that there is."""
    known = tuple(notifications.time_intervals)
    named: set[str] = set()
    for names, route in walk_routes(notifications.routes):
        for key, intervals in (("active", route.active), ("mute", route.mute)):
            for index, wanted in enumerate(intervals):
                named.add(wanted)
                if wanted not in known:
                    message = f"there is no time interval `{wanted}`"
                    path: Path = (*route_path(names), key, index)
                    fix = did_you_mean(wanted, known)
                    context.error("notify/interval", message, path, fix=fix)
    for name, interval in notifications.time_intervals.items():
        place = ("notifications", "time_intervals", name)
        _check_zone(context, interval.timezone, (*place, "timezone"))
        if name not in named and named <= set(known):  # with a slip, the one meant seems unused
            message = f"no route refers to the time interval `{name}`"
            fix = "name it under `active` or `mute` of a route, or remove it"
            context.warn("notify/unused", message, place, fix=fix)


def _check_zone(context: Context, name: str, path: Path) -> None:
    if name == "UTC":
        return
    import zoneinfo  # noqa: PLC0415 - takes 20 ms, and most specs name no zone

    known = sorted(zoneinfo.available_timezones())
    if not known or name in known:  # a machine without time zones can't tell
        return
    near = suggest(name, known)
    fix = f"did you mean `{near}`?" if near else "write one such as `Europe/Berlin`"
    message = f"there is no time zone `{name}`"
    context.error("notify/interval", message, path, fix=fix)


def is_never_heard(route: Route, intervals: Mapping[Name, TimeInterval]) -> bool:
    """Whether the route's own times leave it no minute of the week to tell anybody.

    Intervals in different time zones are not held against each other: how they lie to each other
    changes over the year.
    """
    active = _minutes(route.active, intervals)
    muted = _minutes(route.mute, intervals)
    if any(minutes == _WHOLE_WEEK for minutes in muted.values()):
        return True
    if not route.active:
        return False
    if len({*active, *muted}) > 1:
        return not any(active.values())
    return not any(minutes & ~muted.get(zone, 0) for zone, minutes in active.items())


def _minutes(names: Sequence[Name], intervals: Mapping[Name, TimeInterval]) -> dict[str, int]:
    """For each time zone, the minutes of its week that the intervals cover: a bit for each."""
    covered: dict[str, int] = {}
    for interval in (intervals[name] for name in names if name in intervals):
        days = interval.weekdays or tuple(Weekday)
        for day in days:
            start = tuple(Weekday).index(day) * _DAY
            for first, last in _ranges(interval):
                bits = ((1 << last - first) - 1) << start + first
                covered[interval.timezone] = covered.get(interval.timezone, 0) | bits
    return covered


def _ranges(interval: TimeInterval) -> list[tuple[int, int]]:
    """The stretches of a day, in minutes from midnight, ends excluded."""
    if not interval.times:
        return [(0, _DAY)]
    halves = (clock.split("-") for clock in interval.times)
    return [(_minute(start), _minute(end)) for start, end in halves]


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
