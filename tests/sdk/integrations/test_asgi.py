"""The ASGI adapter beside an event loop: never blocks it, ends with it, and lends it to async handlers."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hookvitals import Event, Receiver
from hookvitals.integrations.asgi import application, lifespan, mount, on_this_loop
from tests.sdk.collector import KEY
from tests.sdk.integrations.adapters import PATH
from tests.sdk.integrations.serving import sent, served_asgi
from tests.sdk.world import Headers, World, deliver, request

SCOPE = {"type": "http", "method": "POST", "path": PATH, "headers": []}


def called(app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What the application sends when it is given these messages."""
    waiting = list(messages)
    out: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        out.append(message)

    asyncio.run(app(scope, receive, send))
    return out


def raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def test_other_routes_answer_while_a_handler_works(world: World) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def work(event: Event) -> None:
        entered.set()
        go_on.wait(10)

    world.behave = work

    async def alive(_: Request) -> PlainTextResponse:
        return PlainTextResponse("yes")

    app = Starlette(routes=[Route("/alive", alive)])
    mount(world.receiver(), app, PATH)
    headers, body = request()
    with served_asgi(app) as port:
        answers: list[int] = []
        sender = threading.Thread(
            target=lambda: answers.append(sent(port, "POST", PATH, headers, body).status), daemon=True
        )
        sender.start()
        assert entered.wait(10)

        assert sent(port, "GET", "/alive", [], b"").body == b"yes"
        assert answers == []
        go_on.set()
        sender.join(10)
    assert answers == [200]


def test_waiting_for_a_thread_counts_as_waiting_for_the_answer(world: World) -> None:
    """Practice 1: the sender's deadline runs meanwhile."""
    taken = threading.Event()
    app = application(world.receiver(), threads=1)

    def work(event: Event) -> None:
        if event.id == "evt_1":
            assert taken.wait(10)
            time.sleep(0.02)

    async def deliver_to(number: int) -> None:
        headers, body = request(f"evt_{number}")

        async def receive() -> dict[str, Any]:
            if number == 2:
                taken.set()
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            """Nobody listens."""

        await app({**SCOPE, "headers": raw(headers)}, receive, send)

    async def both() -> None:
        await asyncio.gather(deliver_to(1), deliver_to(2))

    world.behave = work
    asyncio.run(both())

    assert [record["event_id"] for record in world.records()] == ["evt_1", "evt_2"]
    assert world.records()[1]["ack_ms"] >= 20


def _alone(receiver: Receiver) -> Any:
    return application(receiver)


def _within(receiver: Receiver) -> Any:
    app = Starlette(lifespan=lifespan(receiver))
    mount(receiver, app, PATH)
    return app


@pytest.mark.parametrize("app_of", [_alone, _within])
def test_the_receiver_ends_with_the_server_and_ships_what_waits(
    world: World, app_of: Callable[[Receiver], Any]
) -> None:
    receiver = world.receiver(shipper=None, collector=world.url, key=KEY)  # its own: a batch waits 5 s
    headers, body = request()

    with served_asgi(app_of(receiver)) as port:
        assert sent(port, "POST", PATH, headers, body).status == 200

    assert [record["outcome"] for record in world.collector.records] == ["succeeded"]


@pytest.mark.parametrize("inbox", [False, True], ids=["inline", "inbox"])
def test_an_async_handler_runs_on_the_loop_of_the_application(world: World, inbox: bool) -> None:
    receiver = world.inbox(handle=None) if inbox else world.receiver(handle=None)
    loops: list[Any] = []
    own: list[Any] = []

    async def invoice(event: Event) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    @asynccontextmanager
    async def living(app: Any) -> Any:
        own.append(asyncio.get_running_loop())
        receiver.on("invoice.*")(on_this_loop(invoice))
        async with lifespan(receiver)(app):
            yield

    app = Starlette(lifespan=living)
    mount(receiver, app, PATH)
    headers, body = request()
    with served_asgi(app) as port:
        assert sent(port, "POST", PATH, headers, body).status == 200
        world.until(lambda: "succeeded" in world.outcomes())

    assert loops == own


def test_what_an_async_handler_raises_is_its_failure(world: World) -> None:
    receiver = world.receiver(handle=None)

    async def invoice(event: Event) -> None:
        raise LookupError("no such invoice")

    async def main() -> int:
        receiver.on("*")(on_this_loop(invoice))
        answer = await asyncio.to_thread(deliver, receiver)
        return answer.status

    assert asyncio.run(main()) == 500
    (record,) = world.records()
    assert (record["outcome"], record["error_class"]) == ("failed", "LookupError")


def test_a_loop_that_is_gone_or_waits_for_itself_fails_the_attempt_and_blocks_nobody(world: World) -> None:
    receiver = world.receiver(handle=None)

    async def invoice(event: Event) -> None:
        raise AssertionError("never reached")

    async def main() -> int:
        receiver.on("*")(on_this_loop(invoice))
        return deliver(receiver).status  # on the loop itself

    assert asyncio.run(main()) == 500
    assert deliver(receiver).status == 500  # the loop is closed by now
    assert {record["error_class"] for record in world.records()} == {"RuntimeError"}


def test_a_handler_whose_loop_ends_under_it_fails_its_attempt(world: World) -> None:
    receiver = world.receiver(handle=None)
    statuses: list[int] = []
    entered = threading.Event()

    async def invoice(event: Event) -> None:
        entered.set()
        await asyncio.Event().wait()

    async def main() -> None:
        receiver.on("*")(on_this_loop(invoice))
        thread.start()
        while not entered.is_set():
            await asyncio.sleep(0.001)

    thread = threading.Thread(target=lambda: statuses.append(deliver(receiver).status), daemon=True)
    asyncio.run(main())
    thread.join(10)

    assert statuses == [500]


def test_a_scope_may_leave_out_what_it_may(world: World) -> None:
    headers, body = request()

    start, rest = called(
        application(world.receiver()),
        {**SCOPE, "headers": raw(headers)},
        {"type": "http.request", "body": body[:9], "more_body": True},
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": body[9:]},
    )

    assert (start["status"], rest["body"]) == (200, b'{"ok":true}')
    assert (b"content-length", b"11") in start["headers"]


def test_no_more_of_a_body_is_taken_than_it_needs_to_be_refused(world: World) -> None:
    part = {"type": "http.request", "body": b"x" * 1500, "more_body": True}

    start, _ = called(application(world.receiver(max_body_bytes=2000)), SCOPE, part, part)

    assert start["status"] == 413


def test_an_answer_without_a_body_has_no_length(world: World) -> None:
    headers, body = request()
    app = application(world.receiver(profile={"ack_status": 204}))

    start, rest = called(app, {**SCOPE, "headers": raw(headers)}, {"type": "http.request", "body": body})

    assert (start["status"], rest["body"]) == (204, b"")
    assert b"content-length" not in dict(start["headers"])


def test_a_web_socket_is_refused(world: World) -> None:
    assert called(application(world.receiver()), {"type": "websocket"}) == [{"type": "websocket.close"}]


def test_mounted_below_a_path_it_answers_with_the_slash(world: World) -> None:
    """Starlette's own mount; `mount` of ours answers without it, which is what senders are given."""
    app = Starlette()
    app.mount("/hooks", application(world.receiver()))
    headers, body = request()

    with served_asgi(app) as port:
        assert sent(port, "POST", "/hooks/", headers, body).status == 200
        assert sent(port, "POST", "/hooks", headers, body).status == 307
