"""Codes and names of series and error classes on SQLite, kept in memory: they are added, never changed."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from monitor.model import SeriesKey


class Names:
    """What is known so far. Every read looks for newer rows first, inside the caller's snapshot."""

    def __init__(self) -> None:
        self._known: tuple[dict[int, SeriesKey], dict[SeriesKey, int], dict[int, int]] = ({}, {}, {})
        self._errors: dict[int, str] = {}

    def series(self, db: sqlite3.Connection) -> "Series":
        """Every series in the store: a view that stays whole while other threads learn more."""
        keys, codes, parents = self._known
        newer = db.execute(
            "SELECT code, parent, environment, source, endpoint, event_type FROM series WHERE code > ?",
            (max(keys, default=0),),  # the primary key
        ).fetchall()
        if newer:
            keys, codes, parents = dict(keys), dict(codes), dict(parents)
            for code, parent, environment, source, endpoint, event_type in newer:
                key = SeriesKey(environment, source or None, endpoint or None, event_type or None)
                keys[code], codes[key], parents[code] = key, code, parent
            self._known = keys, codes, parents
        return Series(keys, codes, parents)

    def errors(self, db: sqlite3.Connection, codes: Iterable[int]) -> Mapping[int, str]:
        """Names of these error codes; unknown codes are left out."""
        wanted = set(codes)
        missing = sorted(wanted - self._errors.keys())
        if missing:
            found = db.execute(
                "SELECT code, name FROM error_class WHERE code IN (SELECT value FROM json_each(?))",
                (json.dumps(missing),),
            )
            self._errors = {**self._errors, **dict(found.fetchall())}
        return {code: self._errors[code] for code in wanted if code in self._errors}


class Series:
    """All series of one snapshot: names, codes, and which is above which."""

    def __init__(
        self, keys: Mapping[int, SeriesKey], codes: Mapping[SeriesKey, int], parents: Mapping[int, int]
    ) -> None:
        self.keys = keys
        self.codes = codes
        self.parents = parents

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
