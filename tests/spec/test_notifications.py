"""Secrets that stray into `notifications`, and the weeks that time intervals leave to routes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_reading import found_after_small

from autogpt_observe.names import ClockRange, Name
from autogpt_observe.spec.checks.intervals import is_never_heard
from autogpt_observe.spec.model import Route, TimeInterval, Weekday

KEY = "0123456789abcdef0123456789abcdef"
HOOK = f"https://hooks.slack.com/services/T0/B0/{KEY}"
STRAYED = (
    f"{{pagerduty: {{routing_key_file: {KEY}}}}}",
    f"{{pagerduty: {{routing_key_file: '{KEY}'}}}}",
    f"{{pagerduty: {{routing_key: {KEY}}}}}",
    f"{{opsgenie: {{api_key_file: {KEY}}}}}",
    f"{{opsgenie: {{api_key: {KEY}}}}}",
    f"{{slack: {{channel: '#a', api_url_file: '{HOOK}'}}}}",
    f"{{slack: {{channel: '#a', api_url_file: 'https://chat.example/{KEY}'}}}}",
    f"{{slack: {{channel: '#a', api_url: '{HOOK}'}}}}",
    f"{{webhook: {{url: '{HOOK}'}}}}",
    f"{{webhook: {{url: 'https://discord.com/api/webhooks/1/{KEY}'}}}}",
    f"{{webhook: {{url: 'https://acme.webhook.office.com/webhookb2/{KEY}'}}}}",
    f"{{webhook: {{url: 'https://api.telegram.org/bot1:{KEY}/sendMessage'}}}}",
    f"{{webhook: {{url: 'https://events.pagerduty.com/integration/{KEY}/enqueue'}}}}",
    f"{{webhook: {{url: 'https://chat.example/hook?key={KEY}'}}}}",
    f"{{webhook: {{url: 'https://user:{KEY}@chat.example/'}}}}",
    f"{{webhook: {{url_file: 'https://chat.example/{KEY}'}}}}",
    f"{{webhook: {{url: 'http://a', credentials_file: {KEY}}}}}",
    f"{{webhook: {{url: 'http://a', credentials: {KEY}}}}}",
    f"{{email: {{to: [a@b], from: a@b, smarthost: 'b:587', password_file: {KEY}}}}}",
    f"{{email: {{to: [a@b], from: a@b, smarthost: 'b:587', password: {KEY}}}}}",
)


@pytest.mark.parametrize("receiver", STRAYED)
@pytest.mark.parametrize("layout", ["{{team: {receiver}}}", "\n    team: {receiver}"])
def test_a_secret_is_refused_and_not_shown(layout: str, receiver: str) -> None:
    receivers = layout.format(receiver=receiver)
    said = found_after_small(f"notifications:\n  default: team\n  receivers: {receivers}\n")
    assert ": error: " in said
    assert KEY[:8] not in said


def test_a_wrong_path_is_shown() -> None:
    said = found_after_small("""\
        notifications:
          default: team
          receivers: {team: {opsgenie: {api_key_file: secrets/opsgenie}}}
        """)
    assert said.splitlines()[1].endswith("{team: {opsgenie: {api_key_file: secrets/opsgenie}}}")
    assert re.search(r"expected an absolute path such as `\S+`, got another text", said)


# --- the minutes of the week -----------------------------------------------------------------

CLOCKS = ("00:00-24:00", "00:00-12:00", "12:00-24:00", "06:00-18:00", "12:00-12:01")


def intervals() -> st.SearchStrategy[TimeInterval]:
    days = st.lists(st.sampled_from(tuple(Weekday)), max_size=7).map(tuple)
    times = st.lists(st.sampled_from(CLOCKS).map(ClockRange), max_size=2).map(tuple)
    return st.builds(TimeInterval, weekdays=days, times=times)


def covers(interval: TimeInterval, day: Weekday, clock: str) -> bool:
    on_day = not interval.weekdays or day in interval.weekdays
    ranges = (times.split("-") for times in interval.times)
    return on_day and (not interval.times or any(a <= clock < b for a, b in ranges))


@given(st.lists(intervals(), max_size=3), st.lists(intervals(), max_size=3))
def test_a_route_is_never_heard_when_no_minute_is_left(
    active: list[TimeInterval], mute: list[TimeInterval]
) -> None:
    """Every range here starts and ends at one of these times, so they stand for all minutes."""
    clocks = ("00:00", "06:00", "12:00", "12:01", "18:00", "23:59")
    heard = any(
        (not active or any(covers(one, day, clock) for one in active))
        and not any(covers(one, day, clock) for one in mute)
        for day in Weekday
        for clock in clocks
    )
    named = {Name(f"a{n}"): one for n, one in enumerate(active)}
    muted = {Name(f"m{n}"): one for n, one in enumerate(mute)}
    route = Route(receiver=Name("r"), active=tuple(named), mute=tuple(muted))
    assert is_never_heard(route, named | muted) is not heard


def test_time_zones_are_not_held_against_each_other() -> None:
    office = TimeInterval(times=(ClockRange("09:00-17:00"),))
    tokyo = TimeInterval(times=office.times, timezone="Asia/Tokyo")
    always = TimeInterval(timezone="Asia/Tokyo")
    named = {Name("office"): office, Name("tokyo"): tokyo, Name("always"): always}
    heard = Route(receiver=Name("r"), active=(Name("office"),), mute=(Name("tokyo"),))
    silent = Route(receiver=Name("r"), active=(Name("office"),), mute=(Name("always"),))
    assert (is_never_heard(heard, named), is_never_heard(silent, named)) == (False, True)
