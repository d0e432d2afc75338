"""What a process that has ended left in its spool, shipped by another one in the name of the first.

Counts stay with their instance: the collector hears of it until all that it made is accounted for.
"""

import json
from typing import TYPE_CHECKING, Dict, Optional

from hookvitals.account import taken_over
from hookvitals.settled import Settled
from hookvitals.spool import Spool

if TYPE_CHECKING:
    from hookvitals.delivery import Delivery


class Orphan:
    """One adopted spool. Used by the shipper's thread alone."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting = spool.waiting()
        self._account = taken_over(spool.ledger, spool.name, self._waiting, spool.torn)
        self._told: Optional[Dict[str, int]] = None if self._account.produced(self._waiting) else {}

    def ship(self, delivery: "Delivery", max_records: int, max_bytes: int) -> bool:
        """Sends one batch; whether it was the last one, and the files are gone. Raises OSError."""
        taken = self._spool.take(max_records, max_bytes)
        self._lose("spool_damaged", taken.lost)
        settled = 0

        def settle(part: Settled) -> None:
            nonlocal settled
            self._account.settle(part)
            self._waiting -= part.number()
            settled += part.number()

        if taken.records or self._told != self._account.dropped:
            telling = dict(self._account.dropped)
            try:
                if delivery.ship(taken.records, self._client, settle):
                    self._told = telling
            finally:
                self._spool.settle(settled)
        if self._waiting == 0 and self._told == self._account.dropped:
            self._spool.remove()
            return True
        self._spool.note(self._account.ledger(self._waiting))
        return False

    def bound(self, max_bytes: int) -> int:
        """Gives up what is too old or too much; how many bytes are left. Raises OSError."""
        before = self._waiting
        self._lose("spool_expired", self._spool.expire())
        self._lose("spool_full", self._spool.shrink(max_bytes))
        if self._waiting < before:
            self._spool.note(self._account.ledger(self._waiting))
        return self._spool.size()

    def release(self) -> None:
        """Leaves it to others."""
        self._spool.release()

    def _lose(self, reason: str, number: int) -> None:
        self._account.drop(reason, number)
        self._waiting -= number

    def _client(self, in_post: int) -> bytes:
        return json.dumps(self._account.said(self._waiting, in_post)).encode()
