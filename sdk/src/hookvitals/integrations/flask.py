"""A receiver as a route of a Flask application."""

from typing import Any

from flask import Flask, Response, request

from hookvitals.receiver import Receiver


def mount(receiver: Receiver, app: Flask, path: str) -> None:
    """Adds the receiver at `path`, for every method, so that a GET is told 405 and noted."""

    def receive() -> Any:
        limit = receiver.settings.max_body_bytes
        declared = request.content_length or 0
        body = b"\0" * (limit + 1) if declared > limit else request.get_data(cache=False)
        status, headers, answer = receiver.handle(
            request.method, list(request.headers.items()), body, request.remote_addr
        )
        return Response(answer, status=status, headers=headers)

    receiver.start()
    app.add_url_rule(
        path,
        endpoint=f"hookvitals:{receiver.settings.source}:{receiver.settings.endpoint}",
        view_func=receive,
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        provide_automatic_options=False,
    )
