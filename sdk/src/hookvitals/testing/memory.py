"""A shipper that keeps its records in memory, at once and without a thread, and assertions about them."""

import json
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from hookvitals.record_json import Noted, encoded
from hookvitals.shipper import FINAL_FLUSH_S, Sampler, Shipper

_SHOWN = (
    "outcome", "event_id", "event_type", "http_status", "reason", "cause", "attempt", "error_class",
    "error_message",
)  # fmt: skip
_MOST_SHOWN = 20


class MemoryShipper(Shipper):
    """Give it as `Receiver(…, shipper=MemoryShipper())`, or to a Recorder.

    records: each as the collector would read it, in the order they were noted in. unencodable: what no
    collector could, and a real shipper would drop and count.
    """

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1", "kept in memory")  # an address that nothing is sent to
        self.records: List[Dict[str, Any]] = []
        self.unencodable: List[Noted] = []
        self.samplers: List[Sampler] = []

    def put(self, noted: Noted) -> None:
        raw = encoded(noted)
        if raw:
            self.records.append(json.loads(raw))
        else:
            self.unencodable.append(noted)

    def put_durably(self, noted: Noted) -> bool:
        self.put(noted)
        return True

    def sample(self, sampler: Sampler) -> None:
        self.samplers.append(sampler)

    def forget(self, sampler: Sampler) -> None:
        if sampler in self.samplers:
            self.samplers.remove(sampler)

    def counts(self) -> Dict[str, Any]:
        return {
            "produced": len(self.records) + len(self.unencodable),
            "accepted": len(self.records),
            "waiting": 0,
            "on_disk": 0,
            "dropped": {"unencodable": len(self.unencodable)} if self.unencodable else {},
        }

    def flush(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        return True

    def close(self, timeout_s: float = FINAL_FLUSH_S) -> bool:
        return True


class Received:
    """Assertions about records; each failure shows what was recorded."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.records = records

    def all(self, **fields: Any) -> List[Mapping[str, Any]]:
        """The records whose fields are these; None for a field that is not there."""
        return [
            record
            for record in self.records
            if all(record.get(name) == wanted for name, wanted in fields.items())
        ]

    def one(self, **fields: Any) -> Mapping[str, Any]:
        """The one record whose fields are these. Raises AssertionError for none or several."""
        found = self.all(**fields)
        if len(found) != 1:
            raise AssertionError(self._told(f"expected one record with {_words(fields)}, found {len(found)}"))
        return found[0]

    def none(self, **fields: Any) -> None:
        """Raises AssertionError where there is such a record."""
        found = self.all(**fields)
        if found:
            raise AssertionError(self._told(f"expected no record with {_words(fields)}, found {len(found)}"))

    def outcomes(self, event_id: Optional[str] = None) -> List[str]:
        """Of all records, or of one event's, in their order."""
        found = self.records if event_id is None else self.all(event_id=event_id)
        return [record["outcome"] for record in found]

    def _told(self, what: str) -> str:
        lines = [
            _words({name: record[name] for name in _SHOWN if name in record})
            for record in self.records[-_MOST_SHOWN:]
        ]
        earlier = len(self.records) - len(lines)
        head = f"{what}; recorded were" if self.records else f"{what}; nothing was recorded"
        return "\n  ".join([head, *([f"({earlier} earlier ones)"] if earlier else []), *lines])


def received(shipper: Union[MemoryShipper, Sequence[Mapping[str, Any]]]) -> Received:
    """What a MemoryShipper holds so far, or any other list of records."""
    return Received(list(shipper.records if isinstance(shipper, MemoryShipper) else shipper))


def _words(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value!r}" for name, value in fields.items()) or "any fields"
