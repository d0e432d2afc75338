"""Every page in a real browser: it loads, it links, it acts, and it never complains or calls out."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Response, expect

from alerts.hours import hours_of
from dashboard.drafts import Draft
from tests.browser.conftest import PHONE, Visit, Watched, serving
from tests.browser.scenes import EVENT, deeds, outage, replays
from tests.dashboard.canned import CannedActions, CannedReads
from tests.dashboard.support import NOW, application

pytestmark = pytest.mark.browser

PATHS = (
    "",
    "endpoints/orum/transfers",
    "checklists/orum/transfers",
    "events",
    f"events/production/orum/{EVENT}",
    "alerts",
    "alerts/a1",
    "rules",
    "silences?q=s1",
    "issues",
    "issues/issue-0",
    "dead-letters",
    "replays",
    "reports",
    "status",
)


SHIFTS = """
window.shifts = [];
new PerformanceObserver(seen => seen.getEntries().forEach(one => window.shifts.push(one.value)))
    .observe({type: "layout-shift", buffered: true});
"""
"""Notes each layout shift; a page whose sum stays below 0.1 counts as steady."""


def asks(answer: Response, *texts: str) -> bool:
    """Whether it answers a callback that was asked with all of these."""
    return all(text in (answer.request.post_data or "") for text in texts)


@pytest.fixture(scope="module")
def reads() -> CannedReads:
    return outage()


@pytest.fixture(scope="module")
def actions() -> CannedActions:
    return deeds()


@pytest.fixture(scope="module")
def address(reads: CannedReads, actions: CannedActions) -> Iterator[str]:
    with serving(application(reads, actions)) as found:
        yield found


@pytest.fixture
def operator(visit: Visit, address: str) -> Watched:
    watched = visit(address)
    watched.log_in("operator")
    return watched


def test_a_stranger_logs_in_and_lands_where_he_wanted_to_go(visit: Visit, address: str) -> None:
    watched = visit(address)
    watched.page.goto(f"{address}/events?range=6h")
    watched.page.fill("#name", "viewer")
    watched.page.fill("#password", "secret")
    watched.page.click("button")
    watched.page.wait_for_url("**/events?range=6h")
    expect(watched.page.locator("h1")).to_have_text("Events")


def test_no_page_is_wider_than_a_phone(visit: Visit, address: str) -> None:
    watched = visit(address, viewport=PHONE)
    watched.log_in()
    for path in PATHS:
        page = watched.open(path)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_what_is_on_a_page_stays_where_it_is_as_the_rest_arrives(operator: Watched) -> None:
    operator.page.add_init_script(SHIFTS)
    for path, last in (
        ("", "#overview-endpoints .ag-row"),
        ("endpoints/orum/transfers", "#endpoint-tables .panel"),
        ("alerts/a1", "#alert-body .panel"),
        ("silences", "#silences-lists .panel"),
        ("issues", "#issues-grid .ag-row .pill"),
    ):
        page = operator.open(path)
        page.wait_for_selector(last)
        assert page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)") < 0.05, path


def test_every_page_loads_in_the_dark(visit: Visit, address: str) -> None:
    watched = visit(address, scheme="dark")
    watched.log_in()
    for path in PATHS:
        page = watched.open(path)
        assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark", path


def test_the_overview_shows_its_tiles_and_the_worst_endpoint_first(operator: Watched) -> None:
    page = operator.open("")
    values = page.locator(".tile-value")
    expect(values).to_have_count(8)
    expect(values.nth(0)).to_have_text("17.3 k")
    expect(values.nth(2)).to_have_text("3.80 %")
    expect(page.locator("#overview-endpoints .ag-row").first).to_contain_text("orders")
    expect(page.locator("#overview-throughput .bars")).to_have_count(6)


def test_what_fires_stands_above_all_else_and_leads_to_its_alert(operator: Watched) -> None:
    page = operator.open("")
    expect(page.locator("#overview-firing .firing-line")).to_have_count(2)
    expect(page.locator("#announced")).to_have_text("2 alerts fire in production.")
    expect(page).to_have_title("(2) Overview · Hookvitals")
    page.locator("#overview-firing").get_by_role("link").first.click()
    page.wait_for_url("**/alerts/a1")
    expect(page.locator("h1")).to_have_text("Error rate")


def test_an_endpoint_row_leads_to_its_page_without_a_reload(operator: Watched) -> None:
    page = operator.open("?range=6h")
    page.evaluate("window.stillHere = true")
    page.get_by_role("link", name="transfers", exact=True).first.click()
    page.wait_for_url("**/endpoints/orum/transfers?range=6h")
    expect(page.locator("h1")).to_have_text("orum / transfers")
    assert page.evaluate("window.stillHere") is True


def test_range_and_environment_stand_in_the_address_and_stay_from_page_to_page(operator: Watched) -> None:
    page = operator.open("")
    page.locator("#range").get_by_text("24h").click()
    page.wait_for_url("**/?range=24h")
    expect(page.locator(".lead").first).to_have_text("The last 24 hours in production")
    page.locator("#environment").click()
    page.get_by_role("option", name="staging").click()
    page.wait_for_url(re.compile("environment=staging"))
    page.locator("#nav-alerts").click()
    page.wait_for_url(re.compile(r"/alerts\?environment=staging&range=24h"))


def test_scrolling_the_events_asks_for_page_after_page_until_the_end(
    operator: Watched, reads: CannedReads
) -> None:
    page = operator.open("events")
    expect(page.locator("#events-count")).to_have_text("100 shown, more below")
    body = page.locator("#events-grid .ag-body-viewport")
    for told in ("200 shown, more below", "254 shown, no more in this range"):
        body.evaluate("node => node.scrollTo(0, node.scrollHeight)")
        expect(page.locator("#events-count")).to_have_text(told)
    body.evaluate("node => node.scrollTo(0, node.scrollHeight)")
    oldest = min(reads.all_records, key=lambda r: r.record_id.bytes)
    expect(page.locator("#events-grid .ag-center-cols-container")).to_contain_text(oldest.event_id or "–")


def test_a_filter_of_the_events_stands_in_the_address(operator: Watched, reads: CannedReads) -> None:
    page = operator.open("events")
    page.locator("#events-source").click()
    with page.expect_response(lambda answer: asks(answer, "events-grid", '"source":"hopnow"')):
        page.get_by_role("option", name="hopnow").click()
    page.wait_for_url("**/events?source=hopnow")
    expect(page.locator("#events-source")).to_have_value("hopnow")
    assert "hopnow" in {scope.get("source") for scope in reads.asked}


def test_slash_looks_an_event_up_by_its_id(operator: Watched) -> None:
    page = operator.open("events")
    page.keyboard.press("/")
    page.keyboard.type(EVENT)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/events/production/orum/{EVENT}")
    expect(page.locator(".truth").nth(0)).to_contain_text("delivered")
    expect(page.locator(".truth").nth(1)).to_contain_text("dead lettered")
    expect(page.locator(".step")).to_have_count(4)


def test_an_unknown_event_id_says_so(operator: Watched) -> None:
    page = operator.open("events")
    page.fill("#lookup", "evt_never")
    page.keyboard.press("Enter")
    expect(page.locator("#events-found")).to_contain_text("No such event")


def test_an_operator_reveals_a_payload_and_a_viewer_is_not_asked(
    visit: Visit, operator: Watched, address: str, actions: CannedActions
) -> None:
    page = operator.open(f"events/production/orum/{EVENT}")
    page.get_by_role("button", name="Show the payload").click()
    expect(page.locator("[data-payload=body]")).to_have_text('{"amount": 1200, "iban": "•••"}')
    assert ("operator", "reveal", "production", "orum", "transfers", EVENT) in actions.done
    viewer = visit(address)
    viewer.log_in("viewer")
    page = viewer.open(f"events/production/orum/{EVENT}")
    expect(page.get_by_text("Operators may look at it.")).to_be_visible()
    expect(page.get_by_role("button", name="Show the payload")).to_have_count(0)


def test_an_alert_is_acknowledged_with_a_note_for_a_time(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("alerts")
    page.get_by_role("button", name="Acknowledge").first.click()
    page.get_by_label("Note").fill("looking at the ledger")
    page.get_by_role("dialog").get_by_label("For", exact=True).click()
    page.get_by_role("option", name="4 hours").click()
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert ("operator", "acknowledge", "a1", "looking at the ledger", timedelta(hours=4)) in actions.done


def test_a_viewer_has_no_button_that_acts(visit: Visit, address: str) -> None:
    watched = visit(address)
    watched.log_in("viewer")
    for path, gone in (
        ("alerts", "Acknowledge"),
        ("replays", "Pause"),
        ("dead-letters", "Select letters"),
        ("issues", "Select issues"),
        ("silences", "New silence"),
        ("silences", "End now"),
    ):
        page = watched.open(path)
        expect(page.get_by_role("button", name=gone)).to_have_count(0)


def test_an_alert_is_silenced_from_its_page(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("alerts/a1")
    page.get_by_role("link", name="Silence…").click()
    page.wait_for_url("**/silences?alert=a1")
    dialog = page.get_by_role("dialog")
    labels = "rule=error_rate\nenvironment=production\nsource=orum\nendpoint=transfers"
    expect(dialog.get_by_label("Matchers")).to_have_value(labels)
    dialog.get_by_label("Matchers").fill("rule=error_rate\nsource=or*")
    dialog.get_by_label("Comment").fill("the ledger is being moved")
    dialog.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    matchers = {"rule": "error_rate", "source": "or*"}
    draft = Draft(matchers, NOW, NOW + timedelta(hours=2), "the ledger is being moved")
    assert actions.done[-1] == ("operator", "silence", draft)


def test_a_silence_starts_later_and_comes_back_each_weekend(
    operator: Watched, actions: CannedActions
) -> None:
    page = operator.open("silences")
    page.get_by_role("button", name="New silence").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Matchers").fill("source=orum")
    dialog.get_by_label("Comment").fill("nightly import")
    dialog.get_by_text("Start later").click()
    dialog.get_by_label("Starts").fill("2026-11-22T02:00")
    dialog.get_by_label("Only from – to").fill("nightly")
    expect(dialog.locator("#silences-preview")).to_contain_text("expected hours such as 22:00-07:00")
    dialog.get_by_label("Only from – to").fill("22:00-06:00")
    dialog.get_by_text("Sat", exact=True).click()
    expect(dialog.locator("#silences-preview")).to_contain_text("only 22:00-06:00 on sat (UTC)")
    dialog.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    starts = datetime(2026, 11, 22, 2, tzinfo=UTC)
    hours = hours_of("22:00-06:00", days="sat")
    draft = Draft({"source": "orum"}, starts, starts + timedelta(hours=2), "nightly import", hours)
    assert actions.done[-1] == ("operator", "silence", draft)


def test_a_silence_that_cannot_be_meant_is_refused_in_words(operator: Watched) -> None:
    page = operator.open("silences")
    page.get_by_role("button", name="New silence").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Matchers").fill("everything")
    dialog.get_by_role("button", name="Silence", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text('"everything" is no matcher')
    dialog.get_by_label("Matchers").fill("")
    dialog.get_by_role("button", name="Silence", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("a silence needs 1 to 16 matchers")


def test_a_silence_says_what_it_hid_and_is_ended(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("silences")
    page.get_by_role("link", name="hid 2 alerts").click()
    page.wait_for_url("**/silences?q=s1")
    expect(page.locator("#silences-lists table")).to_contain_text("It ends in 4 days.")
    expect(page.locator("#silences-lists")).to_contain_text("only 02:00-03:00 on mon,tue,wed,thu,fri")
    expect(page.get_by_role("button", name="End now")).to_have_count(2)  # not the file's, not the ended
    pressed = '"silence":"s1"},"property":"n_clicks","value":1'
    with page.expect_response(lambda answer: pressed in (answer.request.post_data or "")):
        page.get_by_role("button", name="End now").first.click()
    expect(page.locator("#silences-problem")).to_be_empty()
    assert ("operator", "end", "s1") in actions.done


def test_an_issue_leads_to_its_failures_and_is_ended(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("")
    expect(page.locator("#count-issues")).to_have_text("2")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/issues")
    first = page.locator("#issues-grid .ag-row").first
    expect(first).to_contain_text("new")
    expect(first).to_contain_text("connection to ledger-db:<number> timed out")
    first.get_by_role("link", name="LedgerTimeout").click()
    page.wait_for_url("**/issues/issue-0")
    expect(page.locator("#issue-body")).to_contain_text("ledger.post(entry)")
    with page.expect_response(lambda answer: asks(answer, "resolve-issue", '"value":1')):
        page.get_by_role("button", name="Resolve").click()
    page.get_by_role("link", name=EVENT).first.click()
    page.wait_for_url(f"**/events/production/orum/{EVENT}")
    assert ("operator", "resolve", ("issue-0",)) in actions.done


def test_a_filter_of_the_issues_stands_in_the_address(operator: Watched, reads: CannedReads) -> None:
    page = operator.open("issues")
    page.locator("#issues-state").click()
    with page.expect_response(lambda answer: asks(answer, "issues-grid", '"state":"resolved"')):
        page.get_by_role("option", name="resolved").click()
    page.wait_for_url("**/issues?state=resolved")
    assert "resolved" in {scope.get("state") for scope in reads.asked}


def test_an_endpoint_shows_its_open_issues_and_how_it_looks_from_outside(operator: Watched) -> None:
    page = operator.open("endpoints/orum/transfers")
    tables = page.locator("#endpoint-troubles")
    expect(tables).to_contain_text("99.86 % of 1,440 probes")
    expect(tables).to_contain_text("9 h ago for 20 min")
    expect(tables.get_by_role("img", name="Up, last 24h: 1 of 48 cells")).to_be_visible()
    tables.get_by_role("link", name="all 1").click()
    page.wait_for_url("**/issues?source=orum&endpoint=transfers")


def test_an_operator_answers_for_an_item_of_the_checklist(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("endpoints/orum/transfers")
    page.get_by_role("link", name="Checklist").click()
    page.wait_for_url("**/checklists/orum/transfers")
    page.get_by_role("button", name="Attest: Only the provider's addresses get in.").click()
    dialog = page.get_by_role("dialog")
    send = dialog.get_by_role("button", name="Attest")
    send.click()
    expect(dialog.get_by_role("alert")).to_contain_text("an attestation needs a note")
    dialog.get_by_label("Note").fill("the firewall's rule 12")
    send.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    place, lasts = ("production", "orum", "transfers"), timedelta(days=180)
    told = ("operator", "attest", place, "orum.addresses", "the firewall's rule 12", lasts)
    assert actions.done[-1] == told


def test_an_operator_resolves_issues(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("issues")
    boxes = page.locator("#issues-grid .ag-row input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Resolve 2").click()
    expect(page.get_by_role("button", name="Select issues to resolve")).to_be_disabled()
    assert actions.done[-1] == ("operator", "resolve", ("issue-0", "issue-1"))


def test_a_replay_is_planned_reasoned_and_started(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("dead-letters")
    boxes = page.locator("#letters-grid .ag-row input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Plan a replay of 2").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Will be sent")
    expect(dialog).to_contain_text("1 capture redacted")
    start = dialog.get_by_role("button", name="Start the replay")
    expect(start).to_be_disabled()
    dialog.get_by_label("Reason").fill("the ledger is back")
    expect(start).to_be_enabled()
    start.click()
    expect(page.locator("#letters-done")).to_contain_text("The replay runs.")
    assert actions.done[-1] == ("operator", "start", ("letter-0", "letter-1"), "the ledger is back")
    page.get_by_role("link", name="Watch it").click()
    page.wait_for_url("**/replays?q=replay-1")


def test_a_running_replay_is_paused(operator: Watched, actions: CannedActions) -> None:
    page = operator.open("replays")
    with page.expect_response(lambda answer: asks(answer, '"property":"n_clicks","value":1')):
        page.get_by_role("button", name="Pause").click()
    expect(page.locator("#replays-problem")).to_be_empty()
    assert ("operator", "pause", replays()[0].id) in actions.done


def test_keys_lead_to_the_pages_and_never_while_typing(operator: Watched) -> None:
    page = operator.open("")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/dead-letters")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/silences")
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/events")
    page.fill("#lookup", "")
    page.locator("#lookup").press_sequentially("ga?")
    expect(page.locator("#lookup")).to_have_value("ga?")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("look an event up")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_switching_the_scheme_redraws_the_charts(operator: Watched) -> None:
    page = operator.open("")
    drawn = page.locator("#overview-errors .js-line").first
    before = drawn.evaluate("node => node.style.stroke")
    page.locator("#scheme").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(drawn).not_to_have_css("stroke", before)


def test_a_page_whose_session_ended_shows_the_login(
    visit: Visit, address: str, actions: CannedActions
) -> None:
    watched = visit(address)
    watched.log_in("admin")
    page = watched.open("alerts")
    for secret in [secret for secret, viewer in actions.sessions.items() if viewer.name == "admin"]:
        actions.logout(secret)
    page.wait_for_url("**/login?next=*", timeout=20_000)
    assert any("401" in trouble for trouble in watched.troubles)
    watched.troubles.clear()  # here they were what was wanted


def test_logging_out_ends_the_session(visit: Visit, address: str) -> None:
    watched = visit(address)
    watched.log_in()
    page = watched.open("")
    page.locator("#account button").first.click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(f"{address}/")
    page.wait_for_url("**/login")


def test_the_report_of_a_week_is_shown_in_the_page(operator: Watched) -> None:
    page = operator.open("reports?week=2026-W46")
    frame = page.frame_locator(".report-frame")
    expect(frame.locator("body")).to_have_text("Report 2026-W46")
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    assert started.value.suggested_filename == "sla-production-2026-W46.csv"


def texts(page: Page) -> str:
    return page.locator("body").inner_text()


def test_an_empty_installation_says_what_to_do_first(visit: Visit) -> None:
    empty = CannedReads()
    with serving(application(empty, CannedActions())) as address:
        watched = visit(address)
        watched.log_in()
        page = watched.open("")
        expect(page.locator("#banners")).to_contain_text("Alerts reach nobody.")
        expect(page.locator("#banners")).to_contain_text("Nothing has been received yet.")
        assert "no data" in texts(page)
        assert "0 %" not in texts(page)
        for path in PATHS[2:]:
            watched.open(path)
        expect(watched.open("issues").locator("#issues-grid")).to_contain_text("No issue here.")
        assert "Nothing is silenced" in texts(watched.open("silences"))
