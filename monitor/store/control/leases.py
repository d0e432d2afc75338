"""Who leads: the lease row, and the transaction that only its holder can commit.

Every write is conditional; whether a lease was abandoned is not decided here, and no clock is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, Update, insert, select, update
from sqlalchemy.exc import IntegrityError

from monitor.errors import LeaseLost
from monitor.store.control.engine import Tx, read, write
from monitor.store.control.schema import lease

WORKER = "worker"


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The lease as stored. beat counts up while its owner lives; owner is empty when it was given back."""

    owner: str
    epoch: int
    beat: int


@contextmanager
def leading(engine: Engine, epoch: int, name: str = WORKER) -> Iterator[Tx]:
    """A writing transaction of the leader. Raises LeaseLost when the lease is of another epoch.

    The check shares the transaction with the writes: a takeover comes before both or after both.
    """
    with write(engine) as tx:
        held = (
            select(lease.c.epoch).where(lease.c.name == name, lease.c.owner != "").with_for_update(read=True)
        )
        if tx.scalar(held) != epoch:
            raise LeaseLost("another worker leads now", "nothing to do: that one goes on with the work")
        yield tx


@dataclass(frozen=True, slots=True)
class Leases:
    """The stored leases. False or None says that another worker was quicker."""

    engine: Engine

    def read(self, name: str) -> LeaseRow | None:
        with read(self.engine) as tx:
            row = tx.execute(select(lease).where(lease.c.name == name)).one_or_none()
        return None if row is None else LeaseRow(row.owner, row.epoch, row.beat)

    def take(self, name: str, owner: str, seen: LeaseRow | None) -> int | None:
        """The new epoch, if the row still was as seen."""
        if seen is None:
            return self._make(name, owner)
        taken = (
            update(lease)
            .where(
                lease.c.name == name,
                lease.c.owner == seen.owner,
                lease.c.epoch == seen.epoch,
                lease.c.beat == seen.beat,
            )
            .values(owner=owner, epoch=seen.epoch + 1, beat=0)
        )
        with write(self.engine) as tx:
            return seen.epoch + 1 if tx.execute(taken).rowcount == 1 else None

    def beat(self, name: str, owner: str, epoch: int) -> bool:
        beaten = _held(name, owner, epoch).values(beat=lease.c.beat + 1)
        with write(self.engine) as tx:
            return tx.execute(beaten).rowcount == 1

    def release(self, name: str, owner: str, epoch: int) -> None:
        with write(self.engine) as tx:
            tx.execute(_held(name, owner, epoch).values(owner=""))

    def holds(self, epoch: int, name: str = WORKER) -> bool:
        """Whether the epoch is still the leader's: asked just before an outside effect."""
        row = self.read(name)
        return row is not None and row.epoch == epoch and bool(row.owner)

    def _make(self, name: str, owner: str) -> int | None:
        try:
            with write(self.engine) as tx:
                tx.execute(insert(lease).values(name=name, owner=owner, epoch=1, beat=0))
        except IntegrityError:
            return None
        return 1


def _held(name: str, owner: str, epoch: int) -> Update:
    return update(lease).where(lease.c.name == name, lease.c.owner == owner, lease.c.epoch == epoch)
