"""Everything killed at once while an alert fires, and started again: it is not told twice, and its end comes.

`hookvitals up` as a person starts it, SIGKILL for each of its processes, and `hookvitals up` once more over
what they left. Nobody gave the lease back, so the new worker leads when the old one's has stood still for its
time.
"""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from signal import SIGTERM

import pytest

from hookvitals import Recorder, Shipper
from monitor.clock import SystemClock
from monitor.store.control import Control
from tests.control import control_url
from tests.e2e.catchers import mailbox, slack_like
from tests.e2e.conftest import Inboxes
from tests.e2e.processes import eventually
from tests.e2e.test_up import Up
from tests.faults.collector_process import descendants, is_running, kill
from tests.ports import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

RULE = """
[[rules]]
kind = "error_rate"
window = "1m"
interval = "1s"
for = "0s"
keep_firing_for = "0s"
min_sample = 5
"""
FIRING, RESOLVED = "Error: error_rate at stripe/payments", "Resolved: error_rate at stripe/payments"
BAD, GOOD = 8, 600
"""So many good ones make the bad ones less than the threshold of 5 %, within the same minute."""


@pytest.fixture
def inboxes() -> Iterator[Inboxes]:
    with mailbox() as (mail, mail_port), slack_like() as (slack, slack_url):
        yield Inboxes(mail, mail_port, slack, slack_url)


@pytest.fixture
def up(tmp_path: Path, inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    monkeypatch.setenv("SLACK_URL", inboxes.slack_url)
    (tmp_path / "hookvitals.toml").write_text(inboxes.channels() + RULE)
    collector, dashboard = free_port(), free_port()
    made = Up(tmp_path, collector, dashboard)
    yield made
    if made.process is not None:
        made.stop(SIGTERM)


def killed(up: Up) -> None:
    """All at once, whoever started whom."""
    assert up.process is not None
    family = [up.process.pid, *descendants(up.process.pid)]
    assert len(family) > 4
    for pid in family:
        kill(pid)
    up.process.wait(10)
    eventually("their end", 10, lambda: not any(map(is_running, family)), every_s=0.05)
    up.process = None


def told(inboxes: Inboxes) -> list[list[str]]:
    """What each channel was told of the rule, in order."""
    return [
        [title for title in titles if "error_rate" in title]
        for titles in (
            [text.split("\n")[0].lstrip("🟠🟢 ") for text in inboxes.slack.texts()],
            inboxes.mail.subjects(),
        )
    ]


def handled(up: Up, outcome: str, number: int) -> None:
    """So many events at the endpoint, known to the collector."""
    token = re.findall(r'key="(hv_\w+)"', up.words())[0]
    shipper = Shipper(f"http://127.0.0.1:{up.collector}", token, batch_delay_s=0.05)
    recorder = Recorder("stripe", "payments", shipper)
    for one in range(number):
        fields = {"event_id": f"evt_{outcome}_{one}", "event_type": "invoice.paid"}
        recorder.record(outcome, time.time_ns() // 1000, fields)
    assert shipper.close(30)


def judged_at(up: Up) -> datetime:
    """When the one alert was last judged."""
    with closing(Control.open(control_url(up.directory / "hookvitals-data"), SystemClock())) as control:
        [alert] = control.alerts.active("error_rate")
    return alert.last_evaluated_at


def test_alert_that_fires_is_told_once_and_its_end_comes(up: Up, inboxes: Inboxes) -> None:
    up.start()
    up.await_ready()
    handled(up, "failed", BAD)
    eventually("the alert", 60, lambda: told(inboxes) == [[FIRING], [FIRING]])
    killed(up)

    before = judged_at(up)
    up.start()
    up.await_ready()
    handled(up, "failed", BAD)
    eventually("a round of the next worker", 60, lambda: judged_at(up) > before)
    handled(up, "succeeded", GOOD)
    eventually("its end", 60, lambda: told(inboxes) == [[FIRING, RESOLVED], [FIRING, RESOLVED]])
