"""What a good file may still lack."""

import tomllib
import uuid
from datetime import timedelta

import pytest

from monitor.config.advice import advice, beyond_minutes
from monitor.config.guessable import is_guessable
from monitor.config.load import stored
from monitor.config.toml_file import key_text

DRAWN = "https://hooks.example.com/webhooks/5f0c9a7e61d24b3c8f1e2d3c4b5a6978"
CHAT = '[[channels]]\nkind = "slack"\nname = "chat"\nurl = { env = "CHAT" }\n'
DESK = CHAT.replace("chat", "desk")
MAIL = '[[channels]]\nkind = "email"\nname = "mail"\nhost = "m"\nsender = "a@b.c"\nrecipients = ["d@b.c"]\n'
ALL = '[[routes]]\nchannels = ["chat"]\n'
STRIPE = (
    f'[[sources]]\nname = "stripe"\n[[endpoints]]\nsource = "stripe"\nname = "billing"\nurl = "{DRAWN}"\n'
)


def said(text: str) -> dict[str, str]:
    """Key → advice, of a file."""
    return {key_text(where): sentence for where, sentence in advice(stored(tomllib.loads(text)))}


def test_a_file_that_tells_somebody_of_everything_needs_no_advice() -> None:
    rule = '[[rules]]\nkind = "error_rate"\nsource = "str*"\nrunbook = "https://wiki.example.com/errors"\n'
    assert said(CHAT + ALL + STRIPE + rule) == {}


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ('[[rules]]\nkind = "error_rate"\n', "rules[0].runbook", "has no runbook of its own"),
        (
            STRIPE.replace("https", "http") + "insecure = true\n",
            "endpoints[0].url",
            "plaintext: whoever is on the way",
        ),
        (
            STRIPE.replace(DRAWN, "https://hooks.example.com/webhooks/stripe"),
            "endpoints[0].url",
            "its path can be guessed; `python -m hookvitals secret new --path`",
        ),
        (
            STRIPE.replace('source = "stripe"', 'source = "strpe"'),
            "endpoints[0].source",
            "did you mean stripe?",
        ),
        (
            STRIPE + '[[rules]]\nkind = "error_rate"\nrunbook = "x"\nsource = "orum*"\n',
            "rules[0].source",
            '"orum*" fits no source of this file',
        ),
        (
            STRIPE + '[[rules]]\nkind = "error_rate"\nrunbook = "x"\nendpoint = "b*x"\n',
            "rules[0].endpoint",
            '"b*x" fits no endpoint of this file',
        ),
        (
            STRIPE.removeprefix('[[sources]]\nname = "stripe"\n')
            + '[[rules]]\nkind = "error_rate"\nrunbook = "x"\nsource = "stirpe"\n',
            "rules[0].source",
            'no [[endpoints]] table has the source "stirpe" (did you mean stripe?)',
        ),
        (
            STRIPE + '[[rules]]\nkind = "error_rate"\nrunbook = "x"\nenvironment = "prodution"\n',
            "rules[0].environment",
            'no [[endpoints]] table has the environment "prodution" (did you mean production?)',
        ),
        (
            '[[rules]]\nkind = "burn_rate"\nrunbook = "x"\n',
            "rules[0].kind",
            "there is no [[slos]] table",
        ),
        (
            '[[rules]]\nkind = "no_events"\nwindow = "2h"\nrunbook = "x"\n',
            "rules[0].window",
            "no_events has times of its own, so a window changes nothing; leave it out",
        ),
        (DESK + ALL, "channels[1].name", 'no route, step or fallback names "desk"'),
        (
            ALL + 'matchers = { source = "stripe" }\n',
            "routes",
            "critical alerts that fit no route reach nobody",
        ),
        (ALL + 'matchers = { source = "*" }\n', "routes", "critical alerts that fit no route"),
        (
            ALL + '[[routes]]\nchannels = ["chat"]\nmatchers = { rule = "error_rat" }\n',
            "routes[1].matchers.rule",
            "did you mean error_rate?",
        ),
        (
            ALL
            + STRIPE
            + '[[inhibitions]]\nsource = { kind = "endpoint_down" }\ntarget = { source = "strpe" }\n',
            "inhibitions[0].target.source",
            '"strpe" fits no source there is (did you mean stripe?)',
        ),
        (
            '[[maintenance_windows]]\nname = "w"\nmatchers = { source = "a" }\nhours = "00:00-00:00"\n',
            "maintenance_windows[0].hours",
            "what it matches is never told",
        ),
    ],
)
def test_what_is_perhaps_not_meant_is_said(text: str, key: str, sentence: str) -> None:
    assert sentence in said(CHAT + text)[key]


def test_alerts_that_reach_nobody_are_said_to() -> None:
    assert "alerts reach nobody" in said("")["channels"]


@pytest.mark.parametrize(
    "text",
    [
        DESK + ALL + 'fallback = "desk"\n',
        DESK + ALL + 'steps = [{ after = "5m", channels = ["desk"] }]\n',
        MAIL + ALL + '[report]\nchannel = "mail"\n',
        ALL + 'matchers = { severity = "crit*" }\n',
        '[[rules]]\nkind = "error_rate"\nenabled = false\n',
        '[[rules]]\nkind = "error_rate"\nrunbook = "x"\nenvironment = "staging"\nsource = "orum"\n',
        '[[maintenance_windows]]\nname = "w"\nmatchers = { kind = "*" }\nhours = "0:00-0:00"\ndays = "sun"\n',
        '[[routes]]\nchannels = ["chat"]\nmatchers = { rule = "rule_broken" }\n' + ALL,
    ],
)
def test_what_is_meant_is_not_remarked_on(text: str) -> None:
    assert said(CHAT + text) == {}


def test_a_window_that_looks_back_behind_the_minutes_is_said_to() -> None:
    """What counts by the minute alone: new_issue looks at issues, burn_rate begins with a whole hour."""
    kinds = ("error_rate", "failure_count", "new_issue", "burn_rate")
    rules = "".join(f'[[rules]]\nkind = "{kind}"\nwindow = "8d"\n' for kind in kinds)
    document = stored(tomllib.loads(rules.replace('"8d"', '"7d"', 1)))
    [(where, sentence)] = beyond_minutes(document, timedelta(days=7))
    assert key_text(where) == "rules[1].window"
    assert sentence == (
        '"failure_count" looks back 8 d, and minutes are kept for 7 d: up to an hour at its beginning is not'
        " counted; raise retention, or shorten its window"
    )


def test_shipped_rules_that_look_back_behind_the_minutes_are_said_to_at_the_retention() -> None:
    off = stored(tomllib.loads('[[rules]]\nkind = "dead_letters"\nenabled = false\n'))
    found = list(beyond_minutes(off, timedelta(minutes=14)))
    assert {key_text(where) for where, _ in found} == {"process.retention"}
    named = {sentence.partition('"')[2].partition('"')[0] for _, sentence in found}
    assert {"error_rate", "repeated_status"} <= named
    assert named.isdisjoint({"dead_letters", "failure_count"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/webhooks/stripe",
        "/webhook/unique-id-12345",
        "/api/v2/integrations/hopnow/payments/2026-11-21/incoming",
        "/StripeWebhookReceiverForPayments",
        "/hooks/stripe2payments3prod",
        "/webhooks?token=a40c9d437d1e429b67e9b6109641033a",
    ],
)
def test_a_path_of_words_numbers_and_dates_can_be_guessed(path: str) -> None:
    """Practice 10."""
    assert is_guessable(f"https://hooks.example.com{path}")


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/5f0c9a7e61d24b3c8f1e2d3c4b5a6978",
        f"/in/{uuid.UUID(int=0x5F0C9A7E61D24B3C8F1E2D3C4B5A6978)}",
        "/h/Zk3_9xQ-aB7tLm2VyR0c1w",
    ],
)
def test_a_path_drawn_by_lot_cannot(path: str) -> None:
    """Practice 10: what `secret new --path` prints, a UUID, 16 random bytes in base 64."""
    assert not is_guessable(f"https://hooks.example.com{path}")
