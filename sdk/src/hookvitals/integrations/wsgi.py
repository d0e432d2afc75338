"""A receiver as a WSGI application: mount it at any path. The body is read raw, bounded by the receiver."""

from http import HTTPStatus
from io import BytesIO
from typing import Any, Callable, Dict, Iterable, List, Tuple

from hookvitals.integrations import Body, Mounted, body_of, path_of

StartResponse = Callable[[str, List[Tuple[str, str]]], Any]
Application = Callable[[Dict[str, Any], StartResponse], Iterable[bytes]]
_UNPREFIXED = (("CONTENT_TYPE", "Content-Type"), ("CONTENT_LENGTH", "Content-Length"))


def application(receiver: Mounted) -> Application:
    """The WSGI callable that answers every request with `receiver.handle`."""

    def app(environ: Dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD", "")
        body = _body(environ, receiver.settings.max_body_bytes)
        status, headers, answer = receiver.handle(
            method,
            url_of(environ),
            _headers(environ),
            body.data,
            environ.get("REMOTE_ADDR"),
            cut_off=body.cut_off,
        )
        if status != 204:
            headers = [*headers, ("Content-Length", str(len(answer)))]
        start_response(f"{status} {_phrase(status)}", headers)
        return [] if method == "HEAD" else [answer]

    receiver.start()
    return app


def url_of(environ: Dict[str, Any]) -> str:
    """As PEP 3333 puts it together; a server may leave out any part of it."""
    seen = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    path = path_of(written_path(environ), seen.encode("latin-1", "replace"))
    query = environ.get("QUERY_STRING", "")
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}" + (f"?{query}" if query else "")


def written_path(environ: Dict[str, Any]) -> str:
    """The path as it came, still quoted; "" where the server does not tell. No standard names the key."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return target.partition("?")[0]


def _headers(environ: Dict[str, Any]) -> List[Tuple[str, str]]:
    found = [
        (name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")
    ]
    for key, name in _UNPREFIXED:
        if environ.get(key):
            found.append((name, environ[key]))
    return found


def _body(environ: Dict[str, Any], max_bytes: int) -> Body:
    """Without a length only a server that ends the stream itself may be read."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or -1)
    except ValueError:
        length = -1
    stream = environ.get("wsgi.input") or BytesIO()
    if length >= 0:
        return body_of(stream, max_bytes, length)
    return body_of(stream, max_bytes) if environ.get("wsgi.input_terminated") else Body(b"")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
