"""A receiver as a route of a Flask application or blueprint."""

from typing import Any, Union

from flask import Blueprint, Flask, Response, request

from hookvitals.integrations import Mounted, answer_of, body_of
from hookvitals.integrations.wsgi import url_of

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def mount(receiver: Mounted, app: "Union[Flask, Blueprint]", path: str) -> None:
    """Adds the receiver at `path`, for every method, so that a GET is told 405 and noted.

    Nothing may read the form or the JSON of the request before: the signature is over the bytes.
    """
    limit = receiver.settings.max_body_bytes

    def receive() -> Any:
        declared = request.content_length
        small = declared is not None and declared <= limit
        body = request.get_data(cache=True) if small else body_of(request.stream, limit)
        status, headers, answer = answer_of(
            receiver,
            request.method,
            url_of(request.environ),
            list(request.headers.items()),
            body,
            request.remote_addr,
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
