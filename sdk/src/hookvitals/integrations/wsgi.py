"""A receiver as a WSGI application: mount it at any path. The body is read raw, bounded by the receiver."""

from http import HTTPStatus
from typing import Any, Callable, Iterable, List, Tuple

from hookvitals.receiver import Receiver

StartResponse = Callable[[str, List[Tuple[str, str]]], Any]


def application(receiver: Receiver) -> Callable[["dict[str, Any]", StartResponse], Iterable[bytes]]:
    """The WSGI callable that answers every request with `receiver.handle`."""

    def app(environ: "dict[str, Any]", start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = receiver.handle(
            environ.get("REQUEST_METHOD", ""),
            _headers(environ),
            _body(environ, receiver.settings.max_body_bytes),
            environ.get("REMOTE_ADDR"),
        )
        start_response(
            f"{status} {HTTPStatus(status).phrase}", [*headers, ("Content-Length", str(len(body)))]
        )
        return [body]

    return app


def _headers(environ: "dict[str, Any]") -> List[Tuple[str, str]]:
    found = [
        (name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")
    ]
    if environ.get("CONTENT_TYPE"):
        found.append(("Content-Type", environ["CONTENT_TYPE"]))
    return found


def _body(environ: "dict[str, Any]", max_bytes: int) -> bytes:
    """At most one byte more than allowed: enough for the receiver to refuse it."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    body: bytes = environ["wsgi.input"].read(max(0, min(length, max_bytes + 1)))
    return body
