"""Which alerts are not to be told of for now, because somebody said so. A silence hides messages, never
alerts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches

from alerts.model import Alert, Severity, Silence
from alerts.patterns import all_match

LABELS = ("environment", "source", "endpoint", "event_type", "queue", "rule", "kind", "severity")
"""The labels that every installation has; rules may add others."""

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


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
        if silence.matchers and all_match(silence.matchers, labels) and silence.holds(now)
    ]
    return max(covering, key=lambda silence: silence.ends_at, default=None)


def matcher_problem(label: str, pattern: str) -> str | None:
    """What is wrong with a matcher, with the expected form; None when nothing is."""
    if not _LABEL.fullmatch(label):
        return f'"{label}" is no label; write one such as source'
    if label not in LABELS and (close := get_close_matches(label, LABELS, n=1, cutoff=0.75)):
        return f'there is no label "{label}"; did you mean {close[0]}?'
    if not pattern:
        return f"{label} has no pattern; write one such as {label} = stripe*"
    severities = [severity.value for severity in Severity]
    if label == "severity" and "*" not in pattern and pattern not in severities:
        return f'"{pattern}" is no severity; write one of {", ".join(severities)}'
    return None
