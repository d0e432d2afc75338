"""The WSGI adapter with environments of any kind, and under a server that tells only what it must."""

import io
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest

from hookvitals.integrations.wsgi import application, url_of
from tests.sdk.integrations.adapters import PATH
from tests.sdk.integrations.serving import sent
from tests.sdk.world import SECRET, World, request


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 405),
        ({"REQUEST_METHOD": "POST"}, 401),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "x", "wsgi.input": io.BytesIO(b"abc")}, 401),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "-5", "wsgi.input": io.BytesIO(b"abc")}, 401),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"abc")}, 400),
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


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"PATH_INFO": "/caf\xc3\xa9~"}, "http:///caf%C3%A9~"),
        ({"PATH_INFO": "/caf\xc3\xa9~", "REQUEST_URI": "/caf%c3%a9%7E?x"}, "http:///caf%c3%a9%7E"),
        ({"PATH_INFO": "/a", "SCRIPT_NAME": "/put/before", "RAW_URI": "/a"}, "http:///put/before/a"),
        ({"PATH_INFO": "/\xff", "SERVER_NAME": "h"}, "http://h/%FF"),
        ({"PATH_INFO": "/\u2603", "HTTP_HOST": "a:1", "wsgi.url_scheme": "https"}, "https://a:1/%3F"),
        ({"PATH_INFO": "/a", "RAW_URI": "http://elsewhere/a", "QUERY_STRING": "q=%2F"}, "http:///a?q=%2F"),
    ],
)
def test_the_url_is_what_was_written_where_the_server_tells(environ: dict[str, Any], url: str) -> None:
    assert url_of(environ) == url


@pytest.mark.parametrize(("ack", "length"), [(299, "11"), (204, None)])
def test_any_status_is_sent_and_one_without_a_body_has_no_length(
    world: World, ack: int, length: str | None
) -> None:
    headers, body = request()
    app = application(world.receiver(profile={"ack_status": ack}))
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
    environ |= {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    said: list[tuple[str, dict[str, str]]] = []

    list(app(environ, lambda line, pairs: said.append((line, dict(pairs)))))

    assert said[0][0].startswith(f"{ack} ")
    assert said[0][1].get("Content-Length") == length
    assert SECRET not in said[0][0]


def test_the_server_of_the_standard_library_will_do(world: World) -> None:
    """It checks every answer by the standard, and says nothing of how the path was written."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    headers, body = request()
    app: Any = validator(application(world.receiver()))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            taken = sent(server.server_port, "POST", PATH, headers, body)
            told = sent(server.server_port, "HEAD", PATH, [], b"")
        finally:
            server.shutdown()
            thread.join(5)

    assert (taken.status, taken.body) == (200, b'{"ok":true}')
    assert (told.status, told.body) == (405, b"")
