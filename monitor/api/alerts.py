"""Alerts: those that stand, one with its moves and messages, and acknowledging it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, ConfigDict, Field

from alerts.model import Delivery, Severity, State, Why
from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Paged, cursor_below
from monitor.api.shapes import Asked, Shape, Window, answer, length_of
from monitor.errors import NotFound, Unprocessable
from monitor.operations import alerts as operations
from monitor.store.control.history import Entry, Wanted
from monitor.store.control.notifications import OutboxRow

alerts = noun("alerts", "Alerts as they stand, their moves, and who was told.")


class ErrorShape(Shape):
    name: str
    count: int


class EvidenceShape(Shape):
    """Why it came out so. value and threshold are in `unit`; exemplars are record ids."""

    summary: str
    value: float | None
    threshold: float | None
    unit: str
    window_start_at: datetime | None
    window_end_at: datetime | None
    sample: int
    top_errors: list[ErrorShape]
    exemplars: list[str]


class AckShape(Shape):
    """until: when it runs out; null for the end of the firing."""

    by: str
    at: datetime
    note: str
    until: datetime | None


class AlertShape(Shape):
    """One alert. muted_by: `silence:<id>`, `alert:<fingerprint>` or `quiet_hours`, what keeps it quiet.
    flapping_since: it came and went so often that it is held firing until it has been calm."""

    fingerprint: str
    rule: str
    kind: str
    severity: Severity
    labels: Mapping[str, str]
    state: State
    since: datetime
    last_evaluated_at: datetime
    firing_since: datetime | None
    resolved_at: datetime | None
    episode: int
    runbook: str
    muted_by: str | None
    flapping_since: datetime | None
    ack: AckShape | None
    evidence: EvidenceShape


class AlertPage(Shape):
    alerts: list[AlertShape]
    next_cursor: str | None


class MoveShape(Shape):
    """One move, with the reason it was made."""

    at: datetime
    from_state: State
    to_state: State
    severity: Severity
    reason: str
    summary: str


class MessageShape(Shape):
    """One message to one channel and what became of it."""

    channel: str
    reason: Why
    severity: Severity
    created_at: datetime
    delivery: Delivery
    tries: int
    settled_at: datetime | None
    error: str


class AlertDetail(AlertShape):
    """moves and messages: newest first."""

    moves: list[MoveShape]
    messages: list[MessageShape]


class AlertSearch(Paged, Asked):
    """Without a state: pending and firing ones."""

    state: list[State] = Field(
        default_factory=lambda: [State.PENDING, State.FIRING], description="May be given several times."
    )


class AlertPath(Asked):
    fingerprint: Annotated[str, Field(max_length=64)]


@alerts.get("/alerts", responses={200: AlertPage})
@needs(Need.READ)
def page(query: AlertSearch) -> Response:
    """A page of alerts, the latest change first"""
    found = services().control.alerts.page(query.state, query.limit + 1, query.below())
    shown = found[: query.limit]
    more = cursor_below(shown[-1].since, shown[-1].fingerprint) if len(found) > len(shown) else None
    return answer(AlertPage(alerts=[AlertShape.model_validate(one) for one in shown], next_cursor=more))


class LineShape(Shape):
    """A transition (from_state, to_state) or a notification (channel and what became of it: delivery, tries,
    settled_at, the last error, the service's own reference)."""

    at: datetime
    entry: Entry
    fingerprint: str
    rule: str
    environment: str | None
    severity: Severity
    reason: str
    summary: str
    from_state: State | None
    to_state: State | None
    channel: str | None
    delivery: Delivery | None
    tries: int | None
    settled_at: datetime | None
    error: str | None
    reference: str | None


class HistoryPage(Shape):
    """Newest first."""

    history: list[LineShape]
    next_cursor: str | None


class HistorySearch(Paged, Asked):
    """Without a range all that is kept."""

    since: Annotated[AwareDatetime | None, Field(description="Start, RFC 3339 with a zone.")] = None
    until: Annotated[AwareDatetime | None, Field(description="End, exclusive.")] = None
    rule: Annotated[str | None, Field(max_length=128, description="Only this rule.")] = None
    fingerprint: Annotated[str | None, Field(max_length=64, description="Only this alert.")] = None
    entry: Annotated[Entry | None, Field(description="Only transitions, or only notifications.")] = None


@alerts.get("/alerts/history", responses={200: HistoryPage})
@needs(Need.READ)
def history(query: HistorySearch) -> Response:
    """What alerts did and who was told, newest first"""
    wanted = Wanted(query.since, query.until, query.rule, query.fingerprint, query.entry, query.below())
    try:
        found = services().control.history.page(wanted, query.limit + 1)
    except ValueError as exc:
        raise Unprocessable("This cursor is not one of ours.", "start again without a cursor") from exc
    shown = found[: query.limit]
    more = cursor_below(shown[-1].at, shown[-1].key) if len(found) > len(shown) else None
    return answer(HistoryPage(history=[LineShape.model_validate(one) for one in shown], next_cursor=more))


@alerts.get("/alerts/<fingerprint>", responses={200: AlertDetail})
@needs(Need.READ)
def one(path: AlertPath) -> Response:
    """One alert with its moves and messages"""
    return answer(detail(path.fingerprint))


def detail(fingerprint: str) -> AlertDetail:
    """The alert as it stands now. Raises NotFound."""
    control = services().control
    found = control.alerts.get(fingerprint)
    if found is None:
        raise NotFound(f"There is no alert {fingerprint}.", "list them with GET /api/v1/alerts")
    moves = control.alerts.transitions(fingerprint)
    return AlertDetail(
        **AlertShape.model_validate(found).model_dump(),
        moves=[MoveShape.model_validate(move) for move in moves],
        messages=[_message(row) for row in control.notifications.of_alert(fingerprint)],
    )


def _message(row: OutboxRow) -> MessageShape:
    one = row.notification
    return MessageShape(
        channel=one.channel,
        reason=one.reason,
        severity=one.alert.severity,
        created_at=one.created_at,
        delivery=row.delivery,
        tries=row.tries,
        settled_at=row.settled_at,
        error=row.error,
    )


class AckBody(Asked):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    note: Annotated[str, Field(max_length=2000, description="For the colleagues.")] = ""
    lasts: Annotated[
        Window | None, Field(alias="for", description="For how long, such as 2h; else until it is over.")
    ] = None


@alerts.post("/alerts/<fingerprint>/acknowledge", responses={200: AlertDetail})
@needs(Need.OPERATE)
def acknowledge(path: AlertPath, body: AckBody) -> Response:
    """Take an alert on: repeats and escalation stop until it is over, or for a time"""
    lasts = None if body.lasts is None else length_of(body.lasts)
    operations.acknowledge(services().desk, current_actor(), path.fingerprint, body.note, lasts)
    return answer(detail(path.fingerprint))
