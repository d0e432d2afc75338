"""Who may come in: method, size, address, signature, rate, in this order. Never reads the body's meaning.

A replay of ours, known by its own signature, passes the address, the source's signature and the rate.
"""

import math
import time
from typing import Any, Callable, Dict, Optional

from hookvitals.addresses import contains
from hookvitals.answers import Refused
from hookvitals.limits import FailureLimit, TokenBucket
from hookvitals.replay import replay_item
from hookvitals.request import Request
from hookvitals.schemes import VerificationError
from hookvitals.settings import Settings


class Admission:
    """The gate of one receiver. now: seconds since 1970; monotonic: seconds of a clock that never jumps."""

    def __init__(self, settings: Settings, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._monotonic = monotonic
        rate, failures = settings.profile.rate_per_minute, settings.failures_per_minute
        self._bucket = None if rate is None else TokenBucket(rate)
        self._failures = None if failures is None else FailureLimit(failures)

    def admit(self, request: Request, fields: Dict[str, Any]) -> Optional[str]:
        """The replay item's id if it is a replay of ours, else None. Raises Refused.

        fields: gets verify_ms, secret_id and skew_ms.
        """
        if request.method != "POST":
            raise Refused("method_not_allowed", allow="POST")
        if len(request.body) > self._settings.max_body_bytes:
            raise Refused("too_large", f"more than {self._settings.max_body_bytes} bytes")
        secret = self._settings.replay_secret
        replay_id = replay_item(request.headers, request.body, secret, self._now())
        if replay_id is None:
            self._check_address(request.address)
            self._verify(request, fields)
            self._spend()
        return replay_id

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

    def _spend(self) -> None:
        """After the signature: forgeries must not use up the source's allowance."""
        if self._bucket is not None:
            wait_s = self._bucket.wait_s(self._monotonic())
            if wait_s > 0:
                raise Refused("rate_limited", retry_after_s=math.ceil(wait_s))
