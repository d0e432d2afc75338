"""Codes and names of series and error classes as readers need them, kept in memory: they are added, never
changed. Knows no SQL: a database gives the rows (NameTable).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from monitor.model import SeriesKey


class NameTable(Protocol):
    """The names of one snapshot."""

    def series_above(self, code: int) -> Iterable[tuple[int, int, str, str, str, str, int]]:
        """Rows (code, parent, environment, source, endpoint, type, first seen in us) of series with a higher
        code; an empty string is "no such part"."""

    def error_names(self, codes: Sequence[int]) -> Iterable[tuple[int, str]]:
        """Rows (code, name) of those of `codes` that there are."""

    def error_codes(self, name: str) -> list[int]:
        """Codes that bear this name, one an endpoint."""


class Series:
    """All series of one snapshot: names, codes, which is above which, and when each was stored first (us)."""

    def __init__(
        self,
        keys: Mapping[int, SeriesKey],
        codes: Mapping[SeriesKey, int],
        parents: Mapping[int, int],
        first_seen: Mapping[int, int],
    ) -> None:
        self.keys = keys
        self.codes = codes
        self.parents = parents
        self.first_seen = first_seen

    def coded(self, keys: Iterable[SeriesKey]) -> dict[int, SeriesKey]:
        """Code → key of those of `keys` that the store knows."""
        return {self.codes[key]: key for key in keys if key in self.codes}

    def line(self, code: int) -> list[int]:
        """The code and all above it."""
        found = [code]
        while parent := self.parents.get(found[-1], 0):
            found.append(parent)
        return found

    def routes(
        self,
        environment: str | None = None,
        source: str | None = None,
        endpoint: str | None = None,
        event_type: str | None = None,
    ) -> Sequence[int]:
        """Codes of (endpoint, type) that match every part given."""
        return [
            code
            for code, key in self.keys.items()
            if key.event_type is not None
            and environment in (None, key.environment)
            and source in (None, key.source)
            and endpoint in (None, key.endpoint)
            and event_type in (None, key.event_type)
        ]


class KnownNames:
    """What is known so far. Every read looks for newer rows first, inside the caller's snapshot.

    Codes are committed in their order, so what is newer has a higher code. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._series = Series({}, {}, {}, {})
        self._errors: dict[int, str] = {}

    def series(self, table: NameTable) -> Series:
        """Every series in the store: a view that stays whole while other threads learn more."""
        known = self._series
        newer = list(table.series_above(max(known.keys, default=0)))
        if not newer:
            return known
        keys, codes, parents = dict(known.keys), dict(known.codes), dict(known.parents)
        first_seen = dict(known.first_seen)
        for code, parent, environment, source, endpoint, event_type, first_seen_us in newer:
            key = SeriesKey(environment, source or None, endpoint or None, event_type or None)
            keys[code], codes[key], parents[code], first_seen[code] = key, code, parent, first_seen_us
        found = self._series = Series(keys, codes, parents, first_seen)
        return found

    def errors(self, table: NameTable, codes: Iterable[int]) -> Mapping[int, str]:
        """Names of these error codes; unknown codes are left out."""
        wanted, known = set(codes), self._errors
        missing = sorted(wanted - known.keys())
        if missing:
            known = self._errors = {**known, **dict(table.error_names(missing))}
        return {code: known[code] for code in wanted if code in known}
