"""Who calls the management API from a browser: the person whose session the request carries."""

from collections.abc import Callable

from flask import Request

from dashboard import auth, security
from dashboard.actions import StoreActions
from monitor.errors import Forbidden
from monitor.operations import Actor


def session_caller(actions: StoreActions) -> Callable[[Request], Actor | None]:
    """Finds the person. A write needs the session's token too: another site can send the cookie, not that.

    Raises Forbidden for a write without it.
    """

    def find(asked: Request) -> Actor | None:
        secret = asked.cookies.get(auth.COOKIE, "")
        actor = actions.caller(secret) if secret else None
        if actor is None or asked.method in ("GET", "HEAD"):
            return actor
        if security.is_foreign(asked) or security.is_forged(asked, secret):
            raise Forbidden(
                "a write with a session needs its token",
                f"send the {security.CSRF_COOKIE} cookie as {security.CSRF_HEADER}, or use a key",
            )
        return actor

    return find
