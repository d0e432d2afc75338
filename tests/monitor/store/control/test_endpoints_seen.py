"""What was seen at endpoints, who answers for their checklists, and what is overdue, on both databases."""

from dataclasses import replace
from datetime import timedelta

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.model import Delivery, Notification, Why
from alerts.notifier import Delivered, GivenUp
from alerts.sightings import Aspect, Sighting
from monitor.checklist import Attestation
from monitor.model import SeriesKey
from monitor.store.control import Control
from monitor.store.control.sightings import SightingFilter, key_of
from tests.alerts.samples import alert
from tests.facts import NOON

PLACE = SeriesKey("production", "stripe", "payments")
HOUR = timedelta(hours=1)
SEEN = Sighting(Aspect.FIELD, "livemode", NOON - HOUR, NOON, "e" * 256)


def test_a_value_keeps_its_first_time_and_sample_and_its_last_time(control: Control, epoch: int) -> None:
    later = replace(SEEN, first_at=NOON, last_at=NOON + HOUR, sample="evt_2")
    other = replace(SEEN, aspect=Aspect.TYPE)

    assert control.sightings.note([(PLACE, SEEN), (PLACE, later), (PLACE, other)], epoch) == 2
    found = {one.aspect: one for one in control.sightings.all()[PLACE]}
    assert found[Aspect.FIELD] == replace(SEEN, last_at=NOON + HOUR)
    assert control.sightings.purge(NOON + HOUR, epoch) == 1


def test_the_newest_are_a_page_of_one_endpoint_and_the_next_goes_on_below(
    control: Control, epoch: int
) -> None:
    elsewhere = replace(PLACE, endpoint="refunds")
    values = [replace(SEEN, value=f"field {number}") for number in range(3)]
    newest = replace(SEEN, aspect=Aspect.TYPE, first_at=NOON)
    control.sightings.note([(PLACE, newest), (elsewhere, SEEN), *((PLACE, one) for one in values)], epoch)
    wanted = SightingFilter("production", "stripe", "payments")

    first = control.sightings.page(wanted, 2)
    below = first[-1][1].first_at, key_of(*first[-1])
    rest = control.sightings.page(wanted, 10, below)

    assert [one for _, one in [*first, *rest]] == [newest, *values]
    assert control.sightings.page(SightingFilter(endpoint="refunds", aspect=Aspect.FIELD), 10) == [
        (elsewhere, SEEN)
    ]


def test_the_latest_word_on_an_item_stands_for_its_endpoint_alone(control: Control) -> None:
    first = Attestation("orum.load", "ada", NOON, "once", NOON + HOUR)
    with control.write() as tx:
        control.attestations.put(tx, PLACE, first)
        control.attestations.put(tx, PLACE, replace(first, by="eve", note="twice"))
    assert control.attestations.of(PLACE) == {"orum.load": replace(first, by="eve", note="twice")}
    assert control.attestations.of(replace(PLACE, endpoint="other")) == {}


def test_a_word_is_taken_back_once_and_of_its_item_alone(control: Control) -> None:
    first = Attestation("orum.load", "ada", NOON, "once", NOON + HOUR)
    with control.write() as tx:
        control.attestations.put(tx, PLACE, first)
        control.attestations.put(tx, PLACE, replace(first, item="orum.database"))
    with control.write() as tx:
        taken = [control.attestations.withdraw(tx, PLACE, "orum.load") for _ in range(2)]
    assert taken == [True, False]
    assert list(control.attestations.of(PLACE)) == ["orum.database"]


def test_what_is_overdue_is_counted_by_channel(control: Control, epoch: int) -> None:
    told = [
        Notification(key, channel, Why.FIRING, alert(), NOON - hours * HOUR)
        for key, channel, hours in (("a", "chat", 1), ("b", "chat", 3), ("c", "mail", 2))
    ]
    control.notifications.add(told, epoch)
    control.notifications.postpone(["c"], NOON + HOUR, epoch)
    assert control.notifications.overdue(NOON) == [("chat", 2, NOON - 3 * HOUR)]


def test_the_newest_message_that_a_channel_settled_is_found(control: Control, epoch: int) -> None:
    old, new, waiting, other = (
        Notification(key, channel, Why.DRILL, alert(), NOON - hours * HOUR)
        for key, channel, hours in (("a", "mail", 3), ("b", "mail", 2), ("c", "mail", 1), ("d", "chat", 1))
    )
    control.notifications.add([old, new, waiting, other], epoch)
    refused = GivenUp(ChannelError(Failure.SETTINGS, "550 unknown", retryable=False))
    control.notifications.settle({"a": Delivered(Receipt()), "b": refused}, NOON, [], epoch)

    found = control.notifications.last_settled("mail", NOON - 9 * HOUR)
    assert found is not None
    assert (found.notification.key, found.delivery, found.error) == ("b", Delivery.GIVEN_UP, "550 unknown")
    assert control.notifications.last_settled("mail", NOON - HOUR) is None
    assert control.notifications.last_settled("chat", NOON - 9 * HOUR) is None


def test_when_an_act_was_last_done_to_a_subject_is_found(control: Control) -> None:
    with control.write() as tx:
        for hours, action, subject in ((3, "test", "mail"), (2, "test", "mail"), (1, "apply", "mail")):
            control.audit.append(tx, NOON - hours * HOUR, "ada", "admin", "cli", action, subject, {})
    assert control.audit.last_at("test", "mail") == NOON - 2 * HOUR
    assert control.audit.last_at("test", "chat") is None
