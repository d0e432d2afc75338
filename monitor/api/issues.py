"""Issues: failures of the same kind as one thing: since when, how often, and whether it is over."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from alerts.issues import Issue, IssueState
from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Paged, cursor_below
from monitor.api.shapes import Asked, Shape, answer
from monitor.errors import NotFound
from monitor.operations import issues as operations
from monitor.store.control.issues import IssueFilter

issues = noun("issues", "Failures of the same kind, folded into one.")


class IssueShape(Shape):
    """One issue. message: what all its failures say, with what varies replaced by its kind.

    failures: how many there were, replays and canaries left out. record_id: the latest of them. resolved_by:
    a person, or `quiet` for one that only stopped.
    """

    id: str
    environment: str
    source: str
    endpoint: str
    event_type: str
    error_class: str
    message: str
    state: IssueState
    first_seen_at: datetime
    last_seen_at: datetime
    failures: int
    record_id: str
    regressed_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None


class IssuePage(Shape):
    issues: list[IssueShape]
    next_cursor: str | None


class IssueDetail(IssueShape):
    """records: ids of its latest failures that are still kept, the latest first."""

    records: list[str]


class IssueSearch(Paged, Asked):
    """Filters; one left out matches all. Without a state: those that are not resolved."""

    environment: Annotated[str | None, Field(max_length=32)] = None
    source: Annotated[str | None, Field(max_length=64)] = None
    endpoint: Annotated[str | None, Field(max_length=128)] = None
    state: list[IssueState] = Field(
        default_factory=lambda: [IssueState.NEW, IssueState.ONGOING, IssueState.REGRESSED],
        description="May be given several times.",
    )


class IssuePath(Asked):
    issue_id: Annotated[str, Field(max_length=64)]


@issues.get("/issues", responses={200: IssuePage})
@needs(Need.READ)
def page(query: IssueSearch) -> Response:
    """A page of issues, the last seen first"""
    wanted, now = (
        IssueFilter(query.environment, query.source, query.endpoint, query.state),
        services().clock.now(),
    )
    found = services().control.issues.page(wanted, now, query.limit + 1, query.below())
    shown = found[: query.limit]
    more = cursor_below(shown[-1].last_seen_at, shown[-1].kin.id) if len(found) > len(shown) else None
    return answer(IssuePage(issues=[_shape(one, now) for one in shown], next_cursor=more))


@issues.get("/issues/<issue_id>", responses={200: IssueDetail})
@needs(Need.READ)
def one(path: IssuePath) -> Response:
    """One issue with its latest failures"""
    control, now = services().control, services().clock.now()
    found = control.issues.get(path.issue_id)
    if found is None:
        raise NotFound(f"There is no issue {path.issue_id}.", "list them with GET /api/v1/issues")
    records = list(control.issues.records(path.issue_id))
    return answer(IssueDetail(**_shape(found, now).model_dump(), records=records))


@issues.post("/issues/<issue_id>/resolve", responses={200: IssueShape})
@needs(Need.OPERATE)
def resolve(path: IssuePath) -> Response:
    """End an issue; it regresses when it fails again"""
    ended = operations.resolve(services().desk, current_actor(), path.issue_id)
    return answer(_shape(ended, services().clock.now()))


def _shape(one: Issue, now: datetime) -> IssueShape:
    kin = one.kin
    return IssueShape(
        id=kin.id,
        environment=kin.environment,
        source=kin.source,
        endpoint=kin.endpoint,
        event_type=kin.event_type,
        error_class=kin.error_class,
        message=kin.message,
        state=one.state(now),
        first_seen_at=one.first_seen_at,
        last_seen_at=one.last_seen_at,
        failures=one.failures,
        record_id=one.record_id,
        regressed_at=one.regressed_at,
        resolved_at=one.resolved_at,
        resolved_by=one.resolved_by,
    )
