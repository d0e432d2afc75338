"""Every error of the management API is a problem document, whoever raised it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from monitor.api import problems
from monitor.errors import TooManyRequests, Unavailable
from tests.monitor.api.conftest import bearer


@pytest.fixture
def faulty() -> FlaskClient:
    """An app whose routes fail in known ways."""
    app = Flask("faulty", static_folder=None)
    problems.install(app)

    def fails(error: Exception) -> str:
        raise error

    app.add_url_rule("/rate", "rate", lambda: fails(TooManyRequests("slow down", retry_after_s=3)))
    app.add_url_rule("/store", "store", lambda: fails(Unavailable("locked", retry_after_s=2)))
    app.add_url_rule("/bug", "bug", lambda: fails(RuntimeError("secret hv_abc")))
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/rate", 429, "too_many_requests"), ("/store", 503, "unavailable"), ("/bug", 500, "internal")],
)
def test_an_error_of_a_view_becomes_a_problem(faulty: FlaskClient, path: str, status: int, code: str) -> None:
    answer = faulty.get(path)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"


def test_what_may_be_tried_again_says_when(faulty: FlaskClient) -> None:
    assert faulty.get("/rate").headers["Retry-After"] == "3"


def test_an_unforeseen_error_tells_nothing_of_itself(
    faulty: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = faulty.get("/bug")

    assert "hv_abc" not in answer.text
    assert "RuntimeError: secret" in caplog.text


def test_an_unknown_path_is_a_problem_to_everybody(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing/here")

    assert answer.status_code == 404
    assert answer.get_json()["type"] == "urn:hookvitals:problem:not_found"


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/records", headers=bearer("admin"))

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.get_json()["code"] == "method_not_allowed"


def test_every_fault_of_a_query_is_named_by_its_pointer(client: FlaskClient) -> None:
    answer = client.get("/api/v1/records?limit=x&limt=2", headers=bearer("read"))

    assert {fault["pointer"] for fault in answer.get_json()["errors"]} == {"/limit", "/limt"}
