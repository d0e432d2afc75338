"""What people do with issues: end one. It comes back by itself when it fails again."""

from alerts.issues import Issue
from monitor.errors import NotFound
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role


def resolve(desk: Desk, actor: Actor, id: str) -> Issue:
    """The issue, ended; one that has ended stays as it is. Raises NotFound."""
    actor.must_be(Role.OPERATOR, "resolve issues")
    with desk.control.write() as tx:
        found = desk.control.issues.resolve(tx, id, actor.name, desk.clock.now())
        if found is None:
            raise NotFound(f"there is no issue {id}", "`hookvitals issues list` shows them")
        desk.audit(tx, actor, "issue.resolve", id, {"error_class": found.kin.error_class})
    return found
