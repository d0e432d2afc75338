"""The push to Alertmanager: what it is told, and what a real one makes of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from alerts.channels.alertmanager import Alertmanager
from alerts.channels.channel import Forgetful
from alerts.http import Client
from alerts.message import Message, compose_group
from alerts.model import Severity, State, Why
from tests.alerts.samples import EVIDENCE, LINKS, T0, alert, message, notification
from tests.alerts.support import Service, loopback_egress, serving
from tests.ports import free_port

PATIENCE_S = 30.0


def put(sent: Message, **options: Any) -> list[dict[str, Any]]:
    with serving(Service(body=b"")) as service:
        channel = Alertmanager("am", service.url, Client(loopback_egress()), now=lambda: T0, **options)
        channel.send(sent)
    [seen] = service.seen
    assert seen.path == "/api/v2/alerts"
    found: list[dict[str, Any]] = json.loads(seen.body)
    return found


def test_alert_is_put_with_labels_evidence_and_an_end() -> None:
    assert put(message()) == [
        {
            "labels": {
                "alertname": "error_rate",
                "severity": "error",
                "monitor": "hookvitals",
                "environment": "production",
                "source": "stripe",
                "endpoint": "payments",
            },
            "annotations": {
                "title": "Error: error_rate at stripe/payments",
                "summary": EVIDENCE.summary,
                "runbook_url": "https://runbooks.example/error-rate",
                "top_errors": "DatabaseTimeout: 300, KeyError: 10",
                "records": f"{LINKS.record('0193f000-0000-7000-8000-000000000001')}",
            },
            "startsAt": "2026-11-21T03:00:00+00:00",
            "endsAt": "2026-11-21T03:15:00+00:00",
            "generatorURL": f"https://monitor.example/hooks/alerts/{alert().fingerprint}",
        }
    ]


def test_end_is_the_time_it_was_resolved() -> None:
    [ended] = put(message(alert(state=State.RESOLVED), Why.RESOLVED))
    assert (ended["startsAt"], ended["endsAt"]) == ("2026-11-21T03:00:00+00:00", "2026-11-21T03:32:00+00:00")


def test_raised_severity_ends_the_lower_ones_for_they_are_other_alerts_there() -> None:
    found = put(message(alert(severity=Severity.CRITICAL), Why.SEVERITY_RAISED))
    ends = {each["labels"]["severity"]: each["endsAt"] for each in found}
    assert ends.pop("critical") == "2026-11-21T03:15:00+00:00"
    assert ends == dict.fromkeys(["info", "warning", "error"], "2026-11-21T03:00:00+00:00")


def test_exercise_ends_by_itself() -> None:
    assert put(message(reason=Why.DRILL))[0]["endsAt"] == "2026-11-21T03:01:00+00:00"


def test_reminder_is_no_alert() -> None:
    with serving(Service()) as service:
        channel = Alertmanager("am", service.url, Client(loopback_egress()))
        assert "not sent" in channel.send(message(reason=Why.REMINDER)).warning
    assert service.seen == []


def test_names_that_alertmanager_refuses_are_changed_and_empty_values_left_out() -> None:
    labels = {"2nd-place": "x", "häuser": "y", "queue": "", "": "z"}
    found = put(message(alert(labels=labels)))[0]["labels"]
    assert found == {
        "_2nd_place": "x",
        "h_user": "y",
        "_": "z",
        "alertname": "error_rate",
        "severity": "error",
        "monitor": "hookvitals",
    }


def test_secret_is_the_authorization_header() -> None:
    with serving(Service(body=b"")) as service:
        Alertmanager("am", f"{service.url}/am/", Client(loopback_egress()), authorization="Basic eDp5").send(
            message()
        )
    assert (service.seen[0].path, service.seen[0].headers["authorization"]) == (
        "/am/api/v2/alerts",
        "Basic eDp5",
    )


def test_alerts_told_of_together_are_put_together() -> None:
    group = tuple(notification(alert("endpoint_down", endpoint=f"e{n}")) for n in range(3))
    assert [each["labels"]["endpoint"] for each in put(compose_group(group, LINKS))] == ["e0", "e1", "e2"]


class Real:
    """The Debian package's Alertmanager on loopback, telling a webhook of what it hears."""

    def __init__(self, folder: Path, told: str) -> None:
        program = shutil.which("prometheus-alertmanager")
        if program is None:
            pytest.skip("prometheus-alertmanager is not installed")
        self.url = f"http://127.0.0.1:{free_port()}"
        config = {
            "route": {"receiver": "us", "group_wait": "0s", "group_interval": "1s", "group_by": ["..."]},
            "receivers": [{"name": "us", "webhook_configs": [{"url": told, "send_resolved": True}]}],
        }
        (folder / "alertmanager.yml").write_text(json.dumps(config))
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'alertmanager.yml'}",
                    f"--storage.path={folder / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._is_ready)

    def active(self) -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/api/v2/alerts?active=true", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError):
            return False


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def told() -> Iterator[Service]:
    with serving(Service(body=b"")) as service:
        yield service


@pytest.fixture
def real(tmp_path: Path, told: Service) -> Iterator[Real]:
    running = Real(tmp_path, told.url)
    try:
        yield running
    finally:
        running.stop()


def now_firing(**changes: Any) -> Message:
    at = datetime.now(UTC) - timedelta(seconds=5)
    return message(alert(since=at, firing_since=at, **changes))


def statuses(told: Service) -> list[str]:
    return [each["status"] for seen in told.seen for each in json.loads(seen.body)["alerts"]]


@pytest.mark.prometheus
def test_real_alertmanager_tells_of_the_alert_and_of_its_end(real: Real, told: Service) -> None:
    channel = Alertmanager("am", real.url, Client(loopback_egress()))
    firing = now_firing()
    channel.send(firing)
    channel.send(firing)
    until(lambda: statuses(told) == ["firing"])
    [active] = real.active()
    assert active["labels"]["alertname"] == "error_rate"
    assert active["generatorURL"] == firing.url
    over = replace(firing.alert, state=State.RESOLVED, resolved_at=datetime.now(UTC))
    channel.send(message(over, Why.RESOLVED))
    until(lambda: statuses(told) == ["firing", "resolved"])
    assert real.active() == []


@pytest.mark.prometheus
def test_real_alertmanager_keeps_what_is_repeated_and_forgets_what_is_not(real: Real, told: Service) -> None:
    channel = Alertmanager("am", real.url, Client(loopback_egress()), holds_for=timedelta(seconds=3))
    assert isinstance(channel, Forgetful)
    kept, left = now_firing(), now_firing(labels={"endpoint": "left"})
    channel.send(kept)
    channel.send(left)

    def the_other_is_forgotten() -> bool:
        channel.refresh([kept])
        return sorted(statuses(told)) == ["firing", "firing", "resolved"]

    until(the_other_is_forgotten)
    assert [each["labels"]["endpoint"] for each in real.active()] == ["payments"]


@pytest.mark.prometheus
def test_real_alertmanager_takes_whatever_text_there_is(real: Real, told: Service) -> None:
    word = "<!channel>\n\u202e{{ .x }} ümläut 🔥\x00" * 50
    labels = {"source": word, "endpoint": word, word: word}
    Alertmanager("am", real.url, Client(loopback_egress())).send(
        now_firing(rule=word, labels=labels, evidence=replace(EVIDENCE, summary=word), runbook=word)
    )
    until(lambda: statuses(told) == ["firing"])
