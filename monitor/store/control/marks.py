"""How far something was read or written: one named value each, moved in the transaction it speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from monitor.store.control.engine import Tx, read, upsert
from monitor.store.control.schema import mark


@dataclass(frozen=True, slots=True)
class FeedMark:
    """The last feed row that was applied, in the facts store of this id."""

    store_id: str
    xid: int
    seq: int


FEED = "feed"


@dataclass(frozen=True, slots=True)
class Marks:
    engine: Engine

    def get(self, name: str) -> Mapping[str, Any] | None:
        with read(self.engine) as tx:
            found: Mapping[str, Any] | None = tx.scalar(select(mark.c.value).where(mark.c.name == name))
        return found

    def within(self, tx: Tx, name: str) -> Mapping[str, Any] | None:
        """The value as a writing transaction sees it, locked until its end."""
        found: Mapping[str, Any] | None = tx.scalar(
            select(mark.c.value).where(mark.c.name == name).with_for_update()
        )
        return found

    def put(self, tx: Tx, name: str, value: Mapping[str, Any]) -> None:
        upsert(tx, mark, {"name": name, "value": dict(value)})

    def feed(self) -> FeedMark | None:
        """Where the feed was read to; None before the first time."""
        value = self.get(FEED)
        return None if value is None else FeedMark(value["store_id"], value["xid"], value["seq"])

    def put_feed(self, tx: Tx, to: FeedMark) -> None:
        self.put(tx, FEED, {"store_id": to.store_id, "xid": to.xid, "seq": to.seq})
