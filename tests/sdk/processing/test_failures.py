"""Whose fault a failure is, and what follows: another try or a dead letter (practices 24, 25 and 29)."""

import base64
import concurrent.futures
import sqlite3
from typing import Any

import jsonschema
import psycopg
import pydantic
import pytest
import redis
import requests
import sqlalchemy.exc
from django.core.exceptions import ValidationError as DjangoValidationError

from hookvitals import Event, Permanent, RetryPolicy, Transient
from hookvitals.failures import Kind
from hookvitals.state import StateUnavailable
from hookvitals.validate import InvalidPayload
from tests.sdk.processing.drained import drained
from tests.sdk.world import World, deliver


def pydantic_error() -> Exception:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python("x")
    return caught.value


PASSES = [
    Transient("later"),
    StateUnavailable("away"),
    OSError("no route"),
    ConnectionResetError(),
    TimeoutError(),
    concurrent.futures.TimeoutError(),
    sqlite3.OperationalError("database is locked"),
    sqlalchemy.exc.OperationalError("SELECT 1", {}, Exception()),
    sqlalchemy.exc.DBAPIError("SELECT 1", {}, Exception()),
    sqlalchemy.exc.TimeoutError(),
    psycopg.OperationalError(),
    redis.ConnectionError(),
    requests.ReadTimeout(),
    type("ReadTimeout", (type("TransportError", (Exception,), {"__module__": "httpx"}),), {})("slow"),
]
LASTS = [
    Permanent("never"),
    InvalidPayload("of another form"),
    pydantic_error(),
    jsonschema.ValidationError("of another form"),
    DjangoValidationError("of another form"),
]
UNKNOWN = [ValueError("anything"), KeyError("total"), RuntimeError()]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        *((error, Kind.TRANSIENT) for error in PASSES),
        *((error, Kind.PERMANENT) for error in LASTS),
        *((error, Kind.UNKNOWN) for error in UNKNOWN),
    ],
    ids=lambda one: type(one).__module__ if isinstance(one, Exception) else "",
)
def test_errors_of_well_known_libraries_are_told_apart(error: Exception, kind: Kind) -> None:
    assert RetryPolicy().kind_of(error) is kind


class Unpaid(Exception):
    """Of an application's own."""


class UnpaidForNow(Unpaid):
    """The exception to its rule."""


def test_an_application_names_its_own_errors_and_the_closest_base_decides() -> None:
    policy = RetryPolicy(transient=(UnpaidForNow,), permanent=(f"{__name__}.Unpaid", "builtins.KeyError"))

    assert policy.kind_of(Unpaid()) is Kind.PERMANENT
    assert policy.kind_of(UnpaidForNow()) is Kind.TRANSIENT
    assert policy.kind_of(KeyError()) is Kind.PERMANENT
    assert policy.kind_of(LookupError()) is Kind.UNKNOWN


def test_giving_up_on_everything_still_retries_what_is_known_to_pass() -> None:
    policy = RetryPolicy(permanent=(Exception,))

    assert policy.kind_of(KeyError()) is Kind.PERMANENT
    assert {policy.kind_of(error) for error in PASSES} == {Kind.TRANSIENT}


@pytest.mark.parametrize(
    "given",
    [{"transient": (3,)}, {"permanent": (int,)}, {"transient": (OSError,), "permanent": (OSError,)}],
)
def test_a_policy_that_contradicts_itself_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"transient|class"):
        RetryPolicy(**given)


def test_a_permanent_failure_is_a_dead_letter_after_one_attempt(world: World) -> None:
    """Bug of a guide: a validation error went through every retry."""

    def refuse(event: Event) -> None:
        raise pydantic_error()

    world.behave = refuse
    receiver = world.inbox()
    deliver(receiver, data={"n": 1})
    drained(world, receiver)

    _, letter = world.records()
    assert (letter["outcome"], letter["attempt"]) == ("dead_lettered", 1)
    assert letter["error_class"].endswith(".ValidationError")
    assert base64.b64decode(letter["capture"]["body"]) == world.handled[0].body


def test_a_database_error_is_tried_again(world: World) -> None:
    def lock_once(event: Event) -> None:
        if event.attempt == 1:
            raise sqlite3.OperationalError("database is locked")

    world.behave = lock_once
    receiver = world.inbox()
    deliver(receiver)
    drained(world, receiver)

    assert world.outcomes() == ["accepted", "failed", "succeeded"]


def test_waits_are_bounded_by_1_and_2_seconds_before_the_third_and_last_attempt() -> None:
    """Bug of a guide: its comment says 1 s, 2 s, 4 s, its code waits 2 s and 4 s."""
    policy = RetryPolicy(uniform=lambda low, high: high)

    assert [policy.wait_s(attempt) for attempt in (1, 2)] == [1.0, 2.0]
    assert [policy.exhausted(attempt) for attempt in (1, 2, 3)] == [False, False, True]


def test_the_count_of_attempts_is_kept_over_a_restart(world: World) -> None:
    """Bug of a guide: the count of retries is never written back, so the last one never comes."""

    def fail(event: Event) -> None:
        raise RuntimeError

    world.behave = fail
    first = world.inbox(retry=RetryPolicy(uniform=lambda low, high: 1.0))
    deliver(first)
    world.until(lambda: len(world.handled) == 1)
    first.close()
    world.clock.now += 2

    second = world.inbox(retry=RetryPolicy(attempts=2))
    second.start()
    drained(world, second)

    assert [event.attempt for event in world.handled] == [1, 2]
    assert world.outcomes() == ["accepted", "failed", "dead_lettered"]


def test_without_an_inbox_a_permanent_failure_is_recorded_with_its_body_and_no_2xx(world: World) -> None:
    def refuse(event: Event) -> None:
        raise Permanent("no such customer")

    world.behave = refuse
    receiver = world.receiver()

    answer = deliver(receiver, data={"n": 1})

    assert (answer.status, answer.problem["code"]) == (422, "dead_lettered")
    (letter,) = world.records()
    assert (letter["outcome"], letter["error_class"]) == ("dead_lettered", "hookvitals.failures.Permanent")
    assert base64.b64decode(letter["capture"]["body"]) == world.handled[0].body


def test_a_source_that_comes_back_for_ever_may_be_told_2xx(world: World) -> None:
    def refuse(event: Event) -> None:
        raise Permanent

    world.behave = refuse
    answer = deliver(world.receiver(profile={"statuses": {"dead_lettered": 202}}))

    assert (answer.status, answer.body) == (202, b'{"ok":true}')
    assert world.outcomes() == ["dead_lettered"]
