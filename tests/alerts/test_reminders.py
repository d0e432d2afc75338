"""What the author of a silence hears before its end and after."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.message import compose
from alerts.model import Route, Severity, Silence, Why
from alerts.reminders import Hidden, Reminder, due_reminder, reminding
from tests.alerts.samples import LINKS, T0

HOUR = timedelta(hours=1)
HID = [Hidden("f1", 1, "error_rate", Severity.ERROR, "12 % failed", T0)]
EVERYONE = Route(("team",))


def silence(length: timedelta) -> Silence:
    return Silence("s1", {"source": "stripe"}, T0, T0 + length, "ann", "deploy")


@pytest.mark.parametrize(
    ("length", "after", "hid", "warned", "said"),
    [
        (10 * HOUR, 8.9 * HOUR, 0, False, None),
        (10 * HOUR, 9 * HOUR, 0, False, Reminder.ENDS_SOON),
        (10 * HOUR, 9 * HOUR, 3, True, None),
        (240 * HOUR, 238 * HOUR, 0, False, None),
        (240 * HOUR, 239 * HOUR, 0, False, Reminder.ENDS_SOON),
        (HOUR / 3, HOUR / 3.1, 1, False, None),
        (HOUR / 3, HOUR / 3, 1, False, Reminder.HAS_ENDED),
        (10 * HOUR, 10 * HOUR, 1, True, Reminder.HAS_ENDED),
        (10 * HOUR, 10 * HOUR, 0, True, None),
    ],
)
def test_author_is_reminded_before_a_long_one_ends_and_told_what_any_hid(
    length: timedelta, after: timedelta, hid: int, warned: bool, said: Reminder | None
) -> None:
    assert due_reminder(silence(length), hid, T0 + after, warned=warned) is said


def test_reminder_names_author_silence_end_and_what_it_hid() -> None:
    [told] = reminding(silence(10 * HOUR), Reminder.ENDS_SOON, HID, [EVERYONE], T0 + 9 * HOUR)
    assert (told.channel, told.reason) == ("team", Why.REMINDER)
    said = told.alert.evidence.summary
    assert said.startswith('ann: the silence of source=stripe ("deploy") ends in 1 h, at ')
    assert said.endswith("It hid 1 alert (error_rate)")


def test_both_reminders_of_a_silence_differ_in_key() -> None:
    keys = {
        reminding(silence(HOUR), reminder, HID, [EVERYONE], T0)[0].key
        for reminder in (Reminder.ENDS_SOON, Reminder.HAS_ENDED)
    }
    assert len(keys) == 2


def test_reminder_goes_where_the_least_severe_alert_of_the_kind_would() -> None:
    pager = Route(("pager",), Severity.CRITICAL)
    orum = Route(("orum",), matchers={"source": "orum"})
    team = Route(("team",), Severity.WARNING)
    channels = [
        one.channel for one in reminding(silence(HOUR), Reminder.HAS_ENDED, HID, [pager, orum, team], T0)
    ]
    assert channels == ["team"]
    assert reminding(silence(HOUR), Reminder.HAS_ENDED, HID, [orum], T0) == []


def test_reminder_links_to_the_list_as_it_has_no_alert_of_its_own() -> None:
    [told] = reminding(silence(HOUR), Reminder.HAS_ENDED, HID, [EVERYONE], T0)
    message = compose(told, LINKS)
    assert (message.title, message.url) == (
        "Reminder: silence at stripe",
        "https://monitor.example/hooks/alerts",
    )
    assert message.acknowledge_url == message.silence_url == ""
