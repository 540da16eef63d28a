"""Who is told: receivers, the tree of routes, and when they are silent."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from autogpt_observe.names import (
    ClockRange,
    EmailAddress,
    FilePath,
    GroupLabel,
    HostPort,
    LabelName,
    Name,
    Url,
)
from autogpt_observe.spec.keys import key, part
from autogpt_observe.spec.model.alerts import Severity
from autogpt_observe.units import Duration


@part
class Webhook:
    """A webhook receiver.

    Exactly one of `url` and `url_file` is given.
    """

    EXACTLY_ONE: ClassVar[tuple[str, ...]] = ("url", "url_file")

    url: Url | None = key("Where Alertmanager posts the notification", default=None)
    url_file: FilePath | None = key(
        "File on Alertmanager's disk with that address, where it holds a secret", default=None
    )
    credentials_file: FilePath | None = key(
        "File on Alertmanager's disk with the bearer token to send", default=None
    )
    send_resolved: bool = key("Tell when the alert resolves", default=True)


@part
class Slack:
    """A Slack channel, by an incoming webhook."""

    channel: str = key("Channel or user", example="'#agents'")
    api_url_file: FilePath = key("File on Alertmanager's disk with the webhook's secret address")
    send_resolved: bool = key("Tell when the alert resolves", default=True)


@part
class PagerDuty:
    """A PagerDuty service, by the Events API v2."""

    routing_key_file: FilePath = key("File on Alertmanager's disk with the integration key")
    url: Url | None = key("The events API, if not that of the US region", default=None)
    send_resolved: bool = key("Tell when the alert resolves", default=True)


@part
class Opsgenie:
    """An Opsgenie integration."""

    api_key_file: FilePath = key("File on Alertmanager's disk with the API key")
    api_url: Url | None = key("The API, if not that of the US region", default=None)
    send_resolved: bool = key("Tell when the alert resolves", default=True)


@part
class Email:
    """E-mail by SMTP."""

    to: tuple[EmailAddress, ...] = key("Who gets it")
    from_: EmailAddress = key("Who sends it")
    smarthost: HostPort = key("The SMTP server", example="'smtp.example.com:587'")
    username: str | None = key("Who logs in; nobody unless given", default=None)
    password_file: FilePath | None = key(
        "File on Alertmanager's disk with the password", default=None
    )
    send_resolved: bool = key("Tell when the alert resolves", default=False)


@part
class Receiver:
    """Where notifications go: one or more ways."""

    webhook: Webhook | None = key("An HTTP endpoint", default=None)
    slack: Slack | None = key("A Slack channel", default=None)
    pagerduty: PagerDuty | None = key("A PagerDuty service", default=None)
    opsgenie: Opsgenie | None = key("An Opsgenie integration", default=None)
    email: Email | None = key("E-mail", default=None)


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


@part
class TimeInterval:
    """Times of the week, in one time zone."""

    weekdays: tuple[Weekday, ...] = key("Days of the week; all unless given", default=())
    times: tuple[ClockRange, ...] = key(
        "Times of these days, each `HH:MM-HH:MM`; whole days unless given", default=()
    )
    timezone: str = key("Time zone, such as `Europe/Berlin`", default="UTC")


@part
class Route:
    """Alerts that go to a receiver of their own."""

    receiver: Name = key("Name of a declared receiver")
    severity: tuple[Severity, ...] = key("Severities it takes; all unless given", default=())
    owner: tuple[Name, ...] = key("Owners it takes; all unless given", default=())
    labels: Mapping[LabelName, tuple[str, ...]] = key(
        "For each further label, the values it takes", default={}
    )
    group_by: tuple[GroupLabel, ...] | None = key("As above it unless given", default=None)
    group_wait: Duration | None = key("As above it unless given", default=None)
    group_interval: Duration | None = key("As above it unless given", default=None)
    repeat_interval: Duration | None = key("As above it unless given", default=None)
    active: tuple[Name, ...] = key(
        "Time intervals outside which it is silent; routes below it have their own", default=()
    )
    mute: tuple[Name, ...] = key(
        "Time intervals in which it is silent; routes below it have their own", default=()
    )
    continue_: bool = key("Go on to the next route as well", default=False)
    routes: Mapping[Name, Route] = key(
        "Routes below it, for some of its alerts; the first that fits wins", default={}
    )


@part
class Notifications:
    """Who is told, how alerts are grouped and how often they repeat."""

    receivers: Mapping[Name, Receiver] = key("The receivers by name")
    default: Name = key("The receiver of alerts that no route takes")
    group_by: tuple[GroupLabel, ...] = key(
        "Labels: alerts that agree in them share one notification; `...` for all of them",
        default=(GroupLabel("alertname"), GroupLabel("service")),
    )
    group_wait: Duration = key("Wait for more alerts of a new group", default=Duration(30_000))
    group_interval: Duration = key(
        "Time between notifications of a group that changed", default=Duration(300_000)
    )
    repeat_interval: Duration = key(
        "Time before an unchanged notification repeats", default=Duration(4 * 3_600_000)
    )
    routes: Mapping[Name, Route] = key("Routes in order; the first that fits wins", default={})
    time_intervals: Mapping[Name, TimeInterval] = key("Times that routes refer to", default={})
    silence_milder: bool = key(
        "An alert silences milder ones about the same thing: an objective's ticket while its page"
        " fires, or the same condition with a lower limit",
        default=True,
    )
