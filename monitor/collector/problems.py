"""Every error of the collector as a problem document: ours, the framework's and the unforeseen.

An unforeseen error is logged with its stack and answered without it.
"""

import logging

from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException

from monitor.errors import HookvitalsError
from monitor.problem import Problem, problem_of

log = logging.getLogger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def install(app: Flask) -> None:
    """Makes the app answer every error as application/problem+json."""
    app.register_error_handler(HookvitalsError, lambda error: _send(problem_of(error)))
    app.register_error_handler(HTTPException, _of_framework)
    app.register_error_handler(Exception, _unforeseen)


def _send(problem: Problem) -> Response:
    response = Response(json.dumps(problem.document(), sort_keys=False), problem.status)
    response.headers.update(problem.response_headers())
    return response


def _of_framework(error: HTTPException) -> Response:
    status = error.code or 500
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    code = _CODES.get(status, f"http_{status}")
    return _send(Problem(status, code, error.description or error.name, headers=kept))


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen error in the collector", exc_info=error)
    return _send(
        Problem(500, "internal", "The collector met an error of its own.", "its log has the details")
    )
