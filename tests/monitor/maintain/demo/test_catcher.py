"""The demo's mailbox and Slack-shaped server, spoken to by the standard library's own clients."""

import http.client
import json
import smtplib
from email.message import EmailMessage

from monitor.maintain.demo.catcher import Catcher, Caught


def test_mail_is_caught_with_its_subject_and_text() -> None:
    caught: list[Caught] = []
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Ärger: error_rate", "a@example.com", "b@example.com"
    message.set_content("first\n.second starts with a dot\n")
    message.add_alternative("<p>first</p>", subtype="html")
    with Catcher(caught.append) as catcher, smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=5) as smtp:
        smtp.send_message(message)
    assert caught == [Caught("email", "Ärger: error_rate", "first\n.second starts with a dot")]


def post(url: str, body: bytes) -> tuple[int, bytes]:
    host, path = url.removeprefix("http://").split("/", 1)
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request("POST", "/" + path, body)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_slack_message_is_caught_with_the_texts_of_its_blocks() -> None:
    caught: list[Caught] = []
    message = {
        "text": "error_rate fires",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Error rate"}},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "*12 %*"}]},
        ],
    }
    with Catcher(caught.append) as catcher:
        assert post(catcher.slack_url, json.dumps(message).encode()) == (200, b"ok")
    assert caught == [Caught("slack", "error_rate fires", "Error rate\n*12 %*")]


def test_what_slack_would_refuse_is_refused() -> None:
    caught: list[Caught] = []
    with Catcher(caught.append) as catcher:
        assert post(catcher.slack_url, b"not json")[0] == 400
        assert post(catcher.slack_url, b"{}")[0] == 400
    assert caught == []
