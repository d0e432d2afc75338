"""Names and texts that somebody else chose, sent through every channel: none of them does anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.channels.email import rendered as mail_of
from alerts.message import Links, Message, compose
from alerts.model import ErrorCount, Why
from alerts.permits import Permits
from tests.alerts.channels.cases import OVER_HTTP, Case, apprise
from tests.alerts.samples import EVIDENCE, alert, notification
from tests.alerts.support import LOOPBACK, Service, serving

LINKS = Links("https://monitor.example/hooks", Permits(b"k" * 32))
WORDS = {
    "mention": "<!channel> <@U1> <!here|x> <https://evil.example|Open the alert>",
    "newlines": "one\r\nBcc: eve@example.com\r\n\r\ntwo\u2028three\x00\x1b[31m",
    "right to left": "\u202egpj.exe\u202c \u2066x\u2069 \u200f\u061c",
    "invisible": "a\u200bb\u00adc\ufeffd\U000e0041e",
    "half a letter": "\ud800 and \udfff",
    "markup": "<img src=x onerror=alert(1)> {{7*7}} ${x} %s {severity} `*_~`",
    "long": "payments " * 1200,
    "nothing": "",
}
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
LARGEST_BYTES = 32 * 1024


def hostile(word: str, reason: Why = Why.FIRING) -> Message:
    labels = {"environment": word, "source": word, "endpoint": word, "queue": word, word: word}
    of = alert(
        rule=word,
        labels=labels,
        runbook="https://runbooks.example/" + word,
        evidence=replace(
            EVIDENCE,
            summary=word,
            unit=word,
            top_errors=tuple(ErrorCount(f"{word}{n}", n) for n in range(9)),
            exemplars=(word,) * 9,
        ),
    )
    return compose(notification(of, reason), LINKS)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS.keys())
@pytest.mark.parametrize("case", OVER_HTTP.values(), ids=OVER_HTTP.keys())
def test_text_from_outside_arrives_short_and_without_effect(case: Case, word: str) -> None:
    with serving(Service(body=case.taken)) as service:
        case.make(service.port, LOOPBACK, 5).send(hostile(word))
    for seen in service.seen:
        assert len(seen.body) <= LARGEST_BYTES
        assert all("\n" not in value for value in seen.headers.values())
        for text in strings(json.loads(seen.body)):
            assert not STEERING.search(text)
            assert len(text) <= 4000


def test_text_from_outside_arrives_so_by_apprise_too() -> None:
    with serving(Service()) as service:
        apprise(service.port, LOOPBACK, 30).send(hostile(" ".join(WORDS.values())))
    [seen] = service.seen
    assert len(seen.body) <= LARGEST_BYTES
    for text in strings(json.loads(seen.body)):
        assert not STEERING.search(text.replace("\n", ""))


@pytest.mark.parametrize("name", ["slack", "slack_bot"])
def test_nobody_is_mentioned_and_no_link_forged_in_slack(name: str) -> None:
    case = OVER_HTTP[name]
    with serving(Service(body=case.taken)) as service:
        case.make(service.port, LOOPBACK, 5).send(hostile(WORDS["mention"]))
    for text in strings(json.loads(service.seen[0].body)):
        for opened in re.findall(r"<[^>]*>?", text):
            assert opened.startswith("<https://monitor.example/hooks/records/")


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS.keys())
def test_mail_is_short_and_one_thing_a_line(word: str) -> None:
    mail = mail_of(hostile(word), "ops", "monitor@example.com", ["ann@example.com"])
    sent = mail.as_bytes()
    assert len(sent) <= 2 * LARGEST_BYTES
    assert mail.keys() == mail_of(hostile("x"), "ops", "m@example.com", ["ann@example.com"]).keys()
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert not STEERING.search(part.get_content().replace("\r", ""))


def test_title_stays_a_line_whatever_the_source_is_called() -> None:
    said = hostile(WORDS["newlines"])
    assert len(said.title.splitlines()) == 1
    assert said.title.startswith("Error: one Bcc: eve@example.com two three [31m at ")
