"""The one way mail leaves: SMTP with STARTTLS or TLS, verified, and a login. It composes nothing.

The connection goes through Egress like every other; mail is handed over once, never queued here.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from alerts.deadline import Deadline
from alerts.egress import Egress
from alerts.errors import ChannelError, Failure, RequestFailed, SettingInvalid

Security = Literal["starttls", "tls", "none"]
ALTOGETHER = 3
"""A session may take this many times the limit of a single wait."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One recipient the server did not take, and its code."""

    recipient: str
    code: int

    @property
    def may_pass(self) -> bool:
        return _passing(self.code)


class Mailer:
    """One SMTP server and account. ca_file: certificates to trust in place of the system's.

    Raises SettingInvalid for a login over an unencrypted connection.
    """

    def __init__(
        self,
        name: str,
        host: str,
        egress: Egress,
        *,
        port: int = 587,
        security: Security = "starttls",
        username: str = "",
        password: str = "",
        ca_file: str | None = None,
        timeout_s: float = 20.0,
    ) -> None:
        if security == "none" and username:
            raise SettingInvalid(
                f'channel {name}: security = "none" would send the password in clear',
                hint='use security = "starttls" or "tls", or remove the login',
                key="security",
            )
        self.name = name
        self._host = host
        self._port = port
        self._security = security
        self._username = username
        self._password = password
        self._egress = egress
        self._ca_file = ca_file
        self._timeout_s = timeout_s

    def send(self, mail: EmailMessage, sender: str, recipients: Sequence[str]) -> list[Refusal]:
        """The recipients that were refused while at least one was accepted.

        Raises ChannelError when nobody was accepted, or anything else went wrong; a 4xx reply is retryable.
        """
        deadline = Deadline(ALTOGETHER * self._timeout_s)
        try:
            session = self._session(deadline)
            try:
                refused = session.send_message(mail, sender, list(recipients))
            finally:
                _leave(session)
        except RequestFailed as failed:
            raise self._error(
                failed.reason, failed.message, retryable=failed.retryable, hint=failed.hint
            ) from None
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            if deadline.is_over:
                said = f"the server was not done within {ALTOGETHER * self._timeout_s:g} s"
                raise self._error(Failure.TIMEOUT, said, retryable=True) from None
            raise self._translated(exc) from None  # a server's reply may repeat what it was sent
        finally:
            deadline.end()
        return [Refusal(recipient, code) for recipient, (code, _) in refused.items()]

    def _session(self, deadline: Deadline) -> smtplib.SMTP:
        kind = _TlsSession if self._security == "tls" else _Session
        session = kind(self._egress, deadline, self._host, self._port, self._timeout_s, self._context())
        try:
            if self._security == "starttls":
                session.starttls(context=self._context())
            if self._username:
                session.login(self._username, self._password)
        except BaseException:
            session.close()
            raise
        return session

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._ca_file)

    def _translated(self, exc: Exception) -> ChannelError:
        """The channel's error for whatever smtplib raised, without any text that came from outside."""
        if isinstance(exc, smtplib.SMTPAuthenticationError):
            return self._error(
                Failure.AUTHENTICATION,
                f"the server refused the login ({exc.smtp_code})",
                retryable=_passing(exc.smtp_code),
                hint="look at username and password",
            )
        if isinstance(exc, smtplib.SMTPRecipientsRefused):
            codes = sorted({code for code, _ in exc.recipients.values()})
            said = f"the server refused every recipient ({', '.join(map(str, codes))})"
            return self._error(
                Failure.RECIPIENTS_REFUSED, said, retryable=any(_passing(code) for code in codes)
            )
        if isinstance(exc, smtplib.SMTPResponseException):
            passing = _passing(exc.smtp_code)
            reason = Failure.SERVER_ERROR if passing else Failure.CLIENT_ERROR
            return self._error(reason, f"the server answered {exc.smtp_code}", retryable=passing)
        if isinstance(exc, smtplib.SMTPNotSupportedError):
            return self._error(
                Failure.SETTINGS,
                "the server offers no STARTTLS, no login, or no international addresses",
                retryable=False,
                hint='look at port and security ("starttls", "tls" or "none")',
            )
        return self._transport_error(exc)

    def _transport_error(self, exc: Exception) -> ChannelError:
        if isinstance(exc, ssl.SSLCertVerificationError):
            return self._error(Failure.TLS, f"certificate refused ({exc.verify_message})", retryable=True)
        if isinstance(exc, ssl.SSLError):
            return self._error(
                Failure.TLS, "TLS handshake failed", retryable=True, hint="look at port and security"
            )
        if isinstance(exc, TimeoutError):
            return self._error(Failure.TIMEOUT, f"no answer within {self._timeout_s:g} s", retryable=True)
        if isinstance(exc, ValueError):
            return self._error(
                Failure.SETTINGS, "the addresses or the login cannot be sent as they are", retryable=False
            )
        return self._error(Failure.CONNECT, "the server closed the connection", retryable=True)

    def _error(self, reason: Failure, said: str, *, retryable: bool, hint: str = "") -> ChannelError:
        place = f"{self._host}:{self._port}"
        text = said if self._host in said else f"{place}: {said}"
        return ChannelError(reason, f"channel {self.name}: {text}", retryable=retryable, hint=hint)


def _passing(code: int) -> bool:
    """Whether an SMTP reply code speaks of a passing condition."""
    return 400 <= code < 500


def _leave(session: smtplib.SMTP) -> None:
    """Ends the session. Once the mail was accepted, a clumsy goodbye must not have it sent again."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        session.quit()
    session.close()


def _own_name() -> str:
    """What EHLO says. Asking DNS for a full name, as smtplib would, can take seconds."""
    name = socket.gethostname()
    return name if "." in name else "localhost.localdomain"


class _Session(smtplib.SMTP):
    """A session over a socket that Egress made; smtplib calls _get_socket for exactly this."""

    def __init__(
        self,
        egress: Egress,
        deadline: Deadline,
        host: str,
        port: int,
        timeout_s: float,
        context: ssl.SSLContext,
    ) -> None:
        self._egress = egress
        self._deadline = deadline
        self._tls = context
        super().__init__(host, port, local_hostname=_own_name(), timeout=timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = self._egress.connect(host, port, timeout)
        self._deadline.watch(connection)
        return connection


class _TlsSession(_Session):
    """The same, encrypted from its first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
