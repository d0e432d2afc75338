"""Sending what is due from the outbox, a channel at a time in order, until it arrives or is given up.

What says the same of many endpoints leaves as one message. A channel that fails is asked again with its
oldest message first, so that what waited arrives in order. Notifications are claimed before their message
leaves and settled after: a crash between the two sends it once more, never less than once. Nothing is decided
here: `alerts.notifier` and `alerts.grouping` do.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from alerts.channels.channel import Addressed, Amending, Channel, Gathering, Receipt
from alerts.errors import ChannelError, Failure
from alerts.grouping import INTERVAL, Group, grouped
from alerts.message import Links, compose_group
from alerts.model import Notification, Telling, Why
from alerts.notifier import (
    Attempted,
    Delivered,
    GivenUp,
    Retry,
    Turn,
    apart,
    deliver,
    handed_over,
    later_or_never,
    turn,
)
from alerts.recipients import split_name, told_apart
from monitor.errors import HookvitalsError
from monitor.store.control.notifications import Waiting

log = logging.getLogger("hookvitals.worker")

BATCH = 500
"""More than one trouble makes due at once, so that one message can tell of all of it."""
CLAIM_FOR = timedelta(minutes=2)
"""Longer than any channel's own time limits together; an unsettled claim is free again after it."""
TURN_AFTER = timedelta(seconds=2)
LONGEST_REST_S = 3600.0
DOWN_AFTER = 2
"""So many messages refused in a row, and the channel is left alone: one alone may be at fault itself."""


class Outbox(Protocol):
    """Where notifications wait. Every write is refused with Conflict under a past epoch."""

    def due(self, now: datetime, limit: int) -> Sequence[Waiting]:
        """What waits for a channel of which something has come due, oldest first, but what somebody holds."""
        ...

    def told(self, notification: Notification) -> Sequence[Telling]:
        """What the outbox holds of the notification's alert and episode."""
        ...

    def claim(self, keys: Collection[str], until: datetime, epoch: int) -> frozenset[str]:
        """Those that this call alone may send."""
        ...

    def postpone(self, keys: Collection[str], until: datetime, epoch: int) -> None: ...

    def settle(
        self,
        outcomes: Mapping[str, Attempted],
        now: datetime,
        fallbacks: Sequence[Notification],
        epoch: int,
    ) -> None:
        """What became of each, and the notifications that take over, in one transaction."""
        ...

    def drop(self, keys: Collection[str], now: datetime, epoch: int) -> None: ...

    def hasten(self, now: datetime, epoch: int) -> int:
        """Makes due now what the clock, since put back, only reaches later."""
        ...

    def last_sent_at(self, notification: Notification) -> datetime | None:
        """When its channel last took a message of its group."""
        ...

    def opened_as(self, notification: Notification) -> str:
        """The service's own id of the first message its channel took of this episode, or empty."""
        ...


@dataclass(slots=True)
class Delivery:
    """The job. seen_at: when it last ran, to notice a clock that was put back. resting: channels that asked
    for time, and until when. beside: runs a failing channel's sending in a thread of its own, so that its
    time limits hold up nobody else's messages; busy: the channels that are in such a thread."""

    outbox: Outbox
    channels: Callable[[], Mapping[str, Channel]]
    links: Links
    now: Callable[[], datetime]
    random: Callable[[], float]
    seen_at: datetime | None = field(default=None, init=False)
    resting: dict[str, datetime] = field(default_factory=dict, init=False)
    beside: Callable[[Callable[[], None]], object] | None = None
    failing: set[str] = field(default_factory=set, init=False)
    busy: set[str] = field(default_factory=set, init=False)

    def run(self, epoch: int) -> str:
        """Sends what is due; says what arrived and what did not."""
        now = self.now()
        if self.seen_at is None or now < self.seen_at:
            self.outbox.hasten(now, epoch)
            self.resting.clear()
        self.seen_at = now
        busy = set(self.busy)
        due = (one for one in self.outbox.due(now, BATCH) if one.notification.channel not in busy)
        waiting = {one.notification.key: one for one in due}
        ready = self._in_turn([one.notification for one in waiting.values()], epoch)
        said: list[str] = []
        for name in dict.fromkeys(one.channel for one in ready if waiting[one.key].is_due):
            work = partial(self._emptied, [one for one in ready if one.channel == name], waiting, epoch)
            if self.beside is not None and name in self.failing:
                self.busy.add(name)
                self.beside(partial(self._work_beside, name, work))
            else:
                said += work()
        return "; ".join(sentence for sentence in said if sentence)

    def _work_beside(self, name: str, work: Callable[[], Iterable[str]]) -> None:
        try:
            log.info("notifications: %s", "; ".join(sentence for sentence in work() if sentence))
        except HookvitalsError as exc:
            log.warning("notifications to %s: %s", name, exc)
        except Exception:  # the boundary: nobody waits for this thread
            log.exception("notifications to %s", name)
        finally:
            self.busy.discard(name)

    def _emptied(
        self, ready: Sequence[Notification], waiting: Mapping[str, Waiting], epoch: int
    ) -> Iterator[str]:
        """Sends what is ready for one channel in order; once it is seen to be down, the rest waits."""
        name = ready[0].channel
        channel = self._channel(name)
        refused: list[ChannelError] = []
        left: list[Notification] = []
        for group in self._groups(ready, channel):
            if len(refused) == DOWN_AFTER:
                left += [one for one in group if waiting[one.key].is_due]
                continue
            attempted = self._sent(group, channel, waiting, epoch)
            refused = [*refused, attempted.error] if isinstance(attempted, Retry) else []
            (self.failing.add if refused else self.failing.discard)(name)
            yield "" if attempted is None else _sentence(group, attempted)
        if left:
            self._put_off(left, waiting, refused[-1], epoch)

    def _channel(self, name: str) -> Channel | None:
        """The channel of that name, or what it is for one of its recipients; None when neither is left."""
        channels = self.channels()
        if name in channels:
            return channels[name]
        whole, recipient = split_name(name)
        channel = channels.get(whole)
        if not isinstance(channel, Addressed) or recipient not in channel.recipients:
            return None
        return channel.among((recipient,))

    def _groups(self, ready: Sequence[Notification], channel: Channel | None) -> Iterator[Group]:
        """What one message tells of. A channel that changes its earlier message hears of the end of what that
        one told of, and of nothing else with it; one that leaves out a recipient leaves it out of all."""
        if not _gathers(channel):
            yield from ((one,) for one in ready)
            return
        for group in grouped(ready):
            amends = _amends(channel, group)
            together: dict[object, list[Notification]] = {}
            for one in group:
                alike = self.outbox.opened_as(one) if amends else self._told_apart(one, channel)
                together.setdefault(alike, []).append(one)
            yield from (tuple(some) for some in together.values())

    def _told_apart(self, one: Notification, channel: Channel | None) -> frozenset[str]:
        if not isinstance(channel, Addressed) or len(channel.recipients) < 2:
            return frozenset()
        return told_apart(one, self.outbox.told(one)) & set(channel.recipients)

    def _in_turn(self, due: Sequence[Notification], epoch: int) -> list[Notification]:
        """Those whose turn it is. The others, hundreds behind a channel that is down, are noted together."""
        found: dict[Turn, list[Notification]] = {}
        for one in due:
            found.setdefault(turn(one, self.outbox.told(one)), []).append(one)
        now = self.now()
        if waits := [one.key for one in found.get(Turn.WAIT, ())]:
            self.outbox.postpone(waits, now + TURN_AFTER, epoch)
        if needless := [one.key for one in found.get(Turn.DROP, ())]:
            self.outbox.drop(needless, now, epoch)
        return found.get(Turn.SEND, [])

    def _sent(
        self, group: Group, channel: Channel | None, waiting: Mapping[str, Waiting], epoch: int
    ) -> Attempted | None:
        """What became of it; None when it waits, or another worker has it in hand."""
        now, keys = self.now(), [one.key for one in group]
        if (held_until := self._held_until(group, channel, now)) is not None:
            self.outbox.postpone(keys, held_until, epoch)
            return None
        claimed = self.outbox.claim(keys, now + CLAIM_FOR, epoch)
        mine = tuple(one for one in group if one.key in claimed)
        if not mine:
            return None
        left_out = self._told_apart(mine[0], channel)
        attempted = self._attempt(mine, channel, left_out, waiting[mine[0].key].tries, now)
        if not isinstance(attempted, Delivered):
            self._put_off(mine, waiting, attempted.error, epoch)
            return attempted
        later = [*attempted.receipt.refused_for_now, *sorted(left_out)]
        parted = [apart(one, recipient) for one in mine for recipient in later]
        self.outbox.settle(dict.fromkeys(claimed, attempted), self.now(), parted, epoch)
        return attempted

    def _put_off(
        self,
        group: Sequence[Notification],
        waiting: Mapping[str, Waiting],
        error: ChannelError,
        epoch: int,
    ) -> None:
        """Each is tried again in a time of its own; what was tried for long enough goes to its fallback."""
        now = self.now()
        outcomes = {
            one.key: later_or_never(one, error, waiting[one.key].tries, now, self.random) for one in group
        }
        if error.retryable and error.retry_after_s and group:
            rest = timedelta(seconds=min(error.retry_after_s, LONGEST_REST_S))
            self.resting[group[0].channel] = now + rest
        lost = (one for one in group if isinstance(outcomes[one.key], GivenUp))
        taken = [over for one in lost for over in handed_over(one, self.outbox.told(one), now)]
        self.outbox.settle(outcomes, now, taken, epoch)

    def _held_until(self, group: Group, channel: Channel | None, now: datetime) -> datetime | None:
        """Until when the group waits: its channel asked for time, or has just been told of others like it."""
        if (rested_at := self.resting.get(group[0].channel, now)) > now:
            return rested_at
        if not _gathers(channel) or _amends(channel, group):
            return None
        last_at = self.outbox.last_sent_at(group[0])
        return last_at + INTERVAL if last_at is not None and last_at <= now < last_at + INTERVAL else None

    def _attempt(
        self, group: Group, channel: Channel | None, left_out: Collection[str], tries: int, now: datetime
    ) -> Attempted:
        first = group[0]
        if channel is None:
            return GivenUp(
                ChannelError(
                    Failure.SETTINGS,
                    f"channel {first.channel} is no longer configured",
                    retryable=False,
                    hint="put it back into hookvitals.toml, or change the route",
                )
            )
        if left_out and isinstance(channel, Addressed):
            channel = channel.among(set(channel.recipients) - set(left_out))
            if not channel.recipients:
                return Delivered(Receipt(warning="each recipient is told apart from the others"))
        message = compose_group(group, self.links, self._earlier(group))
        return deliver(first, channel, message, tries=tries, now=now, random=self.random)

    def _earlier(self, group: Group) -> str:
        """The service's own id of the one message that told of all of them first; empty where there is
        none."""
        if group[0].reason is Why.FIRING:
            return ""
        opened = {self.outbox.opened_as(one) for one in group}
        return opened.pop() if len(opened) == 1 else ""


def _gathers(channel: object) -> bool:
    return isinstance(channel, Gathering) and channel.gathers


def _amends(channel: object, group: Group) -> bool:
    return isinstance(channel, Amending) and channel.amends and group[0].reason is Why.RESOLVED


def _sentence(group: Group, attempted: Attempted) -> str:
    first = group[0]
    of = first.alert.rule if len(group) == 1 else f"{first.alert.rule} at {len(group)} places"
    what = f"{first.reason.value} of {of} to {first.channel}"
    match attempted:
        case Delivered():
            return f"delivered {what}"
        case Retry(at=at, error=error):
            return f"{what} failed ({error}), next try at {at:%H:%M:%S}"
        case GivenUp(error=error):
            return f"gave up {what} ({error})"
