"""API keys: who may send or ask, for which sources. Only the hash of a secret is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, insert_missing, read, write
from monitor.store.control.schema import api_key


@dataclass(frozen=True, slots=True)
class ApiKey:
    """sources, environment: what it is bound to; empty and None bind to nothing."""

    id: str
    secret_sha256: str = field(repr=False)
    name: str
    scopes: frozenset[str]
    sources: frozenset[str]
    environment: str | None
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    engine: Engine

    def all(self) -> Sequence[ApiKey]:
        """Revoked ones included, newest first."""
        with read(self.engine) as tx:
            rows = tx.execute(select(api_key).order_by(api_key.c.created_us.desc(), api_key.c.id)).all()
        return [_key(row) for row in rows]

    def get(self, id: str) -> ApiKey | None:
        with read(self.engine) as tx:
            row = tx.execute(select(api_key).where(api_key.c.id == id)).one_or_none()
        return None if row is None else _key(row)

    def add(self, tx: Tx, key: ApiKey) -> None:
        tx.execute(insert(api_key).values(_row(key)))

    def ensure(self, tx: Tx, key: ApiKey) -> bool:
        """Adds the key unless its id is known; whether it was new."""
        return insert_missing(tx, api_key, _row(key))

    def revoke(self, tx: Tx, id: str, at: datetime) -> bool:
        """False when there is no such key, or it was revoked already."""
        live = update(api_key).where(api_key.c.id == id, api_key.c.revoked_us.is_(None))
        return tx.execute(live.values(revoked_us=to_us(at))).rowcount == 1

    def used(self, id: str, at: datetime) -> None:
        """Notes that the key was used; the caller does so now and then, not for each request."""
        with write(self.engine) as tx:
            tx.execute(update(api_key).where(api_key.c.id == id).values(last_used_us=to_us(at)))


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "secret_sha256": key.secret_sha256,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "sources": sorted(key.sources),
        "environment": key.environment,
        "created_by": key.created_by,
        "created_us": to_us(key.created_at),
    }


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id,
        row.secret_sha256,
        row.name,
        frozenset(row.scopes),
        frozenset(row.sources),
        row.environment,
        row.created_by,
        from_us(row.created_us),
        None if row.revoked_us is None else from_us(row.revoked_us),
        None if row.last_used_us is None else from_us(row.last_used_us),
    )
