"""What people do with alerts: take one on. Whether it fires is the evaluator's to say."""

from alerts.model import Ack, Alert, State
from monitor.errors import Conflict, NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role

LONGEST_NOTE = 2000


def acknowledge(desk: Desk, actor: Actor, fingerprint: str, note: str = "") -> Alert:
    """The alert, taken on until its current firing ends: repeats stop. Raises NotFound or Conflict."""
    actor.must_be(Role.OPERATOR, "acknowledge alerts")
    if len(note) > LONGEST_NOTE:
        raise Unprocessable(f"a note has at most {LONGEST_NOTE} characters", "shorten it")
    ack = Ack(actor.name, desk.clock.now(), note)
    with desk.control.write() as tx:
        taken = desk.control.alerts.acknowledge(tx, fingerprint, ack)
        found = desk.control.alerts.within(tx, fingerprint)
        if found is None:
            raise NotFound(f"there is no alert {fingerprint}", "it may be older than alerts are kept")
        if not taken or found.state is not State.FIRING:
            raise Conflict(f"{found.rule} is {found.state.value}", "only a firing alert can be taken on")
        desk.audit(tx, actor, "alert.acknowledge", fingerprint, {"rule": found.rule, "note": note})
    return found
