"""Looking letters up for a plan, and freezing a plan into a replay. It sends nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.dead_letters import Item, ItemState, Letter, LetterKey, LetterState, Replay, ReplayState
from monitor.errors import Unprocessable
from monitor.model import Outcome, Record
from monitor.replay.plan import Candidate, Plan
from monitor.store.control import Control
from monitor.store.control.catalog import Endpoint
from monitor.store.facts.protocol import FactReader

MOST_LETTERS = 1000
IN_FLIGHT = 5
"""Events on their way to one endpoint at a time."""


def survey(control: Control, facts: FactReader, letter_ids: Sequence[str]) -> list[Candidate]:
    """The letters as they stand now, in the order given. Raises Unprocessable for too many of them."""
    ids = list(dict.fromkeys(letter_ids))
    if len(ids) > MOST_LETTERS:
        raise Unprocessable(
            f"{len(ids)} letters are too many for one replay", f"choose at most {MOST_LETTERS}, then the rest"
        )
    letters = {letter.id: letter for letter in control.letters.many(ids)}
    endpoints = {endpoint.key: endpoint for endpoint in control.catalog.endpoints()}
    busy = control.replays.busy(ids)
    return [
        _candidate(letters[id], facts, endpoints, id in busy) if id in letters else Candidate(id, known=False)
        for id in ids
    ]


def succeeded_since(facts: FactReader, letter: Letter) -> Record | None:
    """The record that says the event was processed after all, such as by the provider's own redelivery."""
    key = letter.key
    return next(
        (
            record
            for record in facts.event(key.environment, key.source, key.event_id)
            if record.endpoint == key.endpoint
            and record.outcome is Outcome.SUCCEEDED
            and record.recorded_at >= letter.standing.died_at
        ),
        None,
    )


def frozen(
    made: Plan,
    by: str,
    reason: str,
    now: datetime,
    new_id: Callable[[], str],
    *,
    automatic: bool = False,
    in_flight: int = IN_FLIGHT,
) -> tuple[Replay, list[Item]]:
    """The replay, running, with its items: those to send, then those left out with the reason.

    new_id: 32 hex digits, different each time.
    """
    replay = Replay(
        id=f"rp_{new_id()}",
        state=ReplayState.RUNNING,
        reason=reason,
        created_by=by,
        created_at=now,
        per_second=made.per_second,
        in_flight=in_flight,
        automatic=automatic,
        started_at=now,
    )
    nowhere = LetterKey("", "", "", "")
    sent = [(id, ItemState.PLANNED, "") for id in made.to_send]
    left_out = [
        (id, ItemState.SKIPPED, why.value)
        for id, why in made.refused.items()
        if why.value != "unknown_letter"
    ]
    items = [
        Item(
            id=f"ri_{new_id()}",
            replay_id=replay.id,
            position=position,
            letter_id=letter_id,
            key=nowhere,
            state=state,
            reason=why,
            settled_at=None if state is ItemState.PLANNED else now,
        )
        for position, (letter_id, state, why) in enumerate([*sent, *left_out])
    ]
    return replay, items


def _candidate(
    letter: Letter, facts: FactReader, endpoints: dict[tuple[str, str, str], Endpoint], busy: bool
) -> Candidate:
    key = letter.key
    endpoint = endpoints.get((key.environment, key.source, key.endpoint))
    resolved = letter.state is LetterState.RESOLVED
    return Candidate(
        letter_id=letter.id,
        known=letter.state is not LetterState.NONE,
        resolved=resolved,
        succeeded=not resolved and succeeded_since(facts, letter) is not None,
        busy=busy,
        redacted=letter.redacted,
        body_bytes=letter.body_bytes,
        has_url=endpoint is not None and bool(endpoint.url),
        has_secret=endpoint is not None and endpoint.replay_secret is not None,
    )
