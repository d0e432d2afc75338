"""Notifications that say the same thing of many endpoints, gathered so that one message can tell of them all.

It only sorts: `alerts.message.compose_group` says what a group's message looks like.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from alerts.model import Notification

Group = tuple[Notification, ...]

INTERVAL = timedelta(minutes=1)
"""A channel gets one message of a group in this time; what comes meanwhile goes out together after it."""


def grouped(notifications: Iterable[Notification]) -> list[Group]:
    """The notifications that one message may tell of, as groups in order of arrival."""
    groups: dict[str, list[Notification]] = {}
    for notification in notifications:
        groups.setdefault(group_key(notification), []).append(notification)
    return [tuple(group) for group in groups.values()]


def group_key(notification: Notification) -> str:
    """The same for those that share channel, reason, rule, environment and source: 32 hex digits."""
    labels = notification.alert.labels
    parts = (
        notification.channel,
        notification.reason.value,
        notification.alert.rule,
        labels.get("environment", ""),
        labels.get("source", ""),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
