"""The routes of ingest: records, queue samples, probe results. Each answers after its content is on disk."""

from collections.abc import Callable
from functools import partial

import msgspec
from flask import Blueprint, Response, after_this_request, request

from monitor.collector.body import discard, read
from monitor.collector.counters import SECONDS, STATUSES
from monitor.collector.front import Front
from monitor.collector.keys import INGEST, Key, authenticated
from monitor.collector.wire import Answer
from monitor.errors import Forbidden, HookvitalsError, Overloaded, TooLarge, Unauthorized

Take = Callable[[bytes, str, Key], Answer]

_encode = msgspec.json.Encoder().encode


def routes(front: Front) -> Blueprint:
    """The ingest routes over this front."""
    blueprint = Blueprint("ingest", __name__, url_prefix="/api/v1")
    takes: dict[str, Take] = {
        "records": front.ingest.take,
        "queues": front.samples.take_queues,
        "probes": front.samples.take_probes,
    }
    for route, take in takes.items():
        view = partial(_counted, front, route, take)
        blueprint.add_url_rule(f"/{route}", route, view, methods=["POST"], provide_automatic_options=False)
    return blueprint


def _counted(front: Front, route: str, take: Take) -> Response:
    """The answer of one request, with its status and duration counted."""
    started_s = front.monotonic()
    status = 500
    try:
        response = _taken(front, route, take)
        status = response.status_code
        return response
    except HookvitalsError as exc:
        status = exc.status
        if isinstance(exc, Overloaded):
            front.counters.add({("turned_away", ""): 1})
        if not isinstance(exc, Unauthorized | Forbidden):  # a stranger gets no thread to read for
            discard(request.environ["wsgi.input"], 2 * front.settings.body_bytes)
        raise
    finally:
        taken_s = front.monotonic() - started_s
        bound = next((str(bound) for bound in SECONDS if taken_s <= bound), "+Inf")
        front.counters.add(
            {
                ("requests", f"{route} {status if status in STATUSES else 500}"): 1,
                ("request_bucket", bound): 1,
                ("request_us", ""): int(taken_s * 1e6),
            }
        )


def _taken(front: Front, route: str, take: Take) -> Response:
    settings = front.settings
    key = authenticated(request.headers.get("Authorization"), front.keys, INGEST)
    if (request.content_length or 0) > settings.body_bytes:
        raise TooLarge(
            f"the body is larger than {settings.body_bytes} bytes", "send fewer records in a request"
        )
    encoding = request.headers.get("Content-Encoding", "")
    if route == "records" and settings.key_records_per_s:
        _tell_allowance(front, key)
        front.buckets.require(key.id)
    with front.gate.admitted(_expected_bytes(settings.body_bytes, encoding)) as admission:
        body = read(request.environ["wsgi.input"], encoding, settings.body_bytes, settings.compressed_bytes)
        admission.resize(len(body))
        answer = take(body, request.mimetype, key)
    return Response(_encode(answer), 200, content_type="application/json")


def _tell_allowance(front: Front, key: Key) -> None:
    """Adds what the key may still send to the answer, whatever it will be."""

    def tell(response: Response) -> Response:
        found = front.buckets.allowance(key.id)
        if found is not None:
            response.headers["RateLimit-Policy"] = f'"records";q={found.limit};w=1'
            response.headers["RateLimit"] = f'"records";r={found.remaining};t={found.reset_s}'
        return response

    after_this_request(tell)


def _expected_bytes(most: int, encoding: str) -> int:
    """About how large the body will be: what is compressed mostly grows tenfold."""
    length = request.content_length
    if length is None:
        return most
    return min(most, length * 10 if encoding.strip() else length)
