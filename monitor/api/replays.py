"""Replays: frozen sets of dead letters on their way to their endpoints again."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Paged, cursor_below
from monitor.api.shapes import Asked, Shape, answer
from monitor.dead_letters import Item, ItemState, Refusal, Replay, ReplayState
from monitor.errors import NotFound
from monitor.operations import replays as operations

replays = noun("replays", "Sending captured bodies to their endpoints again.")


class ReplayShape(Shape):
    """One replay. items: how many stand where; states without an item are left out."""

    id: str
    state: ReplayState
    state_reason: str
    reason: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    automatic: bool
    per_second: float
    in_flight: int
    items: dict[ItemState, int]


class ReplayPage(Shape):
    replays: list[ReplayShape]
    next_cursor: str | None


class ItemShape(Shape):
    """One letter of a replay; its id travels with the request and comes back as the record's replay_id."""

    id: str
    position: int
    letter_id: str
    environment: str
    source: str
    endpoint: str
    event_id: str
    state: ItemState
    reason: str
    sent_at: datetime | None
    settled_at: datetime | None
    http_status: int | None
    record_id: str | None


class ItemPage(Shape):
    items: list[ItemShape]
    next_after: int | None


class ReplaySearch(Paged, Asked):
    """Newest first."""


class ReplayPath(Asked):
    replay_id: Annotated[str, Field(max_length=64)]


class ItemQuery(Asked):
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[int, Field(ge=-1, description="`next_after` of the page before.")] = -1


@replays.get("/replays", responses={200: ReplayPage})
@needs(Need.READ)
def page(query: ReplaySearch) -> Response:
    """A page of replays, newest first"""
    kept = services().control.replays
    found = kept.page(query.limit + 1, query.below())
    shown = found[: query.limit]
    counts = kept.counts([replay.id for replay in shown])
    more = cursor_below(shown[-1].created_at, shown[-1].id) if len(found) > len(shown) else None
    shapes = [shape_of(replay, dict(counts.get(replay.id, {}))) for replay in shown]
    return answer(ReplayPage(replays=shapes, next_cursor=more))


@replays.get("/replays/<replay_id>", responses={200: ReplayShape})
@needs(Need.READ)
def one(path: ReplayPath) -> Response:
    """One replay"""
    return answer(current(path.replay_id))


@replays.get("/replays/<replay_id>/items", responses={200: ItemPage})
@needs(Need.READ)
def items(path: ReplayPath, query: ItemQuery) -> Response:
    """The letters of a replay, in the order they are sent"""
    current(path.replay_id)
    found = services().control.replays.items(path.replay_id, limit=query.limit + 1, after=query.after)
    shown = found[: query.limit]
    more = shown[-1].position if len(found) > len(shown) else None
    return answer(ItemPage(items=[_item(item) for item in shown], next_after=more))


def current(replay_id: str) -> ReplayShape:
    """The replay as it stands now. Raises NotFound."""
    kept = services().control.replays
    found = kept.get(replay_id)
    if found is None:
        raise NotFound(f"There is no replay {replay_id}.", "list them with GET /api/v1/replays")
    return shape_of(found, dict(kept.counts([replay_id])[replay_id]))


class RefusalShape(Shape):
    """How many letters are left out for one reason."""

    reason: Refusal
    hint: str
    letters: int


class PlanShape(Shape):
    """What starting would send and leave out; nothing is stored. seconds: sending takes at least so long."""

    letters: int
    to_send: list[str]
    refused: dict[str, Refusal]
    refusals: list[RefusalShape]
    already_succeeded: int
    body_bytes: int
    per_second: float
    seconds: float


class PlanBody(Asked):
    """Which dead letters; each goes to its own registered endpoint."""

    letter_ids: Annotated[list[str], Field(min_length=1, max_length=10_000)]
    per_second: Annotated[float | None, Field(gt=0, le=1000, description="Left out: the setting.")] = None


class StartBody(PlanBody):
    reason: Annotated[str, Field(description="Why, for the audit.")]


class SteerBody(Asked):
    reason: str = ""


@replays.post("/replays/plan", responses={200: PlanShape})
@needs(Need.OPERATE)
def plan(body: PlanBody) -> Response:
    """What a replay of these letters would send and leave out"""
    made = operations.plan(services().desk, current_actor(), body.letter_ids, body.per_second)
    return answer(
        PlanShape(
            letters=made.letters,
            to_send=list(made.to_send),
            refused=dict(made.refused),
            refusals=[RefusalShape(reason=why, hint=why.hint, letters=n) for why, n in made.refusals],
            already_succeeded=made.already_succeeded,
            body_bytes=made.body_bytes,
            per_second=made.per_second,
            seconds=made.duration.total_seconds(),
        )
    )


@replays.post("/replays", responses={201: ReplayShape})
@needs(Need.OPERATE)
def start(body: StartBody) -> Response:
    """Replay dead letters"""
    made = operations.start(services().desk, current_actor(), body.letter_ids, body.reason, body.per_second)
    return answer(current(made.id), 201)


@replays.post("/replays/<replay_id>/pause", responses={200: ReplayShape})
@needs(Need.OPERATE)
def pause(path: ReplayPath, body: SteerBody) -> Response:
    """Send no more until resumed"""
    operations.pause(services().desk, current_actor(), path.replay_id, body.reason)
    return answer(current(path.replay_id))


@replays.post("/replays/<replay_id>/resume", responses={200: ReplayShape})
@needs(Need.OPERATE)
def resume(path: ReplayPath, body: SteerBody) -> Response:
    """Go on with a paused or stopped replay"""
    operations.resume(services().desk, current_actor(), path.replay_id, body.reason)
    return answer(current(path.replay_id))


@replays.post("/replays/<replay_id>/cancel", responses={200: ReplayShape})
@needs(Need.OPERATE)
def cancel(path: ReplayPath, body: SteerBody) -> Response:
    """End a replay for good"""
    operations.cancel(services().desk, current_actor(), path.replay_id, body.reason)
    return answer(current(path.replay_id))


def shape_of(replay: Replay, counts: dict[ItemState, int]) -> ReplayShape:
    return ReplayShape(
        id=replay.id,
        state=replay.state,
        state_reason=replay.state_reason,
        reason=replay.reason,
        created_by=replay.created_by,
        created_at=replay.created_at,
        started_at=replay.started_at,
        ended_at=replay.ended_at,
        automatic=replay.automatic,
        per_second=replay.per_second,
        in_flight=replay.in_flight,
        items=counts,
    )


def _item(item: Item) -> ItemShape:
    return ItemShape(
        id=item.id,
        position=item.position,
        letter_id=item.letter_id,
        environment=item.key.environment,
        source=item.key.source,
        endpoint=item.key.endpoint,
        event_id=item.key.event_id,
        state=item.state,
        reason=item.reason,
        sent_at=item.sent_at,
        settled_at=item.settled_at,
        http_status=item.http_status,
        record_id=item.record_id,
    )
