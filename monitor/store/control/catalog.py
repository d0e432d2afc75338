"""What is watched: sources, and the endpoints that receive from them.

An entry comes from the configuration file, from a person, or from the first verified record that named it.
Where it was declared decides who may change it; that rule is the operations', not this file's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row, and_, select

from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, insert_missing, read, upsert, write
from monitor.store.control.schema import endpoint, source


class ManagedBy(StrEnum):
    """Who declared an entry, and so who may change it."""

    FILE = "file"
    API = "api"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Source:
    """A provider. ack_deadline: how soon it wants its answer; redeliver: dead letters are replayed by the
    worker itself."""

    name: str
    managed_by: ManagedBy
    first_seen_at: datetime
    scheme: str | None = None
    ack_deadline: timedelta | None = None
    expected_statuses: tuple[int, ...] = ()
    retry_horizon: timedelta | None = None
    redeliver: bool = False


Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an answer must hold besides its status. contains: a text of the body; matches: a pattern found in
    it. json: values at dotted paths, as ("checks.0.ok", True). headers: exact values, names in any case."""

    contains: str = ""
    matches: str = ""
    json: tuple[tuple[str, Scalar], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """How an endpoint is looked at. url: in place of its own; statuses: which count as up, empty for any
    below 500. exposure: it is asked as a stranger would, without a signature. canary: signed requests look
    for their record."""

    enabled: bool = True
    url: str | None = None
    method: str = "GET"
    statuses: tuple[int, ...] = ()
    conditions: Conditions = Conditions()
    exposure: bool = False
    canary: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiving URL, named. insecure: plain http:// is meant. replay_secret: sealed."""

    environment: str
    source: str
    name: str
    managed_by: ManagedBy
    first_seen_at: datetime
    url: str | None = None
    insecure: bool = False
    probe: ProbeSettings = ProbeSettings()
    replay_secret: bytes | None = field(default=None, repr=False)
    ack_deadline: timedelta | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.environment, self.source, self.name


@dataclass(frozen=True, slots=True)
class Catalog:
    engine: Engine

    def sources(self) -> Sequence[Source]:
        """By name."""
        with read(self.engine) as tx:
            return [_source(row) for row in tx.execute(select(source).order_by(source.c.name)).all()]

    def endpoints(self, environment: str | None = None) -> Sequence[Endpoint]:
        """By environment, source and name."""
        wanted = select(endpoint).order_by(endpoint.c.environment, endpoint.c.source, endpoint.c.name)
        if environment is not None:
            wanted = wanted.where(endpoint.c.environment == environment)
        with read(self.engine) as tx:
            return [_endpoint(row) for row in tx.execute(wanted).all()]

    def endpoint(self, environment: str, source: str, name: str) -> Endpoint | None:
        with read(self.engine) as tx:
            return self.endpoint_within(tx, environment, source, name)

    def endpoint_within(self, tx: Tx, environment: str, source: str, name: str) -> Endpoint | None:
        found = and_(
            endpoint.c.environment == environment, endpoint.c.source == source, endpoint.c.name == name
        )
        row = tx.execute(select(endpoint).where(found)).one_or_none()
        return None if row is None else _endpoint(row)

    def put_source(self, tx: Tx, one: Source, at: datetime) -> None:
        """Stores the source whole; the time it was first seen stays."""
        row = {
            "name": one.name,
            "scheme": one.scheme,
            "ack_deadline_ms": _ms(one.ack_deadline),
            "expected_statuses": list(one.expected_statuses),
            "retry_horizon_s": None
            if one.retry_horizon is None
            else one.retry_horizon // timedelta(seconds=1),
            "auto_redeliver": one.redeliver,
            "managed_by": one.managed_by.value,
            "updated_us": to_us(at),
        }
        if not insert_missing(tx, source, row | {"first_seen_us": to_us(one.first_seen_at)}):
            tx.execute(source.update().where(source.c.name == one.name).values(**row))

    def put_endpoint(self, tx: Tx, one: Endpoint, at: datetime) -> None:
        """Stores the endpoint whole, its sealed secret included; the time it was first seen stays."""
        row = {
            "environment": one.environment,
            "source": one.source,
            "name": one.name,
            "url": one.url,
            "insecure": one.insecure,
            "probe": {
                "enabled": one.probe.enabled,
                "url": one.probe.url,
                "method": one.probe.method,
                "statuses": list(one.probe.statuses),
                "contains": one.probe.conditions.contains,
                "matches": one.probe.conditions.matches,
                "json": [list(pair) for pair in one.probe.conditions.json],
                "headers": [list(pair) for pair in one.probe.conditions.headers],
                "exposure": one.probe.exposure,
                "canary": one.probe.canary,
            },
            "replay_secret": one.replay_secret,
            "ack_deadline_ms": _ms(one.ack_deadline),
            "managed_by": one.managed_by.value,
            "updated_us": to_us(at),
        }
        known = self.endpoint_within(tx, *one.key)
        first = one.first_seen_at if known is None else known.first_seen_at
        upsert(tx, endpoint, row | {"first_seen_us": to_us(first)})

    def register(self, seen: Iterable[tuple[str, str, str]], at: datetime) -> int:
        """Adds the (environment, source, endpoint) that are not known yet; how many were new."""
        wanted = sorted(set(seen))
        with read(self.engine) as tx:
            rows = tx.execute(select(endpoint.c.environment, endpoint.c.source, endpoint.c.name)).all()
        known = {(row[0], row[1], row[2]) for row in rows}
        new = [key for key in wanted if key not in known]
        if not new:
            return 0
        with write(self.engine) as tx:
            return sum(self.register_within(tx, key, at) for key in new)

    def register_within(self, tx: Tx, key: tuple[str, str, str], at: datetime) -> bool:
        """Adds the source and the endpoint if they are not known; whether the endpoint was new."""
        environment, name, where = key
        seen = {"managed_by": ManagedBy.SEEN.value, "first_seen_us": to_us(at), "updated_us": to_us(at)}
        insert_missing(tx, source, {"name": name, "expected_statuses": [], "auto_redeliver": False, **seen})
        row = {"environment": environment, "source": name, "name": where, "insecure": False, "probe": {}}
        return insert_missing(tx, endpoint, row | seen)


def _ms(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(milliseconds=1)


def _source(row: Row[Any]) -> Source:
    return Source(
        row.name,
        ManagedBy(row.managed_by),
        from_us(row.first_seen_us),
        row.scheme,
        None if row.ack_deadline_ms is None else timedelta(milliseconds=row.ack_deadline_ms),
        tuple(row.expected_statuses),
        None if row.retry_horizon_s is None else timedelta(seconds=row.retry_horizon_s),
        row.auto_redeliver,
    )


def _endpoint(row: Row[Any]) -> Endpoint:
    probe = ProbeSettings(
        row.probe.get("enabled", True),
        row.probe.get("url"),
        row.probe.get("method", "GET"),
        tuple(row.probe.get("statuses", ())),
        Conditions(
            row.probe.get("contains", ""),
            row.probe.get("matches", ""),
            tuple((path, value) for path, value in row.probe.get("json", ())),
            tuple((name, value) for name, value in row.probe.get("headers", ())),
        ),
        row.probe.get("exposure", False),
        row.probe.get("canary", False),
    )
    return Endpoint(
        row.environment,
        row.source,
        row.name,
        ManagedBy(row.managed_by),
        from_us(row.first_seen_us),
        row.url,
        row.insecure,
        probe,
        row.replay_secret,
        None if row.ack_deadline_ms is None else timedelta(milliseconds=row.ack_deadline_ms),
    )
