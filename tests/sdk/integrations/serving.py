"""Applications on loopback under the servers that their users run, and requests written byte by byte."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import uvicorn
from werkzeug.serving import WSGIRequestHandler, make_server

Headers = list[tuple[str, str]]
CHUNKED = ("Transfer-Encoding", "chunked")


class Answer(NamedTuple):
    """headers: by their lower-case names."""

    status: int
    body: bytes
    headers: dict[str, str]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Says nothing."""

    def handle_expect_100(self) -> bool:
        """Werkzeug itself asks for the body; twice is once too often for a sender that goes away."""
        return True


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[int]:
    """The port that the WSGI application is served on while the block lasts."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@contextmanager
def served_asgi(app: Any, **settings: Any) -> Iterator[int]:
    """The port that the ASGI application is served on while the block lasts; then it is told to shut down."""
    given = {"lifespan": "on", "ws": "none", "log_config": None, "proxy_headers": False, **settings}
    server = uvicorn.Server(uvicorn.Config(app, **given))
    with closing(socket.socket(proto=socket.IPPROTO_TCP)) as listening:  # named, asyncio sends without delay
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)  # who connects before the server is up, waits
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)
    assert not thread.is_alive(), "the server did not end"


def sent(port: int, method: str, path: str, headers: Headers, body: bytes) -> Answer:
    """The answer to one request, its header lines in this order, doubled ones too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
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
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, answer.read(), found)
    finally:
        connection.close()


def chunked(port: int, path: str, headers: Headers, body: bytes) -> int:
    """The status of a request without a Content-Length, its body in two chunks."""
    parts = [body[:10], body[10:]]
    return sent(port, "POST", path, [*headers, CHUNKED], b"".join(map(chunk, parts)) + chunk(b"")).status


def chunk(part: bytes) -> bytes:
    """One chunk of a chunked body; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(part), part)


def broken_off(port: int, path: str, headers: Headers, part: bytes, *, reset: bool = False) -> None:
    """Sends `part` of the body once the server reads it, then no more; returns when the server has let go.

    reset: the connection is torn down, not ended.
    """
    lines = [f"{name}: {value}" for name, value in [("Host", "x"), ("Expect", "100-continue"), *headers]]
    head = "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head)
        assert b"100 Continue" in connection.recv(65536)
        connection.sendall(part)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
