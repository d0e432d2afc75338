"""Alerts said again to services that forget what is not repeated, such as Alertmanager: once a minute, what
fires and was told there.

It changes nothing of ours, so it needs no epoch: two workers who say the same do no harm.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerts.channels.channel import Channel, Forgetful
from alerts.errors import ChannelError
from alerts.message import Links, Message, compose
from alerts.model import OPENING, Alert, Delivery, Notification, State, Telling, Why


class Book(Protocol):
    def alerts(self, fingerprints: Iterable[str]) -> Mapping[str, Alert]:
        """By fingerprint: the named ones, and every alert that is pending or firing."""
        ...

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """The job."""

    book: Book
    channels: Callable[[], Mapping[str, Channel]]
    links: Links
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Says what did not arrive; the next round says it again."""
        forgetful = [channel for channel in self.channels().values() if isinstance(channel, Forgetful)]
        if not forgetful:
            return ""
        firing = [alert for alert in self.book.alerts(()).values() if alert.state is State.FIRING]
        told = self.book.tellings(firing)
        failed = []
        for channel in forgetful:
            messages = [
                self._message(alert, channel.name)
                for alert in firing
                if _arrived(told.get(alert.fingerprint, ()), alert, channel.name)
            ]
            try:
                if messages:
                    channel.refresh(messages)
            except ChannelError as exc:
                failed.append(str(exc))
        return "; ".join(failed)

    def _message(self, alert: Alert, channel: str) -> Message:
        said = Notification(f"standing.{alert.fingerprint}", channel, Why.REPEAT, alert, self.now())
        return compose(said, self.links)


def _arrived(told: Iterable[Telling], alert: Alert, channel: str) -> bool:
    return any(
        telling.channel == channel
        and telling.episode == alert.episode
        and telling.reason in OPENING
        and telling.delivery is Delivery.DELIVERED
        for telling in told
    )
