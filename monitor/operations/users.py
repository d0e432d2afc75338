"""Accounts of people: made, given a password, shut. Passwords are never shown, kept or audited."""

from monitor.errors import Conflict, NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Account, Role

LONGEST_NAME = 128


def create(desk: Desk, actor: Actor, name: str, password: str, role: Role) -> Account:
    """The new account. Raises Conflict for a taken name, Unprocessable for a bad one."""
    actor.must_be(Role.ADMIN, "make users")
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Unprocessable("a user name is 1 to 128 characters without spaces at its ends", "take another")
    now = desk.clock.now()
    account = Account(name, desk.passwords.hashed(password), role, now, now)
    with desk.control.write() as tx:
        if not desk.control.accounts.add(tx, account):
            raise Conflict(f"there is a user {name} already", "take another name, or set a new password")
        desk.audit(tx, actor, "user.create", name, {"role": role.value})
    return account


def set_password(desk: Desk, actor: Actor, name: str, password: str) -> None:
    """Replaces the password and ends the user's sessions. Everybody may change their own."""
    if actor.name != name or actor.via != "ui":
        actor.must_be(Role.ADMIN, "set another user's password")
    hashed = desk.passwords.hashed(password)
    with desk.control.write() as tx:
        if not desk.control.accounts.set_password(tx, name, hashed, desk.clock.now()):
            raise _unknown(name)
        desk.audit(tx, actor, "user.set_password", name)


def disable(desk: Desk, actor: Actor, name: str) -> None:
    """Shuts the account and ends its sessions. The last admin cannot be shut out."""
    actor.must_be(Role.ADMIN, "disable users")
    with desk.control.write() as tx:
        open_admins = [
            one.name
            for one in desk.control.accounts.all_within(tx)
            if one.role is Role.ADMIN and one.disabled_at is None
        ]
        if open_admins == [name]:
            raise Conflict(f"{name} is the last admin", "make another admin first")
        if not desk.control.accounts.disable(tx, name, desk.clock.now()):
            raise _unknown(name)
        desk.audit(tx, actor, "user.disable", name)


def listing(desk: Desk, actor: Actor) -> list[Account]:
    actor.must_be(Role.ADMIN, "list users")
    return list(desk.control.accounts.all())


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no open account {name}", "`hookvitals user list` shows them")
