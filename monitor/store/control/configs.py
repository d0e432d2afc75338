"""The numbered versions of the configuration. A version, once stored, is never changed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select

from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, read
from monitor.store.control.schema import config_version


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """origin: the file it came from."""

    number: int
    body: Mapping[str, Any]
    origin: str
    applied_by: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Configs:
    engine: Engine

    def latest(self) -> tuple[int, Mapping[str, object]] | None:
        """Number and content of the version in force; None before the first."""
        newest = select(config_version.c.number, config_version.c.body)
        with read(self.engine) as tx:
            row = tx.execute(newest.order_by(config_version.c.number.desc()).limit(1)).one_or_none()
        return None if row is None else (row.number, row.body)

    def first_applied_at(self) -> datetime | None:
        """When the installation got its first configuration; None before that."""
        oldest = select(config_version.c.applied_us).order_by(config_version.c.number).limit(1)
        with read(self.engine) as tx:
            row = tx.execute(oldest).one_or_none()
        return None if row is None else from_us(row.applied_us)

    def history(self, limit: int = 50) -> Sequence[ConfigVersion]:
        """Newest first."""
        wanted = select(config_version).order_by(config_version.c.number.desc()).limit(limit)
        with read(self.engine) as tx:
            rows = tx.execute(wanted).all()
        return [_version(row) for row in rows]

    def version(self, number: int) -> ConfigVersion | None:
        with read(self.engine) as tx:
            row = tx.execute(select(config_version).where(config_version.c.number == number)).one_or_none()
        return None if row is None else _version(row)

    def add(self, tx: Tx, body: Mapping[str, Any], origin: str, by: str, at: datetime) -> tuple[int, bool]:
        """(number, whether it is new): content equal to the version in force makes no other version."""
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        newest = select(config_version.c.number, config_version.c.digest)
        row = tx.execute(newest.order_by(config_version.c.number.desc()).limit(1)).one_or_none()
        if row is not None and row.digest == digest:
            return row.number, False
        number = 1 if row is None else row.number + 1
        tx.execute(
            insert(config_version).values(
                number=number,
                digest=digest,
                body=dict(body),
                origin=origin,
                applied_by=by,
                applied_us=to_us(at),
            )
        )
        return number, True


def _version(row: Row[Any]) -> ConfigVersion:
    return ConfigVersion(row.number, row.body, row.origin, row.applied_by, from_us(row.applied_us))
