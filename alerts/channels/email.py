"""Alerts by mail: text and HTML of the same message, threaded by alert. It attaches nothing and loads no
image."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from copy import copy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from alerts.channels.channel import Receipt
from alerts.channels.smtp import Mailer
from alerts.errors import SettingInvalid
from alerts.message import Message
from alerts.wording import number

TEMPLATES = Environment(
    loader=PackageLoader("alerts.channels", "templates"),
    autoescape=select_autoescape(("html",), default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["number"] = number

MESSAGE_ID = re.compile(r"<[0-9a-f]{40}@[^\s<>@]{1,200}>")
"""Ours, and no other channel's reference."""
COLOURS = {"info": "#2563eb", "warning": "#b45309", "error": "#c2410c", "critical": "#b91c1c"}
RESOLVED_COLOUR = "#15803d"


class Email:
    """One mailbox to write from and the people to write to. sender: an address, with or without a name."""

    gathers = True

    def __init__(self, name: str, mailer: Mailer, sender: str, recipients: Sequence[str]) -> None:
        self.name = name
        self.recipients = tuple(parseaddr(recipient)[1] for recipient in recipients)
        self._mailer = mailer
        self._sender = sender
        self._shown = tuple(recipients)
        for address in (sender, *recipients):
            if "@" not in parseaddr(address)[1] or one_line(address) != address:
                raise SettingInvalid(
                    f'channel {name}: "{address}" is no mail address', hint="write somebody@example.com"
                )

    def among(self, recipients: Collection[str]) -> Email:
        """The same mails, headers and all, for these of its recipients alone."""
        some = copy(self)
        some.recipients = tuple(one for one in self.recipients if one in recipients)
        return some

    def send(self, message: Message) -> Receipt:
        """Hands the mail to the server; a recipient that was refused beside others is a warning.

        Raises ChannelError.
        """
        mail = rendered(message, self.name, self._sender, self._shown)
        refused = self._mailer.send(mail, parseaddr(self._sender)[1], self.recipients)
        later = tuple(one.recipient for one in refused if one.may_pass)
        said = (
            f"{one.recipient} was refused {'for now ' if one.may_pass else ''}({one.code})" for one in refused
        )
        return Receipt(reference=mail["Message-ID"], warning="; ".join(said), refused_for_now=later)


def rendered(message: Message, channel: str, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail. The same message makes the same Message-ID, so that a second copy can be told from a
    first."""
    mail = EmailMessage()
    mail["Subject"] = one_line(message.title)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(message.created_at)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    first = _message_id(f"{message.thread}.{channel}", domain)
    root = message.earlier if MESSAGE_ID.fullmatch(message.earlier) else first
    if message.opens_thread:
        mail["Message-ID"] = root
    else:
        mail["Message-ID"] = _message_id(f"{message.key}.{channel}", domain)
        mail["In-Reply-To"] = root
        mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    colour = RESOLVED_COLOUR if message.resolved else COLOURS[message.severity.value]
    values = {"message": message, "colour": colour}
    mail.set_content(TEMPLATES.get_template("alert.txt").render(values))
    mail.add_alternative(TEMPLATES.get_template("alert.html").render(values), subtype="html")
    return mail


def one_line(text: str, limit: int = 200) -> str:
    """The text as a header can carry it: no control characters, at most `limit` characters."""
    flat = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _message_id(seed: str, domain: str) -> str:
    return f"<{hashlib.sha256(seed.encode()).hexdigest()[:40]}@{domain}>"
