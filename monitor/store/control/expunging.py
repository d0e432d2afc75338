"""Removing an event's sealed capture from the dead letters, inside the caller's transaction."""

from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from monitor.store.control.engine import Tx
from monitor.store.control.schema import letter, letter_capture, letter_record
from monitor.store.facts.expunging import Expunge


def expunge_letters(tx: Tx, wanted: Expunge) -> int:
    """How many captures it removed. With `details`, the letters' error messages go too."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA secure_delete=ON")  # overwrites what is deleted, freed pages included
    letters = select(letter.c.id).where(*_matching(wanted))
    removed = tx.execute(delete(letter_capture).where(letter_capture.c.letter_id.in_(letters))).rowcount
    if wanted.details:
        tx.execute(update(letter).where(*_matching(wanted)).values(error_message=None))
        tx.execute(
            update(letter_record).where(letter_record.c.letter_id.in_(letters)).values(error_message=None)
        )
    return removed


def has_letters(tx: Tx, wanted: Expunge) -> bool:
    """Whether any letter is of this event."""
    return tx.execute(select(letter.c.id).where(*_matching(wanted)).limit(1)).first() is not None


def _matching(wanted: Expunge) -> list[ColumnElement[Any]]:
    clauses: list[ColumnElement[Any]] = [
        letter.c.source == wanted.source,
        letter.c.event_id == wanted.event_id,
    ]
    if wanted.environment is not None:
        clauses.append(letter.c.environment == wanted.environment)
    if wanted.endpoint is not None:
        clauses.append(letter.c.endpoint == wanted.endpoint)
    return clauses
