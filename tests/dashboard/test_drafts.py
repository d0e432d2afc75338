from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.drafts import Form, covers, draft_of, matchers_of, matchers_text, preview
from monitor.errors import Unprocessable
from tests.browser.scenes import alerts
from tests.dashboard.support import NOW

FORM = Form("source=orum", "2 hours", comment="the ledger moves")


def test_the_lines_of_the_form_are_read_back_as_they_were_written() -> None:
    matchers = {"rule": "error_*", "source": "stripe", "event_type": "a=b"}
    assert matchers_of(f"\n{matchers_text(matchers)}\n  \n") == matchers
    assert matchers_of(" source = orum ") == {"source": "orum"}


def test_a_plain_form_is_a_silence_from_now_on() -> None:
    draft = draft_of(FORM, NOW)
    assert (draft.starts_at, draft.ends_at, draft.hours) == (NOW, NOW + timedelta(hours=2), None)
    assert (draft.matchers, draft.comment) == ({"source": "orum"}, "the ledger moves")


def test_a_start_is_read_by_the_clocks_of_its_zone() -> None:
    draft = draft_of(replace(FORM, start="2026-11-22T02:00", zone="Europe/Berlin"), NOW)
    assert draft.starts_at == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert draft.ends_at == datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_hours_and_days_come_back_in_their_zone() -> None:
    form = replace(FORM, length="30 days", span="22:00-6:00", days=["fri", "mon"], zone="Europe/Berlin")
    assert str(draft_of(form, NOW).hours) == "22:00-06:00 on mon,fri (Europe/Berlin)"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (Form("everything"), '"everything" is no matcher'),
        (Form("source=a\nsource=b"), "source is matched twice"),
        (replace(FORM, start="tomorrow"), '"tomorrow" is no date and time'),
        (replace(FORM, start="2026-11-20T03:59"), "the start lies 1 d back"),
        (replace(FORM, span="nightly"), '"nightly" are no hours of the day'),
        (replace(FORM, span="25:00-26:00"), "expected hours such as 22:00-07:00"),
        (replace(FORM, days=["sat"]), "days are chosen without hours"),
        (replace(FORM, span="12:00-13:00"), "these hours do not come before the silence ends"),
        (replace(FORM, start="2026-11-22T02:00", zone="Berlin"), '"Berlin" is not a time zone'),
    ],
    ids=["matcher", "twice", "date", "past", "hours", "no such hour", "days alone", "never", "zone"],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(form: Form, said: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        draft_of(form, NOW)
    assert said in str(refused.value)
    assert refused.value.hint


def test_hours_that_began_before_the_silence_count() -> None:
    sunday_night = replace(FORM, start="2026-11-23T02:00", span="22:00-06:00", days=["sun"])
    assert draft_of(sunday_night, NOW).hours is not None
    with pytest.raises(Unprocessable, match="do not come"):
        draft_of(replace(sunday_night, days=["mon"]), NOW)


def test_the_preview_says_when_and_what_it_would_hide() -> None:
    told = preview(draft_of(FORM, NOW), alerts(), NOW)
    assert told == "From now until 2026-11-21 05:59 UTC. It matches 1 alert that fires now."
    nightly = replace(FORM, matchers="source=no*", start="2026-11-22T02:00", span="22:00-07:00")
    told = preview(draft_of(nightly, NOW), alerts(), NOW)
    assert told == (
        "From 2026-11-22 02:00 UTC until 2026-11-22 04:00 UTC, only 22:00-07:00 (UTC). "
        "It matches nothing that fires now."
    )
    with pytest.raises(Unprocessable, match="did you mean severity"):
        preview(draft_of(Form("sevrity=error"), NOW), alerts(), NOW)


def test_a_silence_covers_by_rule_kind_and_severity_and_never_without_a_matcher() -> None:
    first = alerts()[0]
    assert covers({"rule": "error_*", "severity": "critical", "endpoint": "transfers"}, first)
    assert not covers({"rule": "error_*", "severity": "warning"}, first)
    assert not covers({}, first)
