"""A receiver as a Django view, under WSGI and ASGI alike.

The bound of a body is the receiver's: Django's DATA_UPLOAD_MAX_MEMORY_SIZE, which answers 400, is about what
Django reads itself. ALLOWED_HOSTS stays Django's to enforce. Under ASGI Django reads a body to its end, a
large one into a file, before it asks any view, and one that breaks off reaches none: `asgi.before` answers
in front of it.
"""

from functools import wraps
from typing import Any, Callable, Dict, List, Optional, Tuple

from hookvitals.event import Event
from hookvitals.integrations import Body, Mounted, asgi, body_of, path_of, wsgi
from hookvitals.schemes import MissingDependency

try:
    from django.db import close_old_connections, connections, transaction
    from django.http import HttpRequest, HttpResponse
    from django.views.decorators.csrf import csrf_exempt
except ImportError as exc:
    raise MissingDependency("the Django view needs: pip install 'hookvitals[django]'") from exc

View = Callable[..., HttpResponse]


def view(receiver: Mounted) -> View:
    """The view for a `path()` in the URL configuration; it takes every method: a GET is told 405 and noted.

    Needs no CSRF token, since senders have none. Never inside ATOMIC_REQUESTS, which would commit after the
    event was noted as handled, and half of what a failed handler did: a handler opens its own transaction.
    Nothing may read the form of the request before: the signature is over the bytes.
    """

    def receive(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        body = _body(request, receiver.settings.max_body_bytes)
        status, headers, answer = receiver.handle(
            request.method or "",
            _url(request),
            _headers(request),
            body.data,
            request.META.get("REMOTE_ADDR"),
            cut_off=body.cut_off,
        )
        return HttpResponse(answer, status=status, headers=dict(headers))

    receiver.start()
    exempt: View = csrf_exempt(receive)
    for alias in connections:
        exempt = transaction.non_atomic_requests(alias)(exempt)
    return exempt


def fresh_connections(handler: Callable[[Event], Any]) -> Callable[[Event], Any]:
    """The same handler, for one that asks Django's database from the inbox's thread.

    Django gives up broken and outlived connections around its own requests only, and that thread has none.
    """

    @wraps(handler)
    def handle(event: Event) -> Any:
        close_old_connections()
        try:
            return handler(event)
        finally:
            close_old_connections()

    return handle


def _url(request: HttpRequest) -> str:
    """What `build_absolute_uri` gives, but for the path: as the sender wrote it, where the server tells.

    Raises DisallowedHost, which Django answers.
    """
    scope = getattr(request, "scope", None)
    written = asgi.written_path(scope) if scope else wsgi.written_path(request.META)
    query = request.META.get("QUERY_STRING", "")
    path = path_of(written, request.path.encode("utf-8", "replace"))
    return f"{request.scheme}://{request.get_host()}{path}" + (f"?{query}" if query else "")


def _headers(request: HttpRequest) -> List[Tuple[str, str]]:
    """Under ASGI duplicates stand apart; a WSGI server has joined them."""
    scope: Optional[Dict[str, Any]] = getattr(request, "scope", None)
    return asgi.headers_of(scope) if scope else list(request.headers.items())


def _body(request: HttpRequest, max_bytes: int) -> Body:
    """Django itself reads nothing where no length is declared; a server that ends the stream may be read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        return body_of(request, max_bytes, int(length))
    chunked = request.META.get("wsgi.input_terminated")
    return body_of(request.META["wsgi.input"] if chunked else request, max_bytes)
