"""Dead letters: events whose processing was given up. A payload is shown masked, and the look is audited."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Paged, cursor_below
from monitor.api.shapes import Asked, Shape, answer
from monitor.dead_letters import ItemState, Letter, LetterFilter, LetterState
from monitor.errors import NotFound
from monitor.operations import payload

dead_letters = noun("dead-letters", "Events whose processing was given up.")


class LetterShape(Shape):
    """One dead letter. replayable: a body was captured, and not redacted."""

    id: str
    environment: str
    source: str
    endpoint: str
    event_id: str
    event_type: str
    state: LetterState
    how: str | None
    died_at: datetime
    settled_at: datetime | None
    failed_replays: int
    attempt: int | None
    error_class: str | None
    error_message: str | None
    replayable: bool


class LetterPage(Shape):
    dead_letters: list[LetterShape]
    next_cursor: str | None


class TryShape(Shape):
    """One replay of the letter."""

    id: str
    replay_id: str
    state: ItemState
    reason: str
    sent_at: datetime | None
    settled_at: datetime | None
    http_status: int | None
    record_id: str | None


class LetterDetail(LetterShape):
    """replays: newest first."""

    replays: list[TryShape]


class LetterSearch(Paged, Asked):
    """Filters; one left out matches all. Times are of death. Without a state: those to be replayed."""

    environment: Annotated[str | None, Field(max_length=32)] = None
    source: Annotated[str | None, Field(max_length=64)] = None
    endpoint: Annotated[str | None, Field(max_length=128)] = None
    event_type: Annotated[str | None, Field(max_length=256)] = None
    error_class: Annotated[str | None, Field(max_length=256)] = None
    state: list[LetterState] = Field(
        default_factory=lambda: [LetterState.OPEN, LetterState.PERMANENT],
        description="May be given several times.",
    )
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class LetterPath(Asked):
    letter_id: Annotated[str, Field(max_length=64)]


@dead_letters.get("/dead-letters", responses={200: LetterPage})
@needs(Need.READ)
def page(query: LetterSearch) -> Response:
    """A page of dead letters, the latest deaths first"""
    wanted = LetterFilter(
        query.environment,
        query.source,
        query.endpoint,
        query.event_type,
        query.error_class,
        query.state,
        query.since,
        query.until,
    )
    found = services().control.letters.page(wanted, query.limit + 1, query.below())
    shown = found[: query.limit]
    more = cursor_below(shown[-1].standing.died_at, shown[-1].id) if len(found) > len(shown) else None
    return answer(LetterPage(dead_letters=[_shape(letter) for letter in shown], next_cursor=more))


@dead_letters.get("/dead-letters/<letter_id>", responses={200: LetterDetail})
@needs(Need.READ)
def one(path: LetterPath) -> Response:
    """One dead letter with its replays"""
    control = services().control
    found = control.letters.get(path.letter_id)
    if found is None:
        raise NotFound(
            f"There is no dead letter {path.letter_id}.", "list them with GET /api/v1/dead-letters"
        )
    tries = [TryShape.model_validate(item) for item in control.replays.of_letter(found.id)]
    return answer(LetterDetail(**_shape(found).model_dump(), replays=tries))


class PayloadShape(Shape):
    """A captured request as a person may see it. masked: how many values were hidden here."""

    headers: Mapping[str, str]
    body: str
    content_type: str | None
    body_bytes: int
    masked: int
    redacted: bool


@dead_letters.get("/dead-letters/<letter_id>/payload", responses={200: PayloadShape})
@needs(Need.OPERATE)
def look(path: LetterPath) -> Response:
    """What was received, masked; the look itself is audited"""
    found = services().control.letters.get(path.letter_id)
    seen = None
    if found is not None:
        key = found.key
        seen = payload.reveal(
            services().desk, current_actor(), key.environment, key.source, key.endpoint, key.event_id
        )
    if seen is None:
        raise NotFound(f"Nothing was captured for {path.letter_id}.", "the source's capture policy decides")
    return answer(PayloadShape.model_validate(seen))


def _shape(letter: Letter) -> LetterShape:
    standing = letter.standing
    return LetterShape(
        id=letter.id,
        environment=letter.key.environment,
        source=letter.key.source,
        endpoint=letter.key.endpoint,
        event_id=letter.key.event_id,
        event_type=standing.event_type,
        state=standing.state,
        how=standing.how,
        died_at=standing.died_at,
        settled_at=standing.settled_at,
        failed_replays=standing.failed_replays,
        attempt=standing.attempt,
        error_class=standing.error_class,
        error_message=standing.error_message,
        replayable=letter.redacted is False,
    )
