"""Recipients of a channel who are told apart from the others, because the service refused them for a while.

Such a recipient counts as a channel of its own, `mail for ann@example.com`, until the episode is over: tried
again, given up and told of the end by itself, so that whoever had the message gets it no second time. It only
names and sorts; it sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from alerts.model import OPENING, Delivery, Notification, Telling, Why

FOR = " for "


def name_apart(channel: str, recipient: str) -> str:
    """The channel that this recipient alone is."""
    return f"{channel}{FOR}{recipient}"


def split_name(name: str) -> tuple[str, str]:
    """The whole channel and the recipient. Any other channel is its own, for the recipient ""."""
    channel, _, recipient = name.rpartition(FOR)
    return (channel, recipient) if channel and "@" in recipient else (name, "")


def told_apart(notification: Notification, told: Iterable[Telling]) -> frozenset[str]:
    """The recipients to be left out when the whole channel is told.

    One who still waits for an earlier message gets this one after it. One who was ever told of the firing
    apart hears of its end so. told: as for `alerts.notifier.due`.
    """
    ends = notification.reason is Why.RESOLVED
    return frozenset(
        recipient
        for telling in told
        for channel, recipient in [split_name(telling.channel)]
        if recipient
        and channel == notification.channel
        and telling.episode == notification.alert.episode
        and (ends or telling.delivery is Delivery.DUE)
    )


def openings(notification: Notification, told: Iterable[Telling]) -> set[Delivery]:
    """What became of the messages that told the notification's channel of this firing.

    For one recipient: of those sent to it alone, and of those that the whole channel took while it was with
    the others. told: as for `alerts.notifier.due`.
    """
    here = [
        telling
        for telling in told
        if telling.episode == notification.alert.episode and telling.reason in OPENING
    ]
    alone = [telling for telling in here if telling.channel == notification.channel]
    whole, recipient = split_name(notification.channel)
    together = [telling for telling in here if recipient and telling.channel == whole]
    found = {telling.delivery for telling in alone}
    found |= {Delivery.DUE for telling in together if telling.delivery is Delivery.DUE}
    # Each message to this recipient alone stands for one that the whole channel took without it.
    taken = sum(telling.times for telling in together if telling.delivery is Delivery.DELIVERED)
    return found | {Delivery.DELIVERED} if taken > sum(telling.times for telling in alone) else found
