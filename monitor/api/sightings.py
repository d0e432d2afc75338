"""Sightings: what was seen of each endpoint's sender, value by value, from when to when. Reads only."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from alerts.sightings import Aspect, Sighting
from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Limit, cursor_of, foreign, key_of
from monitor.api.shapes import Asked, Shape, answer
from monitor.clock import from_us, to_us
from monitor.model import SeriesKey
from monitor.store.control import sightings as store
from monitor.store.control.sightings import Key, SightingFilter

sightings = noun("sightings", "What was seen of the senders: types, addresses, secrets, the shape of events.")


class SightingShape(Shape):
    """One value. Of a secret it is a short keyed hash, of a field its name.

    first_seen_at, last_seen_at: within ten minutes, of a shape within a day. sample: the id of the first
    record; of a field, a spec_version or signature_headers that of its event.
    """

    environment: str
    source: str
    endpoint: str
    aspect: Aspect
    value: str
    first_seen_at: datetime
    last_seen_at: datetime
    sample: str


class SightingPage(Shape):
    sightings: list[SightingShape]
    next_cursor: str | None


class SightingSearch(Asked):
    """Filters; one left out matches all. At most 100 values of each aspect of an endpoint are kept."""

    environment: Annotated[str | None, Field(max_length=32)] = None
    source: Annotated[str | None, Field(max_length=64)] = None
    endpoint: Annotated[str | None, Field(max_length=128)] = None
    aspect: Aspect | None = None
    limit: Limit = 50
    cursor: Annotated[str | None, Field(max_length=4000, description="`next_cursor` of the page before.")] = (
        None
    )

    def below(self) -> tuple[datetime, Key] | None:
        if self.cursor is None:
            return None
        us, *key = key_of(self.cursor).split("\n", 5)
        if len(key) != 5:
            raise foreign()
        try:
            return from_us(int(us)), tuple(key)
        except (ValueError, OverflowError) as exc:
            raise foreign() from exc


@sightings.get("/sightings", responses={200: SightingPage})
@needs(Need.READ)
def page(query: SightingSearch) -> Response:
    """A page of what was seen of senders, what was new last first"""
    wanted = SightingFilter(query.environment, query.source, query.endpoint, query.aspect)
    found = services().control.sightings.page(wanted, query.limit + 1, query.below())
    shown = found[: query.limit]
    more = _cursor(*shown[-1]) if len(found) > len(shown) else None
    return answer(SightingPage(sightings=[_shape(*seen) for seen in shown], next_cursor=more))


def _cursor(place: SeriesKey, one: Sighting) -> str:
    """Names hold no line break; the value may, and comes last."""
    return cursor_of("\n".join((str(to_us(one.first_at)), *store.key_of(place, one))))


def _shape(place: SeriesKey, one: Sighting) -> SightingShape:
    return SightingShape(
        environment=place.environment,
        source=place.source or "",
        endpoint=place.endpoint or "",
        aspect=one.aspect,
        value=one.value,
        first_seen_at=one.first_at,
        last_seen_at=one.last_at,
        sample=one.sample,
    )
