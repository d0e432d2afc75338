"""Flask and plain WSGI under a real server: the raw bytes arrive, and every request is answered and noted."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask import request as flask_request

from hookvitals import Receiver
from hookvitals.integrations.flask import mount
from hookvitals.integrations.wsgi import application
from tests.sdk.integrations.serving import chunked, sent, served
from tests.sdk.world import SECRET, Headers, World, request

PATH = "/webhooks/orders"


def flask_app(receiver: Receiver) -> Callable[..., Any]:
    app = Flask("test")
    mount(receiver, app, PATH)
    return app


def blueprint_app(receiver: Receiver) -> Callable[..., Any]:
    app = Flask("test")
    hooks = Blueprint("hooks", "test", url_prefix="/webhooks")
    receiver.init_app(hooks, "/orders")
    app.register_blueprint(hooks)
    return app


@pytest.fixture(params=[flask_app, blueprint_app, application], ids=["flask", "blueprint", "wsgi"])
def port(request: pytest.FixtureRequest, world: World) -> Iterator[int]:
    receiver = world.receiver(endpoint="orders.v2", max_body_bytes=2000)
    with served(request.param(receiver)) as listening:
        yield listening


def test_the_bytes_arrive_as_they_were_signed(world: World, port: int) -> None:
    headers, body = request(data={"name": "Zoë", "n": 1.0})

    assert sent(port, "POST", PATH, headers, body)[0] == 200
    assert world.handled[0].body == body
    (record,) = world.records()
    assert (record["outcome"], record["remote_ip"]) == ("succeeded", "127.0.0.1")


def test_a_body_without_a_length_is_read_whole(world: World, port: int) -> None:
    headers, body = request()

    assert chunked(port, PATH, headers, body) == 200
    assert world.handled[0].body == body


def test_a_changed_byte_is_refused(world: World, port: int) -> None:
    headers, body = request()

    status, answer = sent(port, "POST", PATH, headers, body.replace(b"evt_1", b"evt_2"))

    assert status == 401
    assert b"bad_signature" in answer
    assert world.handled == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_every_other_method_is_told_405_and_recorded(world: World, port: int, method: str) -> None:
    status, answer = sent(port, method, PATH, [], b"")

    assert status == 405
    assert (answer == b"") == (method == "HEAD")
    (record,) = world.records()
    assert (record["reason"], record["http_status"]) == ("method_not_allowed", 405)


def test_a_body_over_the_limit_is_told_413_and_recorded(world: World, port: int) -> None:
    headers, body = request(data={"x": "y" * 3000})

    assert sent(port, "POST", PATH, headers, body)[0] == 413
    assert chunked(port, PATH, headers, body) == 413
    assert [record["reason"] for record in world.records()] == ["too_large", "too_large"]
    assert world.handled == []


def test_a_signature_given_twice_is_malformed(world: World, port: int) -> None:
    headers, body = request()
    signature = [pair for pair in headers if pair[0] == "webhook-signature"]

    status, answer = sent(port, "POST", PATH, [*headers, *signature], body)

    assert status == 401
    assert b"malformed_signature" in answer


def test_bytes_above_ascii_in_a_header_are_refused_not_a_fault(port: int) -> None:
    headers: Headers = [
        (name, "msg_\u00e9" if name == "webhook-id" else value) for name, value in request()[0]
    ]

    assert sent(port, "POST", PATH, headers, b"{}")[0] == 401


def test_a_request_that_was_read_before_is_still_verified(world: World) -> None:
    """Somebody's before_request hook has looked at the body."""
    app = Flask("test")
    mount(world.receiver(), app, PATH)
    app.before_request(lambda: flask_request.get_data() and None)
    headers, body = request()

    assert app.test_client().post(PATH, data=body, headers=headers).status_code == 200


def test_two_receivers_can_be_mounted_on_one_application(world: World) -> None:
    app = Flask("test")
    mount(world.receiver(endpoint="a"), app, "/a")
    mount(world.receiver(endpoint="b"), app, "/b")
    mount(world.receiver(endpoint="a", environment="sandbox"), app, "/sandbox/a")
    headers, body = request()

    statuses = [app.test_client().post(path, data=body, headers=headers).status_code for path in ("/a", "/b")]

    assert statuses == [200, 200]
    assert app.test_client().post("/sandbox/a", data=body, headers=headers).status_code == 200


def test_a_mounted_receiver_works_what_an_earlier_process_left(world: World) -> None:
    from hookvitals import Event
    from tests.sdk.world import NOW

    for adapter in (flask_app, application):
        world.handled.clear()
        receiver = world.inbox(endpoint=adapter.__name__)
        assert receiver.inbox is not None
        receiver.inbox.put(
            adapter.__name__, Event("evt_0", "t", {}, b"{}", [], int(NOW * 1e6)), keep_us=10**9
        )
        assert world.handled == []

        adapter(receiver)

        world.until(lambda: [event.id for event in world.handled] == ["evt_0"])


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 405),
        ({"REQUEST_METHOD": "POST"}, 401),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "x", "wsgi.input": io.BytesIO(b"abc")}, 401),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "-5", "wsgi.input": io.BytesIO(b"abc")}, 401),
        (
            {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "99999999", "wsgi.input": io.BytesIO(b"x" * 9999)},
            413,
        ),
    ],
)
def test_an_environment_of_any_kind_is_answered(world: World, environ: dict[str, Any], status: int) -> None:
    said: list[str] = []
    app = application(world.receiver(max_body_bytes=2000))

    list(app(environ, lambda line, headers: said.append(line)))

    assert said[0].startswith(str(status))


def test_a_status_without_a_name_is_sent_all_the_same(world: World) -> None:
    headers, body = request()
    app = application(world.receiver(profile={"ack_status": 299}))
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
    said: list[str] = []

    given = {
        **environ,
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    list(app(given, lambda line, _: said.append(line)))

    assert said[0].startswith("299 ")
    assert SECRET not in said[0]
