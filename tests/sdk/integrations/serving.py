"""A WSGI application on loopback, and requests written byte by byte."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[int]:
    """The port that the application is served on while the block lasts."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def sent(port: int, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
    """(status, body) of one request, its header lines in this order, doubled ones too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path)
    for name, value in headers:
        connection.putheader(name, value)
    if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    try:
        connection.send(body)
    except OSError:
        pass  # a server may answer and close before it has read all
    try:
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def chunked(port: int, path: str, headers: list[tuple[str, str]], body: bytes) -> int:
    """The status of a request without a Content-Length, its body in two chunks."""
    parts = [body[:10], body[10:]]
    lines = [
        f"{name}: {value}" for name, value in [*headers, ("Transfer-Encoding", "chunked"), ("Host", "x")]
    ]
    raw = f"POST {path} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n"
    raw += b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        return int(connection.makefile("rb").readline().split()[1])
