"""Whom a request of the management API comes from: a key in its Authorization header, or a session.

A key wins over a session. How a session is found, and that no other site made the request, is the business of
whoever serves pages: it hands in `sessions`.
"""

from flask import Request

from monitor.api.access import Identify
from monitor.errors import Unauthorized
from monitor.operations import Actor, Desk, keys


def identify_with(desk: Desk, sessions: Identify | None = None) -> Identify:
    """Finds callers by the desk's keys, and by `sessions` where no key is given."""

    def identify(request: Request) -> Actor | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None if sessions is None else sessions(request)
        kind, _, token = header.strip().partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthorized("this is no Bearer key", "send Authorization: Bearer hv_<id>_<secret>")
        return keys.actor_of(keys.authenticate(desk, token.strip()))

    return identify
