"""The dashboard put together over real stores: login, API, metrics, readiness, and the process."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.auth import COOKIE
from dashboard.data.house import JOBS_EVERY_S
from dashboard.proxies import behind_proxies
from dashboard.security import CSRF_COOKIE
from monitor.clock import SystemClock, to_us
from monitor.config import secret_key
from monitor.dead_letters import LetterState
from monitor.model import Outcome
from monitor.wiring.following import Following
from monitor.wiring.jobs import Parts, jobs_of
from tests.dashboard.stores import PASSWORD, Installation, installation
from tests.facts import NOON

NOW = NOON + timedelta(hours=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("monitor"), NOW) as found:
        found.add_people()
        found.add_records(500, timedelta(hours=1))
        found.add_dead(3)
        yield found


@pytest.fixture(scope="module")
def app(made: Installation) -> Any:
    return made.app()


@pytest.fixture
def client(app: Any) -> FlaskClient:
    found: FlaskClient = app.test_client()
    return found


def log_in(client: FlaskClient, name: str) -> None:
    answer = client.post("/login", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 303, answer.text


def test_a_person_with_an_account_gets_in_and_a_session_is_a_row(
    made: Installation, client: FlaskClient
) -> None:
    log_in(client, "viewer")
    assert client.get("/").status_code == 200
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    stored = (made.folder / "control.db").read_bytes()
    assert b"session.login" in stored  # in the audit
    assert cookie.value.encode() not in stored


def test_a_wrong_password_is_counted_and_soon_refused_unseen(client: FlaskClient) -> None:
    answers = [
        client.post(
            "/login", data={"name": "admin", "password": "wrong"}, environ_base={"REMOTE_ADDR": "192.0.2.9"}
        )
        for _ in range(7)
    ]
    assert [answer.status_code for answer in answers[:4]] == [401] * 4
    assert answers[-1].status_code == 429
    assert "Try again in" in answers[-1].text


def test_an_idle_session_ends(made: Installation, client: FlaskClient) -> None:
    log_in(client, "operator")
    made.clock.move(timedelta(minutes=29))
    assert client.get("/").status_code == 200
    made.clock.move(timedelta(minutes=31))
    assert client.get("/").status_code == 302


def test_the_api_answers_a_session_and_refuses_a_forged_write(client: FlaskClient) -> None:
    assert client.get("/api/v1/dead-letters").status_code == 401
    log_in(client, "operator")
    answer = client.get("/api/v1/dead-letters")
    assert answer.status_code == 200
    forged = client.post("/api/v1/replays", json={"letters": ["x"], "reason": "y"})
    assert forged.status_code == 403
    token = client.get_cookie(CSRF_COOKIE)
    assert token is not None
    own = client.post("/api/v1/replays", json={}, headers={"X-CSRFToken": token.value})
    assert own.status_code in (400, 422)


def test_an_unknown_path_of_the_api_is_a_problem_and_no_page(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_metrics_name_what_both_stores_hold(client: FlaskClient, made: Installation) -> None:
    told = client.get("/metrics").text
    waiting = made.control.letters.by_endpoint("production", [LetterState.OPEN, LetterState.PERMANENT])
    assert waiting
    for (source, endpoint), n in waiting.items():
        labels = f'endpoint="{endpoint}",environment="production",source="{source}"'
        assert f"hookvitals_dead_letters_open{{{labels}}} {n}.0" in told
    assert "hookvitals_records_total" in told


def test_readiness_names_the_jobs_and_what_is_amiss(client: FlaskClient) -> None:
    found = client.get("/readyz").json
    assert found is not None
    assert found["status"] == "ready"
    assert "no channel is configured: alerts reach nobody" in found["warnings"]
    assert set(found["jobs"]) == set(JOBS_EVERY_S)


def test_the_report_of_the_week_counts_what_is_stored(client: FlaskClient, made: Installation) -> None:
    log_in(client, "viewer")
    answer = client.get("/reports/sla?week=2026-W47&form=json")
    assert answer.json is not None
    told = {line["endpoint"]: line["dead_letters"] for line in answer.json["lines"] if line["endpoint"]}
    counted: Counter[str] = Counter()
    for (key, _), rollup in made.facts.recount(to_us(NOW - timedelta(days=7)), to_us(NOW)).items():
        if key.endpoint and not key.event_type:
            counted[key.endpoint] += rollup.outcome(Outcome.DEAD_LETTERED)
    assert told == dict(counted)
    assert sum(counted.values()) > 3
    framed = client.get("/reports/sla?week=2026-W47&form=html")
    assert "frame-ancestors 'self'" in framed.headers["Content-Security-Policy"]
    assert client.get("/reports/sla?week=now").status_code == 422


def test_the_jobs_shown_are_the_jobs_that_run(made: Installation) -> None:
    parts = Parts(
        made.settings,
        secret_key(made.settings),
        made.control,
        made.facts,
        Following(made.control.configs.latest, made.clock),
        made.clock,
    )
    every = {job.name: job.trigger.interval.total_seconds() for job in jobs_of(parts)}
    assert every == dict(JOBS_EVERY_S)


def test_only_a_trusted_proxy_may_say_where_a_request_comes_from() -> None:
    def seen(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [environ["REMOTE_ADDR"].encode()]

    app = behind_proxies(seen, ["10.0.0.0/8"])
    forwarded = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "wsgi.url_scheme": "http"}
    assert list(app({"REMOTE_ADDR": "10.1.2.3", **forwarded}, lambda *_: lambda _: None)) == [b"192.0.2.1"]
    assert list(app({"REMOTE_ADDR": "203.0.113.5", **forwarded}, lambda *_: lambda _: None)) == [
        b"203.0.113.5"
    ]


def environment(folder: Path, **more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HOOKVITALS_")}
    return {**plain, "HOOKVITALS_DATA_DIR": str(folder), "HOOKVITALS_DASHBOARD_PORT": "0", **more}


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process over the folder's stores, and where it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard"],
        env=environment(folder),
        cwd=Path.cwd(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if "dashboard at http://" in line)
        yield process, line[line.index("http://") :].split()[0]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_the_process_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with installation(tmp_path, SystemClock().now()), running(tmp_path) as (process, address):
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_told_to_stop_again_and_again_it_answers_what_it_has_begun(tmp_path: Path) -> None:
    with installation(tmp_path, SystemClock().now()) as made, running(tmp_path) as (process, address):
        made.add_people()
        login = f"name=viewer&password={PASSWORD}".encode()
        head = (
            "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(login)}\r\nConnection: close\r\n\r\n"
        )
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as peer:
            with made.control.write():
                peer.sendall(head.encode() + login)  # it waits for the store
                urllib.request.urlopen(f"{address}/healthz", timeout=20).close()  # taken up after it
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                    process.send_signal(number)
                    time.sleep(0.05)  # else the next would only fill the place of the last
            assert peer.recv(1024).startswith(b"HTTP/1.1 ")
        assert process.wait(timeout=20) == 0


def test_without_stores_it_says_in_one_line_what_to_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dashboard"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "hookvitals db upgrade" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
