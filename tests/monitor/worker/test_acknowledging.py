"""Somebody acknowledged an alert: services that keep incidents hear of it, once an episode."""

from dataclasses import replace
from datetime import timedelta

from alerts.channels.channel import Channel, Receipt
from alerts.message import Message
from alerts.model import Ack, Alert, Delivery, Notification, State, Why
from monitor.worker.acknowledging import PassingOn
from tests.alerts.samples import T0, alert
from tests.monitor.worker.books import Entry, FakeChannel, MemoryBook


class Pager:
    """A service that keeps incidents."""

    name = "pager"
    acknowledges = True

    def send(self, message: Message) -> Receipt:
        return Receipt()


ACKED = replace(alert(), ack=Ack("ann", T0))


def world(of: Alert, *told: Entry) -> tuple[MemoryBook, PassingOn]:
    book = MemoryBook()
    book.stored = {of.fingerprint: of}
    book.entries = {entry.notification.key: entry for entry in told}
    channels: dict[str, Channel] = {"pager": Pager(), "chat": FakeChannel("chat")}
    return book, PassingOn(book, book, lambda: channels, lambda: T0 + timedelta(minutes=1))


def told(channel: str, of: Alert = ACKED, delivery: Delivery = Delivery.DELIVERED) -> Entry:
    return Entry(Notification(f"{channel}{of.episode}", channel, Why.FIRING, of, T0), delivery)


def passed_on(book: MemoryBook) -> list[tuple[str, int]]:
    reasons = [entry.notification for entry in book.entries.values()]
    return [(one.channel, one.alert.episode) for one in reasons if one.reason is Why.ACKNOWLEDGED]


def test_acknowledgement_is_passed_on_once_to_the_channel_that_was_told() -> None:
    book, job = world(ACKED, told("pager"), told("chat"))
    assert job.run(1) == "1 acknowledgements passed on"
    assert job.run(1) == ""
    assert passed_on(book) == [("pager", 1)]


def test_next_episode_is_passed_on_anew() -> None:
    again = replace(ACKED, episode=2)
    book, job = world(ACKED, told("pager"))
    job.run(1)
    book.stored = {again.fingerprint: again}
    book.entries["pager2"] = told("pager", again)
    job.run(1)
    assert passed_on(book) == [("pager", 1), ("pager", 2)]


def test_nothing_is_passed_on_of_what_nobody_took_on_nobody_was_told_of_or_is_over() -> None:
    for of, entry in (
        (alert(), told("pager", alert())),
        (ACKED, told("pager", delivery=Delivery.DUE)),
        (replace(ACKED, state=State.RESOLVED), told("pager")),
        (replace(ACKED, ack=Ack("ann", T0, until=T0)), told("pager")),
    ):
        book, job = world(of, entry)
        assert job.run(1) == ""
        assert passed_on(book) == []
