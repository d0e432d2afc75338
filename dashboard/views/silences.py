"""Silences and what they hid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SilenceLine:
    """One silence. state: in force, between its hours, coming, ended. hours: empty for all day long.

    hid: how many firings it has kept quiet; by_file: a maintenance window, which no page ends.
    """

    id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    state: str
    created_by: str
    comment: str
    hours: str = ""
    hid: int = 0
    by_file: bool = False


@dataclass(frozen=True, slots=True)
class HiddenLine:
    """One firing that a silence kept quiet."""

    at: datetime
    rule: str
    severity: str
    alert_id: str
    summary: str


@dataclass(frozen=True, slots=True)
class SilencesView:
    """hidden: what the chosen one has hidden, the latest first."""

    silences: Sequence[SilenceLine]
    hidden: Sequence[HiddenLine] = ()
