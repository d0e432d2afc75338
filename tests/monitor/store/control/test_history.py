"""The history of alerts in one line of time, on either database."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.channels.channel import Receipt
from alerts.model import Alert, Why
from alerts.notifier import Delivered
from monitor.store.control import Control
from monitor.store.control.engine import write
from monitor.store.control.history import Entry, Line, Wanted
from monitor.store.control.schema import alert, notification
from monitor.store.control.schema import transition as transitions
from tests.control import lead
from tests.monitor.clocks import START
from tests.monitor.store.control.test_alerts import firing, resolved, transition
from tests.monitor.store.control.test_alerts import notification as told

MINUTE = timedelta(minutes=1)


def lived(control: Control, epoch: int, one: Alert, minutes: int) -> None:
    """It fires, two channels are told, and it ends `minutes` later."""
    control.alerts.apply(epoch, one, [transition(one)], [told(one), told(one, "email")])
    over = replace(resolved(one), since=one.since + minutes * MINUTE)
    end = replace(told(over, reason=Why.RESOLVED), created_at=over.since)
    control.alerts.apply(epoch, over, [transition(over, one.state)], [end])


def test_every_transition_and_notification_is_a_line_newest_first(control: Control, epoch: int) -> None:
    one = firing()
    lived(control, epoch, one, 5)
    key = told(one).key
    control.notifications.settle({key: Delivered(Receipt("ts-1"))}, START + MINUTE, [], epoch)

    found = control.history.page(Wanted(), 10)

    assert [(line.at - START, line.entry, line.reason, line.channel) for line in found[:2]] == [
        (5 * MINUTE, Entry.NOTIFICATION, "resolved", "slack"),
        (5 * MINUTE, Entry.TRANSITION, "breach_started", None),
    ]
    assert sorted(line.channel or "" for line in found[2:]) == ["", "email", "slack"]
    [delivered] = [line for line in found if line.reference]
    assert (delivered.delivery, delivered.settled_at, delivered.rule) == (
        "delivered",
        START + MINUTE,
        "error_rate",
    )


def test_lines_are_chosen_by_time_rule_alert_and_sort(control: Control, epoch: int) -> None:
    lived(control, epoch, firing(), 5)
    lived(control, epoch, firing("queue_depth"), 9)

    def chosen(wanted: Wanted) -> list[Line]:
        return control.history.page(wanted, 100)

    assert len(chosen(Wanted())) == 10
    assert {line.rule for line in chosen(Wanted(rule="queue_depth"))} == {"queue_depth"}
    assert len(chosen(Wanted(rule="queue_depth"))) == 5
    assert len(chosen(Wanted(fingerprint=firing().fingerprint))) == 5
    assert len(chosen(Wanted(entry=Entry.TRANSITION))) == 4
    assert len(chosen(Wanted(since=START + MINUTE))) == 4
    assert len(chosen(Wanted(since=START + MINUTE, until=START + 9 * MINUTE))) == 2
    assert chosen(Wanted(since=START + 10 * MINUTE)) == []


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.integers(0, 2), min_size=1, max_size=8), st.integers(1, 7))
def test_pages_put_together_are_the_whole_without_gap_or_repeat(
    file_control: Control, lengths: list[int], size: int
) -> None:
    epoch = lead(file_control)
    with write(file_control.engine) as tx:
        for table in (transitions, notification, alert):
            tx.execute(table.delete())
    for number, minutes in enumerate(lengths):
        lived(file_control, epoch, firing(f"rule{number}"), minutes)

    whole = file_control.history.page(Wanted(), 1000)
    wanted, paged = Wanted(), []
    while page := file_control.history.page(wanted, size):
        paged += page
        wanted = Wanted(below=(page[-1].at, page[-1].key))

    assert paged == whole
    assert len({line.key for line in whole}) == len(whole) == 5 * len(lengths)
    assert list(file_control.history.lines(Wanted())) == whole
