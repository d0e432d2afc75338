"""Removing what was received of one event for good: from the facts, and from the dead letters' copies.

The event itself, and every count it is in, stays. Audited before anything is touched, and again with what
was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from monitor.errors import NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role
from monitor.store.control.expunging import expunge_letters, has_letters
from monitor.store.facts.expunging import Expunge, Expunged

LONGEST_REASON = 2000
TRIES = 20
"""How often the facts are asked to let go of what a reader still needs; each waits for a moment."""


class Eraser(Protocol):
    """Who may change the facts."""

    def expunge(self, wanted: Expunge) -> Expunged: ...


@dataclass(frozen=True, slots=True)
class Done:
    """How much was removed. is_settled: False when a file of the facts holds the bytes a little longer."""

    captures: int
    letters: int
    records: int
    is_settled: bool


def expunge(desk: Desk, actor: Actor, eraser: Eraser, wanted: Expunge, reason: str) -> Done:
    """Removes the event's captures. reason: why, for the audit. Raises NotFound for an unknown event."""
    actor.must_be(Role.ADMIN, "expunge events")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Unprocessable(
            f"a reason has 1 to {LONGEST_REASON} characters", "say why, such as a request for erasure"
        )
    _require_known(desk, wanted)
    subject = f"{wanted.source}/{wanted.event_id}"
    with desk.control.write() as tx:
        letters = expunge_letters(tx, wanted)
        desk.audit(tx, actor, "event.expunge", subject, {"reason": reason, **_detail(wanted)})
    facts = _erased(eraser, wanted)
    with desk.control.write() as tx:
        letters += expunge_letters(tx, wanted)  # what the worker copied out of the facts meanwhile
        done = Done(facts.captures, letters, facts.records, facts.is_settled)
        counts = {"captures": done.captures, "letters": done.letters, "records": done.records}
        desk.audit(tx, actor, "event.expunged", subject, counts)
    return done


def _require_known(desk: Desk, wanted: Expunge) -> None:
    records = desk.facts.event(wanted.environment, wanted.source, wanted.event_id)
    if any(wanted.endpoint in (None, record.endpoint) for record in records):
        return
    with desk.control.write() as tx:
        if has_letters(tx, wanted):
            return
    raise NotFound(
        f"there is no event {wanted.event_id} of {wanted.source}", "look at the source, and at --environment"
    )


def _erased(eraser: Eraser, wanted: Expunge) -> Expunged:
    done = eraser.expunge(wanted)
    for _ in range(TRIES):
        if done.is_settled:
            break
        more = eraser.expunge(wanted)
        done = replace(more, captures=done.captures + more.captures, records=done.records + more.records)
    return done


def _detail(wanted: Expunge) -> Mapping[str, Any]:
    return {
        "environment": wanted.environment,
        "endpoint": wanted.endpoint,
        "details": wanted.details,
    }
