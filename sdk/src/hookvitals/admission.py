"""Who may come in: method, size, address, signature, rate, in this order. Never reads the body's meaning.

A replay or a canary of ours, known by its own signature, passes the address, the source's signature and the
source's rate; there is a rate of its own for it.
"""

import math
import time
from typing import Any, Callable, Dict, NamedTuple, Optional

from hookvitals.addresses import contains
from hookvitals.answers import Refused
from hookvitals.limits import FailureLimit
from hookvitals.rates import Allowance, allowances
from hookvitals.replay import canary_id, replay_item
from hookvitals.request import Request
from hookvitals.schemes import VerificationError
from hookvitals.settings import Settings
from hookvitals.state import State


class Admitted(NamedTuple):
    """Whose request it is: the source's, unless it carries the id of a replay or a canary of ours."""

    replay_id: Optional[str] = None
    canary_id: Optional[str] = None


_OF_THE_SOURCE = Admitted()


class Admission:
    """The gate of one receiver. now: seconds since 1970; monotonic: seconds of a clock that never jumps."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._now = now
        self._monotonic = monotonic
        failures = settings.failures_per_minute
        self._sources, self._ours = allowances(settings, state, now, monotonic)
        self._failures = None if failures is None else FailureLimit(failures)

    def admit(self, request: Request, fields: Dict[str, Any]) -> Admitted:
        """Whose request it is. Raises Refused.

        fields: gets verify_ms, secret_id and skew_ms.
        """
        if request.method != "POST":
            raise Refused("method_not_allowed", allow="POST")
        if len(request.body) > self._settings.max_body_bytes:
            raise Refused("too_large", f"more than {self._settings.max_body_bytes} bytes")
        if request.cut_off:  # neither an event nor a forgery
            raise Refused("malformed_body", _cut_off(request))
        ours = self._ours_alone(request)
        if ours is not None:
            _spend(self._ours)
            return ours
        self._check_address(request.address)
        try:
            self._verify(request, fields)
        except Refused as refused:
            self._explain(refused, request, fields)
            raise
        _spend(self._sources)
        return _OF_THE_SOURCE

    def _ours_alone(self, request: Request) -> Optional[Admitted]:
        secret, now = self._settings.replay_secret, self._now()
        replay = replay_item(request.headers, request.body, secret, now)
        if replay is not None:
            return Admitted(replay_id=replay)
        canary = canary_id(request.headers, request.body, secret, now)
        return None if canary is None else Admitted(canary_id=canary)

    def _check_address(self, address: Optional[str]) -> None:
        if self._settings.allowed and not contains(self._settings.allowed, address):
            raise Refused("ip_not_allowed", f"{address} is not on the source's list")
        if self._failures is not None and address:
            wait_s = self._failures.wait_s(address, self._monotonic())
            if wait_s > 0:
                raise Refused("rate_limited", f"{address} failed too often", retry_after_s=math.ceil(wait_s))

    def _verify(self, request: Request, fields: Dict[str, Any]) -> None:
        started_ns = time.perf_counter_ns()
        try:
            verified = self._settings.scheme.verify(
                request.headers, request.body, self._now(), request.url, request.method
            )
        except VerificationError as exc:
            if self._failures is not None and request.address:
                self._failures.failed(request.address, self._monotonic())
            raise Refused(exc.reason, exc.detail) from exc
        finally:
            fields["verify_ms"] = (time.perf_counter_ns() - started_ns) / 1e6
        fields["secret_id"] = verified.secret_id
        if verified.signed_at is not None:
            fields["skew_ms"] = verified.signed_at * 1000 - request.at_us / 1000

    def _explain(self, refused: Refused, request: Request, fields: Dict[str, Any]) -> None:
        """After the refusal is decided, and outside of what verifying took."""
        if isinstance(refused.__cause__, VerificationError):
            cause = self._settings.forensics.cause(
                refused.__cause__,
                request.headers,
                request.body,
                self._now(),
                request.url,
                request.method,
                monotonic=self._monotonic(),
            )
            if cause is not None:
                fields["cause"] = cause


def _cut_off(request: Request) -> str:
    """How much came before the sender went away."""
    declared = request.header("content-length")
    whole = f" of {declared[:16]}" if declared else ""
    hint = "" if request.body else ", unless something read them before the receiver"
    return f"the body broke off: {len(request.body)}{whole} bytes came{hint}"


def _spend(allowance: Optional[Allowance]) -> None:
    """After the signature: forgeries must not use up anybody's allowance."""
    wait_s = 0.0 if allowance is None else allowance.wait_s()
    if wait_s > 0:
        raise Refused("rate_limited", retry_after_s=math.ceil(wait_s))
