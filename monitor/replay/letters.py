"""Where a dead letter stands, from its event's records alone. Pure: no store, no clock, no order of arrival.

A letter is resolved only by a record that says so, never by a request that was answered well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.dead_letters import LetterRecord, LetterState, Standing
from monitor.model import UNVERIFIED, Outcome

PERMANENT_AFTER = 5
"""Failed replays after which a letter is set aside for a person."""

_FAILS = frozenset({Outcome.FAILED, Outcome.DEAD_LETTERED, Outcome.REJECTED, Outcome.UNHANDLED})


@dataclass(slots=True)
class _Fold:
    """The records so far. failed: the replays that failed since the event last died anew."""

    state: LetterState = LetterState.NONE
    died_at: datetime | None = None
    settled_at: datetime | None = None
    how: str | None = None
    failed: set[str] = field(default_factory=set)
    last: LetterRecord | None = None


def standing_of(records: Iterable[LetterRecord]) -> Standing | None:
    """Where the letter stands; None when there is no record.

    records: of one event at one endpoint, in any order, each once.
    """
    ordered = sorted(records, key=lambda record: (record.recorded_at, record.record_id))
    if not ordered:
        return None
    fold = _Fold()
    for record in ordered:
        _take(fold, record)
    shown = fold.last or ordered[-1]
    types = [record.event_type for record in ordered if record.event_type != UNVERIFIED]
    return Standing(
        state=fold.state,
        event_type=types[-1] if types else UNVERIFIED,
        died_at=fold.died_at or ordered[0].recorded_at,
        how=fold.how,
        settled_at=fold.settled_at,
        failed_replays=len(fold.failed),
        attempt=shown.attempt,
        error_class=shown.error_class,
        error_message=shown.error_message,
    )


def _take(fold: _Fold, record: LetterRecord) -> None:
    if record.outcome is Outcome.SUCCEEDED:
        _resolve(fold, record, "replayed" if record.replay_id else "recovered")
    elif record.outcome is Outcome.DUPLICATE and record.replay_id:
        _resolve(fold, record, "already_done")
    elif record.outcome is Outcome.DEAD_LETTERED:
        _die(fold, record)
    if record.replay_id and record.outcome in _FAILS:
        _fail(fold, record, record.replay_id)


def _resolve(fold: _Fold, record: LetterRecord, how: str) -> None:
    if fold.state is LetterState.RESOLVED:
        return
    fold.state, fold.how, fold.settled_at = LetterState.RESOLVED, how, record.recorded_at
    fold.failed = set()


def _die(fold: _Fold, record: LetterRecord) -> None:
    fold.last = record
    if fold.state in (LetterState.OPEN, LetterState.PERMANENT):
        return
    fold.state, fold.died_at = LetterState.OPEN, record.recorded_at
    fold.how = fold.settled_at = None
    fold.failed = set()


def _fail(fold: _Fold, record: LetterRecord, replay_id: str) -> None:
    if fold.state is LetterState.RESOLVED:
        return  # somebody tried again what was done already
    fold.failed.add(replay_id)
    if record.error_class is not None or record.reason is not None:
        fold.last = replace(record, error_class=record.error_class or record.reason)
    if fold.state is LetterState.OPEN and len(fold.failed) >= PERMANENT_AFTER:
        fold.state, fold.how = LetterState.PERMANENT, "replays_failed"
        fold.settled_at = record.recorded_at
