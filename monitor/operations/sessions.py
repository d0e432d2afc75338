"""Login, logout, and whom a session belongs to. A session's secret is shown once, to the browser alone."""

import hashlib
import logging
from datetime import timedelta

from monitor.errors import TooManyRequests, Unauthorized
from monitor.operations import throttling
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Account, Session

log = logging.getLogger("hookvitals.sessions")

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
"""A session in use is written this often at most."""


def login(desk: Desk, name: str, password: str, address: str) -> str:
    """The secret of a new session. Raises Unauthorized, or TooManyRequests with the seconds to wait."""
    _reserve_try(desk, name, address)
    # No account has a name that cannot be printed, and no database takes half a surrogate pair.
    account = desk.control.accounts.get(name) if name.isprintable() else None
    usable = account is not None and account.disabled_at is None
    # The look is made for unknown and disabled accounts too: its time must tell nothing.
    right = desk.passwords.is_right(password, account.password_hash if account and usable else None)
    if account is None or not right:
        log.warning("a login from %s failed", _plain(address))
        raise Unauthorized("name or password is wrong", "an admin can set a new password")
    return _open(desk, account, address)


def authenticate(desk: Desk, secret: str) -> Session | None:
    """The session, None when there is none or it has ended; a session in use stays alive."""
    id_sha256, now = _digest(secret), desk.clock.now()
    session = desk.control.accounts.session(id_sha256)
    if session is None or now - session.created_at >= ABSOLUTE or now - session.seen_at >= IDLE:
        return None
    if now - session.seen_at >= TOUCH_EVERY:
        desk.control.accounts.touch(id_sha256, now)
    return session


def actor_of(session: Session, via: str = "ui") -> Actor:
    return Actor(session.account, session.role, via)


def logout(desk: Desk, secret: str) -> None:
    """Ends the session; nothing when there is none."""
    session = desk.control.accounts.session(_digest(secret))
    with desk.control.write() as tx:
        if desk.control.accounts.close_session(tx, _digest(secret)) and session is not None:
            desk.audit(tx, actor_of(session), "session.logout", session.account)


def _reserve_try(desk: Desk, name: str, address: str) -> None:
    """Counts the try before the password is looked at, so that tries at once cannot pass together."""
    now, accounts = desk.clock.now(), desk.control.accounts
    pair_key, account_key = throttling.pair_subject(name, address), throttling.account_subject(name)
    with desk.control.write() as tx:
        pair, account = accounts.tries(tx, pair_key), accounts.tries(tx, account_key)
        left = throttling.wait(pair, account, now)
        if left <= timedelta(0):
            accounts.put_tries(tx, pair_key, throttling.pair_tried(pair, now))
            accounts.put_tries(tx, account_key, throttling.account_tried(account, now))
    if left > timedelta(0):
        seconds = -(-left // timedelta(seconds=1))
        raise TooManyRequests("too many failed logins", f"try again in {seconds} s", retry_after_s=seconds)


def _open(desk: Desk, account: Account, address: str) -> str:
    now, accounts, secret = desk.clock.now(), desk.control.accounts, desk.random_hex(32)
    account_key = throttling.account_subject(account.name)
    with desk.control.write() as tx:
        accounts.put_tries(tx, throttling.pair_subject(account.name, address), throttling.succeeded(now))
        accounts.put_tries(tx, account_key, throttling.given_back(accounts.tries(tx, account_key), now))
        accounts.close_sessions(tx, now - ABSOLUTE, now - IDLE)
        accounts.open_session(tx, _digest(secret), account.name, address, now)
        desk.audit(
            tx,
            Actor(account.name, account.role, "ui"),
            "session.login",
            account.name,
            {"address": _plain(address)},
        )
    return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _plain(address: str) -> str:
    return "".join(char for char in address if char.isalnum() or char in ".:%-")[:64]
