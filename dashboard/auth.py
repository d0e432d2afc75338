"""Login and logout, and the guard that lets nobody else in. Sessions are rows that `Actions` keeps.

The page needs no script. A page without a session is sent to it; a callback gets 401, which an asset turns
into the login page, because Dash itself would go on showing a picture that no longer moves.
"""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard import palette, security
from dashboard.screen import Actions
from dashboard.views import Viewer
from monitor.errors import HookvitalsError, TooManyRequests, Unauthorized, Unavailable

COOKIE = "hookvitals_session"
_OPEN = ("/login", "/healthz", "/readyz", "/metrics", "/version", "/assets/login.css", "/assets/favicon.svg")
_OPEN_TREES = ("/api/",)  # the management API has keys of its own
_OPEN_VIEWS = ("act.act",)  # a message's link is a key itself
_DATA = ("/_dash", "/_reload", "/reports/")


def install(server: Flask, actions: Actions, *, https: bool) -> None:
    """Adds the login, the logout and the guard to the server."""
    server.before_request(_guard(actions))
    server.add_url_rule("/login", "login", _login(actions, https=https), methods=["GET", "POST"])
    server.add_url_rule("/logout", "logout", _logout(actions), methods=["POST"])


def current_viewer() -> Viewer:
    """Who makes the request at hand; the guard has seen to it that there is one."""
    viewer = g.get("viewer")
    if not isinstance(viewer, Viewer):
        raise Unauthorized("not logged in", "log in again")
    return viewer


def current_csrf() -> str:
    """The token for a form of the request at hand."""
    return security.csrf_token(request.cookies.get(COOKIE, ""))


def logout_path() -> str:
    """Where the logout form goes."""
    return f"{_root()}/logout"


def _guard(actions: Actions) -> Callable[[], AnyResponse | None]:
    def guard() -> AnyResponse | None:
        path = request.path
        if path in _OPEN or path.startswith(_OPEN_TREES) or request.endpoint in _OPEN_VIEWS:
            return None
        secret = request.cookies.get(COOKIE, "")
        try:
            viewer = actions.viewer(secret) if secret else None
        except Unavailable as exc:
            return Response(f"{exc}\n", 503, {"Retry-After": "2"}, mimetype="text/plain")
        if viewer is None:
            return _turned_away(path)
        g.viewer = viewer
        if request.method not in ("GET", "HEAD") and (
            security.is_foreign(request) or security.is_forged(request, secret)
        ):
            return Response("This request did not come from the dashboard.\n", 403, mimetype="text/plain")
        return None

    return guard


def _turned_away(path: str) -> AnyResponse:
    if path.startswith(_DATA) or path.startswith("/assets/") or request.method != "GET":
        return Response("Log in again.\n", 401, mimetype="text/plain")
    wanted = request.full_path.rstrip("?")
    return redirect(f"{_root()}/login" + ("" if wanted == "/" else f"?next={quote(wanted)}"))


def _login(actions: Actions, *, https: bool) -> Callable[[], AnyResponse]:
    def login() -> AnyResponse:
        if request.method == "GET":
            return _form()
        if security.is_foreign(request):
            return _form("That form was sent by another site.", 403)
        try:
            secret = actions.login(
                request.form.get("name", ""), request.form.get("password", ""), request.remote_addr or ""
            )
        except Unauthorized:
            return _form("Name or password is wrong.", 401)
        except TooManyRequests as exc:
            return _form(f"Too many attempts. Try again in {exc.retry_after_s or 60} s.", 429)
        except HookvitalsError as exc:
            return _form(str(exc), exc.status)
        answer = redirect(_root() + local_path(request.form.get("next", "")), 303)
        path = f"{_root()}/"
        answer.set_cookie(COOKIE, secret, httponly=True, secure=https, samesite="Lax", path=path)
        # Dash reads this one from its own script and returns it as a header.
        token = security.csrf_token(secret)
        answer.set_cookie(security.CSRF_COOKIE, token, secure=https, samesite="Strict", path=path)
        return answer

    return login


def _form(problem: str = "", status: int = 200) -> Response:
    page = render_template(
        "login.html",
        problem=problem,
        name=request.form.get("name", ""),
        next=local_path(request.values.get("next", "")),
        root=_root(),
        colours=palette.login_css(),
    )
    return Response(page, status, mimetype="text/html")


def _logout(actions: Actions) -> Callable[[], AnyResponse]:
    def logout() -> AnyResponse:
        actions.logout(request.cookies.get(COOKIE, ""))
        answer = redirect(f"{_root()}/login", 303)
        answer.delete_cookie(COOKIE, path=f"{_root()}/")
        answer.delete_cookie(security.CSRF_COOKIE, path=f"{_root()}/")
        return answer

    return logout


def local_path(wanted: str) -> str:
    """The path to return to after login: one of ours, or `/`."""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    return wanted


def _root() -> str:
    """The base path a reverse proxy shows us under, without its last slash."""
    return request.script_root
