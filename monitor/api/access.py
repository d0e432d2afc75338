"""Who may do what in the management API: a route states what it needs; one that states nothing is refused.

The decision is made before a body or a parameter is read. It finds no caller itself: `Identify` does.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from flask import Flask, Request, current_app, g, request

from monitor.errors import Forbidden, Unauthorized
from monitor.operations import Actor
from monitor.operations.actor import SCOPES

View = TypeVar("View", bound=Callable[..., object])
_MARK = "hookvitals_needs"


class Need(StrEnum):
    """What a route asks of its caller: a key's scope, or the role it stands for. PUBLIC asks nothing."""

    PUBLIC = "public"
    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


Identify = Callable[[Request], Actor | None]
"""The caller of a request, None for a stranger. Raises Unauthorized for credentials that are not good."""


def needs(need: Need) -> Callable[[View], View]:
    """Mark a view with what it needs."""

    def mark(view: View) -> View:
        setattr(view, _MARK, need)
        return view

    return mark


def need_of(view: object) -> Need | None:
    """What a view was marked with; None when it never was."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Need) else None


def current_actor() -> Actor:
    """Who makes the request at hand; the guard has seen to it that there is one."""
    actor = g.get("actor")
    if not isinstance(actor, Actor):
        raise Unauthorized("This needs a key or a session.", "send Authorization: Bearer hv_…")
    return actor


def install(app: Flask, identify: Identify) -> None:
    """Guard every route of the app, including those that are added later."""

    def guard() -> None:
        if request.routing_exception is not None:
            return  # 404 and 405 are told to everybody: the routes are public knowledge
        need = need_of(current_app.view_functions[request.endpoint or ""])
        if need is Need.PUBLIC:
            return
        actor = identify(request)
        if actor is None:
            raise Unauthorized(
                "This needs a key or a session.", "send Authorization: Bearer hv_… with a key that may read"
            )
        if need is None or not actor.may(SCOPES[need.value]):
            raise Forbidden(f"{actor.name} may not {need or 'do this'}.", "use a key with that scope")
        g.actor = actor

    app.before_request(guard)
