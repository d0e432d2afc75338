"""A canary: a signed request that only asks whether the way is open, and the record that must come of it.

The receiver answers it like an event and reports a record marked `canary`, which no business figure counts.
So it goes the whole way: to the endpoint, through the signature check, from the receiver to the collector
and into the facts.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from alerts.errors import RequestFailed
from hookvitals.replay import canary_headers
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.http import Requests, failed, result_of
from monitor.probes.target import ProbeTarget
from monitor.store.facts.protocol import FactReader

BODY = json.dumps({"type": "canary", "note": "hookvitals asks whether the way is open"}).encode()
SecretOf = Callable[[ProbeTarget], str]
"""The endpoint's replay secret. Raises ValueError, in words, when there is none that can be used."""


def send_canary(
    target: ProbeTarget, canary_id: str, secret_of: SecretOf, client: Requests, clock: Clock, timeout_s: float
) -> ProbeResult:
    """ok when it was answered 2xx; whether it arrived is seen later. Never raises for what the network
    does."""
    started_at = clock.now()
    try:
        signed = dict(canary_headers(canary_id, BODY, secret_of(target), started_at.timestamp()))
        headers = {"Content-Type": "application/json", **signed}
        answer = client.request("POST", target.receives_at, headers, BODY, timeout_s)
    except RequestFailed as exc:
        return failed(target, ProbeKind.CANARY, started_at, exc)
    except ValueError as exc:  # nothing was sent
        place = target.environment, target.source, target.endpoint
        return ProbeResult(*place, ProbeKind.CANARY, False, started_at, error=f"no canary was sent: {exc}")
    taken = 200 <= answer.status < 300
    refused = f"a signed canary was refused with {answer.status}: is its replay_secret the receiver's?"
    return result_of(target, ProbeKind.CANARY, started_at, answer, None if taken else refused)


def arrived(target: ProbeTarget, canary_id: str, facts: FactReader) -> bool:
    """Whether the canary's record is among the facts."""
    found = facts.event(target.environment, target.source, canary_id)
    return any(record.canary and record.endpoint == target.endpoint for record in found)


def lost(sent: ProbeResult, within: timedelta) -> ProbeResult:
    """What became of a canary that was answered and left no record."""
    said = (
        f"a canary was answered {sent.http_status}, but left no record within {within.total_seconds():g} s: "
        "the way from the receiver to the collector is broken"
    )
    return replace(sent, ok=False, error=said)
