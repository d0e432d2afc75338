"""Which alerts are not to be told of for now, because somebody said so. A silence hides messages, never
alerts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from alerts.model import Alert, Silence
from alerts.patterns import all_match


def matchable(alert: Alert) -> dict[str, str]:
    """The labels that silences and routes match on: the alert's own, with its rule, kind and severity."""
    return {**alert.labels, "rule": alert.rule, "kind": alert.kind, "severity": alert.severity.value}


def silencing(alert: Alert, silences: Iterable[Silence], now: datetime) -> Silence | None:
    """The silence in force that covers the alert and lasts longest; None when none does.

    A silence without matchers covers nothing: an empty form must not quieten everything.
    """
    labels = matchable(alert)
    covering = [
        silence
        for silence in silences
        if silence.matchers
        and silence.starts_at <= now < silence.ends_at
        and all_match(silence.matchers, labels)
    ]
    return max(covering, key=lambda silence: silence.ends_at, default=None)
