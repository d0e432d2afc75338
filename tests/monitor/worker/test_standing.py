"""What fires is said again to a service that would forget it, and to no other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.message import Links, Message
from alerts.model import Alert, Delivery, Notification, State, Why
from monitor.worker.standing import Standing
from tests.alerts.samples import T0, alert
from tests.monitor.worker.books import Entry, FakeChannel, MemoryBook


@dataclass(slots=True)
class FakeForgetful:
    """Keeps what it is told again."""

    name: str
    broken: bool = False
    refreshed: list[Sequence[Message]] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        return Receipt()

    def refresh(self, messages: Sequence[Message]) -> None:
        if self.broken:
            raise ChannelError(Failure.SERVER_ERROR, f"channel {self.name}: down", retryable=True)
        self.refreshed.append(messages)


def told(of: Alert, channel: str, delivery: Delivery = Delivery.DELIVERED) -> Entry:
    return Entry(Notification(f"{of.fingerprint}{channel}", channel, Why.FIRING, of, T0), delivery)


def standing(book: MemoryBook, *channels: FakeForgetful | FakeChannel) -> Standing:
    named = {channel.name: channel for channel in channels}
    return Standing(book, lambda: named, Links("https://monitor.example"), lambda: T0)


def book_of(*entries: Entry) -> MemoryBook:
    book = MemoryBook()
    book.stored = {entry.notification.alert.fingerprint: entry.notification.alert for entry in entries}
    book.entries = {entry.notification.key: entry for entry in entries}
    return book


def test_what_fires_and_was_told_there_is_said_again() -> None:
    first, second = alert(endpoint="a"), alert(endpoint="b")
    over, unheard = alert(endpoint="c", state=State.RESOLVED), alert(endpoint="d")
    am, chat = FakeForgetful("am"), FakeChannel("chat")
    book = book_of(told(first, "am"), told(second, "am"), told(over, "am"), told(unheard, "am", Delivery.DUE))
    assert standing(book, am, chat).run(1) == ""
    [messages] = am.refreshed
    assert [message.alert.labels["endpoint"] for message in messages] == ["a", "b"]
    assert chat.sent == []


def test_next_episode_is_said_again_only_once_it_was_told() -> None:
    am = FakeForgetful("am")
    before = told(alert(), "am")
    book = book_of(before)
    book.stored = {alert().fingerprint: alert(episode=2)}
    standing(book, am).run(1)
    assert am.refreshed == []


def test_service_that_is_down_keeps_no_other_from_hearing() -> None:
    down, up = FakeForgetful("down", broken=True), FakeForgetful("up")
    book = book_of(told(alert(), "down"), told(alert(), "up"))
    assert standing(book, down, up).run(1) == "channel down: down"
    assert len(up.refreshed) == 1
