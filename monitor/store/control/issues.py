"""Issues, and which records were counted into them. What a failure makes of one, `alerts.issues` says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, and_, delete, func, or_, select, update

from alerts.issues import NEW_FOR, OTHER_MESSAGE, Issue, IssueState, Kin, resolved, seen
from monitor.clock import from_us, to_us
from monitor.store.control.engine import Tx, insert_missing, read, upsert
from monitor.store.control.leases import leading
from monitor.store.control.schema import issue, issue_record

MOST_OF_AN_ENDPOINT = 500
"""Further messages of an endpoint share one issue per type and class: a text that always differs fills no
store."""
COUNTED_KEPT = timedelta(days=15)
"""A day longer than the feed, which may be read again from its start."""
QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues a page shows; empty parts match all."""

    environment: str | None = None
    source: str | None = None
    endpoint: str | None = None
    states: Sequence[IssueState] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """What the feed tells of failures of one kin: how many, and the record that stands for them."""

    kin: Kin
    record_id: str
    recorded_at: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Issues:
    engine: Engine

    def get(self, id: str) -> Issue | None:
        with read(self.engine) as tx:
            return self.within(tx, id)

    def within(self, tx: Tx, id: str) -> Issue | None:
        row = tx.execute(select(issue).where(issue.c.id == id)).one_or_none()
        return None if row is None else _issue(row)

    def page(
        self, wanted: IssueFilter, now: datetime, limit: int, before: tuple[datetime, str] | None = None
    ) -> list[Issue]:
        """The last seen first; `before` is (last seen, id) to go on below."""
        chosen = select(issue).where(*_matching(wanted, now))
        if before is not None:
            seen_us = to_us(before[0])
            chosen = chosen.where(
                or_(
                    issue.c.last_seen_us < seen_us,
                    and_(issue.c.last_seen_us == seen_us, issue.c.id < before[1]),
                )
            )
        chosen = chosen.order_by(issue.c.last_seen_us.desc(), issue.c.id.desc()).limit(limit)
        with read(self.engine) as tx:
            return [_issue(row) for row in tx.execute(chosen).all()]

    def matching(self, wanted: IssueFilter, now: datetime) -> int:
        """How many a filter lets through."""
        counted = select(func.count()).select_from(issue).where(*_matching(wanted, now))
        with read(self.engine) as tx:
            return int(tx.execute(counted).scalar_one())

    def fresh(self, since: datetime, limit: int = 1000) -> Sequence[Issue]:
        """Open ones that appeared or came back since, the last seen first."""
        recent = or_(
            issue.c.regressed_us >= to_us(since),
            and_(issue.c.regressed_us.is_(None), issue.c.first_seen_us >= to_us(since)),
        )
        chosen = select(issue).where(
            issue.c.resolved_us.is_(None), issue.c.last_seen_us >= to_us(since), recent
        )
        with read(self.engine) as tx:
            rows = tx.execute(chosen.order_by(issue.c.last_seen_us.desc(), issue.c.id).limit(limit)).all()
        return [_issue(row) for row in rows]

    def beginning(self, id: str) -> Sequence[str]:
        """Ids that begin so, a few of them."""
        chosen = select(issue.c.id).where(issue.c.id >= id, issue.c.id < id + "g").limit(10)
        with read(self.engine) as tx:
            return [str(row[0]) for row in tx.execute(chosen).all()]

    def records(self, id: str, limit: int = 20) -> Sequence[str]:
        """Ids of records that were counted into it, the latest first."""
        chosen = select(issue_record.c.record_id).where(issue_record.c.issue_id == id)
        with read(self.engine) as tx:
            rows = tx.execute(chosen.order_by(issue_record.c.recorded_us.desc()).limit(limit)).all()
        return [str(row[0]) for row in rows]

    def count(self, tx: Tx, failure: Failure, now: datetime) -> bool:
        """Counts failures into their issue, made if there is none; False when they were counted before."""
        kin = self._kin(tx, failure.kin)
        known = self.within(tx, kin.id)
        after = seen(known, kin, failure.failures, failure.recorded_at, failure.record_id)
        if known is None:
            _put(tx, after)
        row = {
            "record_id": failure.record_id,
            "issue_id": kin.id,
            "recorded_us": to_us(failure.recorded_at),
            "counted_us": to_us(now),
        }
        if not insert_missing(tx, issue_record, row):
            return False
        if known is not None:
            _put(tx, after)
        return True

    def resolve(self, tx: Tx, id: str, by: str, at: datetime) -> Issue | None:
        """Ends it; the issue as it is then, None when there is none."""
        known = self.within(tx, id)
        if known is None:
            return None
        ended = resolved(known, by, at)
        _put(tx, ended)
        return ended

    def end_quiet(self, before: datetime, at: datetime, epoch: int) -> int:
        """Ends those not seen since `before`; how many."""
        quiet = update(issue).where(issue.c.resolved_us.is_(None), issue.c.last_seen_us < to_us(before))
        with leading(self.engine, epoch) as tx:
            return tx.execute(quiet.values(resolved_us=to_us(at), resolved_by=QUIET)).rowcount

    def purge(self, before: datetime, epoch: int) -> int:
        """Deletes issues that ended before, and what was counted longer ago than the feed goes; how many."""
        old = and_(issue.c.resolved_us.is_not(None), issue.c.resolved_us < to_us(before))
        with leading(self.engine, epoch) as tx:
            ended = select(issue.c.id).where(old)
            tx.execute(delete(issue_record).where(issue_record.c.issue_id.in_(ended)))
            return tx.execute(delete(issue).where(old)).rowcount

    def forget_counted(self, before: datetime, epoch: int) -> int:
        """Deletes notes of records that were counted before; how many."""
        with leading(self.engine, epoch) as tx:
            return tx.execute(delete(issue_record).where(issue_record.c.counted_us < to_us(before))).rowcount

    def _kin(self, tx: Tx, kin: Kin) -> Kin:
        """The kin, or the one that stands for all further messages of an endpoint that has too many."""
        if self.within(tx, kin.id) is not None:
            return kin
        counted = select(func.count()).where(
            issue.c.environment == kin.environment,
            issue.c.source == kin.source,
            issue.c.endpoint == kin.endpoint,
        )
        if tx.execute(counted).scalar_one() < MOST_OF_AN_ENDPOINT:
            return kin
        return replace(kin, message=OTHER_MESSAGE)


def _put(tx: Tx, one: Issue) -> None:
    kin = one.kin
    row = {
        "id": kin.id,
        "environment": kin.environment,
        "source": kin.source,
        "endpoint": kin.endpoint,
        "event_type": kin.event_type,
        "error_class": kin.error_class,
        "message": kin.message,
        "first_seen_us": to_us(one.first_seen_at),
        "last_seen_us": to_us(one.last_seen_at),
        "failures": one.failures,
        "record_id": one.record_id,
        "regressed_us": None if one.regressed_at is None else to_us(one.regressed_at),
        "resolved_us": None if one.resolved_at is None else to_us(one.resolved_at),
        "resolved_by": one.resolved_by,
    }
    upsert(tx, issue, row)


def _issue(row: Row[Any]) -> Issue:
    kin = Kin(row.environment, row.source, row.endpoint, row.event_type, row.error_class, row.message)
    return Issue(
        kin,
        from_us(row.first_seen_us),
        from_us(row.last_seen_us),
        row.failures,
        row.record_id,
        None if row.regressed_us is None else from_us(row.regressed_us),
        None if row.resolved_us is None else from_us(row.resolved_us),
        row.resolved_by,
    )


def _matching(wanted: IssueFilter, now: datetime) -> list[ColumnElement[bool]]:
    parts = (
        (issue.c.environment, wanted.environment),
        (issue.c.source, wanted.source),
        (issue.c.endpoint, wanted.endpoint),
    )
    clauses = [column == value for column, value in parts if value is not None]
    if wanted.states:
        clauses.append(or_(*(_in_state(state, now) for state in wanted.states)))
    return clauses


def _in_state(state: IssueState, now: datetime) -> ColumnElement[bool]:
    """As `Issue.state` says it."""
    since_us, is_open = to_us(now - NEW_FOR), issue.c.resolved_us.is_(None)
    never, came_back = issue.c.regressed_us.is_(None), issue.c.regressed_us.is_not(None)
    return {
        IssueState.RESOLVED: issue.c.resolved_us.is_not(None),
        IssueState.NEW: and_(is_open, never, issue.c.first_seen_us > since_us),
        IssueState.REGRESSED: and_(is_open, came_back, issue.c.regressed_us > since_us),
        IssueState.ONGOING: and_(
            is_open,
            or_(
                and_(never, issue.c.first_seen_us <= since_us),
                and_(came_back, issue.c.regressed_us <= since_us),
            ),
        ),
    }[state]
