from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.escalation import elapsed_since
from alerts.lifecycle import Move
from alerts.model import (
    Ack,
    Alert,
    Change,
    Delivery,
    ErrorCount,
    Evidence,
    Notification,
    Severity,
    State,
    Transition,
    Why,
    fingerprint_of,
)
from alerts.notifier import Delivered, GivenUp, Retry, apart, key_of
from monitor.errors import LeaseLost
from monitor.store.control import Control
from tests.control import lead
from tests.monitor.clocks import START, FakeClock

LABELS = {"environment": "production", "source": "stripe", "endpoint": "payments"}


def firing(rule: str = "error_rate", episode: int = 1, labels: dict[str, str] | None = None) -> Alert:
    labels = LABELS if labels is None else labels
    return Alert(
        fingerprint=fingerprint_of(rule, labels),
        rule=rule,
        kind="error_rate",
        severity=Severity.ERROR,
        labels=labels,
        state=State.FIRING,
        since=START,
        last_evaluated_at=START,
        evidence=Evidence("too many errors", 0.2, 0.05, "share", top_errors=(ErrorCount("KeyError", 3),)),
        firing_since=START,
        revision=1,
        episode=episode,
    )


def transition(alert: Alert, before: State = State.INACTIVE) -> Transition:
    return Transition(
        alert.fingerprint,
        alert.revision,
        before,
        alert.state,
        alert.severity,
        alert.since,
        Change.BREACH_STARTED,
        alert.evidence.summary,
    )


def notification(alert: Alert, channel: str = "slack", reason: Why = Why.FIRING) -> Notification:
    return Notification(key_of(alert, channel, reason), channel, reason, alert, START)


def resolved(alert: Alert) -> Alert:
    return replace(alert, state=State.RESOLVED, resolved_at=START, revision=alert.revision + 1)


def test_an_alert_comes_back_as_it_was_stored(control: Control, epoch: int) -> None:
    alert = firing()

    control.alerts.apply(epoch, alert, [transition(alert)], [notification(alert)])

    assert control.alerts.get(alert.fingerprint) == alert
    assert control.alerts.transitions(alert.fingerprint) == [transition(alert)]
    assert [row.notification for row in control.notifications.of_alert(alert.fingerprint)] == [
        notification(alert)
    ]


def test_alert_transition_and_notification_commit_together_or_not_at_all(
    control: Control, epoch: int
) -> None:
    lead(control, "another")
    alert = firing()

    with pytest.raises(LeaseLost):
        control.alerts.apply(epoch, alert, [transition(alert)], [notification(alert)])

    assert control.alerts.get(alert.fingerprint) is None
    assert control.notifications.due(START, 10) == []


def test_applying_the_same_round_twice_tells_nobody_twice(control: Control, epoch: int) -> None:
    alert = firing()

    for _ in range(2):
        control.alerts.apply(epoch, alert, [transition(alert)], [notification(alert)])

    assert len(control.alerts.transitions(alert.fingerprint)) == 1
    assert len(control.notifications.due(START, 10)) == 1


def test_a_round_that_began_before_an_acknowledgement_does_not_undo_it(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [])
    ack = Ack("ada", START, "on it")
    with control.write() as tx:
        assert control.alerts.acknowledge(tx, alert.fingerprint, ack)

    control.alerts.apply(epoch, replace(alert, last_evaluated_at=START + timedelta(minutes=1)), [], [])

    found = control.alerts.get(alert.fingerprint)
    assert found is not None
    assert found.ack == ack


def test_an_acknowledgement_ends_with_its_firing(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [])
    with control.write() as tx:
        control.alerts.acknowledge(tx, alert.fingerprint, Ack("ada", START))

    control.alerts.apply(epoch, resolved(alert), [], [])
    control.alerts.apply(epoch, replace(firing(episode=2), revision=3), [], [])

    found = control.alerts.get(alert.fingerprint)
    assert found is not None
    assert found.ack is None


def test_only_a_firing_alert_can_be_acknowledged(control: Control, epoch: int) -> None:
    alert = resolved(firing())
    control.alerts.apply(epoch, alert, [], [])

    with control.write() as tx:
        assert not control.alerts.acknowledge(tx, alert.fingerprint, Ack("ada", START))


def test_the_evaluator_is_given_active_named_and_half_told_alerts_and_no_others(
    control: Control, epoch: int
) -> None:
    active, named, half_told, done = (firing(rule) for rule in ("active", "named", "half_told", "done"))
    control.alerts.apply(epoch, active, [], [])
    control.alerts.apply(epoch, resolved(named), [], [])
    control.alerts.apply(epoch, resolved(half_told), [], [notification(half_told)])
    closing = notification(resolved(done), reason=Why.RESOLVED)
    control.alerts.apply(epoch, resolved(done), [], [notification(done), closing])

    found = control.book.alerts([named.fingerprint, "unknown"])

    assert set(found) == {active.fingerprint, named.fingerprint, half_told.fingerprint}


def test_a_round_is_committed_whole(control: Control, epoch: int) -> None:
    one, two = firing("one"), firing("two")

    control.book.commit([Move(None, one, transition(one)), Move(None, two, None)], [notification(one)], epoch)

    assert {alert.rule for alert in control.alerts.active()} == {"one", "two"}
    assert control.book.tellings([one, two])[one.fingerprint][0].channel == "slack"


def test_tellings_are_of_the_current_episode_alone(control: Control, epoch: int) -> None:
    first, second = firing(), firing(episode=2)
    control.alerts.apply(epoch, first, [], [notification(first)])

    assert control.notifications.tellings([second]) == {}


def test_longest_recipient_of_the_longest_channel_is_kept(control: Control, epoch: int) -> None:
    long = apart(notification(firing(), "c" * 64), "a" * 488 + "@example.com")  # RFC 5321: a command of 512
    assert control.notifications.add([long], epoch) == 1


def test_what_told_of_a_firing_is_kept_while_it_fires_however_long(control: Control, epoch: int) -> None:
    lasting, over = firing("lasting"), firing("over")
    for alert in (lasting, resolved(over)):
        first, again = notification(alert), notification(alert, reason=Why.REPEAT)
        control.alerts.apply(epoch, alert, [], [first, again])
        control.notifications.settle(
            dict.fromkeys((first.key, again.key), Delivered(Receipt())), START, [], epoch
        )

    assert control.notifications.purge(START + timedelta(days=90), epoch) == 3

    told = control.notifications.tellings([lasting, over])
    assert [telling.reason for telling in told[lasting.fingerprint]] == [Why.FIRING]
    assert over.fingerprint not in told


def test_repeats_of_a_day_are_read_as_one_and_decide_the_same(control: Control, epoch: int) -> None:
    alert = firing()
    hours = [timedelta(hours=hour) for hour in range(1, 25)]
    repeats = [
        replace(notification(alert, reason=Why.REPEAT), key=str(h), created_at=START + h) for h in hours
    ]
    for one in [notification(alert), *repeats]:
        control.notifications.add([one], epoch)
        control.notifications.settle({one.key: Delivered(Receipt())}, START, [], epoch)

    first, rest = control.notifications.tellings([alert])[alert.fingerprint]

    assert (first.reason, first.created_at, first.times) == (Why.FIRING, START, 1)
    assert (rest.reason, rest.created_at, rest.times) == (Why.REPEAT, START + hours[-1], 24)


def test_latest_telling_is_the_latest_of_them_whatever_the_clock_did(control: Control, epoch: int) -> None:
    alert, hour = firing(), timedelta(hours=1)
    ahead = replace(alert, jumped=2 * hour)
    early, late = (replace(notification(alert, reason=Why.REPEAT), key=key) for key in "ab")
    early = replace(early, alert=ahead, created_at=START + 3 * hour)
    late = replace(late, created_at=START + 2 * hour)
    control.notifications.add([early, late], epoch)

    [telling] = control.notifications.tellings([alert])[alert.fingerprint]

    assert elapsed_since(telling, alert, START + 3 * hour) == hour


def test_pages_of_alerts_neither_skip_nor_repeat(control: Control, epoch: int) -> None:
    made = [replace(firing(f"rule {n}"), since=START + timedelta(seconds=n // 2)) for n in range(7)]
    for alert in made:
        control.alerts.apply(epoch, alert, [], [])

    found: list[Alert] = []
    before = None
    while page := control.alerts.page([State.FIRING], 2, before):
        found += page
        before = (page[-1].since, page[-1].fingerprint)

    assert sorted(alert.rule for alert in found) == sorted(alert.rule for alert in made)
    assert [alert.since for alert in found] == sorted((alert.since for alert in made), reverse=True)


def test_counts_of_an_environment_include_alerts_about_the_monitor_itself(
    control: Control, epoch: int
) -> None:
    for alert in (firing(), firing("blind", labels={}), firing("staging", labels={"environment": "staging"})):
        control.alerts.apply(epoch, alert, [], [])

    assert control.alerts.counts("production")[State.FIRING] == 2
    assert control.alerts.counts()[State.FIRING] == 3


def test_of_two_claims_one_sends_until_the_claim_runs_out(
    control: Control, epoch: int, clock: FakeClock
) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    key, until = notification(alert).key, clock.now() + timedelta(minutes=2)

    assert control.notifications.claim([key], until, epoch)
    assert not control.notifications.claim([key], until, epoch)
    assert control.notifications.due(clock.now(), 10) == []

    clock.move(timedelta(minutes=2))
    assert len(control.notifications.due(clock.now(), 10)) == 1
    assert control.notifications.claim([key], clock.now() + timedelta(minutes=2), epoch)


def test_a_claim_under_a_past_epoch_is_refused(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    lead(control, "another")

    with pytest.raises(LeaseLost):
        control.notifications.claim([notification(alert).key], START, epoch)


def test_a_delivered_notification_keeps_its_receipt_and_never_changes_again(
    control: Control, epoch: int
) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    key = notification(alert).key

    control.notifications.settle({key: Delivered(Receipt("ts-1"))}, START, [], epoch)
    late = GivenUp(ChannelError(Failure.TIMEOUT, "too late", retryable=False))
    control.notifications.settle({key: late}, START, [], epoch)

    row = control.notifications.of_alert(alert.fingerprint)[0]
    assert (row.delivery, row.reference, row.settled_at) == (Delivery.DELIVERED, "ts-1", START)


def test_a_retry_waits_for_its_time_and_counts(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    later = START + timedelta(seconds=30)
    error = ChannelError(Failure.SERVER_ERROR, "slack answered 500", retryable=True)

    control.notifications.settle({notification(alert).key: Retry(later, error)}, START, [], epoch)

    assert control.notifications.due(START, 10) == []
    assert [waiting.tries for waiting in control.notifications.due(later, 10)] == [1]


def test_giving_up_is_visible_and_hands_over_to_the_fallback_at_once(control: Control, epoch: int) -> None:
    alert = firing()
    fallback = notification(alert, "email", Why.FALLBACK)
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    error = ChannelError(Failure.CLIENT_ERROR, "no such channel", retryable=False)

    control.notifications.settle({notification(alert).key: GivenUp(error)}, START, [fallback], epoch)

    assert [waiting.notification for waiting in control.notifications.due(START, 10)] == [fallback]
    assert control.notifications.counts()[Delivery.GIVEN_UP] == 1
    given_up = control.notifications.tellings([alert])[alert.fingerprint]
    assert {telling.delivery for telling in given_up} == {Delivery.GIVEN_UP, Delivery.DUE}


def test_purging_forgets_ended_alerts_with_their_moves_and_keeps_active_ones(
    control: Control, epoch: int
) -> None:
    old, live = firing("old"), firing("live")
    control.alerts.apply(epoch, resolved(old), [transition(old)], [])
    control.alerts.apply(epoch, live, [transition(live)], [])

    assert control.alerts.purge(START + timedelta(days=1), epoch) == 1

    assert control.alerts.get(old.fingerprint) is None
    assert control.alerts.transitions(old.fingerprint) == []
    assert control.alerts.get(live.fingerprint) == live


def later(of: Notification, by: timedelta) -> Notification:
    return replace(of, created_at=of.created_at + by)


def test_channel_of_which_something_is_due_is_given_whole_and_in_order(
    control: Control, epoch: int, clock: FakeClock
) -> None:
    one, other, third = (firing(rule) for rule in ("one", "other", "third"))
    for number, alert in enumerate((one, other, third)):
        told = later(notification(alert), number * timedelta(minutes=1))
        control.alerts.apply(epoch, alert, [], [told, notification(alert, "email")])
    clock.move(timedelta(minutes=5))
    now = clock.now()
    error = ChannelError(Failure.SERVER_ERROR, "down", retryable=True)
    patient = {notification(one).key: Retry(now + timedelta(minutes=9), error)}
    control.notifications.settle(patient, now, [], epoch)
    control.notifications.postpone(
        [notification(a, "email").key for a in (one, other, third)], now + timedelta(minutes=9), epoch
    )

    due = control.notifications.due(now, 10)

    assert [(waiting.notification.alert.rule, waiting.is_due) for waiting in due] == [
        ("one", False),
        ("other", True),
        ("third", True),
    ]


def test_group_remembers_when_its_channel_last_took_a_message(control: Control, epoch: int) -> None:
    here, there = firing(), firing(labels={**LABELS, "endpoint": "refunds"})
    elsewhere = firing(labels={**LABELS, "source": "orum"})
    for alert in (here, there, elsewhere):
        control.alerts.apply(epoch, alert, [], [notification(alert)])
    assert control.notifications.last_sent_at(notification(there)) is None

    taken = {notification(here).key: Delivered(Receipt("ts-1"))}
    control.notifications.settle(taken, START, [], epoch)

    assert control.notifications.last_sent_at(notification(there)) == START
    assert control.notifications.last_sent_at(notification(there, "email")) is None
    assert control.notifications.last_sent_at(notification(elsewhere)) is None


def test_what_opened_a_thread_is_known_by_the_reference_of_its_receipt(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    end = notification(resolved(alert), reason=Why.RESOLVED)
    assert control.notifications.opened_as(end) == ""

    control.notifications.settle({notification(alert).key: Delivered(Receipt("ts-1"))}, START, [], epoch)

    assert control.notifications.opened_as(end) == "ts-1"
    assert control.notifications.opened_as(replace(end, channel="email")) == ""


def test_clock_that_was_put_back_makes_due_what_it_overtook(
    control: Control, epoch: int, clock: FakeClock
) -> None:
    alert = firing()
    ahead = later(notification(alert), timedelta(minutes=50))
    control.alerts.apply(epoch, alert, [], [ahead, notification(alert, "email")])
    until = START + timedelta(minutes=52)
    assert control.notifications.claim([ahead.key], until, epoch)
    assert [waiting.notification.channel for waiting in control.notifications.due(START, 10)] == ["email"]

    assert control.notifications.hasten(START, epoch) == 1

    due = control.notifications.due(START, 10)
    assert {waiting.notification.channel for waiting in due} == {"slack", "email"}


def test_an_acknowledgement_comes_back_with_its_end(control: Control, epoch: int) -> None:
    alert, ack = firing(), Ack("ada", START, "on it", START + timedelta(hours=2))
    control.alerts.apply(epoch, alert, [], [])
    with control.write() as tx:
        assert control.alerts.acknowledge(tx, alert.fingerprint, ack)

    found = control.alerts.get(alert.fingerprint)

    assert found is not None
    assert found.ack == ack
