"""What verified requests look like: top-level fields, spec_version, and the headers that sign them.

Names only, never a value of the payload but its spec_version; each with the id of the first event that showed
it. Bounded, and told to the collector with the declarations, so that a provider's silent change is noticed.
"""

from typing import Any, Dict, Iterable, Mapping, Sequence, Set, Tuple

from hookvitals.event import Event
from hookvitals.locks import Lock

MOST, CHARS = 100, 256
"""Values of one kind, and characters of each."""
FIELD, SPEC_VERSION, SIGNATURE_HEADERS = "field", "spec_version", "signature_headers"
_MOST_HEADER_LISTS = 500
_SIGN = ("signature", "hmac", "timestamp", "webhook-")


class Shapes:
    """Of one receiver. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: Dict[str, Dict[str, str]] = {FIELD: {}, SPEC_VERSION: {}, SIGNATURE_HEADERS: {}}
        self._header_lists: Set[Tuple[str, ...]] = set()

    def note(self, event: Event, headers: Sequence[Tuple[str, str]]) -> None:
        """Of a request that verified. What is known costs two lookups."""
        data = event.data
        if isinstance(data, Mapping):
            if not data.keys() <= self._seen[FIELD].keys():
                self._add(FIELD, data, event.id)
            version = data.get("spec_version")
            if isinstance(version, (str, int, float)) and str(version) not in self._seen[SPEC_VERSION]:
                self._add(SPEC_VERSION, [version], event.id)
        names = tuple([name for name, _ in headers])
        if names not in self._header_lists and len(self._header_lists) < _MOST_HEADER_LISTS:
            self._header_lists.add(names)
            signing = sorted({name for name in names if any(part in name for part in _SIGN)})
            if signing:
                self._add(SIGNATURE_HEADERS, [", ".join(signing)], event.id)

    def said(self) -> Dict[str, Dict[str, str]]:
        """By kind: value → the event that showed it first. Kinds without a value are left out."""
        with self._lock:
            return {kind: dict(values) for kind, values in self._seen.items() if values}

    def _add(self, kind: str, values: Iterable[Any], event_id: str) -> None:
        with self._lock:
            known = self._seen[kind]
            for value in values:
                text = str(value)
                if text and text not in known and len(known) < MOST and len(text) <= CHARS:
                    known[text] = event_id[:CHARS]
