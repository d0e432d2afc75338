"""One HTTP request to an endpoint: does it answer as it should. The request is empty and unsigned; no event
is made."""

from datetime import datetime
from typing import Protocol

from alerts.errors import RequestFailed
from alerts.http import Response
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.conditions import unmet
from monitor.probes.target import ProbeTarget

ERROR_CHARS = 1024


class Requests(Protocol):
    """What is asked of `alerts.http.Client`."""

    def request(
        self, method: str, url: str, headers: dict[str, str] | None, body: bytes, timeout_s: float
    ) -> Response: ...


def probe_http(target: ProbeTarget, client: Requests, clock: Clock, timeout_s: float) -> ProbeResult:
    """ok when the answer has one of the target's statuses, or any below 500 when it states none, and meets
    its conditions.

    A receiver answers an unsigned request 4xx: it is there, and that is the question. Never raises for what
    the network does.
    """
    started_at = clock.now()
    try:
        answer = client.request(target.method, target.url, {}, b"", timeout_s)
    except RequestFailed as exc:
        return failed(target, ProbeKind.HTTP, started_at, exc)
    return result_of(target, ProbeKind.HTTP, started_at, answer, unmet(target, answer))


def failed(target: ProbeTarget, kind: ProbeKind, at: datetime, exc: RequestFailed) -> ProbeResult:
    """The result of a request that got no answer."""
    place = target.environment, target.source, target.endpoint
    return ProbeResult(*place, kind, False, at, error=str(exc)[:ERROR_CHARS])


def result_of(
    target: ProbeTarget, kind: ProbeKind, at: datetime, answer: Response, error: str | None
) -> ProbeResult:
    """The result of an answer; error: what is wrong with it, None when nothing is."""
    return ProbeResult(
        target.environment,
        target.source,
        target.endpoint,
        kind,
        error is None,
        at,
        http_status=answer.status,
        latency_ms=answer.elapsed_ms,
        error=None if error is None else error[:ERROR_CHARS],
    )
