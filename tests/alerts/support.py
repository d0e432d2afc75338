"""Shared by the tests of alerts: a loopback HTTP server that answers as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from alerts.egress import Egress

LOOPBACK = ("127.0.0.0/8", "::1/128")


def loopback_egress() -> Egress:
    return Egress(LOOPBACK)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the server got it. headers: names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Service:
    """Somebody else's HTTP service: answers every request with `status`, `headers` and `body`, or the first
    ones with the bodies that are given in order."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    bodies: list[bytes] = field(default_factory=list)
    stall: threading.Event | None = None
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.seen.append(Seen(self.command, self.path, headers, body))
            if service.stall is not None:
                service.stall.wait(10)
            self.send_response(service.status)
            for name, value in service.headers.items():
                self.send_header(name, value)
            reply = service.bodies.pop(0) if service.bodies else service.body
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            try:
                self.wfile.write(reply)
            except ConnectionError:
                pass  # the client read as much as it wanted

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        if service.stall is not None:
            service.stall.set()
        server.shutdown()
        thread.join()
        server.server_close()
