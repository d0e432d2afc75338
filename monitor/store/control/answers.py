"""What a write that carried an Idempotency-Key was answered, so that its repeat is answered the same."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select

from monitor.clock import to_us
from monitor.errors import Unprocessable
from monitor.store.control.engine import insert_missing, read, write
from monitor.store.control.schema import idempotent_answer

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Answers:
    engine: Engine

    def recall(self, caller: str, key: str, request: bytes) -> Answer | None:
        """The answer given before to this caller's key. request: whatever must be the same in a repeat.

        Raises Unprocessable when the key stands for another request.
        """
        wanted = select(idempotent_answer).where(idempotent_answer.c.key_sha256 == _digest(caller, key))
        with read(self.engine) as tx:
            row = tx.execute(wanted).one_or_none()
        if row is None:
            return None
        if row.request_sha256 != hashlib.sha256(request).hexdigest():
            raise Unprocessable("this Idempotency-Key was used for another request", "use a new key")
        return Answer(row.status, row.body)

    def keep(self, caller: str, key: str, request: bytes, answer: Answer, at: datetime) -> None:
        """Keeps the first answer, and forgets those of yesterday."""
        row = {
            "key_sha256": _digest(caller, key),
            "request_sha256": hashlib.sha256(request).hexdigest(),
            "status": answer.status,
            "body": answer.body,
            "created_us": to_us(at),
        }
        with write(self.engine) as tx:
            tx.execute(delete(idempotent_answer).where(idempotent_answer.c.created_us < to_us(at - KEPT)))
            insert_missing(tx, idempotent_answer, row)


def _digest(caller: str, key: str) -> str:
    return hashlib.sha256(f"{caller}\0{key}".encode()).hexdigest()
