"""Every error of the management API as a problem document: ours, the framework's, and the unforeseen.

Sends what `monitor.problem` builds. An unforeseen error is logged with its stack and answered without it.
"""

import logging
from http import HTTPStatus

from flask import Flask, Response, json, make_response
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from alerts.errors import AlertsError
from monitor.errors import HookvitalsError
from monitor.problem import Fault, Problem, problem_of

log = logging.getLogger(__name__)

FRAMEWORK_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}
"""Status of an error that Flask or Werkzeug raises → the stable code. Others become `http_<status>`."""


def install(app: Flask) -> None:
    """Make the app answer every error as application/problem+json."""
    app.register_error_handler(HookvitalsError, lambda error: send(problem_of(error)))
    app.register_error_handler(AlertsError, lambda error: send(_of_alerts(error)))
    app.register_error_handler(HTTPException, lambda error: send(_of_framework(error)))
    app.register_error_handler(Exception, _unforeseen)


def send(problem: Problem) -> Response:
    """The problem as a response."""
    response = make_response(json.dumps(problem.document(), sort_keys=False), problem.status)
    response.headers.update(problem.response_headers())
    return response


def unusable(error: ValidationError) -> Response:
    """422 for a body or parameters that pydantic refused, each fault with its pointer."""
    faults = [
        Fault("/" + "/".join(str(part) for part in fault["loc"]), fault["msg"])
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return send(Problem(422, "unprocessable", "The request has parts that cannot be used.", faults=faults))


def _of_alerts(error: AlertsError) -> Problem:
    return Problem(int(HTTPStatus.UNPROCESSABLE_ENTITY), error.code, error.message, error.hint)


def _of_framework(error: HTTPException) -> Problem:
    status = error.code or int(HTTPStatus.INTERNAL_SERVER_ERROR)
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    code = FRAMEWORK_CODES.get(status, f"http_{status}")
    return Problem(status, code, error.description or error.name, headers=kept)


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen error in the management API", exc_info=error)
    return send(Problem(500, "internal", "The monitor met an error of its own.", "its log has the details"))
