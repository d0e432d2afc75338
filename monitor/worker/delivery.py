"""Sending what is due from the outbox, a channel at a time in order, until it arrives or is given up.

A notification is claimed before its message leaves and settled after: a crash between the two sends it once
more under the same key, never less than once. Nothing is decided here: `alerts.notifier` does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerts.channels.channel import Channel
from alerts.errors import ChannelError, Failure
from alerts.message import Links, compose
from alerts.model import Notification, Telling
from alerts.notifier import Attempted, Delivered, GivenUp, Retry, Turn, deliver, fallback_of, turn
from monitor.store.control.notifications import Waiting

BATCH = 20
CLAIM_FOR = timedelta(minutes=2)
"""Longer than any channel's own time limits together; an unsettled claim is free again after it."""


class Outbox(Protocol):
    """Where notifications wait. Every write is refused with Conflict under a past epoch."""

    def due(self, now: datetime, limit: int) -> Sequence[Waiting]:
        """Those whose next try has come and that nobody holds, oldest first."""
        ...

    def told(self, notification: Notification) -> Sequence[Telling]:
        """What the outbox holds of the notification's alert and episode."""
        ...

    def claim(self, key: str, until: datetime, epoch: int) -> bool:
        """True when this call alone may send it."""
        ...

    def postpone(self, key: str, until: datetime, epoch: int) -> None: ...

    def settle(
        self, key: str, attempted: Attempted, now: datetime, fallback: Notification | None, epoch: int
    ) -> None:
        """The outcome, and the notification that takes over, in one transaction."""
        ...

    def drop(self, key: str, now: datetime, epoch: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """The job."""

    outbox: Outbox
    channels: Callable[[], Mapping[str, Channel]]
    links: Links
    now: Callable[[], datetime]
    random: Callable[[], float]

    def run(self, epoch: int) -> str:
        """Sends what is due; says what arrived and what did not."""
        said = [self._one(waiting, epoch) for waiting in self.outbox.due(self.now(), BATCH)]
        return "; ".join(sentence for sentence in said if sentence)

    def _one(self, waiting: Waiting, epoch: int) -> str:
        notification, now = waiting.notification, self.now()
        told = self.outbox.told(notification)
        match turn(notification, told):
            case Turn.WAIT:
                self.outbox.postpone(notification.key, now + timedelta(seconds=2), epoch)
                return ""
            case Turn.DROP:
                self.outbox.drop(notification.key, now, epoch)
                return ""
        if not self.outbox.claim(notification.key, now + CLAIM_FOR, epoch):
            return ""
        attempted = self._attempt(waiting, now)
        fallback = fallback_of(notification, told, now) if isinstance(attempted, GivenUp) else None
        self.outbox.settle(notification.key, attempted, self.now(), fallback, epoch)
        return _sentence(notification, attempted)

    def _attempt(self, waiting: Waiting, now: datetime) -> Attempted:
        notification = waiting.notification
        channel = self.channels().get(notification.channel)
        if channel is None:
            return GivenUp(
                ChannelError(
                    Failure.SETTINGS,
                    f"channel {notification.channel} is no longer configured",
                    retryable=False,
                    hint="put it back into hookvitals.toml, or change the route",
                )
            )
        message = compose(notification, self.links)
        return deliver(notification, channel, message, tries=waiting.tries, now=now, random=self.random)


def _sentence(notification: Notification, attempted: Attempted) -> str:
    what = f"{notification.reason.value} of {notification.alert.rule} to {notification.channel}"
    match attempted:
        case Delivered():
            return f"delivered {what}"
        case Retry(at=at, error=error):
            return f"{what} failed ({error}), next try at {at:%H:%M:%S}"
        case GivenUp(error=error):
            return f"gave up {what} ({error})"
