"""Where alerts arrive in the end-to-end tests: a mailbox that speaks SMTP and a server shaped like Slack's.

Both listen on loopback at a port of the system's choice and keep what came, in order.
"""

import asyncio
import email.message
import email.policy
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message


class Mailbox(Message):
    """Messages as they came."""

    def __init__(self) -> None:
        super().__init__(email.message.EmailMessage)
        self.messages: list[email.message.EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> email.message.EmailMessage:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        return message

    def handle_message(self, message: Any) -> None:
        self.messages.append(message)

    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]


class _AnyPort(Controller):
    """A controller that may listen at port 0: it learns its port before it asks itself whether it is up."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """(the mailbox, its port), open until the block ends."""
    box = Mailbox()
    controller = _AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield box, int(controller.port)
    finally:
        controller.stop()


class SlackLike:
    """Bodies posted to an incoming webhook; `statuses` are answered first, then 200."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.statuses: list[int] = []

    def texts(self) -> list[str]:
        return [str(body.get("text", "")) for body in self.posted]


@contextmanager
def slack_like() -> Iterator[tuple[SlackLike, str]]:
    """(what was posted, the webhook's URL), open until the block ends."""
    slack = SlackLike()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = slack.statuses.pop(0) if slack.statuses else 200
            if status == 200:
                slack.posted.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield slack, f"http://127.0.0.1:{server.server_port}/services/T000/B000/XXXX"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
