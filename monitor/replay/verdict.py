"""What the records of one replayed event say of the item that sent it. Pure.

An answer over HTTP is no verdict: only a record that the receiver wrote afterwards is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.dead_letters import ItemState, LetterRecord
from monitor.model import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """The item's state, why, and the record that says so."""

    state: ItemState
    reason: str
    record_id: str


def verdict(records: Iterable[LetterRecord]) -> Verdict | None:
    """By record time the last word counts, but success is final; None when nothing settles it.

    records: those that carry the item's id, in any order.
    """
    found: Verdict | None = None
    for record in sorted(records, key=lambda one: (one.recorded_at, one.record_id)):
        said = _said(record)
        if said is not None and (found is None or found.state is not ItemState.SUCCEEDED):
            found = said
    return found


def _said(record: LetterRecord) -> Verdict | None:
    match record.outcome:
        case Outcome.SUCCEEDED:
            return Verdict(ItemState.SUCCEEDED, "", record.record_id)
        case Outcome.DUPLICATE:
            return Verdict(ItemState.SUCCEEDED, "already_done", record.record_id)
        case Outcome.STALE:  # overtaken by a newer event of its resource: neither done nor to be tried again
            return Verdict(ItemState.SKIPPED, "stale", record.record_id)
        case Outcome.ACCEPTED:
            return None
        case outcome:
            why = record.error_class or record.reason
            return Verdict(
                ItemState.FAILED, f"{outcome.value}: {why}" if why else outcome.value, record.record_id
            )
