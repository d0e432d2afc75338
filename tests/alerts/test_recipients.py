"""Who of a channel's recipients is told apart, and what they have heard so far."""

from __future__ import annotations

import pytest

from alerts.message import Links
from alerts.model import Delivery, Why
from alerts.notifier import Turn, apart, turn
from alerts.permits import Act, Permits
from alerts.recipients import split_name, told_apart
from tests.alerts.samples import alert, notification, told

BOB = "bob@example.com"
FIRING, END = notification(channel="mail"), notification(reason=Why.RESOLVED, channel="mail")
BOBS_END = apart(END, BOB)
TAKEN = told(alert(), "mail")


@pytest.mark.parametrize("name", ["mail", "mail for the night", "", " for ", f" for {BOB}"])
def test_any_other_name_is_a_whole_channel(name: str) -> None:
    assert split_name(name) == (name, "")


def test_message_apart_is_one_of_its_own_for_that_recipient_alone() -> None:
    assert split_name(apart(FIRING, BOB).channel) == ("mail", BOB)
    assert len({FIRING.key, END.key, apart(FIRING, BOB).key, BOBS_END.key}) == 4
    assert apart(FIRING, BOB) == apart(FIRING, BOB)


def test_one_who_waits_is_left_out_until_told_and_of_the_end_for_good() -> None:
    for delivery, left_out in (
        (Delivery.DUE, {BOB}),
        (Delivery.DELIVERED, set[str]()),
        (Delivery.GIVEN_UP, set[str]()),
    ):
        known = [TAKEN, told(alert(), BOBS_END.channel, delivery=delivery)]
        assert told_apart(FIRING, known) == left_out
        assert told_apart(END, known) == {BOB}


def test_another_firing_or_channel_leaves_nobody_out() -> None:
    waits = told(alert(), BOBS_END.channel, delivery=Delivery.DUE)
    assert told_apart(notification(alert(episode=2), channel="mail"), [waits]) == frozenset()
    assert told_apart(notification(channel="post"), [waits]) == frozenset()


@pytest.mark.parametrize(
    ("alone", "whole", "expected"),
    [
        ([Delivery.DELIVERED], [Delivery.DELIVERED], Turn.SEND),
        ([Delivery.DUE], [Delivery.DELIVERED], Turn.WAIT),
        ([Delivery.GIVEN_UP], [Delivery.DELIVERED], Turn.DROP),
        ([], [Delivery.DELIVERED], Turn.SEND),
        ([Delivery.GIVEN_UP], [Delivery.DELIVERED, Delivery.DELIVERED], Turn.SEND),
        ([Delivery.DELIVERED], [Delivery.DELIVERED, Delivery.DUE], Turn.WAIT),
    ],
)
def test_end_for_one_follows_what_that_one_has_heard(
    alone: list[Delivery], whole: list[Delivery], expected: Turn
) -> None:
    known = [told(alert(), BOBS_END.channel, delivery=one) for one in alone]
    known += [told(alert(), "mail", delivery=one) for one in whole]
    assert turn(BOBS_END, known) is expected


def test_links_are_those_of_the_whole_channel() -> None:
    links = Links("https://monitor.example", Permits(b"k" * 32))
    assert links.act(Act.SILENCE, apart(FIRING, BOB)) == links.act(Act.SILENCE, FIRING)
