"""The whole path once, over loopback with real processes and a real browser: from a signed webhook to the
on-call's screen, and back to a replayed event and the week's report."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Watched
from tests.e2e.conftest import Inboxes
from tests.e2e.processes import Monitor, eventually, monitor
from tests.e2e.receiving import REPLAY_SECRET, receiving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(280)]

GOOD, BAD = 5, 6


def config(inboxes: Inboxes, receiver: str) -> str:
    """A minute's window in place of a quarter of an hour; the rest as shipped."""
    return f"""
{inboxes.channels()}
[[endpoints]]
source = "standard"
name = "billing"
url = "{receiver}/billing"
insecure = true
probe = false
replay_secret = {{ env = "BILLING_REPLAY_SECRET" }}

[[rules]]
kind = "error_rate"
window = "1m"
for = "0s"
keep_firing_for = "0s"
interval = "1s"
min_sample = 5

[[rules]]
kind = "failure_count"               # it would explain the error rate, and be told instead
enabled = false
"""


def log_in(watched: Watched, started: Monitor) -> Page:
    page = watched.page
    page.goto(f"{started.dashboard}/login")
    page.fill("#name", "admin")
    page.fill("#password", started.password)
    page.click("button")
    page.wait_for_selector(".page")
    return page


def replay_all_on_screen(watched: Watched) -> None:
    """Selects every letter, reads the plan, gives a reason, starts."""
    page = watched.open("dead-letters")
    expect(page.locator("#letters-grid .ag-row")).to_have_count(BAD)
    boxes = page.locator("#letters-grid .ag-row input[type=checkbox]")
    for number in range(BAD):
        boxes.nth(number).check()
    page.click("#letters-plan-button")
    page.fill("#letters-reason", "the ledger is back")
    page.click("#letters-start")
    expect(page.locator("#letters-done")).to_contain_text("The replay runs.")


def test_from_a_signed_webhook_to_the_on_call_and_back(
    tmp_path: Path, inboxes: Inboxes, visit: Visit
) -> None:
    environment = {"SLACK_URL": inboxes.slack_url, "BILLING_REPLAY_SECRET": REPLAY_SECRET}
    with monitor(tmp_path, environment) as started, receiving(started) as receiver:
        api = Api(started)

        # Signed requests are answered, and show on the dashboard.
        assert [receiver.sender.send("billing") for _ in range(GOOD)] == [200] * GOOD
        eventually("the records", 20, lambda: api.outcomes() == {"accepted": GOOD, "succeeded": GOOD})
        watched = visit(started.dashboard)
        page = log_in(watched, started)
        expect(page.locator("body")).to_contain_text("billing")

        # What the file says is applied while everything runs.
        (tmp_path / "hookvitals.toml").write_text(config(inboxes, receiver.url))
        started.run("config", "check")
        started.run("config", "apply")

        # The handler fails three times an event; the events die, and the on-call hears of it twice.
        receiver.begin("billing", "fail")
        assert [receiver.sender.send("billing") for _ in range(BAD)] == [200] * BAD
        eventually("the dead letters", 30, lambda: len(api.letters("open")) == BAD)
        eventually("the alert", 100, lambda: inboxes.both_hold("Error: error_rate", "billing"))
        assert "LedgerUnavailable" in str(inboxes.mail.messages[0].get_body(("plain",)))

        # Somebody mends the ledger and replays from the dashboard.
        receiver.end("billing", "fail")
        replay_all_on_screen(watched)
        watched.page.close()  # or it would miss the monitor when that stops
        eventually("the letters to be resolved", 60, lambda: len(api.letters("resolved")) == BAD)
        eventually("the end of the alert", 150, lambda: inboxes.both_hold("Resolved: error_rate", "billing"))

        # The week's report counts what happened, and the audit says who did it.
        week = datetime.now(UTC).strftime("%G-W%V")
        lines = csv.DictReader(started.run("report", "sla", "--week", week, "--format", "csv").splitlines())
        (line,) = [line for line in lines if line["endpoint"] == "billing"]
        assert (line["dead_letters"], line["recovered_by_replay"]) == (str(BAD), str(BAD))
        assert float(line["event_success"]) == pytest.approx(GOOD / (GOOD + BAD))
        assert ("admin", "replay.start") in {
            (act["actor"], act["action"]) for act in api.get("audit")["acts"]
        }


class Api:
    """The management API with a key made by the command line."""

    def __init__(self, started: Monitor) -> None:
        made = started.run("key", "create", "e2e", "--scope", "admin")
        self._url = f"{started.dashboard}/api/v1"
        self._headers = {"Authorization": f"Bearer {made.split()[-1]}"}

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self._url}/{path}", headers=self._headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def outcomes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for record in self.get("records?limit=500")["records"]:
            found[record["outcome"]] = found.get(record["outcome"], 0) + 1
        return found

    def letters(self, state: str) -> list[Any]:
        return list(self.get(f"dead-letters?state={state}")["dead_letters"])
