"""Judging an endpoint: evidence first, then whoever answers for what shows none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerts.wording import moment
from monitor.checklist.evidence import Shown, Verdict
from monitor.checklist.lists import ITEMS, Item


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody answers for an item, until then."""

    item: str
    by: str
    at: datetime
    note: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """said: the figure behind the verdict, or who answers for it. on: when its newest evidence is from.
    attestation: what somebody said of it, also where that no longer holds, or evidence goes before it."""

    item: Item
    verdict: Verdict
    said: str
    on: datetime | None = None
    attestation: Attestation | None = None


def judged(shown: Shown, attested: Mapping[str, Attestation]) -> list[Judged]:
    """Every item of both lists, in their order. attested: by item."""
    return [_judge(item, shown, attested.get(item.id)) for item in ITEMS]


def _judge(item: Item, shown: Shown, attestation: Attestation | None) -> Judged:
    found = item.judge(shown)
    verdict, said = found.verdict, found.said
    if verdict is Verdict.UNKNOWN and attestation is not None:
        if shown.now < attestation.until:
            verdict = Verdict.ATTESTED
            until = f"until {attestation.until:%Y-%m-%d}"
            said = f"by {attestation.by}, {moment(attestation.at)}, {until}: {attestation.note}"
        else:
            said = f"{said}; what {attestation.by} answered for ended {moment(attestation.until)}"
    return Judged(item, verdict, said, found.on, attestation)
