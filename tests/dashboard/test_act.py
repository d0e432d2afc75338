"""The page behind a message's link: looking changes nothing, the button acts, nobody logs in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from alerts.message import Links, compose
from alerts.model import Alert, Notification, State, Why
from dashboard.act import PER_MINUTE, act_pages
from dashboard.allowance import MOST_ADDRESSES, Allowance
from monitor.config import secret_key
from monitor.operations.by_link import Offer
from monitor.wiring.links import links_of, permits_of
from tests.dashboard.stores import Installation, installation
from tests.dashboard.support import application
from tests.facts import NOON


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, NOON) as found:
        yield found


@pytest.fixture
def alert(made: Installation) -> Alert:
    return made.add_alert("orum", "transfers")


@pytest.fixture
def client(made: Installation) -> FlaskClient:
    found: FlaskClient = made.app().test_client()
    return found


def link(made: Installation, alert: Alert, what: str = "acknowledge", base: str = "") -> str:
    """The path of the link that a message about the alert carries."""
    links = Links("https://monitor.example" + base, permits_of(secret_key(made.settings)))
    said = compose(Notification("k", "ops", Why.FIRING, alert, made.clock.now()), links)
    return urlsplit(said.acknowledge_url if what == "acknowledge" else said.silence_url).path


def acked(made: Installation, alert: Alert) -> str:
    found = made.control.alerts.get(alert.fingerprint)
    assert found is not None
    return found.ack.by if found.ack else ""


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("what", ["acknowledge", "silence"])
def test_scanner_that_looks_changes_nothing(
    made: Installation, alert: Alert, client: FlaskClient, what: str, method: str
) -> None:
    for _ in range(3):
        assert client.open(link(made, alert, what), method=method).status_code == 200
    assert acked(made, alert) == ""
    assert made.control.silences.current(made.clock.now()) == []
    assert made.control.audit.page() == []


def test_page_says_what_fires_and_offers_the_button(
    made: Installation, alert: Alert, client: FlaskClient
) -> None:
    page = client.get(link(made, alert))
    for said in (
        "Acknowledge this alert?",
        "error_rate at orum/transfers",
        "18 % of attempts",
        "critical",
        "ops",
    ):
        assert said in page.text
    assert "Acknowledge</button>" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]


def test_button_takes_the_alert_on_without_a_login_and_a_second_press_does_nothing_more(
    made: Installation, alert: Alert, client: FlaskClient
) -> None:
    first = client.post(link(made, alert), data={"who": "Ann"})
    second = client.post(link(made, alert), data={"who": "Bob"})
    assert first.status_code == second.status_code == 200
    assert "Done. You can close this page." in first.text
    assert acked(made, alert) == "link:ops"
    [act] = made.control.audit.page()
    assert (act.action, act.actor, act.via) == ("alert.acknowledge", "link:ops", "link")
    after = client.get(link(made, alert)).text
    assert "link:ops: Ann, by the link of a message" in after
    assert "</button>" not in after


def test_silence_lasts_as_long_as_was_chosen(made: Installation, alert: Alert, client: FlaskClient) -> None:
    assert client.post(link(made, alert, "silence"), data={"hours": "24"}).status_code == 200
    [silence] = made.control.silences.current(made.clock.now())
    assert silence.ends_at == made.clock.now() + timedelta(hours=24)


@pytest.mark.parametrize("hours", ["0", "-1", "1e9", "9" * 100, "٣", "x"])
def test_length_that_was_not_offered_is_refused(
    made: Installation, alert: Alert, client: FlaskClient, hours: str
) -> None:
    assert client.post(link(made, alert, "silence"), data={"hours": hours}).status_code == 422
    assert made.control.silences.current(made.clock.now()) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_link_that_is_cut_late_or_forged_says_so_and_nothing_of_the_alert(
    made: Installation, alert: Alert, client: FlaskClient, method: str
) -> None:
    whole = link(made, alert)
    for bad in (whole[:-1], "/act/x", "/act/%00", "/act/%ed%a0%80.a"):
        page = client.open(bad, method=method)
        assert page.status_code == 403
        assert "not whole" in page.text
        assert "orum" not in page.text
    made.clock.move(timedelta(days=3))
    late = client.open(whole, method=method)
    assert late.status_code == 403
    assert "expired" in late.text
    assert acked(made, alert) == ""


def test_alert_that_is_over_needs_nobody(made: Installation, alert: Alert, client: FlaskClient) -> None:
    over = replace(alert, state=State.RESOLVED, resolved_at=made.clock.now(), revision=2)
    with made.control.write() as tx:
        made.control.alerts.put(tx, over, [])
    assert "This alert is over" in client.get(link(made, alert)).text
    assert client.post(link(made, alert)).status_code == 409


def test_form_of_another_site_is_refused(made: Installation, alert: Alert, client: FlaskClient) -> None:
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(link(made, alert), headers=foreign).status_code == 403
    assert acked(made, alert) == ""


def test_nothing_but_the_link_itself_is_open(made: Installation, alert: Alert, client: FlaskClient) -> None:
    for path in ("/act", "/act/", "/act/a/b", f"/alerts/{alert.fingerprint}"):
        assert client.get(path).status_code in (302, 404)


class Forms(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("href", "src", "action") and value]


def test_it_works_below_a_base_path_cut_off_by_the_proxy_or_not(made: Installation, alert: Alert) -> None:
    made.settings = made.settings.model_copy(update={"base_path": "/hooks/"})
    client = made.app().test_client()
    path = link(made, alert, base="/hooks")
    assert path.startswith("/hooks/act/")
    page = client.get(path)
    assert page.status_code == client.get(path.removeprefix("/hooks")).status_code == 200
    assert all(address.startswith("/hooks/") for address in Forms(page.text).addresses)
    assert client.post(path).status_code == 200
    assert acked(made, alert) == "link:ops"


def test_links_of_messages_lead_to_where_people_reach_the_dashboard(made: Installation, alert: Alert) -> None:
    settings = made.settings.model_copy(update={"public_url": "https://hooks.example.com/m"})
    links = links_of(settings, secret_key(settings))
    said = compose(Notification("k", "ops", Why.FIRING, alert, made.clock.now()), links)
    assert said.acknowledge_url.startswith("https://hooks.example.com/m/act/")


def test_address_that_asks_too_often_waits_a_minute(
    made: Installation, alert: Alert, client: FlaskClient
) -> None:
    answers = [client.get("/act/guess").status_code for _ in range(PER_MINUTE + 1)]
    assert answers == [403] * PER_MINUTE + [429]
    assert client.post(link(made, alert)).status_code == 429
    assert client.get(link(made, alert), environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200
    made.clock.move(timedelta(minutes=1))
    assert client.get(link(made, alert)).status_code == 200


class Broken:
    def look(self, token: str) -> Offer:
        raise RuntimeError("nobody thought of this")

    def do(self, token: str, who: str, hours: int) -> Offer:
        raise RuntimeError("nor of this")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_fault_of_ours_is_logged_without_the_link(method: str, caplog: pytest.LogCaptureFixture) -> None:
    client = application(blueprints=[act_pages(Broken(), lambda: 0.0)]).test_client()
    page = client.open("/act/s3cret-link", method=method)
    assert page.status_code == 500
    assert "Something went wrong" in page.text
    assert "RuntimeError" in caplog.text
    assert "s3cret" not in caplog.text


def test_memory_of_addresses_is_bounded() -> None:
    allowance = Allowance(1, timedelta(minutes=1), lambda: 0.0)
    for n in range(MOST_ADDRESSES + 1):
        assert allowance.take(str(n))
    assert not allowance.take(str(MOST_ADDRESSES))
    assert allowance.take("0")  # the oldest was forgotten


def test_strange_names_are_text(made: Installation, client: FlaskClient) -> None:
    alert = made.add_alert("<script>alert(1)</script>\u202e", "x" * 5000)
    page = client.get(link(made, alert))
    assert "<script>" not in page.text
    assert "\u202e" not in page.text
    assert len(page.text) < 10_000


def test_link_to_a_record_leads_to_its_event_after_a_login(made: Installation) -> None:
    made.add_people()
    [record] = made.add_dead(1)
    client = made.app().test_client()
    assert client.get(f"/records/{record.record_id}").headers["Location"].startswith("/login?next=/records/")
    client.post("/login", data={"name": "viewer", "password": "a long enough password"})
    found = client.get(f"/records/{record.record_id}")
    assert found.headers["Location"] == f"/events/production/orum/{record.event_id}"
    assert client.get("/records/0193f000-0000-7000-8000-000000000001").status_code == 404
    assert client.get("/records/x").status_code == 404
