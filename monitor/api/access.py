"""Who may do what in the management API: a route states what it needs; one that states nothing is refused.

The decision is made before a body or a parameter is read. It finds no caller itself: `Identify` does.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, TypeVar

from flask import Flask, Request, current_app, g, request

from monitor.errors import Forbidden, Unauthorized

View = TypeVar("View", bound=Callable[..., object])
_MARK = "hookvitals_needs"


class Need(StrEnum):
    """What a route asks of its caller; each includes the ones before it. PUBLIC asks nothing."""

    PUBLIC = "public"
    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


class Caller(Protocol):
    """Somebody who was recognised: a key or a person."""

    @property
    def name(self) -> str:
        """How the audit names the caller."""

    def may(self, need: str) -> bool:
        """Whether the caller's scopes or role include it."""


Identify = Callable[[Request], Caller | None]
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


def install(app: Flask, identify: Identify) -> None:
    """Guard every route of the app, including those that are added later."""

    def guard() -> None:
        if request.routing_exception is not None:
            return  # 404 and 405 are told to everybody: the routes are public knowledge
        need = need_of(current_app.view_functions[request.endpoint or ""])
        if need is Need.PUBLIC:
            return
        caller = identify(request)
        if caller is None:
            raise Unauthorized(
                "This needs a key or a session.", "send Authorization: Bearer hv_… with a key that may read"
            )
        if need is None or not caller.may(need.value):
            raise Forbidden(f"{caller.name} may not {need or 'do this'}.", "use a key with that scope")
        g.caller = caller

    app.before_request(guard)
