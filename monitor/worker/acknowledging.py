"""Passing on that somebody acknowledged an alert, to services that keep incidents of their own.

Each such channel that was told of the alert gets it once an episode, as a notification in the outbox: tried
again like any other, and known by its key however often it is worked out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerts.channels.channel import Acknowledging, Channel
from alerts.model import OPENING, Alert, Delivery, Notification, State, Telling, Why
from alerts.notifier import key_of


class Book(Protocol):
    def alerts(self, fingerprints: Iterable[str]) -> Mapping[str, Alert]:
        """By fingerprint: the named ones, and every alert that is pending or firing."""
        ...

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]: ...


class Outbox(Protocol):
    def add(self, notifications: Sequence[Notification], epoch: int) -> int:
        """Adds what is not there yet; how many were new. Refused with Conflict under a past epoch."""
        ...


@dataclass(frozen=True, slots=True)
class PassingOn:
    """The job."""

    book: Book
    outbox: Outbox
    channels: Callable[[], Mapping[str, Channel]]
    now: Callable[[], datetime]

    def run(self, epoch: int) -> str:
        """Puts into the outbox what is to be passed on."""
        names = {name for name, one in self.channels().items() if isinstance(one, Acknowledging)}
        if not names:
            return ""
        now = self.now()
        taken = [
            alert
            for alert in self.book.alerts(()).values()
            if alert.state is State.FIRING and alert.ack is not None and alert.ack.holds(now)
        ]
        told = self.book.tellings(taken)
        due = [one for alert in taken for one in _due(alert, told.get(alert.fingerprint, ()), names, now)]
        added = self.outbox.add(due, epoch) if due else 0
        return f"{added} acknowledgements passed on" if added else ""


def _due(alert: Alert, told: Iterable[Telling], names: set[str], now: datetime) -> Iterator[Notification]:
    """One for each channel that took the news and has not heard yet that somebody has it in hand."""
    here = [one for one in told if one.episode == alert.episode and one.channel in names]
    arrived = {one.channel for one in here if one.reason in OPENING and one.delivery is Delivery.DELIVERED}
    passed_on = {one.channel for one in here if one.reason is Why.ACKNOWLEDGED}
    for channel in sorted(arrived - passed_on):
        yield Notification(key_of(alert, channel, Why.ACKNOWLEDGED), channel, Why.ACKNOWLEDGED, alert, now)
