"""People: their accounts, their sessions, and how often somebody failed to be one of them.

Passwords come here hashed, session ids and throttled subjects as SHA-256. Nothing is judged here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, or_, select, update

from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, insert_missing, read, upsert, write
from monitor.store.control.schema import account, login_throttle, session


class Role(StrEnum):
    """What somebody may do; each role may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for viewer to 2 for admin."""
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    password_hash: str = field(repr=False)
    role: Role
    created_at: datetime
    password_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One login. role: the account's at the time of asking."""

    account: str
    role: Role
    created_at: datetime
    seen_at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class Tries:
    """Failed logins of one subject since a time. until_at: none is evaluated before it."""

    failures: int
    since_at: datetime
    until_at: datetime
    succeeded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accounts:
    engine: Engine

    def all(self) -> Sequence[Account]:
        """By name, disabled ones included."""
        with read(self.engine) as tx:
            return self.all_within(tx)

    def all_within(self, tx: Tx) -> Sequence[Account]:
        return [_account(row) for row in tx.execute(select(account).order_by(account.c.name)).all()]

    def get(self, name: str) -> Account | None:
        with read(self.engine) as tx:
            row = tx.execute(select(account).where(account.c.name == name)).one_or_none()
        return None if row is None else _account(row)

    def add(self, tx: Tx, one: Account) -> bool:
        """False when the name is taken."""
        return insert_missing(
            tx,
            account,
            {
                "name": one.name,
                "password_hash": one.password_hash,
                "role": one.role.value,
                "created_us": to_us(one.created_at),
                "password_us": to_us(one.password_at),
            },
        )

    def set_password(self, tx: Tx, name: str, password_hash: str, at: datetime) -> bool:
        """Replaces the hash and ends every session of the account; False when there is no such account."""
        changed = update(account).where(account.c.name == name)
        tx.execute(delete(session).where(session.c.account == name))
        return tx.execute(changed.values(password_hash=password_hash, password_us=to_us(at))).rowcount == 1

    def disable(self, tx: Tx, name: str, at: datetime) -> bool:
        """Shuts the account and ends its sessions; False when there is none that was open."""
        live = update(account).where(account.c.name == name, account.c.disabled_us.is_(None))
        tx.execute(delete(session).where(session.c.account == name))
        return tx.execute(live.values(disabled_us=to_us(at))).rowcount == 1

    def open_session(self, tx: Tx, id_sha256: str, name: str, address: str, at: datetime) -> None:
        at_us = to_us(at)
        tx.execute(
            insert(session).values(
                id_sha256=id_sha256, account=name, created_us=at_us, seen_us=at_us, address=address[:64]
            )
        )

    def session(self, id_sha256: str) -> Session | None:
        """The session of an account that is not disabled, however old."""
        wanted = (
            select(session, account.c.role)
            .join(account, account.c.name == session.c.account)
            .where(session.c.id_sha256 == id_sha256, account.c.disabled_us.is_(None))
        )
        with read(self.engine) as tx:
            row = tx.execute(wanted).one_or_none()
        if row is None:
            return None
        return Session(
            row.account, Role(row.role), from_us(row.created_us), from_us(row.seen_us), row.address
        )

    def touch(self, id_sha256: str, at: datetime) -> None:
        with write(self.engine) as tx:
            tx.execute(update(session).where(session.c.id_sha256 == id_sha256).values(seen_us=to_us(at)))

    def close_session(self, tx: Tx, id_sha256: str) -> bool:
        return tx.execute(delete(session).where(session.c.id_sha256 == id_sha256)).rowcount == 1

    def close_sessions(self, tx: Tx, created_before: datetime, seen_before: datetime) -> int:
        """Deletes sessions that are too old or were idle too long; how many."""
        old = or_(session.c.created_us < to_us(created_before), session.c.seen_us < to_us(seen_before))
        return tx.execute(delete(session).where(old)).rowcount

    def tries(self, tx: Tx, subject: str) -> Tries | None:
        row = tx.execute(
            select(login_throttle).where(login_throttle.c.subject == subject).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        succeeded = None if row.succeeded_us is None else from_us(row.succeeded_us)
        return Tries(row.failures, from_us(row.since_us), from_us(row.until_us), succeeded)

    def put_tries(self, tx: Tx, subject: str, tries: Tries) -> None:
        upsert(
            tx,
            login_throttle,
            {
                "subject": subject,
                "failures": tries.failures,
                "since_us": to_us(tries.since_at),
                "until_us": to_us(tries.until_at),
                "succeeded_us": None if tries.succeeded_at is None else to_us(tries.succeeded_at),
            },
        )


def _account(row: Row[Any]) -> Account:
    return Account(
        row.name,
        row.password_hash,
        Role(row.role),
        from_us(row.created_us),
        from_us(row.password_us),
        None if row.disabled_us is None else from_us(row.disabled_us),
    )
