"""Problem documents: their members, their headers, and what each of our errors becomes."""

import pytest

from monitor.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from monitor.problem import Fault, Problem, problem_of


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (BadRequest, 400, "Bad Request"),
        (Forbidden, 403, "Forbidden"),
        (NotFound, 404, "Not Found"),
        (Conflict, 409, "Conflict"),
        (TooLarge, 413, "Request Entity Too Large"),
    ],
)
def test_an_error_becomes_its_status_and_its_code(error: type[BadRequest], status: int, title: str) -> None:
    document = problem_of(error("it went wrong")).document()

    assert document == {
        "type": f"urn:hookvitals:problem:{error.code}",
        "title": title,
        "status": status,
        "detail": "it went wrong",
        "code": error.code,
    }


def test_an_unauthorized_answer_names_the_scheme_it_wants() -> None:
    headers = problem_of(Unauthorized("no key")).response_headers()

    assert headers["WWW-Authenticate"] == 'Bearer realm="hookvitals"'
    assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("error", [Unavailable, TooManyRequests])
def test_what_may_be_tried_again_says_when(error: type[Unavailable]) -> None:
    assert problem_of(error("later", retry_after_s=7)).response_headers()["Retry-After"] == "7"


def test_each_faulty_part_is_named_by_its_pointer() -> None:
    problem = Problem(
        422, "unprocessable", "two fields", faults=(Fault("/a", "missing"), Fault("/b/0", "no number"))
    )

    assert problem.document()["errors"] == [
        {"pointer": "/a", "detail": "missing"},
        {"pointer": "/b/0", "detail": "no number"},
    ]


def test_the_hint_tells_the_operator_what_to_do() -> None:
    assert problem_of(Unavailable("disk full", "free some room")).document()["hint"] == "free some room"
