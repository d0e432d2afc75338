"""Messages about nothing: the weekly drill, which finds the channel that has gone dead before it is needed.

It says so in its first words. One a channel and week, whoever sends it and however often it is worked out.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from alerts.model import Evidence, Notification, Why, fingerprint_of
from alerts.notifier import trial

SUMMARY = "This is the weekly drill of this channel. Nothing is wrong, and there is nothing to do."


def drill(channel: str, week: str, now: datetime) -> Notification:
    """The drill of one channel in one week, such as `2026-W47`: the same key at every call."""
    test = trial(channel, now)
    about = replace(
        test.alert,
        fingerprint=fingerprint_of("drill", {"channel": channel}),
        rule="drill",
        kind="drill",
        evidence=Evidence(f"{SUMMARY} ({week})"),
    )
    key = hashlib.sha256(f"drill\0{channel}\0{week}".encode()).hexdigest()[:32]
    return Notification(key, channel, Why.DRILL, about, now)
