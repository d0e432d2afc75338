"""Answering for an item of a checklist that no record can show. Audited."""

from monitor.checklist import ITEMS, Attestation
from monitor.errors import NotFound, Unprocessable
from monitor.model import SeriesKey
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role


def attest(desk: Desk, actor: Actor, place: SeriesKey, item: str, note: str) -> Attestation:
    """Raises NotFound for an unknown item or endpoint, Unprocessable without a note."""
    actor.must_be(Role.OPERATOR, "answer for checklist items")
    if item not in {one.id for one in ITEMS}:
        raise NotFound(f"no checklist has an item {item}", "`hookvitals doctor --endpoint NAME` lists them")
    if not note.strip():
        raise Unprocessable("an attestation needs a note", "say what was done, and where it can be seen")
    where = place.environment, place.source or "", place.endpoint or ""
    if desk.control.catalog.endpoint(*where) is None:
        raise NotFound(f"there is no endpoint {'/'.join(where)}", "`hookvitals endpoint list` shows them")
    one = Attestation(item, actor.name, desk.clock.now(), note.strip())
    with desk.control.write() as tx:
        desk.control.attestations.put(tx, place, one)
        desk.audit(tx, actor, "checklist.attest", "/".join(where), {"item": item, "note": one.note})
    return one
