"""Dead letters: events whose processing was given up, the records that say so, and what was received.

A letter's state is worked out from its records by `monitor.replay.letters`, and only stored here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, and_, func, or_, select, update

from monitor.clock import from_us, to_us
from monitor.dead_letters import (
    SHOWN,
    Letter,
    LetterFilter,
    LetterKey,
    LetterRecord,
    LetterState,
    SealedCapture,
    Standing,
)
from monitor.model import Outcome
from monitor.store.control.engine import Tx, insert_missing, read, tally
from monitor.store.control.schema import letter, letter_capture, letter_record


@dataclass(frozen=True, slots=True)
class Letters:
    engine: Engine

    def get(self, id: str) -> Letter | None:
        found = self.many([id])
        return found[0] if found else None

    def many(self, ids: Sequence[str]) -> Sequence[Letter]:
        """Those that exist, in the order asked for."""
        found: dict[str, Letter] = {}
        with read(self.engine) as tx:
            for at in range(0, len(ids), 500):
                wanted = _letters().where(letter.c.id.in_(ids[at : at + 500]))
                found |= {row.id: _letter(row) for row in tx.execute(wanted).all()}
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    def page(
        self, wanted: LetterFilter, limit: int, before: tuple[datetime, str] | None = None
    ) -> list[Letter]:
        """The latest deaths first; `before` is (died, id) to go on below."""
        chosen = _letters().where(*_matching(wanted, wanted.states))
        if before is not None:
            died_us = to_us(before[0])
            chosen = chosen.where(
                or_(letter.c.died_us < died_us, and_(letter.c.died_us == died_us, letter.c.id < before[1]))
            )
        chosen = chosen.order_by(letter.c.died_us.desc(), letter.c.id.desc()).limit(limit)
        with read(self.engine) as tx:
            return [_letter(row) for row in tx.execute(chosen).all()]

    def counts(self, wanted: LetterFilter) -> Mapping[LetterState, int]:
        """How many of each state match the filter, whatever states it names; every shown state is there."""
        counted = (
            select(letter.c.state, func.count()).where(*_matching(wanted, SHOWN)).group_by(letter.c.state)
        )
        with read(self.engine) as tx:
            found = {LetterState(state): count for state, count in tally(tx, counted)}
        return {state: found.get(state, 0) for state in SHOWN}

    def by_endpoint(self, environment: str, states: Sequence[LetterState]) -> Mapping[tuple[str, str], int]:
        """(source, endpoint) → how many letters stand in these states."""
        counted = (
            select(letter.c.source, letter.c.endpoint, func.count())
            .where(letter.c.environment == environment, letter.c.state.in_([state.value for state in states]))
            .group_by(letter.c.source, letter.c.endpoint)
        )
        with read(self.engine) as tx:
            return {(row[0], row[1]): int(row[2]) for row in tx.execute(counted).all()}

    def capture(self, id: str) -> SealedCapture | None:
        with read(self.engine) as tx:
            row = tx.execute(select(letter_capture).where(letter_capture.c.letter_id == id)).one_or_none()
        return None if row is None else SealedCapture(row.sealed, row.redacted)

    def records(self, id: str) -> Sequence[LetterRecord]:
        with read(self.engine) as tx:
            return self.records_within(tx, id)

    def records_within(self, tx: Tx, id: str) -> Sequence[LetterRecord]:
        """The event's records that the letter heard of, by record time."""
        wanted = select(letter_record).where(letter_record.c.letter_id == id)
        rows = tx.execute(wanted.order_by(letter_record.c.recorded_us, letter_record.c.record_id)).all()
        return [_record(row) for row in rows]

    def within(self, tx: Tx, id: str) -> Letter | None:
        row = tx.execute(_letters().where(letter.c.id == id)).one_or_none()
        return None if row is None else _letter(row)

    def hear(self, tx: Tx, key: LetterKey, record: LetterRecord) -> bool:
        """Adds a record of the event, making its letter if there is none; False when it was known.

        A known record that was taken to belong to no replay is given the replay it is now known to be of.
        """
        insert_missing(
            tx,
            letter,
            {
                "id": key.id,
                "environment": key.environment,
                "source": key.source,
                "endpoint": key.endpoint,
                "event_id": key.event_id,
                "event_type": record.event_type,
                "state": LetterState.NONE.value,
                "died_us": to_us(record.recorded_at),
                "failed_replays": 0,
            },
        )
        row = {
            "record_id": record.record_id,
            "letter_id": key.id,
            "recorded_us": to_us(record.recorded_at),
            "outcome": record.outcome.value,
            "replay_id": record.replay_id,
            "event_type": record.event_type,
            "attempt": record.attempt,
            "reason": record.reason,
            "error_class": record.error_class,
            "error_message": record.error_message,
        }
        if insert_missing(tx, letter_record, row):
            return True
        if record.replay_id is None:
            return False
        unclaimed = update(letter_record).where(
            letter_record.c.record_id == record.record_id, letter_record.c.replay_id.is_(None)
        )
        return tx.execute(unclaimed.values(replay_id=record.replay_id)).rowcount == 1

    def keep_capture(self, tx: Tx, id: str, capture: SealedCapture) -> bool:
        """Copies what was received; the first one stays."""
        row = {
            "letter_id": id,
            "sealed": capture.sealed,
            "redacted": capture.redacted,
            "bytes": len(capture.sealed),
        }
        return insert_missing(tx, letter_capture, row)

    def put(self, tx: Tx, id: str, standing: Standing) -> None:
        """Stores where the letter stands."""
        tx.execute(
            update(letter)
            .where(letter.c.id == id)
            .values(
                state=standing.state.value,
                how=standing.how,
                event_type=standing.event_type,
                died_us=to_us(standing.died_at),
                settled_us=None if standing.settled_at is None else to_us(standing.settled_at),
                failed_replays=standing.failed_replays,
                attempt=standing.attempt,
                error_class=standing.error_class,
                error_message=standing.error_message,
            )
        )

    def permanent_within(self, tx: Tx, environment: str, source: str, endpoint: str) -> int:
        """How many letters of the endpoint are permanent."""
        counted = select(func.count()).where(
            letter.c.environment == environment,
            letter.c.source == source,
            letter.c.endpoint == endpoint,
            letter.c.state == LetterState.PERMANENT.value,
        )
        return int(tx.scalar(counted) or 0)


def _letters() -> Select[Any]:
    captured = letter_capture.c
    return select(letter, captured.redacted, captured.bytes).outerjoin(
        letter_capture, captured.letter_id == letter.c.id
    )


def _matching(wanted: LetterFilter, states: Sequence[LetterState]) -> list[Any]:
    clauses: list[Any] = [letter.c.state.in_([state.value for state in states])]
    for name in ("environment", "source", "endpoint", "event_type", "error_class"):
        value = getattr(wanted, name)
        if value is not None:
            clauses.append(letter.c[name] == value)
    if wanted.since_at is not None:
        clauses.append(letter.c.died_us >= to_us(wanted.since_at))
    if wanted.until_at is not None:
        clauses.append(letter.c.died_us < to_us(wanted.until_at))
    return clauses


def _letter(row: Row[Any]) -> Letter:
    standing = Standing(
        LetterState(row.state),
        row.event_type,
        from_us(row.died_us),
        row.how,
        None if row.settled_us is None else from_us(row.settled_us),
        row.failed_replays,
        row.attempt,
        row.error_class,
        row.error_message,
    )
    key = LetterKey(row.environment, row.source, row.endpoint, row.event_id)
    return Letter(row.id, key, standing, row.redacted, row.bytes or 0)


def _record(row: Row[Any]) -> LetterRecord:
    return LetterRecord(
        row.record_id,
        from_us(row.recorded_us),
        Outcome(row.outcome),
        row.event_type,
        row.replay_id,
        row.attempt,
        row.reason,
        row.error_class,
        row.error_message,
    )
