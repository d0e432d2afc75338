"""Who is told what and when, and what becomes of one sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.message import Message
from alerts.model import (
    Ack,
    Alert,
    Delivery,
    Notification,
    Route,
    Severity,
    Silence,
    State,
    Telling,
    Why,
)
from alerts.notifier import (
    Attempted,
    Delivered,
    Due,
    GivenUp,
    Retry,
    Turn,
    deliver,
    due,
    handed_over,
    trial,
    turn,
)
from tests.alerts.samples import T0, alert, every, message, notification, told

HOUR = timedelta(hours=1)
BOTH = [Route(("slack", "email"))]
SILENCED = [Silence("s1", {"source": "stripe"}, T0, T0 + 100 * HOUR)]


def asked(
    of: Alert,
    before: Sequence[Telling] = (),
    *,
    routes: Sequence[Route] = BOTH,
    silences: Sequence[Silence] = (),
    others: Sequence[Alert] = (),
    now: datetime = T0,
) -> Due:
    return due(of, routes=routes, silences=silences, others=others, told=before, now=now)


def due_to(found: Due) -> dict[str, Why]:
    return {item.channel: item.reason for item in found.notifications}


def as_told(found: Due, delivery: Delivery = Delivery.DELIVERED) -> list[Telling]:
    """What the outbox remembers of the notifications once they are stored."""
    return [
        Telling(
            item.alert.fingerprint,
            item.alert.episode,
            item.channel,
            item.reason,
            item.alert.severity,
            item.created_at,
            delivery,
        )
        for item in found.notifications
    ]


def resolved() -> Alert:
    return alert(state=State.RESOLVED)


def test_firing_alert_is_told_to_each_of_its_channels_once() -> None:
    first = asked(alert())
    assert due_to(first) == {"slack": Why.FIRING, "email": Why.FIRING}
    second = asked(alert(), as_told(first), now=T0 + HOUR)
    assert (second.notifications, second.why) == (
        (),
        {"slack": Why.ALREADY_TOLD, "email": Why.ALREADY_TOLD},
    )


@pytest.mark.parametrize("state", [State.INACTIVE, State.PENDING])
def test_alert_that_does_not_fire_is_told_to_nobody(state: State) -> None:
    assert asked(alert(state=state)) == Due(why={"": Why.NOT_FIRING})


def test_end_is_told_to_the_channels_that_heard_of_the_firing_and_to_no_other() -> None:
    found = asked(resolved(), [told(alert(), "slack")], routes=[Route(("slack", "email", "pager"))])
    assert due_to(found) == {"slack": Why.RESOLVED}


def test_end_is_told_although_the_alert_is_silenced_or_its_route_is_gone() -> None:
    before = [told(alert(), "slack")]
    assert due_to(asked(resolved(), before, silences=SILENCED)) == {"slack": Why.RESOLVED}
    assert due_to(asked(resolved(), before, routes=[])) == {"slack": Why.RESOLVED}


def test_end_is_due_as_soon_as_it_comes_to_a_channel_that_may_yet_hear_of_the_firing() -> None:
    waiting = [told(alert(), "slack", delivery=Delivery.DUE)]
    assert due_to(asked(resolved(), waiting)) == {"slack": Why.RESOLVED}


def test_end_of_an_alert_that_nobody_heard_of_is_told_to_nobody() -> None:
    assert asked(resolved()) == Due(why={"": Why.NEVER_TOLD})


def test_end_is_told_once() -> None:
    before = [told(alert(), "slack"), told(alert(), "slack", Why.RESOLVED)]
    assert asked(resolved(), before).why == {"slack": Why.ALREADY_TOLD}


def test_tellings_of_an_earlier_episode_do_not_count() -> None:
    earlier = [told(alert(), "slack"), told(alert(), "slack", Why.RESOLVED)]
    assert due_to(asked(alert(episode=2), earlier))["slack"] is Why.FIRING
    assert asked(alert(episode=2, state=State.RESOLVED), earlier).why == {"": Why.NEVER_TOLD}


def test_silenced_alert_is_told_when_the_silence_ends_while_it_fires() -> None:
    quiet = asked(alert(), silences=SILENCED)
    assert (quiet.notifications, quiet.why, quiet.muted_by) == ((), {"": Why.SILENCED}, "silence:s1")
    assert due_to(asked(alert(), silences=SILENCED, now=T0 + 100 * HOUR))["slack"] is Why.FIRING


def test_consequence_of_a_downtime_is_told_when_it_outlives_the_downtime() -> None:
    down = alert("endpoint_down", severity=Severity.CRITICAL)
    hidden = asked(alert(), others=[down])
    assert (hidden.notifications, hidden.muted_by) == ((), f"alert:{down.fingerprint}")
    assert hidden.why == {"": Why.INHIBITED}
    over = replace(down, state=State.RESOLVED)
    assert due_to(asked(alert(), others=[over]))["slack"] is Why.FIRING


def test_alert_without_a_route_says_so() -> None:
    only_critical = [Route(("pager",), min_severity=Severity.CRITICAL)]
    assert asked(alert(), routes=only_critical).why == {"": Why.NO_ROUTE}


def test_each_severity_step_is_told_once() -> None:
    steps = [Severity.INFO, Severity.WARNING, Severity.INFO, Severity.WARNING, Severity.CRITICAL]
    before: list[Telling] = []
    seen = []
    for severity in steps:
        found = asked(alert(severity=severity), before, routes=[Route(("slack",))])
        before += as_told(found)
        seen.append(found.why["slack"])
    assert seen == [
        Why.FIRING,
        Why.SEVERITY_RAISED,
        Why.ALREADY_TOLD,
        Why.ALREADY_TOLD,
        Why.SEVERITY_RAISED,
    ]


def test_channel_that_only_a_raised_severity_reaches_hears_of_the_firing_anew() -> None:
    routes = [Route(("slack",)), Route(("pager",), min_severity=Severity.CRITICAL)]
    before = [told(alert(), "slack")]
    found = asked(alert(severity=Severity.CRITICAL), before, routes=routes)
    assert due_to(found) == {"slack": Why.SEVERITY_RAISED, "pager": Why.FIRING}


def test_firing_is_repeated_at_its_interval_until_somebody_takes_it_on() -> None:
    routes = [Route(("slack",), repeat=every(HOUR))]
    before = [told(alert(), "slack")]
    early = asked(alert(), before, routes=routes, now=T0 + HOUR - timedelta(seconds=1))
    assert early.why == {"slack": Why.ALREADY_TOLD}
    again = asked(alert(), before, routes=routes, now=T0 + HOUR)
    assert due_to(again) == {"slack": Why.REPEAT}
    before += as_told(again)
    third = asked(alert(), before, routes=routes, now=T0 + 2 * HOUR)
    assert due_to(third) == {"slack": Why.REPEAT}
    assert third.notifications[0].key != again.notifications[0].key
    taken = alert(ack=Ack("ann", T0))
    assert asked(taken, before, routes=routes, now=T0 + 9 * HOUR).why == {"slack": Why.ACKNOWLEDGED}


def test_acknowledged_alert_that_gets_worse_is_told_again() -> None:
    worse = alert(severity=Severity.CRITICAL, ack=Ack("ann", T0))
    assert asked(worse, [told(alert(), "slack")], routes=[Route(("slack",))]).why == {
        "slack": Why.SEVERITY_RAISED
    }


def test_key_is_the_same_however_often_it_is_worked_out_and_differs_between_tellings() -> None:
    once, twice = asked(alert()), asked(alert(revision=9), now=T0 + HOUR)
    assert [item.key for item in once.notifications] == [item.key for item in twice.notifications]
    others = [
        *once.notifications,
        *asked(alert(episode=2)).notifications,
        *asked(alert("queue_depth")).notifications,
        *asked(resolved(), as_told(once)).notifications,
        *asked(alert(severity=Severity.CRITICAL), as_told(once)).notifications,
    ]
    assert len({item.key for item in others}) == len(others) == 10


def test_repeats_go_on_after_the_earliest_are_no_longer_kept() -> None:
    first = told(alert(), "slack")
    repeats = [told(alert(), "slack", Why.REPEAT, created_at=T0 + hour * HOUR) for hour in range(1, 4)]
    known = [[first, *repeats[:2]], [first, *repeats[1:]]]  # the second time without the earliest repeat
    routes = [Route(("slack",), repeat=every(HOUR))]
    found = [asked(alert(), some, routes=routes, now=T0 + 9 * HOUR).notifications for some in known]
    assert [one.reason for [one] in found] == [Why.REPEAT, Why.REPEAT]
    assert len({one.key for [one] in found}) == 2


def test_fallback_takes_over_what_was_given_up() -> None:
    [lost] = asked(alert(), routes=[Route(("slack",), fallback="email")]).notifications
    [taken] = handed_over(lost, [told(alert(), "slack", delivery=Delivery.GIVEN_UP)], T0)
    assert (taken.channel, taken.reason, taken.alert, taken.fallback) == (
        "email",
        Why.FALLBACK,
        lost.alert,
        None,
    )


def test_what_is_over_when_it_is_given_up_is_handed_over_with_its_end() -> None:
    [lost] = asked(alert(), routes=[Route(("slack",), fallback="email")]).notifications
    ended = told(alert(), "slack", Why.RESOLVED, Delivery.DUE, created_at=T0 + HOUR)
    taken = handed_over(lost, [told(alert(), "slack"), ended], T0 + 2 * HOUR)
    assert [(one.channel, one.reason, one.alert.resolved_at) for one in taken] == [
        ("email", Why.FALLBACK, None),
        ("email", Why.RESOLVED, T0 + HOUR),
    ]


def test_fallback_that_is_told_anyway_is_not_told_twice() -> None:
    [lost] = asked(alert(), routes=[Route(("slack",), fallback="email")]).notifications
    assert handed_over(lost, [told(alert(), "email")], T0) == []


def test_nothing_takes_over_without_a_fallback_or_for_an_end() -> None:
    [lost] = asked(alert(), routes=[Route(("slack",))]).notifications
    assert handed_over(lost, [], T0) == []
    assert handed_over(replace(lost, fallback="email", reason=Why.RESOLVED), [], T0) == []


def test_channel_is_no_fallback_of_itself() -> None:
    [only] = asked(alert(), routes=[Route(("slack",), fallback="slack")]).notifications
    assert only.fallback is None


def test_end_is_told_to_the_fallback_that_was_told_instead() -> None:
    before = [
        told(alert(), "slack", delivery=Delivery.GIVEN_UP),
        told(alert(), "email", Why.FALLBACK),
    ]
    assert due_to(asked(resolved(), before, routes=[Route(("slack",))]))["email"] is Why.RESOLVED


@pytest.mark.parametrize(
    ("openings", "expected"),
    [
        ([Delivery.DELIVERED], Turn.SEND),
        ([Delivery.DUE], Turn.WAIT),
        ([Delivery.DELIVERED, Delivery.DUE], Turn.WAIT),
        ([Delivery.GIVEN_UP], Turn.DROP),
        ([Delivery.GIVEN_UP, Delivery.DELIVERED], Turn.SEND),
        ([], Turn.DROP),
    ],
)
def test_end_waits_for_its_firing_and_falls_with_it(openings: list[Delivery], expected: Turn) -> None:
    before = [told(alert(), "slack", delivery=delivery) for delivery in openings]
    before += [told(alert(), "email", delivery=Delivery.DELIVERED)]
    assert turn(notification(resolved(), Why.RESOLVED, "slack"), before) is expected


def test_firing_waits_for_nothing() -> None:
    assert turn(notification(channel="slack"), [told(alert(), "slack", delivery=Delivery.DUE)]) is Turn.SEND


class Service:
    """A channel whose service fails with the given errors, in order, and then works."""

    name = "slack"

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.taken: list[Message] = []

    def send(self, message: Message) -> Receipt:
        if self._errors:
            raise self._errors.pop(0)
        self.taken.append(message)
        return Receipt("ref")


def passing(retry_after_s: float | None = None) -> ChannelError:
    return ChannelError(Failure.SERVER_ERROR, "HTTP 503", retryable=True, retry_after_s=retry_after_s)


def tried(service: Service, of: Notification | None = None, tries: int = 0, now: datetime = T0) -> Attempted:
    return deliver(of or notification(), service, message(), tries=tries, now=now, random=lambda: 1.0)


def test_taken_message_is_delivered_with_its_receipt() -> None:
    service = Service()
    assert tried(service) == Delivered(Receipt("ref"))
    assert service.taken == [message()]


def test_passing_failure_is_tried_again_later_and_later() -> None:
    waits = []
    for tries in range(3):
        outcome = tried(Service(passing()), tries=tries)
        assert isinstance(outcome, Retry)
        waits.append((outcome.at - T0).total_seconds())
    assert waits == [5, 10, 20]


def test_service_that_asks_for_time_gets_it() -> None:
    outcome = tried(Service(passing(retry_after_s=120)))
    assert isinstance(outcome, Retry)
    assert outcome.at == T0 + timedelta(seconds=120)


def test_lasting_failure_is_given_up_at_once() -> None:
    gone = ChannelError(Failure.CLIENT_ERROR, "HTTP 404", retryable=False)
    outcome = tried(Service(gone))
    assert isinstance(outcome, GivenUp)
    assert outcome.error is gone


def test_passing_failure_is_given_up_after_a_day_or_sooner_with_a_fallback() -> None:
    later = T0 + timedelta(minutes=6)
    assert isinstance(tried(Service(passing()), now=later), Retry)
    backed = replace(notification(), fallback="email")
    assert isinstance(tried(Service(passing()), backed, now=later), GivenUp)
    assert isinstance(tried(Service(passing()), now=T0 + timedelta(days=1)), GivenUp)


def test_unforeseen_fault_of_a_channel_is_retried_and_its_text_is_not_shown() -> None:
    outcome = tried(Service(ZeroDivisionError("password hunter2")))
    assert isinstance(outcome, Retry)
    assert outcome.error.reason is Failure.UNEXPECTED
    assert str(outcome.error) == "channel slack failed: ZeroDivisionError"


def test_trial_says_that_nothing_is_wrong_and_each_one_is_new() -> None:
    first, second = trial("slack", T0), trial("slack", T0 + timedelta(seconds=1))
    assert first.reason is Why.TEST
    assert "Nothing is wrong" in first.alert.evidence.summary
    assert first.key != second.key
