"""What people do with alerts: take one on. Whether it fires is the evaluator's to say."""

from datetime import timedelta

from alerts.model import Ack, Alert, State
from monitor.errors import Conflict, NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role

LONGEST_NOTE = 2000
LONGEST = timedelta(days=30)


def acknowledge(
    desk: Desk, actor: Actor, fingerprint: str, note: str = "", lasts: timedelta | None = None
) -> Alert:
    """The alert, taken on until its current firing ends, or for as long as said: repeats and escalation stop.

    Raises NotFound, Conflict or Unprocessable.
    """
    actor.must_be(Role.OPERATOR, "acknowledge alerts")
    if len(note) > LONGEST_NOTE:
        raise Unprocessable(f"a note has at most {LONGEST_NOTE} characters", "shorten it")
    if lasts is not None and not timedelta(0) < lasts <= LONGEST:
        raise Unprocessable(
            "an alert is taken on for up to 30 days", "give a shorter time, or none: until it is over"
        )
    now = desk.clock.now()
    ack = Ack(actor.name, now, note, None if lasts is None else now + lasts)
    with desk.control.write() as tx:
        taken = desk.control.alerts.acknowledge(tx, fingerprint, ack)
        found = desk.control.alerts.within(tx, fingerprint)
        if found is None:
            raise NotFound(f"there is no alert {fingerprint}", "it may be older than alerts are kept")
        if not taken or found.state is not State.FIRING:
            raise Conflict(f"{found.rule} is {found.state.value}", "only a firing alert can be taken on")
        detail = {"rule": found.rule, "note": note}
        if ack.until is not None:
            detail["until"] = ack.until.isoformat()
        desk.audit(tx, actor, "alert.acknowledge", fingerprint, detail)
    return found
