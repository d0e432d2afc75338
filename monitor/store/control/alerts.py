"""Alerts as they stand, and every move they made. The evaluator writes them; people only acknowledge.

An acknowledgement is kept beside the alert, not in it, so that a round of the evaluator that began before it
cannot undo it. It counts for the episode it was given in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, and_, delete, exists, func, or_, select, update

from alerts.model import Ack, Alert, Change, Notification, Severity, State, Transition, Why
from alerts.rules import TICKETS
from monitor.clock import from_us, to_us
from monitor.store.control.bodies import reader
from monitor.store.control.engine import Tx, insert_missing, read, tally, upsert
from monitor.store.control.leases import leading
from monitor.store.control.notifications import OPENING, enqueue
from monitor.store.control.schema import alert, notification, transition
from monitor.store.control.silences import note_hidden

_read = reader(Alert)
ACTIVE = (State.PENDING.value, State.FIRING.value)
LATELY_US = 86_400_000_000
"""An end is due in the transaction that stores it. To look further back than a day costs each round more, the
more alerts there ever were: 57 ms of 18,000."""


@dataclass(frozen=True, slots=True)
class Alerts:
    engine: Engine

    def get(self, fingerprint: str) -> Alert | None:
        with read(self.engine) as tx:
            return self.within(tx, fingerprint)

    def within(self, tx: Tx, fingerprint: str) -> Alert | None:
        row = tx.execute(select(alert).where(alert.c.fingerprint == fingerprint)).one_or_none()
        return None if row is None else _alert(row)

    def active(self, kind: str | None = None) -> Sequence[Alert]:
        """Pending and firing ones, the latest first."""
        wanted = select(alert).where(alert.c.state.in_(ACTIVE)).order_by(alert.c.since_us.desc())
        if kind is not None:
            wanted = wanted.where(alert.c.kind == kind)
        with read(self.engine) as tx:
            return [_alert(row) for row in tx.execute(wanted).all()]

    def page(
        self,
        states: Sequence[State],
        limit: int,
        before: tuple[datetime, str] | None = None,
        environment: str | None = None,
    ) -> list[Alert]:
        """Alerts in these states, the latest change first; `before`: (since, fingerprint) to go on below.

        Alerts without an environment, such as those about the monitor itself, belong to each.
        """
        wanted = select(alert).where(alert.c.state.in_([state.value for state in states]))
        if environment is not None:
            wanted = wanted.where(or_(alert.c.environment.is_(None), alert.c.environment == environment))
        if before is not None:
            since_us = to_us(before[0])
            wanted = wanted.where(
                or_(
                    alert.c.since_us < since_us,
                    and_(alert.c.since_us == since_us, alert.c.fingerprint < before[1]),
                )
            )
        wanted = wanted.order_by(alert.c.since_us.desc(), alert.c.fingerprint.desc()).limit(limit)
        with read(self.engine) as tx:
            return [_alert(row) for row in tx.execute(wanted).all()]

    def counts(self, environment: str | None = None) -> Mapping[State, int]:
        """How many stand in each state; every state is there. Alerts without an environment count in each."""
        counted = select(alert.c.state, func.count()).group_by(alert.c.state)
        if environment is not None:
            counted = counted.where(or_(alert.c.environment.is_(None), alert.c.environment == environment))
        with read(self.engine) as tx:
            found = {State(state): count for state, count in tally(tx, counted)}
        return {state: found.get(state, 0) for state in State}

    def wanted(self, fingerprints: Iterable[str], without_kinds: Sequence[str] = ()) -> Mapping[str, Alert]:
        """By fingerprint: the named ones that exist, every active one, and each that resolved lately and of
        whose start some channel was told, but not yet of its end; of a ticket's none is."""
        active = select(alert).where(alert.c.state.in_(ACTIVE))
        resolved = alert.c.state == State.RESOLVED.value
        newest = select(func.max(alert.c.since_us)).where(resolved).scalar_subquery()
        ended = select(alert).where(
            resolved,
            alert.c.since_us > newest - LATELY_US,
            alert.c.kind.not_in(sorted(TICKETS)),
            _half_told(),
        )
        with read(self.engine) as tx:
            rows = [*tx.execute(active).all(), *tx.execute(ended).all()]
            found = {row.fingerprint: row for row in rows}
            for some in batched(sorted(set(fingerprints) - found.keys()), 500):
                named = select(alert).where(alert.c.fingerprint.in_(some))
                found |= {row.fingerprint: row for row in tx.execute(named).all()}
        return {key: _alert(row) for key, row in found.items() if row.kind not in without_kinds}

    def transitions(self, fingerprint: str, limit: int = 200) -> Sequence[Transition]:
        """The alert's moves, the newest first."""
        wanted = select(transition).where(transition.c.fingerprint == fingerprint)
        with read(self.engine) as tx:
            rows = tx.execute(wanted.order_by(transition.c.revision.desc()).limit(limit)).all()
        return [_transition(row) for row in rows]

    def moves(
        self, start_at: datetime, end_at: datetime, limit: int = 10_000
    ) -> list[tuple[Alert, Transition]]:
        """The moves in (start_at, end_at], oldest first, each with its alert as it stands now."""
        chosen = select(transition).where(
            transition.c.at_us > to_us(start_at), transition.c.at_us <= to_us(end_at)
        )
        ordered = chosen.order_by(transition.c.at_us, transition.c.fingerprint, transition.c.revision)
        with read(self.engine) as tx:
            moved = tx.execute(ordered.limit(limit)).all()
            found = {row.fingerprint for row in moved}
            known: dict[str, Alert] = {}
            for some in batched(sorted(found), 500):
                rows = tx.execute(select(alert).where(alert.c.fingerprint.in_(some))).all()
                known |= {row.fingerprint: _alert(row) for row in rows}
        return [(known[row.fingerprint], _transition(row)) for row in moved]

    def apply(
        self,
        epoch: int,
        one: Alert,
        transitions: Sequence[Transition],
        notifications: Sequence[Notification],
    ) -> None:
        """Stores the alert, its moves and what is due for them in one transaction. Raises LeaseLost."""
        with leading(self.engine, epoch) as tx:
            self.put(tx, one, transitions)
            enqueue(tx, notifications)

    def put(self, tx: Tx, one: Alert, transitions: Sequence[Transition]) -> None:
        """The same within the caller's transaction; a move that is stored already stays as it is."""
        upsert(
            tx,
            alert,
            {
                "fingerprint": one.fingerprint,
                "rule": one.rule,
                "kind": one.kind,
                "environment": one.labels.get("environment"),
                "severity": one.severity.value,
                "state": one.state.value,
                "since_us": to_us(one.since),
                "revision": one.revision,
                "episode": one.episode,
                "body": msgspec.to_builtins(replace(one, ack=None)),
            },
        )
        note_hidden(tx, one)
        for move in transitions:
            insert_missing(
                tx,
                transition,
                {
                    "fingerprint": move.fingerprint,
                    "revision": move.revision,
                    "at_us": to_us(move.at),
                    "from_state": move.from_state.value,
                    "to_state": move.to_state.value,
                    "severity": move.severity.value,
                    "reason": move.reason.value,
                    "summary": move.summary,
                },
            )

    def acknowledge(self, tx: Tx, fingerprint: str, ack: Ack) -> bool:
        """Somebody takes the firing alert on; False when it does not fire."""
        firing = update(alert).where(alert.c.fingerprint == fingerprint, alert.c.state == State.FIRING.value)
        given = firing.values(
            ack_by=ack.by,
            ack_us=to_us(ack.at),
            ack_note=ack.note,
            ack_episode=alert.c.episode,
            ack_until_us=None if ack.until is None else to_us(ack.until),
        )
        return tx.execute(given).rowcount == 1

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes alerts that ended before, with their moves; how many."""
        old = and_(alert.c.state.not_in(ACTIVE), alert.c.since_us < to_us(before))
        with leading(self.engine, epoch) as tx:
            ended = select(alert.c.fingerprint).where(old)
            tx.execute(delete(transition).where(transition.c.fingerprint.in_(ended)))
            return tx.execute(delete(alert).where(old)).rowcount


def batched(values: Iterable[str], size: int) -> list[tuple[str, ...]]:
    """Bound lists: a statement takes only so many parameters."""
    items = list(values)
    return [tuple(items[at : at + size]) for at in range(0, len(items), size)]


def _half_told() -> Any:
    """Whether a channel was told of the alert's current episode, and has no closing message in the outbox."""
    opening, closing = notification.alias("opening"), notification.alias("closing")
    closed = exists().where(
        closing.c.fingerprint == opening.c.fingerprint,
        closing.c.episode == opening.c.episode,
        closing.c.channel == opening.c.channel,
        closing.c.reason == Why.RESOLVED.value,
    )
    return exists().where(
        opening.c.fingerprint == alert.c.fingerprint,
        opening.c.episode == alert.c.episode,
        opening.c.reason.in_(OPENING),
        ~closed,
    )


def _alert(row: Row[Any]) -> Alert:
    found = _read(row.body)
    if row.ack_episode != row.episode or found.state is not State.FIRING:
        return found
    until = None if row.ack_until_us is None else from_us(row.ack_until_us)
    return replace(found, ack=Ack(row.ack_by, from_us(row.ack_us), row.ack_note or "", until))


def _transition(row: Row[Any]) -> Transition:
    return Transition(
        row.fingerprint,
        row.revision,
        State(row.from_state),
        State(row.to_state),
        Severity(row.severity),
        from_us(row.at_us),
        Change(row.reason),
        row.summary,
    )
