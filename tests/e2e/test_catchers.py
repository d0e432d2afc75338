"""The catchers catch: a test that waits for an alert must not wait for its own tools."""

import smtplib
from email.message import EmailMessage

import requests

from tests.e2e.catchers import mailbox, slack_like


def test_a_message_sent_by_smtp_arrives_whole() -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Firing: naïve", "a@example.com", "b@example.com"
    message.set_content("body")

    with mailbox() as (box, port):
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.send_message(message)

        assert box.subjects() == ["Firing: naïve"]
        assert box.messages[0].get_content().strip() == "body"


def test_a_post_arrives_after_the_failures_that_were_asked_for() -> None:
    with slack_like() as (slack, url):
        slack.statuses = [500]
        statuses = [requests.post(url, json={"text": text}, timeout=5).status_code for text in ("one", "two")]

        assert statuses == [500, 200]
        assert slack.texts() == ["two"]
