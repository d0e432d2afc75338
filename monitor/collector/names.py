"""Codes of the names in a request, from a copy in memory; new names are asked of the writer.

Only so many names over a cap are remembered: a hostile client must not fill the memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.collector.columns import Columns, is_blank
from monitor.collector.link import Writer
from monitor.errors import TooLarge
from monitor.model import OTHER, SeriesKey

_MOST_CAPPED = 4_096

K = TypeVar("K")
Route = tuple[str, str, str, str | None]
"""(environment, source, endpoint, type); None for the endpoint itself."""
ErrorName = tuple[int, str]
"""(endpoint code, error class)."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Codes in parallel with the records; error 0 for none. All empty when some are `refused`.

    capped_types, capped_errors: place → the text of a name over its cap. refused: place → why there is no
    room for the environment, source or endpoint of that record.
    """

    routes: Sequence[int] = ()
    errors: Sequence[int] = ()
    capped_types: Mapping[int, str] = field(default_factory=dict)
    capped_errors: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)


class Names:
    """The codes this process knows; used by many threads."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._routes: dict[Route, int] = {}
        self._errors: dict[ErrorName, int] = {}
        self._capped_routes: dict[Route, int] = {}
        self._capped_errors: dict[ErrorName, int] = {}

    def coded(self, columns: Columns) -> Coded:
        """The codes of the records' names; new ones are made by the writer. Raises Unavailable."""
        wanted: list[Route] = list(
            zip(columns.environment, columns.source, columns.endpoint, columns.event_type, strict=True)
        )
        found = list(map(self._routes.get, wanted))
        capped: dict[int, str] = {}
        if None in found:
            # in the order they came: the first names get the room that is left
            unknown = dict.fromkeys(route for route, code in zip(wanted, found, strict=True) if code is None)
            capped_routes, full = self._learnt(unknown)
            refused = {place: full[route] for place, route in enumerate(wanted) if route in full}
            if refused:
                return Coded(refused=refused)
            found = [self._routes.get(route) or capped_routes[route] for route in wanted]
            capped = {place: route[3] or "" for place, route in enumerate(wanted) if route in capped_routes}
        errors, capped_errors = self._coded_errors(columns, wanted)
        return Coded(found, errors, capped, capped_errors)  # type: ignore[arg-type]  # no None is left

    def endpoint(self, environment: str, source: str, endpoint: str) -> int:
        """The code of an endpoint. Raises TooLarge when there is no room for it."""
        route = (environment, source, endpoint, None)
        code = self._routes.get(route)
        if code is None:
            _, full = self._learnt([route])
            if full:
                raise TooLarge(full[route])
            code = self._routes[route]
        return code

    def _learnt(self, routes: Iterable[Route]) -> tuple[dict[Route, int], dict[Route, str]]:
        """Asks for the routes; codes of those over a cap, and why others have no room at all."""
        wanted = list(routes)
        capped = {route: code for route in wanted if (code := self._capped_routes.get(route))}
        asked = [SeriesKey(*route) for route in wanted if route not in capped]
        full: dict[Route, str] = {}
        if asked:
            try:
                codes = dict(self._writer.intern_series(asked))
            except TooLarge:
                codes = {}
                for key in asked:
                    try:
                        codes |= self._writer.intern_series([key])
                    except TooLarge as exc:
                        full[_of(key)] = str(exc)
            for key, code in codes.items():
                other = SeriesKey(key.environment, key.source, key.endpoint, OTHER)
                if key.event_type not in (None, OTHER) and codes.get(other) == code:
                    capped[_of(key)] = code
                    _remember(self._capped_routes, _of(key), code)
                else:
                    self._routes[_of(key)] = code
        return capped, full

    def _coded_errors(self, columns: Columns, routes: Sequence[Route]) -> tuple[list[int], dict[int, str]]:
        codes = [0] * len(routes)
        capped: dict[int, str] = {}
        if is_blank(columns.error_class):
            return codes, capped
        names = {
            place: (self.endpoint(*routes[place][:3]), text)
            for place, text in enumerate(columns.error_class)
            if text
        }
        over = self._learnt_errors({name for name in names.values() if name not in self._errors})
        for place, name in names.items():
            codes[place] = self._errors.get(name) or over[name]
            if name in over:
                capped[place] = name[1]
        return codes, capped

    def _learnt_errors(self, wanted: set[ErrorName]) -> dict[ErrorName, int]:
        """Asks for the classes; the codes of those over their cap."""
        capped = {name: code for name in wanted if (code := self._capped_errors.get(name))}
        asked = sorted(wanted - capped.keys())
        codes = self._writer.intern_errors(asked) if asked else {}
        for (endpoint, text), code in codes.items():
            if text != OTHER and codes.get((endpoint, OTHER)) == code:
                capped[endpoint, text] = code
                _remember(self._capped_errors, (endpoint, text), code)
            else:
                self._errors[endpoint, text] = code
        return capped


def _of(key: SeriesKey) -> Route:
    return (key.environment, key.source or "", key.endpoint or "", key.event_type)


def _remember(known: dict[K, int], name: K, code: int) -> None:
    if len(known) >= _MOST_CAPPED:
        known.clear()
    known[name] = code
