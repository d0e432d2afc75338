"""Rules and what each would say now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule. target: (source, endpoint, event type) patterns. state: what it would say now, in a word;
    judged and without_data: of how many targets; said: the sentence of one that is over its limit.
    window: None where the limit is about no time."""

    name: str
    kind: str
    about: str
    severity: str
    target: tuple[str, str, str]
    threshold: float
    unit: str
    window: timedelta | None
    held_for: timedelta
    interval: timedelta
    state: str
    judged: int = 0
    without_data: int = 0
    over: int = 0
    said: str = ""
    firing: int = 0
    pending: int = 0
    runbook: str = ""
    on_monitor: bool = False


@dataclass(frozen=True, slots=True)
class RulesView:
    """round_at: when the worker last completed a round. blind: no collector is heard."""

    rules: Sequence[RuleLine]
    round_at: datetime | None
    blind: bool = False
