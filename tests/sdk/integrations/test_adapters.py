"""Every adapter under a real server: bytes, headers and address arrive as the sender sent them, and
whatever is sent is answered and noted, or was never an event.
"""

import asyncio
import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from hookvitals import Event, make
from tests.sdk.integrations.adapters import (
    ADAPTERS,
    ASGI,
    BOUNDED,
    PATH,
    READS_ALL,
    WSGI,
    django_urls,
    serving,
)
from tests.sdk.integrations.serving import CHUNKED, broken_off, chunk, chunked, sent
from tests.sdk.world import NOW, SECRET, Headers, World, request

LIMIT = 2000
STANDARD: Any = make("standard", [SECRET])


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def port(adapter: str, world: World) -> Iterator[int]:
    receiver = world.receiver(endpoint="orders.v2", max_body_bytes=LIMIT)
    with serving(adapter, receiver) as listening:
        yield listening


def signed(body: bytes, event_id: str = "evt_1") -> Headers:
    return [*STANDARD.sign(body, NOW, event_id)]


def test_the_bytes_arrive_as_they_were_signed(world: World, port: int) -> None:
    """Practice 5; a guide's example verified JSON that had been parsed and written again."""
    body = b'{"type": "invoice.paid",\r\n "name": "Zo\xc3\xab", "n": 1.0}\r\n'

    assert sent(port, "POST", PATH, signed(body), body).status == 200
    assert world.handled[0].body == body
    (record,) = world.records()
    assert (record["outcome"], record["remote_ip"]) == ("succeeded", "127.0.0.1")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(b'{"type": "t"}', mtime=0), [("Content-Encoding", "gzip")]),
        (b'{"type": "\xff\xfe"}', [("Content-Type", "application/json; charset=utf-8")]),
        (b"type=t&name=Zo%C3%AB", [("Content-Type", "application/x-www-form-urlencoded")]),
        (b"--x\r\n\r\nt\r\n--x--", [("Content-Type", "multipart/form-data; boundary=x")]),
        (b"", []),
    ],
    ids=["gzip", "not-utf8", "form", "multipart", "empty"],
)
def test_no_adapter_decodes_a_body(world: World, port: int, body: bytes, headers: Headers) -> None:
    """The signature holds over the bytes; only then they turn out to be no event."""
    status = sent(port, "POST", PATH, [*headers, *signed(body)], body).status

    assert status == 400
    assert [record["reason"] for record in world.records()] == ["malformed_body"]


def test_a_body_without_a_length_is_read_whole(world: World, port: int) -> None:
    headers, body = request()

    assert chunked(port, PATH, headers, body) == 200
    assert world.handled[0].body == body


def test_a_changed_byte_is_refused(world: World, port: int) -> None:
    headers, body = request()

    status, answer, _ = sent(port, "POST", PATH, headers, body.replace(b"evt_1", b"evt_2"))

    assert status == 401
    assert b"bad_signature" in answer
    assert world.handled == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_every_other_method_is_told_405_and_recorded(world: World, port: int, method: str) -> None:
    """Practice 10: POST alone."""
    answer = sent(port, method, PATH, [], b"")

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert (answer.body == b"") == (method == "HEAD")
    (record,) = world.records()
    assert (record["reason"], record["http_status"]) == ("method_not_allowed", 405)


def test_a_body_over_the_limit_is_told_413_and_recorded(world: World, port: int) -> None:
    headers, body = request(data={"x": "y" * 3000})

    assert sent(port, "POST", PATH, headers, body).status == 413
    assert chunked(port, PATH, headers, body) == 413
    assert [record["reason"] for record in world.records()] == ["too_large", "too_large"]
    assert world.handled == []


@pytest.mark.parametrize("length", [("Content-Length", "100000000"), CHUNKED], ids=["declared", "chunked"])
@pytest.mark.parametrize("adapter", BOUNDED, indirect=True)
def test_a_body_over_the_limit_is_refused_before_its_end(port: int, length: tuple[str, str]) -> None:
    """The rest never comes."""
    more = b"x" * (LIMIT + 1)

    assert sent(port, "POST", PATH, [length], chunk(more) if length == CHUNKED else more).status == 413


@pytest.mark.parametrize("length", [("Content-Length", "500"), CHUNKED], ids=["declared", "chunked"])
@pytest.mark.parametrize("reset", [False, True], ids=["ended", "reset"])
@pytest.mark.parametrize("adapter", BOUNDED, indirect=True)
def test_half_a_body_is_no_event_and_no_forgery_and_on_record(
    world: World, port: int, length: tuple[str, str], reset: bool
) -> None:
    headers, body = request()
    half = chunk(body[:40]) + b"63\r\nhal" if length == CHUNKED else body[:40]

    broken_off(port, PATH, [*headers, length], half, reset=reset)
    world.until(lambda: len(world.records()) == 1)

    assert sent(port, "POST", PATH, headers, body).status == 200
    assert world.outcomes() == ["rejected", "succeeded"]
    record = world.records()[0]
    assert (record["reason"], record["http_status"]) == ("malformed_body", 400)
    assert "the body broke off" in record["error_message"]
    assert not {"event_id", "secret_id", "cause"} & set(record), "nothing of it was looked at"
    if length != CHUNKED and not reset:
        assert "40 of 500 bytes came" in record["error_message"]


@pytest.mark.parametrize("adapter", [READS_ALL], indirect=True)
def test_half_a_body_never_reaches_a_view_of_django_under_asgi(world: World, port: int) -> None:
    headers, body = request()

    broken_off(port, PATH, [*headers, ("Content-Length", "500")], body[:40])

    assert sent(port, "POST", PATH, headers, body).status == 200
    assert world.outcomes() == ["succeeded"]


class Endless:
    """A body without an end, as the standard has it. taken: bytes that were asked for."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int) -> bytes:
        self.taken += size
        return b"x" * size

    readline = read


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
@pytest.mark.parametrize("adapter", WSGI)
def test_of_an_endless_body_one_byte_more_than_the_limit_is_read(
    world: World, adapter: str, declared: bool
) -> None:
    body = Endless()
    environ: dict[str, Any] = EnvironBuilder(method="POST", path=PATH).get_environ()
    environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(10**12) if declared else ""}
    environ |= {} if declared else {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    receiver = world.receiver(max_body_bytes=LIMIT)
    said: list[str] = []

    with django_urls(receiver):
        for _ in WSGI[adapter](receiver, PATH)(environ, lambda line, headers: said.append(line)):
            pass

    assert said[0].startswith("413")
    assert body.taken == LIMIT + 1


@pytest.mark.parametrize("adapter", [name for name in ASGI if name in BOUNDED])
def test_of_an_endless_body_no_part_is_taken_beyond_the_limit(world: World, adapter: str) -> None:
    receiver = world.receiver(max_body_bytes=LIMIT)
    taken: list[int] = []
    statuses: list[int] = []

    async def receive() -> Any:
        taken.append(500)
        return {"type": "http.request", "body": b"x" * 500, "more_body": True}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
    asyncio.run(ASGI[adapter](receiver, PATH)(scope, receive, send))

    assert statuses[0] == 413
    assert sum(taken) <= LIMIT + 500


def test_a_signature_given_twice_is_malformed(world: World, port: int) -> None:
    headers, body = request()
    signature = [pair for pair in headers if pair[0] == "webhook-signature"]

    status, answer, _ = sent(port, "POST", PATH, [*headers, *signature], body)

    assert status == 401
    assert b"malformed_signature" in answer


@pytest.mark.parametrize("adapter", ASGI, indirect=True)
def test_headers_given_twice_stay_two(world: World, port: int) -> None:
    """Under ASGI. A WSGI server has made one of them."""
    headers, body = request()

    sent(port, "POST", PATH, [*headers, ("webhook-id", "evt_2")], body)

    (record,) = world.records()
    assert "the webhook-id header is given 2 times" in record["error_message"]


def test_bytes_above_ascii_in_a_header_are_refused_not_a_fault(port: int) -> None:
    headers: Headers = [(name, "msg_é" if name == "webhook-id" else value) for name, value in request()[0]]

    assert sent(port, "POST", PATH, headers, b"{}").status == 401


def test_a_handler_that_fails_is_answered_500_and_the_next_one_handled(world: World, port: int) -> None:
    def fail(event: Event) -> None:
        raise LookupError("no such invoice")

    world.behave = fail
    headers, body = request()
    answer = sent(port, "POST", PATH, headers, body)
    world.behave = lambda event: None

    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert sent(port, "POST", PATH, headers, body).status == 200
    assert world.outcomes() == ["failed", "succeeded"]


def test_events_are_handled_at_the_same_time(world: World, port: int) -> None:
    together = threading.Barrier(8)

    def meet(event: Event) -> None:
        together.wait(10)

    world.behave = meet

    def send(number: int) -> int:
        headers, body = request(f"evt_{number}")
        return sent(port, "POST", PATH, headers, body).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {200}
    assert {event.id for event in world.handled} == {f"evt_{number}" for number in range(8)}


def test_what_an_earlier_process_left_is_worked_before_any_request(world: World, adapter: str) -> None:
    """Practice 4."""
    receiver = world.inbox(handle=None)
    assert receiver.inbox is not None
    receiver.inbox.put("evt_0", Event("evt_0", "t", {}, b"{}", [], int(NOW * 1e6)), keep_us=10**9)

    with serving(adapter, receiver):
        receiver.on("*")(world.handled.append)  # handlers may come after the mounting
        world.clock.now += 2.0
        world.until(lambda: [event.id for event in world.handled] == ["evt_0"])
