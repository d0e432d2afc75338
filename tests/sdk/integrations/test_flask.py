"""The Flask adapter beside what other parts of the application do with the request."""

from flask import Flask
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


def test_two_receivers_can_be_mounted_on_one_application(world: World) -> None:
    app = Flask("test")
    mount(world.receiver(endpoint="a"), app, "/a")
    mount(world.receiver(endpoint="b"), app, "/b")
    mount(world.receiver(endpoint="a", environment="sandbox"), app, "/sandbox/a")
    headers, body = request()

    statuses = [app.test_client().post(path, data=body, headers=headers).status_code for path in ("/a", "/b")]

    assert statuses == [200, 200]
    assert app.test_client().post("/sandbox/a", data=body, headers=headers).status_code == 200
