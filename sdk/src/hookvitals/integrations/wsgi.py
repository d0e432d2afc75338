"""A receiver as a WSGI application: mount it at any path. The body is read raw, bounded by the receiver."""

from http import HTTPStatus
from io import BytesIO
from typing import Any, Callable, Dict, Iterable, List, Tuple
from urllib.parse import quote

from hookvitals.integrations import Mounted, body_of

StartResponse = Callable[[str, List[Tuple[str, str]]], Any]
_IN_A_PATH = "/;=,:@!$&'()*+~"
Application = Callable[[Dict[str, Any], StartResponse], Iterable[bytes]]


def application(receiver: Mounted) -> Application:
    """The WSGI callable that answers every request with `receiver.handle`."""

    def app(environ: Dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD", "")
        status, headers, body = receiver.handle(
            method,
            _url(environ),
            _headers(environ),
            _body(environ, receiver.settings.max_body_bytes),
            environ.get("REMOTE_ADDR"),
        )
        start_response(f"{status} {_phrase(status)}", [*headers, ("Content-Length", str(len(body)))])
        return [] if method == "HEAD" else [body]

    receiver.start()
    return app


def _url(environ: Dict[str, Any]) -> str:
    """As PEP 3333 puts it together; a server may leave out any part of it."""
    path = quote(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), _IN_A_PATH, "latin-1")
    query = environ.get("QUERY_STRING", "")
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}" + (f"?{query}" if query else "")


def _headers(environ: Dict[str, Any]) -> List[Tuple[str, str]]:
    found = [
        (name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")
    ]
    if environ.get("CONTENT_TYPE"):
        found.append(("Content-Type", environ["CONTENT_TYPE"]))
    return found


def _body(environ: Dict[str, Any], max_bytes: int) -> bytes:
    """Without a length only a server that ends the stream itself may be read."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or -1)
    except ValueError:
        length = -1
    stream = environ.get("wsgi.input") or BytesIO()
    if length < 0:
        return body_of(stream, max_bytes) if environ.get("wsgi.input_terminated") else b""
    if length > max_bytes:
        return body_of(stream, max_bytes)
    return body_of(stream, length - 1) if length else b""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
