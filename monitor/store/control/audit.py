"""Who did what, when and why: an append-only chain in which each row carries the hash of the one before.

Rows are never changed or deleted; triggers refuse it, and `verify` finds what went past them. The newest
hash is also kept apart, so that a cut tail shows.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select

from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, read
from monitor.store.control.marks import Marks
from monitor.store.control.postgresql import STORABLE
from monitor.store.control.schema import audit

MARK = "audit"
GENESIS = "0" * 64
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. detail: what is needed to understand it, without a secret or a payload."""

    seq: int
    at: datetime
    actor: str
    role: str
    via: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found. bad_seq: the first row that is not what it was; None when all are."""

    rows: int
    bad_seq: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    engine: Engine

    def append(
        self,
        tx: Tx,
        at: datetime,
        actor: str,
        role: str,
        via: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any],
    ) -> int:
        """Adds a row in the transaction of the act itself; its number."""
        head = Marks(self.engine).within(tx, MARK) or {"seq": 0, "hash": GENESIS}
        row = {
            "seq": head["seq"] + 1,
            "at_us": to_us(at),
            "actor": actor.translate(STORABLE),  # the hash is of what is stored
            "role": role,
            "via": via,
            "action": action,
            "subject": subject.translate(STORABLE),
            "detail": _canonical(detail),
            "prev_hash": head["hash"],
        }
        row["hash"] = _hash(row)
        tx.execute(insert(audit).values(**row))
        Marks(self.engine).put(tx, MARK, {"seq": row["seq"], "hash": row["hash"]})
        return int(row["seq"])

    def page(
        self, limit: int = 100, before: int | None = None, subject: str | None = None
    ) -> Sequence[AuditRow]:
        """Newest first; `before` is the number to continue below."""
        wanted = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(audit.c.seq < before)
        if subject is not None:
            wanted = wanted.where(audit.c.subject == subject)
        with read(self.engine) as tx:
            return [_row(row) for row in tx.execute(wanted).all()]

    def last_at(self, action: str, subject: str) -> datetime | None:
        """When this was last done to the subject; by its index."""
        newest = select(audit.c.at_us).where(audit.c.subject == subject, audit.c.action == action)
        with read(self.engine) as tx:
            at_us = tx.scalar(newest.order_by(audit.c.seq.desc()).limit(1))
        return None if at_us is None else from_us(at_us)

    def verify(self) -> Verified:
        """Recomputes the whole chain, BATCH rows at a time."""
        prev, seq = GENESIS, 0
        while True:
            with read(self.engine) as tx:
                rows = tx.execute(
                    select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(BATCH)
                ).all()
            for row in rows:
                problem = _problem(row, seq, prev)
                if problem:
                    return Verified(seq, seq + 1, problem)
                prev, seq = row.hash, row.seq
            if len(rows) < BATCH:
                break
        head = Marks(self.engine).get(MARK) or {"seq": 0, "hash": GENESIS}
        if head["seq"] > seq or (head["seq"] == seq and head["hash"] != prev):
            return Verified(seq, seq + 1, "the newest rows are gone")
        return Verified(seq)


def _problem(row: Row[Any], before: int, prev: str) -> str:
    if row.seq != before + 1:
        return "a row is gone"
    if row.prev_hash != prev:
        return "the row does not follow the one before it"
    if row.hash != _hash(row._asdict()):
        return "the row was changed"
    return ""


def _hash(row: Mapping[str, Any]) -> str:
    names = ("seq", "at_us", "actor", "role", "via", "action", "subject", "detail", "prev_hash")
    return hashlib.sha256(_canonical([row[name] for name in names]).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _row(row: Row[Any]) -> AuditRow:
    return AuditRow(
        row.seq,
        from_us(row.at_us),
        row.actor,
        row.role,
        row.via,
        row.action,
        row.subject,
        json.loads(row.detail),
        row.hash,
    )
