"""Writes that carry an Idempotency-Key: a repeat is answered as the first was, and does nothing.

The answer is kept for a day. Two at once under one key: the second is told to wait. Answers that show a
secret are never kept, so those routes take no such key.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, current_app, g, request

from monitor.api.access import current_actor
from monitor.clock import Clock
from monitor.errors import Conflict, Unprocessable
from monitor.store.control.answers import Answer, Answers

View = TypeVar("View", bound=Callable[..., object])
HEADER = "Idempotency-Key"
LONGEST = 255
WRITES = ("POST", "PUT", "DELETE")
_UNKEPT = "hookvitals_answer_is_not_kept"


def shows_a_secret(view: View) -> View:
    """Mark a view whose answer must not be kept."""
    setattr(view, _UNKEPT, True)
    return view


def install(app: Flask, answers: Callable[[], Answers], clock: Callable[[], Clock]) -> None:
    """Recall and keep answers around every write of the app; goes after the guard."""
    at_work: set[tuple[str, str]] = set()
    lock = threading.Lock()

    def recall() -> Response | None:
        key = request.headers.get(HEADER)
        if key is None or request.method not in WRITES or request.routing_exception is not None:
            return None
        if not 0 < len(key) <= LONGEST:
            raise Unprocessable(f"an {HEADER} has 1 to {LONGEST} characters", "take a UUID")
        if hasattr(current_app.view_functions[request.endpoint or ""], _UNKEPT):
            raise Unprocessable("this answer shows a secret, and is not kept", f"leave {HEADER} out")
        claim = (current_actor().name, key)
        with lock:
            if claim in at_work:
                raise Conflict("a request with this Idempotency-Key is being worked on", "try again")
            at_work.add(claim)
        g.claim = claim
        known = answers().recall(claim[0], key, _asked())
        if known is None:
            return None
        g.recalled = True
        return Response(known.body, known.status, mimetype="application/json")

    def keep(response: Response) -> Response:
        claim = g.get("claim")
        if claim is not None and not g.get("recalled") and response.status_code < 300:
            answer = Answer(response.status_code, response.get_data(as_text=True))
            answers().keep(claim[0], claim[1], _asked(), answer, clock().now())
        return response

    def release(_: BaseException | None) -> None:
        claim = g.pop("claim", None)
        if claim is not None:
            with lock:
                at_work.discard(claim)

    app.before_request(recall)
    app.after_request(keep)
    app.teardown_request(release)


def _asked() -> bytes:
    """What must be the same in a repeat."""
    return f"{request.method} {request.full_path}\n".encode() + request.get_data()
