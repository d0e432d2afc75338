"""Records and an application to look at, for the tests of the dashboard."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import create_dashboard
from dashboard.health import Probes, Readiness
from monitor.model import Outcome, Record
from tests.dashboard.canned import CannedActions, CannedReads

NOW = datetime(2026, 11, 21, 3, 59, tzinfo=UTC)


class FixedClock:
    """Stands still until moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def record_id(at: datetime, n: int = 0) -> UUID:
    """A UUIDv7 of that millisecond; n tells those of one millisecond apart."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | n)


def record(outcome: Outcome, after_s: float = 0.0, n: int = 0, **more: Any) -> Record:
    """A record of event `evt_1`, received at NOW, that was written after_s later."""
    at = NOW + timedelta(seconds=after_s)
    given: dict[str, Any] = {
        "record_id": record_id(at, n),
        "recorded_at": at,
        "environment": "production",
        "source": "orum",
        "endpoint": "transfers",
        "event_type": "transfer.completed",
        "event_id": "evt_1",
        "outcome": outcome,
        "received_at": NOW,
    }
    return Record(**{**given, **more})


def application(
    reads: CannedReads | None = None, actions: CannedActions | None = None, **options: Any
) -> Flask:
    probes = options.pop("probes", Probes(lambda accept: (b"up 1\n", "text/plain"), Readiness, "0.1.0"))
    return create_dashboard(
        reads or CannedReads(), actions or CannedActions(), FixedClock(), probes, **options
    )


def log_in(client: FlaskClient, name: str = "operator", base: str = "") -> None:
    answer = client.post(f"{base}/login", data={"name": name, "password": "secret"})
    assert answer.status_code == 303
