from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.auth import COOKIE, local_path
from dashboard.security import CSRF_COOKIE, CSRF_HEADER
from dashboard.views import Viewer
from monitor.errors import TooManyRequests, Unavailable
from tests.dashboard.canned import CannedActions
from tests.dashboard.support import application, log_in


@pytest.fixture(scope="module")
def actions() -> CannedActions:
    return CannedActions()


@pytest.fixture(scope="module")
def app(actions: CannedActions) -> Any:
    return application(actions=actions)


@pytest.fixture
def client(app: Any) -> FlaskClient:
    made: FlaskClient = app.test_client()
    return made


def test_a_page_without_a_session_leads_to_the_login_and_back(client: FlaskClient) -> None:
    answer = client.get("/events?range=6h")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/events%3Frange%3D6h"
    answer = client.post("/login", data={"name": "viewer", "password": "secret", "next": "/events?range=6h"})
    assert answer.headers["Location"] == "/events?range=6h"
    assert client.get("/events?range=6h").status_code == 200


def test_every_route_but_the_open_ones_turns_a_stranger_away(app: Any) -> None:
    open_paths = {"/login", "/healthz", "/readyz", "/metrics", "/version"}
    stranger = app.test_client()
    for rule in app.url_map.iter_rules():
        path = str(rule).replace("<path:", "<").replace("<", "").replace(">", "")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = stranger.open(path, method=method)
            if path in open_paths:
                assert answer.status_code in (200, 401)
            else:
                assert answer.status_code in (302, 401), f"{method} {path}"


def test_callbacks_without_a_session_answer_401_so_that_the_page_can_tell(client: FlaskClient) -> None:
    assert client.post("/_dash-update-component", json={}).status_code == 401


def test_a_wrong_password_says_nothing_about_the_name(client: FlaskClient) -> None:
    wrong_name = client.post("/login", data={"name": "nobody", "password": "secret"})
    wrong_password = client.post("/login", data={"name": "viewer", "password": "guess"})
    assert wrong_name.status_code == wrong_password.status_code == 401
    assert "Name or password is wrong" in wrong_name.text
    assert COOKIE not in str(wrong_name.headers)


def test_the_form_shows_a_strange_name_as_text(client: FlaskClient) -> None:
    page = client.post("/login", data={"name": '"><script>alert(1)</script>', "password": "x"})
    assert "<script>" not in page.text


def test_the_session_cookie_is_out_of_reach_of_scripts(client: FlaskClient) -> None:
    answer = client.post("/login", data={"name": "viewer", "password": "secret"})
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith(COOKIE))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Secure" not in session


def test_over_https_the_cookie_never_leaves_in_the_clear() -> None:
    client = application(https=True).test_client()
    answer = client.post("/login", data={"name": "viewer", "password": "secret"})
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_write_without_the_sessions_token_is_refused(client: FlaskClient) -> None:
    log_in(client)
    assert client.post("/_dash-update-component", json={}).status_code == 403
    assert client.post("/logout").status_code == 403
    token = client.get_cookie(CSRF_COOKIE)
    assert token is not None
    assert client.post("/logout", data={"csrf_token": "0" * 64}).status_code == 403
    assert client.post("/logout", data={"csrf_token": token.value}).status_code == 303


def test_a_write_from_another_site_is_refused_even_with_the_token(client: FlaskClient) -> None:
    log_in(client)
    token = client.get_cookie(CSRF_COOKIE)
    assert token is not None
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        headers = {CSRF_HEADER: token.value, **foreign}
        assert client.post("/logout", headers=headers).status_code == 403


def test_another_site_cannot_log_a_person_in(client: FlaskClient) -> None:
    answer = client.post(
        "/login", data={"name": "viewer", "password": "secret"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_after_logout_the_old_cookie_opens_nothing(client: FlaskClient) -> None:
    log_in(client)
    session, token = client.get_cookie(COOKIE), client.get_cookie(CSRF_COOKIE)
    assert session is not None
    assert token is not None
    client.post("/logout", data={"csrf_token": token.value})
    client.set_cookie(COOKIE, session.value)
    assert client.get("/").status_code == 302


def test_each_login_makes_a_new_session(client: FlaskClient) -> None:
    log_in(client)
    first = client.get_cookie(COOKIE)
    log_in(client)
    second = client.get_cookie(COOKIE)
    assert first is not None
    assert second is not None
    assert first.value != second.value


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "\t//e.example",
    ],
)
def test_a_login_leads_back_to_our_own_pages_alone(wanted: str) -> None:
    assert local_path(wanted) == "/"


class Throttling(CannedActions):
    def login(self, name: str, password: str, address: str) -> str:
        raise TooManyRequests("too many attempts", retry_after_s=42)


def test_too_many_attempts_say_how_long_to_wait() -> None:
    page = application(actions=Throttling()).test_client().post("/login", data={"name": "a", "password": "b"})
    assert page.status_code == 429
    assert "42 s" in page.text


class Locked(CannedActions):
    def viewer(self, secret: str) -> Viewer | None:
        raise Unavailable("the control store is locked", "try again")


def test_a_store_that_cannot_answer_is_not_taken_for_a_logout() -> None:
    client = application(actions=Locked()).test_client()
    client.set_cookie(COOKIE, "some-session")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "control store is locked" in answer.text
