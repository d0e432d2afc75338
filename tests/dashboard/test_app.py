import re
from typing import Any

import pytest

from dashboard.health import Probes, Readiness
from dashboard.pages import PAGES
from dashboard.security import policy
from tests.dashboard.support import NOW, application, log_in


@pytest.fixture(scope="module")
def app() -> Any:
    return application()


def test_no_script_runs_that_is_not_ours(app: Any) -> None:
    client = app.test_client()
    log_in(client)
    rules = client.get("/").headers["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", rules)
    assert scripts is not None
    assert "unsafe" not in scripts[1]
    assert scripts[1].startswith("'self'")
    assert all(part == "'self'" or part.startswith("'sha256-") for part in scripts[1].split())
    for rule in ("object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert rule in rules


def test_the_page_names_no_other_host(app: Any) -> None:
    client = app.test_client()
    log_in(client)
    for path in ("/", "/login"):
        named = set(re.findall(r"(?:https?:)?//[\w.-]+", client.get(path).text))
        assert named <= {"http://www.w3.org"}, path


def test_the_policy_lists_each_hash_once() -> None:
    assert policy(["'sha256-b'", "'sha256-a'", "'sha256-a'"]).count("sha256-a") == 1


def test_answers_are_not_kept_by_any_cache_but_code_is(app: Any) -> None:
    client = app.test_client()
    log_in(client)
    assert client.get("/_dash-layout").headers["Cache-Control"] == "no-store"
    script = re.search(r'src="(/_dash-component-suites/[^"]+plotly[^"]*)"', client.get("/").text)
    suite = re.search(r'src="(/_dash-component-suites/[^"]+)"', client.get("/").text)
    assert suite is not None, script
    assert "no-store" not in client.get(suite[1]).headers.get("Cache-Control", "")


def test_a_large_answer_leaves_compressed(app: Any) -> None:
    client = app.test_client()
    log_in(client)
    answer = client.get("/_dash-layout", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"


def test_every_page_has_its_own_address_and_title() -> None:
    assert len({page.path for page in PAGES}) == len(PAGES)
    assert len({page.name for page in PAGES}) == len(PAGES)


def test_health_needs_no_session_and_says_why_it_is_not_ready() -> None:
    found = [Readiness(warnings=["the job feed is late"], jobs={"feed": NOW, "rules": None})]
    probes = Probes(lambda accept: (b"up 1\n", "text/plain; version=0.0.4"), lambda: found[0], "1.2.3")
    client = application(probes=probes).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json == {
        "status": "ready",
        "reasons": [],
        "warnings": ["the job feed is late"],
        "jobs": {"feed": "2026-11-21T03:59:00+00:00", "rules": None},
    }
    found[0] = Readiness(["the facts store cannot be read"])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["reasons"] == ["the facts store cannot be read"]
    assert client.get("/version").json == {"version": "1.2.3"}
    assert client.get("/metrics").headers["Content-Type"] == "text/plain; version=0.0.4"


def test_below_a_proxys_path_every_link_and_cookie_stays_below_it() -> None:
    client = application(base_path="/hooks/").test_client()
    answer = client.get("/hooks/events")
    assert answer.headers["Location"].startswith("/hooks/login?next=")
    log_in(client, base="/hooks")
    page = client.get("/hooks/")
    assert page.status_code == 200
    assert '"requests_pathname_prefix":"\\u002fhooks\\u002f"' in page.text
    assert not re.findall(r'(?:src|href)="/(?!hooks/)', page.text)


def test_a_proxy_that_cuts_its_path_off_is_served_too() -> None:
    client = application(base_path="/hooks/").test_client()
    assert client.get("/events").headers["Location"].startswith("/hooks/login?next=")
