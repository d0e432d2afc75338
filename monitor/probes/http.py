"""One HTTP request to an endpoint: does it answer. The request is empty and unsigned; no event is made."""

from typing import Protocol

from alerts.errors import RequestFailed
from alerts.http import Response
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget

ERROR_CHARS = 1024


class Requests(Protocol):
    """What is asked of `alerts.http.Client`."""

    def request(
        self, method: str, url: str, headers: dict[str, str] | None, body: bytes, timeout_s: float
    ) -> Response: ...


def probe_http(target: ProbeTarget, client: Requests, clock: Clock, timeout_s: float) -> ProbeResult:
    """Up when the endpoint answers one of its statuses, or anything below 500 when it states none.

    A receiver answers an unsigned request 4xx: it is there, and that is the question. Never raises for what
    the network does.
    """
    started_at = clock.now()
    try:
        answer = client.request(target.method, target.url, {}, b"", timeout_s)
    except RequestFailed as exc:
        return ProbeResult(
            target.environment,
            target.source,
            target.endpoint,
            ProbeKind.HTTP,
            False,
            started_at,
            error=str(exc)[:ERROR_CHARS],
        )
    up = answer.status in target.statuses if target.statuses else answer.status < 500
    return ProbeResult(
        target.environment,
        target.source,
        target.endpoint,
        ProbeKind.HTTP,
        up,
        started_at,
        http_status=answer.status,
        latency_ms=answer.elapsed_ms,
        error=None if up else f"answered {answer.status}",
    )
