"""Mail over a real SMTP server: encryption, login, threading, refusals, and what a reader sees."""

from __future__ import annotations

import email.utils
import socket
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from alerts.channels.email import Email, rendered
from alerts.channels.smtp import Mailer, Security
from alerts.egress import Egress
from alerts.errors import ChannelError, Failure, SettingInvalid
from alerts.message import compose, compose_group
from alerts.model import ErrorCount, State, Why
from tests.alerts.certificates import self_signed
from tests.alerts.mailserver import LOGIN, MailServer, receiving
from tests.alerts.samples import EVIDENCE, LINKS, alert, message, notification
from tests.alerts.support import LOOPBACK

HOST = "mail.example"
PEOPLE = ("Ann <ann@example.com>", "bob@example.com")


def channel(
    server: MailServer,
    *,
    security: Security = "none",
    login: tuple[str, str] = ("", ""),
    ca_file: Path | None = None,
    recipients: Sequence[str] = PEOPLE,
) -> Email:
    egress = Egress(LOOPBACK, resolve=lambda host, port: ["127.0.0.1"])
    mailer = Mailer(
        "mail",
        HOST,
        egress,
        port=server.port,
        security=security,
        username=login[0],
        password=login[1],
        ca_file=None if ca_file is None else str(ca_file),
        timeout_s=30,
    )
    return Email("mail", mailer, "Hookvitals <monitor@example.com>", recipients)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with receiving(MailServer()) as running:
        yield running


@contextmanager
def secured(tmp_path: Path, server: MailServer, security: Security, host: str = HOST) -> Iterator[Path]:
    context, ca_file = self_signed(tmp_path, host)
    starttls, tls = (context, None) if security == "starttls" else (None, context)
    with receiving(server, starttls=starttls, tls=tls):
        yield ca_file


def failure_of(sender: Email) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        sender.send(message())
    assert LOGIN[1] not in str(failed.value)
    return failed.value


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_sent_encrypted_and_logged_in(tmp_path: Path, security: Security) -> None:
    server = MailServer()
    with secured(tmp_path, server, security) as ca_file:
        receipt = channel(server, security=security, login=LOGIN, ca_file=ca_file).send(message())
    [taken] = server.taken
    assert (taken.encrypted, taken.user) == (True, LOGIN[0])
    assert (taken.sender, taken.recipients) == ("monitor@example.com", ["ann@example.com", "bob@example.com"])
    assert receipt.reference == taken.mail["Message-ID"]
    assert receipt.warning == ""


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_certificate_that_is_not_trusted_is_refused(tmp_path: Path, security: Security) -> None:
    server = MailServer()
    with secured(tmp_path, server, security):
        failed = failure_of(channel(server, security=security, login=LOGIN))
    assert (failed.reason, failed.retryable) == (Failure.TLS, True)
    assert "self-signed" in str(failed)
    assert server.taken == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_trusted_certificate_of_another_host_is_refused(tmp_path: Path, security: Security) -> None:
    server = MailServer()
    with secured(tmp_path, server, security, "other.example") as ca_file:
        failed = failure_of(channel(server, security=security, login=LOGIN, ca_file=ca_file))
    assert (failed.reason, server.taken) == (Failure.TLS, [])
    assert "Hostname mismatch" in str(failed)


def test_password_never_leaves_when_the_server_offers_no_starttls(server: MailServer) -> None:
    failed = failure_of(channel(server, security="starttls", login=LOGIN))
    assert (failed.reason, failed.retryable) == (Failure.SETTINGS, False)
    assert "STARTTLS" in str(failed)


def test_login_in_clear_is_refused_before_any_connection() -> None:
    with pytest.raises(SettingInvalid, match="password in clear") as refused:
        channel(MailServer(), security="none", login=LOGIN)
    assert LOGIN[1] not in str(refused.value)


def test_wrong_password_is_given_up_without_repeating_it(tmp_path: Path) -> None:
    server = MailServer()
    with secured(tmp_path, server, "starttls") as ca_file:
        wrong = (LOGIN[0], "wr0ng-" + LOGIN[1])
        failed = failure_of(channel(server, security="starttls", login=wrong, ca_file=ca_file))
    assert (failed.reason, failed.retryable) == (Failure.AUTHENTICATION, False)
    assert "username and password" in str(failed)


def test_login_service_that_is_down_is_tried_again(tmp_path: Path) -> None:
    server = MailServer(login_reply="454 4.7.0 temporary authentication failure")
    with secured(tmp_path, server, "starttls") as ca_file:
        failed = failure_of(channel(server, security="starttls", login=LOGIN, ca_file=ca_file))
    assert (failed.reason, failed.retryable) == (Failure.AUTHENTICATION, True)


def test_one_refused_recipient_does_not_keep_the_mail_from_the_others(server: MailServer) -> None:
    server.refuses = {"bob@example.com": "550 5.1.1 no such user"}
    receipt = channel(server).send(message())
    assert server.taken[0].recipients == ["ann@example.com"]
    assert receipt.warning == "bob@example.com was refused (550)"


@pytest.mark.parametrize(
    ("replies", "retryable"),
    [
        (("550 gone", "550 gone"), False),
        (("451 greylisted", "451 greylisted"), True),
        (("550 gone", "451 greylisted"), True),
    ],
)
def test_mail_nobody_may_get_is_retried_if_any_refusal_will_pass(
    server: MailServer, replies: tuple[str, str], retryable: bool
) -> None:
    server.refuses = dict(zip(["ann@example.com", "bob@example.com"], replies, strict=True))
    failed = failure_of(channel(server))
    assert (failed.reason, failed.retryable) == (Failure.RECIPIENTS_REFUSED, retryable)


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [("421 busyword", True), ("452 muchword", True), ("554 spamword", False), ("552 bigword", False)],
)
def test_4xx_is_retried_and_5xx_given_up(server: MailServer, reply: str, retryable: bool) -> None:
    server.reply = reply
    failed = failure_of(channel(server))
    assert failed.retryable is retryable
    assert reply[:3] in str(failed)
    assert reply[4:] not in "".join(traceback.format_exception(failed))


def test_clumsy_goodbye_does_not_send_a_taken_mail_again(server: MailServer) -> None:
    server.goodbye = "421 closing"
    channel(server).send(message())
    assert (len(server.taken), server.goodbyes) == (1, 1)


def test_mail_reads_the_same_as_text_and_as_html(server: MailServer) -> None:
    channel(server).send(message())
    mail = server.taken[0].mail
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (part.get_content() for part in mail.iter_parts())
    for said in (
        "Error: error_rate at stripe/payments",
        "12.4 % of stripe/payments failed in 15 min",
        "2026-11-21 03:00 UTC",
        "DatabaseTimeout",
        "300",
        "https://monitor.example/hooks/alerts/",
        "https://runbooks.example/error-rate",
        "0193f000-0000-7000-8000-000000000001",
    ):
        assert said in text
        assert said in html
    assert mail["Subject"] == "Error: error_rate at stripe/payments"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "http" not in html.replace("https://monitor.example", "").replace("https://runbooks.example", "")


LOADING = {"src", "srcset", "background", "poster", "data", "action"}


@pytest.mark.parametrize("reason", [Why.FIRING, Why.RESOLVED, Why.DRILL])
def test_mail_loads_nothing_from_elsewhere(reason: Why) -> None:
    body = rendered(message(reason=reason), "mail", "m@example.com", PEOPLE).get_body(("html",))
    assert body is not None
    html = body.get_content()
    tags = Tags(html).found
    assert {"img", "link", "script", "style", "iframe", "object", "video"}.isdisjoint(tag for tag, _ in tags)
    assert LOADING.isdisjoint(name for _, names in tags for name in names)
    assert "url(" not in html.lower()


def test_text_is_laid_out_for_reading() -> None:
    body = rendered(message(), "mail", "m@example.com", PEOPLE).get_body(("plain",))
    assert body is not None
    lines = body.get_content().splitlines()
    assert lines[:8] == [
        "Error: error_rate at stripe/payments",
        "",
        EVIDENCE.summary,
        "",
        "Since:       2026-11-21 03:00 UTC",
        "Value:       12.4 %",
        "Threshold:   5 %",
        "Severity:    error",
    ]
    assert "     300  DatabaseTimeout" in lines


def test_messages_of_one_alert_are_one_thread() -> None:
    def sent(reason: Why, episode: int = 1) -> object:
        of = alert(state=State.RESOLVED if reason is Why.RESOLVED else State.FIRING, episode=episode)
        return rendered(message(of, reason), "mail", "m@example.com", PEOPLE)

    firing, raised, end, later = (
        sent(Why.FIRING),
        sent(Why.SEVERITY_RAISED),
        sent(Why.RESOLVED),
        sent(Why.FIRING, episode=2),
    )
    root = firing["Message-ID"]  # type: ignore[index]
    assert firing["References"] is None  # type: ignore[index]
    for reply in (raised, end):
        assert (reply["References"], reply["In-Reply-To"]) == (root, root)  # type: ignore[index]
    assert len({mail["Message-ID"] for mail in (firing, raised, end, later)}) == 4  # type: ignore[index]
    assert email.utils.parseaddr(root)[1].endswith("@example.com")


def test_second_try_has_the_same_message_id() -> None:
    one, two = (rendered(message(), "mail", "m@example.com", PEOPLE) for _ in range(2))
    assert one["Message-ID"] == two["Message-ID"]


NAUGHTY = "<script>alert(1)</script> \"'&amp;{{ 7*7 }}\r\nBcc: eve@example.com\x00\u2028"


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def test_text_from_outside_adds_neither_markup_nor_headers(server: MailServer) -> None:
    def sent(word: str) -> tuple[list[str], list[tuple[str, tuple[str, ...]]], str]:
        hostile = alert(
            labels={"environment": word, "source": word, "endpoint": word},
            rule=word,
            runbook=word,
            evidence=replace(EVIDENCE, summary=word, top_errors=(ErrorCount(word, 1),), exemplars=(word,)),
        )
        channel(server).send(message(hostile))
        mail = server.taken[-1].mail
        html = mail.get_body(("html",))
        assert html is not None
        return mail.keys(), Tags(html.get_content()).found, html.get_content()

    plain, naughty = sent("word"), sent(NAUGHTY)
    assert naughty[0] == plain[0]
    assert naughty[1] == plain[1]
    assert "49" not in naughty[2]


def test_runbook_is_a_link_only_when_it_is_a_web_address() -> None:
    mail = rendered(message(alert(runbook="javascript:alert(1)")), "mail", "m@example.com", PEOPLE)
    html = mail.get_body(("html",))
    assert html is not None
    assert 'href="javascript' not in html.get_content()


@pytest.mark.parametrize("address", ["nobody", "", "a@b\r\nBcc: eve@example.com"])
def test_address_that_is_none_is_refused_at_the_start(server: MailServer, address: str) -> None:
    with pytest.raises(SettingInvalid, match="no mail address"):
        channel(server, recipients=[address])


def test_end_of_what_one_mail_told_of_together_answers_that_mail() -> None:
    fired = [alert("endpoint_down", endpoint=f"e{n}") for n in range(3)]
    over = [replace(one, state=State.RESOLVED) for one in fired]
    first = rendered(compose_group(tuple(map(notification, fired)), LINKS), "mail", "m@example.com", PEOPLE)
    ended = tuple(notification(one, Why.RESOLVED) for one in over)
    for end in (
        compose_group(ended, LINKS, first["Message-ID"]),
        compose(ended[0], LINKS, first["Message-ID"]),
    ):
        mail = rendered(end, "mail", "m@example.com", PEOPLE)
        assert mail["In-Reply-To"] == mail["References"] == first["Message-ID"]
        assert mail["Message-ID"] != first["Message-ID"]


def test_reference_of_another_kind_of_channel_starts_no_thread() -> None:
    end = compose(notification(alert(state=State.RESOLVED), Why.RESOLVED), LINKS, "C012345 1.2\r\nBcc: x@y")
    mail = rendered(end, "mail", "m@example.com", PEOPLE)
    firing = rendered(message(), "mail", "m@example.com", PEOPLE)
    assert mail["In-Reply-To"] == firing["Message-ID"]


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_server_that_drips_is_left_when_the_time_is_over(security: Security) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as dripping:

        def drip() -> None:
            with dripping.accept()[0] as connection, suppress(OSError):
                while not over.wait(0.05):
                    connection.sendall(b"2")

        thread = threading.Thread(target=drip)
        thread.start()
        slow = Mailer(
            "mail",
            "127.0.0.1",
            Egress(LOOPBACK),
            port=dripping.getsockname()[1],
            security=security,
            timeout_s=0.2,
        )
        try:
            with pytest.raises(ChannelError) as failed:
                Email("mail", slow, "m@example.com", ["ann@example.com"]).send(message())
        finally:
            over.set()
            thread.join()
    assert failed.value.retryable
    assert security == "tls" or failed.value.reason is Failure.TIMEOUT


def test_sending_leaves_no_connection_and_no_timer_behind(server: MailServer) -> None:
    before = set(threading.enumerate())  # timers of an earlier test may end meanwhile
    for _ in range(3):
        channel(server).send(message())
    left = [one for one in threading.enumerate() if one not in before]
    for timer in left:
        timer.join(5)  # it was told to end
    assert not any(timer.is_alive() for timer in left)


def test_refusals_that_may_pass_are_told_from_those_for_good(server: MailServer) -> None:
    server.refuses = {"bob@example.com": "451 greylisted", "eve@example.com": "550 no such user"}
    receipt = channel(server, recipients=[*PEOPLE, "eve@example.com"]).send(message())
    assert receipt.refused_for_now == ("bob@example.com",)
    assert receipt.warning == "bob@example.com was refused for now (451); eve@example.com was refused (550)"
