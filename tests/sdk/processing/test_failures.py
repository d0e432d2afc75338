"""Whose fault a failure is, and what follows: another try or a dead letter (practices 24, 25 and 29)."""

import asyncio
import base64
import concurrent.futures
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
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


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_process_goes_on_recorded_and_the_next_copy_runs_at_once(
    world: World, kind: type[BaseException]
) -> None:
    """So a server ends a process whose request takes too long; the sender comes again within the lease."""

    def end(event: Event) -> None:
        raise kind("too slow")

    world.behave = end
    receiver = world.receiver()
    with pytest.raises(kind, match="too slow"):
        deliver(receiver)
    world.behave = lambda event: None

    assert deliver(receiver).status == 200
    failed, succeeded = world.records()
    assert (failed["outcome"], failed["error_class"], failed["attempt"]) == ("failed", kind.__name__, 1)
    assert (succeeded["outcome"], succeeded["attempt"]) == ("succeeded", 2)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_in_a_thread_of_a_server_it_is_a_failure_like_any_other(
    world: World, kind: type[BaseException]
) -> None:
    """Under asyncio it would have ended the server, and all that was in its hands."""

    def end(event: Event) -> None:
        raise kind

    world.behave = end
    receiver = world.receiver()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(deliver, receiver).result(10).status == 500

    assert world.outcomes() == ["failed"]


async def coroutine(event: object) -> None:
    raise AssertionError("nobody awaits it")


def generator(event: object) -> Iterator[None]:
    yield


async def async_generator(event: object) -> AsyncIterator[None]:
    yield


class Callable:
    async def __call__(self, event: object) -> None:
        raise AssertionError("nobody awaits it")


@pytest.mark.parametrize("handler", [coroutine, generator, async_generator, Callable()])
def test_a_handler_that_would_only_begin_is_refused(world: World, handler: Any) -> None:
    receiver = world.inbox(handle=None)

    for register in (receiver.on, receiver.batch):
        with pytest.raises(ValueError, match="nobody would await it"):
            register("*")(handler)


def test_a_handler_that_gives_a_coroutine_has_not_done_the_work(world: World) -> None:
    """Neither is it a success nor forgotten: its sender comes again, or the inbox tries again."""
    receiver = world.receiver(handle=None)
    receiver.on("*")(lambda event: coroutine(event))
    inbox = world.inbox(handle=None, endpoint="later", breaker=None)
    inbox.on("one")(lambda event: coroutine(event))
    inbox.batch("many", size=1)(lambda events: coroutine(events))

    assert deliver(receiver).status == 500
    for kind in ("one", "many"):
        deliver(inbox, f"evt_{kind}", event_type=kind)
        drained(world, inbox)

    later = ["accepted", "failed", "failed", "dead_lettered"]
    assert world.outcomes() == ["failed", *later, *later]


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
