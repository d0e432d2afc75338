"""Where the demo's alerts arrive: a server shaped like Slack's incoming webhooks, and a mailbox behind SMTP.

Both listen on loopback, keep what came, and tell a listener. They authenticate nobody: they are no part of
the monitor, and nothing but the demo starts them.
"""

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

LINE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Caught:
    """One message as a person would see it. by: slack or email. title: the subject, or Slack's fallback."""

    by: str
    title: str
    text: str


Listener = Callable[[Caught], None]


class Catcher:
    """Both servers, from `with` to its end, on ports that the system picks."""

    def __init__(self, listener: Listener) -> None:
        self._slack = ThreadingHTTPServer(("127.0.0.1", 0), _slack_handler(listener))
        self._smtp = _SmtpServer(("127.0.0.1", 0), _smtp_handler(listener))
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            for server in (self._slack, self._smtp)
        ]

    @property
    def slack_url(self) -> str:
        return f"http://127.0.0.1:{self._slack.server_address[1]}/services/demo"

    @property
    def smtp_port(self) -> int:
        return int(self._smtp.server_address[1])

    def __enter__(self) -> "Catcher":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server, thread in zip((self._slack, self._smtp), self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


class _SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _slack_handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                message = json.loads(body)
                caught = Caught("slack", str(message["text"]), "\n".join(_block_texts(message)))
            except (ValueError, KeyError, TypeError):
                self._answer(400, b"invalid_payload")
                return
            listener(caught)
            self._answer(200, b"ok")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


def _block_texts(value: object) -> list[str]:
    """Every text inside Slack's blocks, in order."""
    if isinstance(value, list):
        return [text for item in value for text in _block_texts(item)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if isinstance(value.get("text"), str) and "type" in value else []
    return own + [
        text for item in value.values() if isinstance(item, dict | list) for text in _block_texts(item)
    ]


def _smtp_handler(listener: Listener) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        """The commands of RFC 5321 that a sender of mail needs, and no extension."""

        timeout = 30

        def handle(self) -> None:
            self._say("220 hookvitals demo mailbox")
            while line := self.rfile.readline(LINE_BYTES):
                command = line.strip().upper()
                if command.startswith((b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP")):
                    self._say("250 ok")
                elif command == b"DATA":
                    self._take()
                elif command == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("502 command not known here")

        def _take(self) -> None:
            self._say("354 end with a dot on a line of its own")
            lines: list[bytes] = []
            while (line := self.rfile.readline(LINE_BYTES)) and line.rstrip(b"\r\n") != b".":
                lines.append(line[1:] if line.startswith(b"..") else line)
            listener(_mail(b"".join(lines)))
            self._say("250 taken")

        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    return Handler


def _mail(content: bytes) -> Caught:
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body is not None else ""
    return Caught("email", str(message.get("Subject", "")), str(text).replace("\r\n", "\n").strip())
