"""A real SMTP server on loopback that records what it takes and answers as told."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN = ("monitor", "s3cret-pass")


@dataclass(slots=True)
class Taken:
    """One mail as the server took it."""

    mail: EmailMessage
    sender: str
    recipients: list[str]
    encrypted: bool
    user: str


@dataclass(slots=True)
class MailServer:
    """refuses: reply per recipient. reply: to the whole mail, instead of taking it."""

    refuses: dict[str, str] = field(default_factory=dict)
    reply: str = ""
    login_reply: str = ""
    goodbye: str = "221 Bye"
    goodbyes: int = 0
    taken: list[Taken] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.reply:
            return self.reply
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append(
            Taken(
                mail,
                envelope.mail_from or "",
                list(envelope.rcpt_tos),
                server.transport is not None and server.transport.get_extra_info("ssl_object") is not None,
                session.auth_data.decode() if session.auth_data else "",
            )
        )
        return "250 taken"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.goodbyes += 1
        return self.goodbye

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        if self.login_reply:
            return AuthResult(success=False, handled=False, message=self.login_reply)
        good = (data.login.decode(), data.password.decode()) == LOGIN
        return AuthResult(success=good, handled=False, auth_data=data.login)


class _OwnPort(Controller):
    """A controller on a port of the system's choice; the original probes the port it was asked for."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def receiving(
    server: MailServer,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[MailServer]:
    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0}
    if starttls is not None:
        options |= {"tls_context": starttls, "require_starttls": True}
    if tls is not None:
        options |= {"ssl_context": tls}
    if starttls is not None or tls is not None:
        options |= {"authenticator": server.authenticate, "auth_require_tls": starttls is not None}
    controller = _OwnPort(server, **options)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()
