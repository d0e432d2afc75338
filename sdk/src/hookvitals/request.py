"""A request with the moment it came in and the address it came from. Holds it; decides nothing."""

import re
import time
from dataclasses import dataclass
from typing import Dict, Optional

from hookvitals.schemes.signed import HeaderItems
from hookvitals.shared import Shared

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)

_ADDRESS_CHARS = 64


@dataclass(frozen=True)
class Request:
    """url: as the sender used it, as far as that is known. body: the bytes as received.

    headers: (lower-case name, value), duplicates kept.

    at_us: microseconds since 1970. started_ns: of `time.perf_counter_ns`. cut_off: the body is not whole.
    shared: between the events of a body that holds several.
    """

    method: str
    url: str
    headers: HeaderItems
    body: bytes
    address: Optional[str]
    at_us: int
    started_ns: int
    cut_off: bool = False
    shared: Optional[Shared] = None

    def elapsed_ms(self) -> float:
        return (time.perf_counter_ns() - self.started_ns) / 1e6

    def header(self, name: str) -> Optional[str]:
        """The first value of a header. name: in lower case."""
        return next((value for found, value in self.headers if found == name), None)

    def context(self) -> Dict[str, str]:
        """The record's fields about who called: address, user agent, trace."""
        address = self.address or ""
        found = {
            "remote_ip": address if len(address) <= _ADDRESS_CHARS else "",
            "user_agent": (self.header("user-agent") or "")[:256],
        }
        trace = _TRACEPARENT.match(self.header("traceparent") or "")
        if trace:
            found["trace_id"], found["span_id"] = trace.groups()
        return {name: value for name, value in found.items() if value}
