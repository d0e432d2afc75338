"""What a webhook carries is data: nothing in it becomes markup, a script, a formula or a strange link."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from dashboard.links import event_link
from dashboard.views import (
    AlertLine,
    AlertView,
    IssueLine,
    IssuesView,
    LetterLine,
    LettersView,
    SilenceLine,
    SilencesView,
)
from monitor.model import Record
from tests.browser.conftest import Visit, serving
from tests.browser.scenes import alert, deeds, outage, overview, story
from tests.dashboard.canned import CannedReads
from tests.dashboard.support import NOW, application

pytestmark = pytest.mark.browser

NASTY = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "=HYPERLINK(alert(1))",
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "{{7*7}}${alert(1)}",
    "</title><svg onload=alert(1)>",
    "\u202eevil",
)


def nasty_record(text: str) -> Record:
    fields = ("event_type", "event_id", "source", "endpoint", "receiver", "user_agent", "error_class")
    told: dict[str, Any] = dict.fromkeys((*fields, "error_message", "error_stack", "trace_id"), text)
    return replace(story()[-1], labels={text: text}, **told)


def nasty_alert(text: str) -> AlertLine:
    place = {"environment": "production", "source": text, "endpoint": text, "event_type": text}
    return AlertLine(
        f"alert {text}", text, text, "critical", "firing", place, text, NOW,
        runbook=text, acked_by=text, ack_note=text, top_errors=((text, 1),), told=(text,),
    )  # fmt: skip


def nasty_view(text: str) -> AlertView:
    return replace(alert(), alert=nasty_alert(text), exemplars=[nasty_record(text)])


@pytest.fixture(scope="module")
def reads() -> CannedReads:
    made = outage(records=0)
    line = overview().endpoints[0]
    made.overview_view = replace(
        overview(), endpoints=[replace(line, source=t, endpoint=t, probe_error=t) for t in NASTY]
    )
    made.all_records = [
        replace(nasty_record(text), record_id=story()[i % 4].record_id, recorded_at=NOW)
        for i, text in enumerate(NASTY)
    ]
    made.alert_lines = [nasty_alert(text) for text in NASTY]
    made.alert_views = {f"alert {text}": nasty_view(text) for text in NASTY}
    made.silences_view = SilencesView(
        [SilenceLine(t, {t: t}, NOW, NOW + timedelta(hours=1), "in force", t, t, t) for t in NASTY]
    )
    issues = [IssueLine(f"i{t}", t, t, t, t, t, "new", 1, NOW, NOW) for t in NASTY]
    made.issues_view = IssuesView(issues, len(issues))
    found = [LetterLine(f"l{t}", t, t, t, t, "open", t, t, 1, 0, NOW) for t in NASTY]
    made.letters_view = LettersView(found, len(found), {"open": len(found)})
    return made


def assert_harmless(page: Page, address: str) -> None:
    assert page.locator("img[src=x], svg[onload], a[href^='javascript']").count() == 0
    hrefs = page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
    assert [href for href in hrefs if not href.startswith(address)] == []


def test_hostile_text_is_shown_as_text_wherever_it_appears(visit: Visit, reads: CannedReads) -> None:
    with serving(application(reads, deeds())) as address:
        watched = visit(address)
        watched.log_in()
        for path in ("", "alerts", "silences", "issues", "dead-letters"):
            page = watched.open(path)
            page.get_by_text(NASTY[0]).first.wait_for()
            assert_harmless(page, address)
            shown = page.locator("body").inner_text()
            assert [text for text in NASTY if text not in shown] == [], path
        for text in NASTY:
            page = watched.open(f"alerts/{event_link('', '', f'alert {text}').rsplit('/', 1)[1]}")
            assert page.locator("#alert-body").inner_text().count(text) >= 4
            assert_harmless(page, address)
            page = watched.open(event_link("production", text, text).lstrip("/"))
            assert page.locator("h1").inner_text() == text
            assert page.locator(".step").inner_text().count(text) >= 6
            assert_harmless(page, address)
