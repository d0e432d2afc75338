"""The monitor on PostgreSQL: from a webhook to its replay, and two collectors before one database."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import requests

from tests.e2e.conftest import Inboxes
from tests.e2e.processes import COMMAND, Monitor, eventually, is_up, monitor, process
from tests.e2e.receiving import REPLAY_SECRET, receiving
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.timeout(150)]

SECRET_KEY = "5e" * 32
BAD = 6
BATCHES, ROWS = 24, 50


def config(inboxes: Inboxes, receiver: str) -> str:
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
interval = "1s"
min_sample = 5

[[rules]]
kind = "failure_count"               # it would explain the error rate, and be told instead
enabled = false
"""


def letters(started: Monitor, state: str) -> int:
    return len(started.run("dead-letters", "list", "--ids", "--state", state).split())


def test_records_an_alert_and_a_replay(tmp_path: Path, inboxes: Inboxes, postgres_url: str) -> None:
    environment = {
        "HOOKVITALS_STORE_URL": postgres_url,
        "SLACK_URL": inboxes.slack_url,
        "BILLING_REPLAY_SECRET": REPLAY_SECRET,
    }
    with monitor(tmp_path, environment) as started, receiving(started) as receiver:
        (tmp_path / "hookvitals.toml").write_text(config(inboxes, receiver.url))
        started.run("config", "apply")

        receiver.begin("billing", "fail")
        assert [receiver.sender.send("billing") for _ in range(BAD)] == [200] * BAD
        eventually("the dead letters", 30, lambda: letters(started, "open") == BAD)
        eventually("the alert", 60, lambda: inboxes.both_hold("Error: error_rate", "billing"))

        receiver.end("billing", "fail")
        started.run("replay", "start", "--all", "--reason", "the ledger is back")
        eventually("the letters to be resolved", 40, lambda: letters(started, "resolved") == BAD)
        assert "all" in started.run("facts", "verify")
        assert "all as they were written" in started.run("audit", "verify")
    assert not list(tmp_path.glob("**/*.db")), "no store in a file"


def test_two_collectors_before_one_database_count_each_record_once(tmp_path: Path, postgres_url: str) -> None:
    shared = {"HOOKVITALS_STORE_URL": postgres_url, "HOOKVITALS_SECRET_KEY": SECRET_KEY}
    with monitor(tmp_path, shared) as started:
        port, other = free_port(), tmp_path / "other"
        other.mkdir()
        environment = {**started.environment, "HOOKVITALS_COLLECTOR_PORT": str(port)}
        second = f"http://127.0.0.1:{port}"
        with process([str(COMMAND), "collector"], other, environment, other / "log") as running:
            eventually("the second collector", 30, lambda: is_up(f"{second}/readyz"))
            accepted, duplicates = _sent(started, second)
            running.terminate()
            assert running.wait(30) == 0, (other / "log").read_text()

        assert (accepted, duplicates) == (BATCHES * ROWS, BATCHES * ROWS)
        with psycopg.connect(postgres_url) as db:
            assert db.execute("SELECT count(*) FROM facts.record").fetchone() == (BATCHES * ROWS,)
            collectors = db.execute("SELECT count(DISTINCT collector) FROM facts.heartbeat").fetchone()
        assert collectors == (2,)
        assert f"{BATCHES * ROWS} records counted again: all" in started.run("facts", "verify")
        (line,) = json.loads(started.run("stats", "--by", "source", "--format", "json"))
        assert (line["source"], line["succeeded"]) == ("orum", BATCHES * ROWS)


def _sent(started: Monitor, second: str) -> tuple[int, int]:
    """Every batch at both collectors at about the same time; what they answered together."""
    now_ms = time.time_ns() // 1_000_000

    def send(number: int) -> tuple[int, int]:
        answer = requests.post(
            f"{(started.collector, second)[number % 2]}/api/v1/records",
            json=[_record(now_ms, number // 2 * ROWS + row) for row in range(ROWS)],
            headers={"Authorization": f"Bearer {started.key}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["rejected"] == []
        return found["accepted"], found["duplicates"]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(2 * BATCHES)))
    return sum(accepted for accepted, _ in answers), sum(duplicates for _, duplicates in answers)


def _record(now_ms: int, number: int) -> dict[str, object]:
    return {
        "record_id": str(UUID(int=now_ms << 80 | 7 << 76 | 2 << 62 | number)),
        "source": "orum",
        "endpoint": f"payouts-{number % 3}",
        "event_id": f"evt_{number}",
        "event_type": f"transfer.{number % 5}",
        "received_at": now_ms * 1000,
        "outcome": "succeeded",
        "process_ms": 5.0,
    }
