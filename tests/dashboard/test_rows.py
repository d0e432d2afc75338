from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.palette import Tone
from dashboard.rows import endpoint_row, endpoint_status, issue_row, letter_row, record_row
from dashboard.scope import Scope
from dashboard.views import EndpointLine, Figures, IssueLine, LetterLine
from monitor.model import Outcome, Reason
from tests.dashboard.support import NOW, record

WELL = EndpointLine("orum", "transfers", Figures(records=9, deliveries=9, error_rate=0.01), healthy=True)


@pytest.mark.parametrize(
    ("changes", "word", "tone"),
    [
        ({}, "healthy", Tone.OK),
        ({"dead_letters": 2}, "dead letters", Tone.WARNING),
        ({"figures": Figures(records=9, error_rate=0.2), "dead_letters": 2}, "failing", Tone.ERROR),
        ({"healthy": False, "dead_letters": 2}, "down", Tone.CRITICAL),
        ({"firing": 3, "healthy": False}, "3 firing", Tone.CRITICAL),
        ({"figures": Figures()}, "no data", Tone.NEUTRAL),
    ],
)
def test_an_endpoints_one_word_is_its_worst_trouble(
    changes: dict[str, object], word: str, tone: Tone
) -> None:
    assert endpoint_status(replace(WELL, **changes), 0.05) == (word, tone)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "text", "tone"),
    [
        (80, "80 d", None),
        (12, "12 d", "warning"),
        (5, "5 d", "error"),
        (0.5, "0 d", "critical"),
        (-1, "expired", "critical"),
    ],
)
def test_a_certificate_is_coloured_as_its_rule_judges_it(days: float, text: str, tone: str | None) -> None:
    row = endpoint_row(replace(WELL, cert_not_after=NOW + timedelta(days=days)), Scope(), NOW, None)
    assert (row["certificate_text"], row.get("certificate_tone")) == (text, tone)


def test_a_silent_endpoint_shows_no_data_and_an_unprobed_one_says_so() -> None:
    row = endpoint_row(EndpointLine("orum", "transfers", Figures()), Scope(), NOW, 0.05)
    assert row["success_text"] == row["error_rate_text"] == row["p95_text"] == "no data"
    assert (row["probe_text"], row["last_text"], row["queue_text"]) == ("not probed", "never", "–")


def test_names_with_slashes_make_one_path_segment() -> None:
    row = endpoint_row(replace(WELL, source="a/b", endpoint="../c?d"), Scope(range="6h"), NOW, None)
    assert row["endpoint_href"] == "/endpoints/a%2Fb/..%2Fc%3Fd?range=6h"
    event = record_row(record(Outcome.SUCCEEDED, event_id="evt/1#2"), Scope())
    assert event["event_href"] == "/events/production/orum/evt%2F1%232"


def test_a_rejection_shows_its_reason_and_links_nowhere() -> None:
    row = record_row(record(Outcome.REJECTED, event_id=None, reason=Reason.BAD_SIGNATURE), Scope())
    assert row["error"] == "bad signature"
    assert "event_href" not in row


def test_a_letter_says_why_it_cannot_be_replayed() -> None:
    letter = LetterLine(
        "l1", "orum", "transfers", "evt_1", "t", "permanent", "E", "m", 3, 5, NOW, "no_replay_secret"
    )
    row = letter_row(letter, Scope(), NOW + timedelta(minutes=3))
    assert (row["refusal_text"], row["died_text"], row["state_tone"]) == (
        "no replay secret",
        "3 min ago",
        "critical",
    )


def test_an_issue_leads_to_its_page() -> None:
    issue = IssueLine("i", "orum", "transfers", "t", "", "__other__", "regressed", 12, NOW, NOW)
    shown = issue_row(issue, Scope(), NOW)
    assert (shown["error"], shown["error_under"]) == ("no error class", "further messages of this kind")
    assert (shown["error_href"], shown["state_tone"]) == ("/issues/i", "critical")
