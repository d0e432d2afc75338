"""A receiver as a route of a Flask application or blueprint."""

from contextlib import suppress
from io import BytesIO
from typing import Any, Union

from hookvitals.integrations import Body, Mounted, body_of
from hookvitals.integrations.wsgi import url_of
from hookvitals.schemes import MissingDependency

try:
    from flask import Blueprint, Flask, Response, request
except ImportError as exc:
    raise MissingDependency("a route of Flask needs: pip install 'hookvitals[flask]'") from exc

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def mount(receiver: Mounted, app: "Union[Flask, Blueprint]", path: str) -> None:
    """Adds the receiver at `path`, for every method, so that a GET is told 405 and noted.

    Nothing may read the form or the JSON of the request before: the signature is over the bytes.
    """

    def receive() -> Any:
        body = _body(receiver.settings.max_body_bytes)
        status, headers, answer = receiver.handle(
            request.method,
            url_of(request.environ),
            list(request.headers.items()),
            body.data,
            request.remote_addr,
            cut_off=body.cut_off,
        )
        return Response(answer, status=status, headers=headers)

    receiver.start()
    app.add_url_rule(
        path,
        endpoint=f"hookvitals:{path}".replace(".", "%2e"),  # one name a path; Flask allows it no dot
        view_func=receive,
        methods=_METHODS,
        provide_automatic_options=False,
    )


def _body(max_bytes: int) -> Body:
    """Whoever asks for it after us finds it as well."""
    length, seen = request.content_length, "stream" in request.__dict__  # a property that Werkzeug caches
    body = body_of(request.stream, max_bytes, length)
    if seen and not body.data:  # somebody has read it, and where get_data did, Flask has kept it
        with suppress(Exception):
            kept = request.get_data()
            return Body(kept[: max_bytes + 1], cut_off=len(kept) < (length or 0))
    request.stream = BytesIO(body.data)
    return body
