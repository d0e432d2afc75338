"""Where the alerts of an end-to-end test arrive, and the one browser of all tests."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser.conftest import chromium, visit  # noqa: F401
from tests.e2e.catchers import Mailbox, SlackLike, mailbox, slack_like


@dataclass(frozen=True)
class Inboxes:
    """What a person on call would see."""

    mail: Mailbox
    mail_port: int
    slack: SlackLike
    slack_url: str

    def both_hold(self, *words: str) -> bool:
        """Whether a mail and a Slack message hold all the words in their title."""
        return all(
            any(all(word in title for word in words) for title in titles)
            for titles in (self.mail.subjects(), self.slack.texts())
        )

    def channels(self) -> str:
        """The tables of hookvitals.toml that lead here; the Slack address comes by environment."""
        return f"""
[[channels]]
kind = "slack"
name = "chat"
url = {{ env = "SLACK_URL" }}

[[channels]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {self.mail_port}
security = "none"
sender = "Hookvitals <hookvitals@example.com>"
recipients = ["oncall@example.com"]

[egress]
allow = ["127.0.0.0/8"]
"""


@pytest.fixture
def inboxes() -> Iterator[Inboxes]:
    with mailbox() as (mail, port), slack_like() as (slack, url):
        yield Inboxes(mail, port, slack, url)
