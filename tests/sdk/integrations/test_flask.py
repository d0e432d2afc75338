"""The Flask adapter beside what other parts of the application do with the request."""

from io import BytesIO

from flask import Flask, Response
from flask import request as flask_request

from hookvitals.integrations.flask import mount
from tests.sdk.integrations.adapters import PATH
from tests.sdk.world import World, request


def test_a_request_that_was_read_before_is_still_verified(world: World) -> None:
    """Somebody's before_request hook has looked at the body."""
    app = Flask("test")
    mount(world.receiver(), app, PATH)
    app.before_request(lambda: flask_request.get_data() and None)
    headers, body = request()

    assert app.test_client().post(PATH, data=body, headers=headers).status_code == 200


def test_a_body_without_a_length_that_was_read_before_is_still_verified(world: World) -> None:
    app = Flask("test")
    mount(world.receiver(), app, PATH)
    app.before_request(lambda: flask_request.get_data() and None)
    headers, body = request()
    terminated = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}

    assert app.test_client().post(PATH, headers=headers, environ_overrides=terminated).status_code == 200


def test_a_server_that_ends_a_body_early_without_a_word_is_seen(world: World) -> None:
    """gunicorn's stream just ends; half a body would be a forgery to the signature."""
    app = Flask("test")
    mount(world.receiver(), app, PATH)
    headers, body = request()
    short = {
        "wsgi.input": BytesIO(body[:40]),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(len(body)),
    }

    assert app.test_client().post(PATH, headers=headers, environ_overrides=short).status_code == 400
    (record,) = world.records()
    assert f"40 of {len(body)} bytes came" in record["error_message"]


def test_who_asks_for_the_body_afterwards_finds_it(world: World) -> None:
    app = Flask("test")
    mount(world.receiver(), app, PATH)
    found: list[bytes] = []

    @app.after_request
    def note(response: Response) -> Response:
        found.append(flask_request.get_data())
        return response

    headers, body = request()
    app.test_client().post(PATH, data=body, headers=headers)

    assert found == [body]


def test_a_form_that_was_read_before_is_told_of_in_the_record(world: World) -> None:
    """Flask keeps no bytes of it, so no signature can hold."""
    app = Flask("test")
    mount(world.receiver(), app, PATH)
    app.before_request(lambda: flask_request.form and None)
    headers, body = request()
    form = [pair for pair in headers if pair[0].lower() != "content-type"]
    form.append(("Content-Type", "application/x-www-form-urlencoded"))

    assert app.test_client().post(PATH, data=body, headers=form).status_code == 400
    (record,) = world.records()
    assert "unless something read them before the receiver" in record["error_message"]


def test_two_receivers_can_be_mounted_on_one_application(world: World) -> None:
    app = Flask("test")
    mount(world.receiver(endpoint="a"), app, "/a")
    mount(world.receiver(endpoint="b"), app, "/b")
    mount(world.receiver(endpoint="a", environment="sandbox"), app, "/sandbox/a")
    headers, body = request()

    statuses = [app.test_client().post(path, data=body, headers=headers).status_code for path in ("/a", "/b")]

    assert statuses == [200, 200]
    assert app.test_client().post("/sandbox/a", data=body, headers=headers).status_code == 200
