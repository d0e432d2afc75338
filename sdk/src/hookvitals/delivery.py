"""Posts batches of records and says what became of each: stored, beyond help, or to be sent again later.

Halves a batch that is at fault until the one record is found; waits as long as the collector asks, else with
growing random pauses. Holds no record; used by one thread.
"""

import logging
import time
from http.client import HTTPException
from typing import Any, Callable, Dict, Optional, Sequence

from hookvitals.record_json import without_body
from hookvitals.settled import Settled
from hookvitals.transport import Answered, Transport

log = logging.getLogger("hookvitals")

RETRY_FIRST_S = 0.5
RETRY_CAP_S = 30.0
_TOO_MUCH = (400, 413, 422)  # the batch itself is at fault: halve it, in the end drop the one
_MISCONFIGURED = (401, 403, 404, 405)  # the key or the address is: wait for somebody to mend it

Client = Callable[[int], bytes]
"""Gives who ships, as JSON, when so many records are in the post."""
Settle = Callable[[Settled], None]


class Delivery:
    """The way to one collector, and how it fares."""

    def __init__(self, transport: Transport, uniform: Callable[[float, float], float]) -> None:
        self._transport = transport
        self._uniform = uniform
        self.failures = 0
        """Posts in a row that nobody answered well."""
        self.told_to_wait = False
        self._not_before_s = 0.0

    def pause_s(self) -> float:
        """Until the next post may be tried; not above 0 when now."""
        return self._not_before_s - time.monotonic()

    def hurry(self) -> None:
        """Tries again at once, unless the collector itself asked for patience."""
        if not self.told_to_wait:
            self._not_before_s = 0.0

    def close(self) -> None:
        """Ends the connection; the next post opens another."""
        self._transport.close()

    def ship(self, records: Sequence[bytes], client: Client, settle: Settle) -> bool:
        """Whether all are settled. Each part is told to `settle` as soon as it is, from the first on."""
        document = b'{"client":%b,"records":[%b]}' % (client(len(records)), b",".join(records))
        answer = self.post("/api/v1/records", document)
        if answer is None:
            return False
        if answer.status == 200 and _is_collectors(answer.document):
            settle(self._taken(len(records), answer.document))
            return True
        if answer.status not in _TOO_MUCH:
            self._refused(answer)
            return False
        if len(records) > 1:
            half = len(records) // 2
            return self.ship(records[:half], client, settle) and self.ship(records[half:], client, settle)
        smaller = without_body(records[0]) if records and answer.status == 413 else None
        if smaller is not None:
            log.warning("hookvitals: a captured body is larger than the collector takes; sent without it")
            return self.ship([smaller], client, settle)
        settle(Settled(dropped={f"refused_{answer.status}": len(records)}))
        return True

    def post(self, path: str, document: bytes) -> Optional[Answered]:
        """The answer; None when nobody answers."""
        try:
            return self._transport.post(path, document)
        except (HTTPException, OSError) as exc:
            self.back_off(f"the collector cannot be reached ({exc})")
            return None

    def back_off(self, why: str, wait_s: Optional[float] = None) -> None:
        """Waits so long, or longer each time."""
        if self.failures == 0:
            log.warning("hookvitals: %s; records wait", why)
        self.failures += 1
        self.told_to_wait = wait_s is not None
        if wait_s is None:
            bound_s = min(RETRY_CAP_S, RETRY_FIRST_S * 2.0 ** min(self.failures, 10))
            wait_s = self._uniform(0.1, bound_s)
        self._not_before_s = time.monotonic() + wait_s

    def _taken(self, number: int, document: Dict[str, Any]) -> Settled:
        """The collector stored the records, but for those it names."""
        settled = Settled()
        rejected = document.get("rejected")
        for one in (rejected if isinstance(rejected, list) else [])[:number]:
            code = one.get("code") if isinstance(one, dict) else None
            settled.drop(f"rejected_{str(code or 'unknown')[:50]}")
        settled.accepted = number - sum(settled.dropped.values())
        if self.failures:
            log.info("hookvitals: the collector answers again")
        self.failures, self.told_to_wait = 0, False
        return settled

    def _refused(self, answer: Answered) -> None:
        if answer.status < 400 or answer.status in _MISCONFIGURED:
            wait_s = self._uniform(RETRY_CAP_S / 2, RETRY_CAP_S)
            self.back_off(f"HTTP {answer.status}: check the collector's address and the key", wait_s)
        else:
            self.back_off(f"the collector answers HTTP {answer.status}", answer.retry_after_s)


def _is_collectors(document: Any) -> bool:
    """Whether this is a collector's answer, and not a login page's or a proxy's."""
    return isinstance(document, dict) and isinstance(document.get("accepted"), int)
