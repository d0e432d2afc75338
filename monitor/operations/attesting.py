"""Answering for an item of a checklist that no record can show, for a time; and taking it back. Audited."""

from datetime import timedelta

from monitor.checklist import ITEMS, Attestation
from monitor.errors import NotFound, Unprocessable
from monitor.model import SeriesKey
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role

USUALLY, LONGEST = timedelta(days=180), timedelta(days=400)
LONGEST_NOTE = 2000


def attest(
    desk: Desk, actor: Actor, place: SeriesKey, item: str, note: str, lasts: timedelta = USUALLY
) -> Attestation:
    """The attestation, which takes the place of an earlier one of the item.

    Raises NotFound for an unknown item or endpoint, Unprocessable without a note or an end.
    """
    actor.must_be(Role.OPERATOR, "answer for checklist items")
    if item not in {one.id for one in ITEMS}:
        raise NotFound(f"no checklist has an item {item}", "`hookvitals doctor --endpoint NAME` lists them")
    if not 0 < len(note.strip()) <= LONGEST_NOTE:
        raise Unprocessable(
            f"an attestation needs a note of at most {LONGEST_NOTE} characters",
            "say what was done, and where it can be seen",
        )
    if not timedelta(0) < lasts <= LONGEST:
        raise Unprocessable(f"an attestation lasts at most {LONGEST.days} days", "give a length such as 90d")
    where = place.environment, place.source or "", place.endpoint or ""
    if desk.control.catalog.endpoint(*where) is None:
        raise NotFound(f"there is no endpoint {'/'.join(where)}", "`hookvitals endpoint list` shows them")
    now = desk.clock.now()
    one = Attestation(item, actor.name, now, note.strip(), now + lasts)
    with desk.control.write() as tx:
        desk.control.attestations.put(tx, place, one)
        detail = {"item": item, "note": one.note, "until": one.until.isoformat()}
        desk.audit(tx, actor, "checklist.attest", "/".join(where), detail)
    return one


def withdraw(desk: Desk, actor: Actor, place: SeriesKey, item: str) -> None:
    """Nobody answers for the item any more. Raises NotFound where nobody did."""
    actor.must_be(Role.OPERATOR, "withdraw attestations")
    where = "/".join((place.environment, place.source or "", place.endpoint or ""))
    with desk.control.write() as tx:
        if not desk.control.attestations.withdraw(tx, place, item):
            raise NotFound(f"nobody answers for {item} of {where}", "`hookvitals doctor --endpoint NAME`")
        desk.audit(tx, actor, "checklist.withdraw", where, {"item": item})
