"""Notifications that say the same thing of many endpoints, gathered so that one message can tell of them all.

It only sorts: `alerts.message.compose_group` says what a group's message looks like.
"""

from __future__ import annotations

from collections.abc import Iterable

from alerts.model import Notification

Group = tuple[Notification, ...]


def grouped(notifications: Iterable[Notification]) -> list[Group]:
    """The notifications that share channel, reason, rule, environment and source, as groups in order of
    arrival."""
    groups: dict[tuple[str, ...], list[Notification]] = {}
    for notification in notifications:
        groups.setdefault(_key(notification), []).append(notification)
    return [tuple(group) for group in groups.values()]


def _key(notification: Notification) -> tuple[str, ...]:
    labels = notification.alert.labels
    return (
        notification.channel,
        notification.reason.value,
        notification.alert.rule,
        labels.get("environment", ""),
        labels.get("source", ""),
    )
