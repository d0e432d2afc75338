"""Replays and their items. Each change of state is conditional on the state before it; the row count tells.

It sends nothing and decides nothing: `monitor.replay` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, and_, func, insert, or_, select, update

from monitor.clock import from_us, to_us
from monitor.dead_letters import (
    IN_FLIGHT,
    UNFINISHED,
    Item,
    ItemState,
    LetterKey,
    Replay,
    ReplayState,
)
from monitor.store.control.engine import Tx, read
from monitor.store.control.leases import leading
from monitor.store.control.schema import letter, replay, replay_item


@dataclass(frozen=True, slots=True)
class Replays:
    engine: Engine

    def get(self, id: str) -> Replay | None:
        with read(self.engine) as tx:
            row = tx.execute(select(replay).where(replay.c.id == id)).one_or_none()
        return None if row is None else _replay(row)

    def running(self) -> Sequence[Replay]:
        """Oldest first."""
        wanted = select(replay).where(replay.c.state == ReplayState.RUNNING.value)
        with read(self.engine) as tx:
            return [_replay(row) for row in tx.execute(wanted.order_by(replay.c.created_us)).all()]

    def page(self, limit: int, before: tuple[datetime, str] | None = None) -> list[Replay]:
        """Newest first; `before` is (created, id) to go on below."""
        wanted = select(replay).order_by(replay.c.created_us.desc(), replay.c.id.desc()).limit(limit)
        if before is not None:
            at_us = to_us(before[0])
            wanted = wanted.where(
                or_(replay.c.created_us < at_us, and_(replay.c.created_us == at_us, replay.c.id < before[1]))
            )
        with read(self.engine) as tx:
            return [_replay(row) for row in tx.execute(wanted).all()]

    def counts(self, ids: Sequence[str]) -> Mapping[str, Mapping[ItemState, int]]:
        """Per replay how many items stand in each state; states without an item are left out."""
        counted = (
            select(replay_item.c.replay_id, replay_item.c.state, func.count())
            .where(replay_item.c.replay_id.in_(ids))
            .group_by(replay_item.c.replay_id, replay_item.c.state)
        )
        found: dict[str, dict[ItemState, int]] = {id: {} for id in ids}
        with read(self.engine) as tx:
            for row in tx.execute(counted).all():
                found[row[0]][ItemState(row[1])] = int(row[2])
        return found

    def items(
        self,
        replay_id: str,
        states: Sequence[ItemState] = tuple(ItemState),
        limit: int = 1000,
        after: int = -1,
    ) -> Sequence[Item]:
        """By position; `after` is the position to go on above."""
        wanted = _items().where(
            replay_item.c.replay_id == replay_id,
            replay_item.c.state.in_([state.value for state in states]),
            replay_item.c.position > after,
        )
        with read(self.engine) as tx:
            return [
                _item(row) for row in tx.execute(wanted.order_by(replay_item.c.position).limit(limit)).all()
            ]

    def item(self, id: str) -> Item | None:
        with read(self.engine) as tx:
            return self.item_within(tx, id)

    def item_within(self, tx: Tx, id: str) -> Item | None:
        row = tx.execute(_items().where(replay_item.c.id == id)).one_or_none()
        return None if row is None else _item(row)

    def of_letter(self, letter_id: str, limit: int = 50) -> Sequence[Item]:
        """Every item of the letter, the newest replay first."""
        wanted = _items().join(replay, replay.c.id == replay_item.c.replay_id)
        wanted = wanted.where(replay_item.c.letter_id == letter_id).order_by(replay.c.created_us.desc())
        with read(self.engine) as tx:
            return [_item(row) for row in tx.execute(wanted.limit(limit)).all()]

    def in_flight(self) -> Sequence[Item]:
        """Items of any replay whose outcome is awaited."""
        return self._in_states(IN_FLIGHT)

    def latest_settled(self, replay_id: str, limit: int) -> Sequence[Item]:
        """Succeeded, failed and unconfirmed ones, the last to settle first."""
        judged = [ItemState.SUCCEEDED.value, ItemState.FAILED.value, ItemState.UNCONFIRMED.value]
        wanted = _items().where(replay_item.c.replay_id == replay_id, replay_item.c.state.in_(judged))
        wanted = wanted.order_by(replay_item.c.settled_us.desc(), replay_item.c.position.desc())
        with read(self.engine) as tx:
            return [_item(row) for row in tx.execute(wanted.limit(limit)).all()]

    def busy(self, letter_ids: Sequence[str]) -> frozenset[str]:
        """Those of the letters that an unfinished replay is still to send, or that are on their way."""
        with read(self.engine) as tx:
            return self._busy(tx, letter_ids)

    def busy_letters(self, tx: Tx, letter_ids: Sequence[str]) -> frozenset[str]:
        """The same, and nobody else can put the letters into a replay before this transaction ends."""
        for at in range(0, len(letter_ids), 500):
            some = select(letter.c.id).where(letter.c.id.in_(letter_ids[at : at + 500]))
            tx.execute(some.order_by(letter.c.id).with_for_update()).all()
        return self._busy(tx, letter_ids)

    def _busy(self, tx: Tx, letter_ids: Sequence[str]) -> frozenset[str]:
        busy: set[str] = set()
        on_the_way = replay_item.c.state.in_([state.value for state in IN_FLIGHT])
        to_send = and_(
            replay_item.c.state == ItemState.PLANNED.value,
            replay.c.state.in_([state.value for state in UNFINISHED]),
        )
        for at in range(0, len(letter_ids), 500):
            wanted = (
                select(replay_item.c.letter_id)
                .join(replay, replay.c.id == replay_item.c.replay_id)
                .where(replay_item.c.letter_id.in_(letter_ids[at : at + 500]), or_(on_the_way, to_send))
            )
            busy.update(tx.scalars(wanted).all())
        return frozenset(busy)

    def add(self, tx: Tx, one: Replay, items: Sequence[Item]) -> None:
        """Stores a replay with its frozen set."""
        tx.execute(
            insert(replay).values(
                id=one.id,
                state=one.state.value,
                state_reason=one.state_reason,
                reason=one.reason,
                created_by=one.created_by,
                created_us=to_us(one.created_at),
                started_us=_us(one.started_at),
                automatic=one.automatic,
                per_second=one.per_second,
                in_flight=one.in_flight,
            )
        )
        rows = [
            {
                "id": item.id,
                "replay_id": one.id,
                "position": item.position,
                "letter_id": item.letter_id,
                "state": item.state.value,
                "reason": item.reason,
                "attempts": 0,
                "settled_us": _us(item.settled_at),
            }
            for item in items
        ]
        for at in range(0, len(rows), 500):
            tx.execute(insert(replay_item), rows[at : at + 500])

    def move(
        self, tx: Tx, id: str, before: Sequence[ReplayState], to: ReplayState, at: datetime, why: str = ""
    ) -> bool:
        """From one of the states before to the other; False when it stood elsewhere."""
        ends = to in (ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.STOPPED)
        changed: dict[str, Any] = {
            "state": to.value,
            "state_reason": why,
            "ended_us": to_us(at) if ends else None,
        }
        if to is ReplayState.RUNNING:
            changed["resumed_us"] = to_us(at)
        stands = update(replay).where(
            replay.c.id == id, replay.c.state.in_([state.value for state in before])
        )
        return tx.execute(stands.values(**changed)).rowcount == 1

    def skip_planned(self, tx: Tx, replay_id: str, why: str, at: datetime) -> int:
        """What was not sent yet never will be; how many."""
        planned = update(replay_item).where(
            replay_item.c.replay_id == replay_id, replay_item.c.state == ItemState.PLANNED.value
        )
        skipped = planned.values(state=ItemState.SKIPPED.value, reason=why, settled_us=to_us(at))
        return tx.execute(skipped).rowcount

    def claim(self, epoch: int, item_id: str, at: datetime) -> bool:
        """planned → sending, while its replay runs; True when this call alone may send it."""
        running = select(replay.c.id).where(replay.c.state == ReplayState.RUNNING.value)
        planned = update(replay_item).where(
            replay_item.c.id == item_id,
            replay_item.c.state == ItemState.PLANNED.value,
            replay_item.c.replay_id.in_(running),
        )
        with leading(self.engine, epoch) as tx:
            claimed = planned.values(
                state=ItemState.SENDING.value,
                epoch=epoch,
                sending_us=to_us(at),
                attempts=replay_item.c.attempts + 1,
                reason="",
            )
            return tx.execute(claimed).rowcount == 1

    def change(
        self,
        tx: Tx,
        item_id: str,
        before: Sequence[ItemState],
        to: ItemState,
        *,
        reason: str = "",
        sent_at: datetime | None = None,
        settled_at: datetime | None = None,
        http_status: int | None = None,
        record_id: str | None = None,
    ) -> bool:
        """From one of the states before to the other; False when it stood elsewhere. None changes nothing."""
        values = {
            "sent_us": _us(sent_at),
            "settled_us": _us(settled_at),
            "http_status": http_status,
            "record_id": record_id,
        }
        changed = {name: value for name, value in values.items() if value is not None}
        stands = update(replay_item).where(
            replay_item.c.id == item_id, replay_item.c.state.in_([state.value for state in before])
        )
        return tx.execute(stands.values(state=to.value, reason=reason, **changed)).rowcount == 1

    def _in_states(self, states: Sequence[ItemState]) -> Sequence[Item]:
        wanted = _items().where(replay_item.c.state.in_([state.value for state in states]))
        with read(self.engine) as tx:
            return [_item(row) for row in tx.execute(wanted.order_by(replay_item.c.sending_us)).all()]


def _items() -> Select[Any]:
    key = (letter.c.environment, letter.c.source, letter.c.endpoint, letter.c.event_id)
    return select(replay_item, *key).join(letter, letter.c.id == replay_item.c.letter_id)


def _replay(row: Row[Any]) -> Replay:
    return Replay(
        row.id,
        ReplayState(row.state),
        row.reason,
        row.created_by,
        from_us(row.created_us),
        row.per_second,
        row.in_flight,
        row.automatic,
        row.state_reason,
        _at(row.started_us),
        _at(row.ended_us),
        _at(row.resumed_us),
    )


def _item(row: Row[Any]) -> Item:
    return Item(
        row.id,
        row.replay_id,
        row.position,
        row.letter_id,
        LetterKey(row.environment, row.source, row.endpoint, row.event_id),
        ItemState(row.state),
        row.reason,
        row.attempts,
        row.epoch,
        _at(row.sending_us),
        _at(row.sent_us),
        _at(row.settled_us),
        row.http_status,
        row.record_id,
    )


def _at(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)
