"""Applying one record to the letter of its event and to the replay item it settles, in one transaction.

The same for records from the feed and for those that the engine looked up. It changes nothing twice.
"""

from datetime import datetime

from monitor.dead_letters import Item, ItemState, LetterKey, LetterRecord, LetterState
from monitor.model import Record
from monitor.replay.letters import standing_of
from monitor.replay.verdict import verdict
from monitor.store.control import Control, Tx

SETTLEABLE = (ItemState.SENDING, ItemState.SENT, ItemState.FAILED, ItemState.UNCONFIRMED)


def letter_record(record: Record, replay_id: str | None) -> LetterRecord:
    """What a letter keeps of a record. replay_id: the item it is taken to belong to."""
    return LetterRecord(
        record_id=str(record.record_id),
        recorded_at=record.recorded_at,
        outcome=record.outcome,
        event_type=record.event_type,
        replay_id=replay_id,
        attempt=record.attempt,
        reason=None if record.reason is None else record.reason.value,
        error_class=record.error_class,
        error_message=record.error_message,
    )


def hear(
    control: Control, tx: Tx, key: LetterKey, record: LetterRecord, item: Item | None, now: datetime
) -> tuple[LetterState, LetterState]:
    """The letter's state before and after. item: the one the record belongs to, if any."""
    known = control.letters.within(tx, key.id)
    before = LetterState.NONE if known is None else known.state
    if not control.letters.hear(tx, key, record):
        return before, before
    records = control.letters.records_within(tx, key.id)
    standing = standing_of(records)
    assert standing is not None
    control.letters.put(tx, key.id, standing)
    if item is not None:
        _settle(control, tx, item, [one for one in records if one.replay_id == item.id], now)
    return before, standing.state


def belongs(item: Item, record: Record) -> bool:
    """Whether a record that carries the item's id can be of the item's event. A rejected one has no event."""
    key = item.key
    same_place = (record.environment, record.source, record.endpoint) == (
        key.environment,
        key.source,
        key.endpoint,
    )
    return same_place and record.event_id in (None, key.event_id)


def _settle(control: Control, tx: Tx, item: Item, records: list[LetterRecord], now: datetime) -> None:
    found = verdict(records)
    if found is None:
        return
    # An item that was interrupted is planned again while the first copy's record may already be on its way.
    before = (*SETTLEABLE, ItemState.PLANNED) if item.attempts else SETTLEABLE
    control.replays.change(
        tx, item.id, before, found.state, reason=found.reason, settled_at=now, record_id=found.record_id
    )
