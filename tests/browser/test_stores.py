"""The same pages over real stores: what a person reads is what plain SQL finds, what they do is a row."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from dashboard import format as fmt
from monitor.model import Outcome, Record
from tests.browser.conftest import Visit, Watched, serving
from tests.dashboard.stores import PASSWORD, Installation, installation

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 18, 13, 0, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("monitor"), NOW) as found:
        found.add_people()
        yield found


@pytest.fixture(scope="module")
def records(made: Installation) -> list[Record]:
    return made.add_records(3000, timedelta(minutes=50))


@pytest.fixture(scope="module")
def dead(made: Installation, records: list[Record]) -> list[Record]:
    return made.add_dead(6)


@pytest.fixture(scope="module")
def address(made: Installation, dead: list[Record]) -> Iterator[str]:
    with serving(made.app()) as found:
        yield found


@pytest.fixture
def operator(visit: Visit, address: str) -> Watched:
    watched = visit(address)
    watched.log_in("operator", PASSWORD)
    return watched


def control_rows(made: Installation, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(f"file:{made.folder / 'control.db'}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_the_overviews_numbers_are_the_stored_records(
    operator: Watched, records: list[Record], dead: list[Record]
) -> None:
    page = operator.open("")
    ordinary = [r for r in (*records, *dead) if not r.canary]
    good, failed, died = (
        sum(r.outcome is o for r in ordinary)
        for o in (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.DEAD_LETTERED)
    )
    delivered = [r for r in ordinary if r.http_status]
    taken = [r for r in delivered if r.outcome is not Outcome.REJECTED]
    values = page.locator(".tile-value")
    expect(values.nth(0)).to_have_text(fmt.compact(len(delivered)))
    expect(values.nth(1)).to_have_text(fmt.percent(good / (good + died)))
    expect(values.nth(2)).to_have_text(fmt.percent((failed + died) / (good + failed + died)))
    well = sum(200 <= (r.http_status or 0) < 300 for r in taken)
    expect(values.nth(3)).to_have_text(fmt.percent(well / len(taken)))
    drawn = page.locator("#overview-throughput .js-plotly-plot").evaluate(
        "node => node.data.map(trace => [trace.name, Array.from(trace.y).reduce((a, b) => a + b, 0)])"
    )
    counted = {fmt.words(o.value): sum(r.outcome is o for r in ordinary) for o in Outcome}
    assert dict(drawn) == {name: n for name, n in counted.items() if n}


def test_every_record_can_be_scrolled_to(
    operator: Watched, records: list[Record], dead: list[Record]
) -> None:
    page = operator.open("events?outcome=rejected")
    wanted = sorted(
        (r for r in records if r.outcome is Outcome.REJECTED), key=lambda r: r.record_id.bytes, reverse=True
    )
    body = page.locator("#events-grid .ag-body-viewport")
    for end in range(100, len(wanted), 100):
        expect(page.locator("#events-count")).to_contain_text(f"{end} shown, more below")
        body.evaluate("node => node.scrollTo(0, node.scrollHeight)")
    expect(page.locator("#events-count")).to_contain_text(f"{len(wanted)} shown, no more")


def test_an_operator_sees_the_masked_body_and_the_look_is_audited(
    operator: Watched, made: Installation, dead: list[Record]
) -> None:
    event = dead[0].event_id
    page = operator.open(f"events/production/orum/{event}")
    page.get_by_role("button", name="Show the payload").click()
    body = page.locator("[data-payload=body]")
    expect(body).to_contain_text("1200")
    assert "hunter2" not in page.content()
    looks = control_rows(made, "SELECT actor, subject FROM audit WHERE action = 'payload.reveal'")
    assert looks == [("operator", f"production/orum/transfers/{event}")]


def test_a_replay_started_in_the_page_is_a_row_with_its_reason(operator: Watched, made: Installation) -> None:
    page = operator.open("dead-letters?endpoint=transfers&source=orum")
    waiting = control_rows(
        made, "SELECT count(*) FROM dead_letter WHERE state IN ('open', 'permanent') AND source = 'orum'"
    )
    expect(page.locator("#letters-count")).to_have_text(str(waiting[0][0]))
    rows = page.locator("#letters-grid .ag-row", has_text="can be replayed")
    boxes = rows.locator("input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Plan a replay of 2").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Will be sent")
    dialog.get_by_label("Reason").fill("the ledger is back")
    dialog.get_by_role("button", name="Start the replay").click()
    expect(page.locator("#letters-done")).to_contain_text("The replay runs.")
    assert control_rows(made, "SELECT state, reason, created_by FROM replay") == [
        ("running", "the ledger is back", "operator")
    ]
    assert control_rows(made, "SELECT count(*) FROM replay_item WHERE state = 'planned'") == [(2,)]
    page.get_by_role("link", name="Watch it").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#replays-list")).to_contain_text("cancelled")


def test_an_alert_taken_on_in_the_page_is_taken_on_in_the_store(
    operator: Watched, made: Installation
) -> None:
    alert = made.add_alert("orum", "transfers")
    page = operator.open(f"alerts/{alert.fingerprint}")
    expect(page.locator("#alert-body")).to_contain_text("nobody was told: no route leads to a channel")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Note").fill("on it")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#alert-body")).to_contain_text("on it")
    assert control_rows(made, "SELECT ack_by, ack_note FROM alert") == [("operator", "on it")]
    [audited] = control_rows(made, "SELECT actor, detail FROM audit WHERE action = 'alert.acknowledge'")
    assert audited[0] == "operator"
    assert json.loads(str(audited[1]))["note"] == "on it"


def test_every_page_opens_over_real_stores(operator: Watched) -> None:
    for path in (
        "",
        "endpoints/stripe/refunds",
        "events",
        "alerts",
        "rules",
        "silences",
        "issues",
        "dead-letters",
        "replays",
        "status",
    ):
        operator.open(path)
    page = operator.open("reports?week=2026-W47")
    expect(page.frame_locator(".report-frame").locator("body")).to_contain_text("stripe")


def test_a_silence_made_in_the_page_is_a_row_and_so_is_its_end(
    operator: Watched, made: Installation, dead: list[Record]
) -> None:
    page = operator.open("silences")
    page.get_by_role("button", name="New silence").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Matchers").fill("source=orum\nsevrity=critical")
    dialog.get_by_label("Comment").fill("the ledger is moved")
    send = dialog.get_by_role("button", name="Silence", exact=True)
    send.click()
    expect(dialog.get_by_role("alert")).to_contain_text("did you mean severity?")
    dialog.get_by_label("Matchers").fill("source=orum\nseverity=critical")
    send.click()
    expect(page.locator("#silences-lists")).to_contain_text("the ledger is moved")
    asked = "SELECT matchers, created_by, (ends_us - starts_us) / 3600000000 FROM silence"
    [(matchers, by, hours)] = control_rows(made, asked)
    assert json.loads(str(matchers)) == {"source": "orum", "severity": "critical"}
    assert (by, hours) == ("operator", 2)
    page.get_by_role("button", name="End now").click()
    expect(page.locator("#silences-lists .pill")).to_have_text("ended")
    assert control_rows(made, "SELECT expired_by FROM silence") == [("operator",)]


def test_an_issue_resolved_in_the_page_is_resolved_in_the_store(
    operator: Watched, made: Installation, dead: list[Record]
) -> None:
    page = operator.open("issues?endpoint=transfers&source=orum")
    page.locator("#issues-grid .ag-row input[type=checkbox]").first.check()
    page.get_by_role("button", name="Resolve 1").click()
    expect(page.get_by_role("button", name="Select issues to resolve")).to_be_disabled()
    [(by,)] = control_rows(made, "SELECT resolved_by FROM issue WHERE resolved_us IS NOT NULL")
    [audited] = control_rows(made, "SELECT actor FROM audit WHERE action = 'issue.resolve'")
    assert (by, audited) == ("operator", ("operator",))
