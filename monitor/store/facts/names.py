"""Names and their codes: series and error classes, with the caps that bound them, on any database.

Codes count from 1 without a gap and never change, so a copy in memory only ever lacks the newest of them. A
name that it lacks is looked for, and made, in a short transaction that excludes every other maker of names;
the copy is extended only after the commit, so no code is used that could still go.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from threading import Lock
from typing import NamedTuple, Protocol

from monitor.errors import TooLarge
from monitor.model import OTHER, UNVERIFIED, SeriesKey

TYPES_A_SOURCE = 1_000
ERRORS_AN_ENDPOINT = 200
ENVIRONMENTS = 16
SOURCES_AN_ENVIRONMENT = 500
ENDPOINTS_A_SOURCE = 500

_FREE = (OTHER, UNVERIFIED)  # types that no cap counts


class SeriesRow(NamedTuple):
    """A row of the table of series; an empty string is "no such part"."""

    code: int
    parent: int
    environment: str
    source: str
    endpoint: str
    event_type: str

    @property
    def key(self) -> SeriesKey:
        return SeriesKey(
            self.environment, self.source or None, self.endpoint or None, self.event_type or None
        )


class ErrorRow(NamedTuple):
    """A row of the table of error classes; endpoint is the code of its series."""

    code: int
    endpoint: int
    name: str


class NameTables(Protocol):
    """The two tables, inside one transaction."""

    def newer_series(self, code: int) -> Sequence[SeriesRow]:
        """Every row with a code above this one, in order."""

    def newer_errors(self, code: int) -> Sequence[ErrorRow]:
        """Every row with a code above this one, in order."""

    def add_series(self, rows: Sequence[SeriesRow], now_us: int) -> None: ...

    def add_errors(self, rows: Sequence[ErrorRow]) -> None: ...


Making = Callable[[], AbstractContextManager[NameTables]]
"""A transaction in which nobody else makes names; it commits at the end of the block."""


class Names:
    """Codes of the known names; safe to share between threads. Reads the tables when made."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._lock = Lock()
        self._series: dict[SeriesKey, int] = {}
        self.parents: dict[int, int] = {}
        """Series code → code one level up, 0 above an environment."""
        self._types: dict[tuple[str, str], set[str]] = {}
        self._children: dict[SeriesKey | None, int] = {}
        self._errors: dict[tuple[int, str], int] = {}
        self._errors_at: dict[int, int] = {}
        with self._making() as tables:
            self._learn(tables)

    def intern_series(self, keys: Sequence[SeriesKey], now_us: int) -> Mapping[SeriesKey, int]:
        """Codes of `keys` and of their ancestors; new ones are made in one transaction.

        A type over the cap of its source has the code of that endpoint's `__other__`, which is then in the
        answer too. Raises TooLarge, with nothing made, for a part that may not be added.
        """
        with self._lock:
            codes, new = self._plan_series(keys)
            if new:
                with self._making() as tables:
                    self._learn(tables)
                    codes, new = self._plan_series(keys)
                    if new:
                        tables.add_series(new, now_us)
                for row in new:
                    self._remember(row)
            for key, code in list(codes.items()):
                codes.update((ancestor, self._series[ancestor]) for ancestor in _ancestors(key))
                if self._series.get(key) != code:
                    codes[_other(key)] = code
            return codes

    def intern_errors(self, names: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        """Codes of (endpoint code, error class); over the cap that of (endpoint code, `__other__`), added."""
        with self._lock:
            codes, new = self._plan_errors(names)
            if new:
                with self._making() as tables:
                    self._learn(tables)
                    codes, new = self._plan_errors(names)
                    if new:
                        tables.add_errors(new)
                for row in new:
                    self._remember_error(row)
            return codes

    def code_of(self, key: SeriesKey) -> int | None:
        return self._series.get(key)

    def types_of(self, place: tuple[str, str]) -> int:
        """How many types the source has that the cap counts; place: (environment, source)."""
        return len(self._types.get(place, ()))

    def has_type(self, place: tuple[str, str], event_type: str) -> bool:
        return event_type in _FREE or event_type in self._types.get(place, ())

    def children_of(self, key: SeriesKey | None) -> int:
        """How many names stand directly below `key`; None: how many environments there are."""
        return self._children.get(key, 0)

    @property
    def last_code(self) -> int:
        return len(self.parents)  # codes count from 1 and none is ever removed

    @property
    def last_error(self) -> int:
        return len(self._errors)

    def _learn(self, tables: NameTables) -> None:
        """What others have made since: committed rows, so true whatever comes of the caller."""
        for series in tables.newer_series(self.last_code):
            self._remember(series)
        for error in tables.newer_errors(self.last_error):
            self._remember_error(error)

    def _plan_series(self, keys: Sequence[SeriesKey]) -> tuple[dict[SeriesKey, int], list[SeriesRow]]:
        plan = _Plan(self)
        return {key: plan.code(key) for key in keys}, [
            _row(key, code, parent) for key, (code, parent) in plan.new.items()
        ]

    def _plan_errors(
        self, names: Sequence[tuple[int, str]]
    ) -> tuple[dict[tuple[int, str], int], list[ErrorRow]]:
        new: dict[tuple[int, str], int] = {}
        codes: dict[tuple[int, str], int] = {}
        added: dict[int, int] = {}
        for endpoint, name in names:
            full = self._errors_at.get(endpoint, 0) + added.get(endpoint, 0) >= ERRORS_AN_ENDPOINT
            known = (endpoint, name) in self._errors or (endpoint, name) in new
            kept = (endpoint, OTHER if full and not known else name)
            code = self._errors.get(kept) or new.get(kept)
            if code is None:
                code = new[kept] = self.last_error + len(new) + 1
                added[endpoint] = added.get(endpoint, 0) + (kept[1] != OTHER)
            codes[endpoint, name] = codes[kept] = code
        return codes, [ErrorRow(code, endpoint, name) for (endpoint, name), code in new.items()]

    def _remember(self, row: SeriesRow) -> None:
        key = row.key
        self._series[key] = row.code
        self.parents[row.code] = row.parent
        self._children[key.parent] = self._children.get(key.parent, 0) + 1
        if key.event_type is not None and key.event_type not in _FREE:
            self._types.setdefault((key.environment, key.source or ""), set()).add(key.event_type)

    def _remember_error(self, row: ErrorRow) -> None:
        self._errors[row.endpoint, row.name] = row.code
        self._errors_at[row.endpoint] = self._errors_at.get(row.endpoint, 0) + (row.name != OTHER)


class _Plan:
    """The names that one call would add: key → (code, parent's code)."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._next = names.last_code + 1
        self._types: dict[tuple[str, str], set[str]] = {}
        self._children: dict[SeriesKey | None, int] = {}
        self.new: dict[SeriesKey, tuple[int, int]] = {}

    def code(self, key: SeriesKey) -> int:
        known = self._names.code_of(key)
        if known is not None:
            return known
        if key in self.new:
            return self.new[key][0]
        parent = self.code(key.parent) if key.parent else 0
        if not self._takes(key):
            return self.code(_other(key))
        self.new[key] = (self._next, parent)
        self._next += 1
        return self.new[key][0]

    def _takes(self, key: SeriesKey) -> bool:
        """Whether there is room for `key`; False for a type only. Raises TooLarge for any other part."""
        if key.event_type is not None:
            place = (key.environment, key.source or "")
            added = self._types.setdefault(place, set())
            if self._names.has_type(place, key.event_type) or key.event_type in added:
                return True
            if self._names.types_of(place) + len(added) >= TYPES_A_SOURCE:
                return False
            added.add(key.event_type)
            return True
        cap = ENVIRONMENTS if key.source is None else SOURCES_AN_ENVIRONMENT
        cap = cap if key.endpoint is None else ENDPOINTS_A_SOURCE
        added_here = self._children.get(key.parent, 0)
        if self._names.children_of(key.parent) + added_here >= cap:
            raise TooLarge(
                f"no room for another name: {key.endpoint or key.source or key.environment}",
                f"at most {ENVIRONMENTS} environments, {SOURCES_AN_ENVIRONMENT} sources in one,"
                f" {ENDPOINTS_A_SOURCE} endpoints of a source",
            )
        self._children[key.parent] = added_here + 1
        return True


def _row(key: SeriesKey, code: int, parent: int) -> SeriesRow:
    return SeriesRow(
        code, parent, key.environment, key.source or "", key.endpoint or "", key.event_type or ""
    )


def _other(key: SeriesKey) -> SeriesKey:
    return SeriesKey(key.environment, key.source, key.endpoint, OTHER)


def _ancestors(key: SeriesKey) -> list[SeriesKey]:
    found = []
    parent = key.parent
    while parent is not None:
        found.append(parent)
        parent = parent.parent
    return found
