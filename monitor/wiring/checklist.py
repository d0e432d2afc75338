"""The checklists of one endpoint, for the command line, the API and the pages alike."""

from datetime import datetime

from monitor.checklist import Judged, judged
from monitor.config import Document
from monitor.errors import NotFound
from monitor.model import SeriesKey
from monitor.queries.checklist import shown
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader
from monitor.wiring.terms import terms_of


def checklist(
    facts: FactReader, control: Control, document: Document, place: SeriesKey, now: datetime
) -> list[Judged]:
    """Every item of both lists, in their order, grouped by `item.list` and `item.group`.

    place: environment, source and endpoint, without a type. document: the one in force. Reads a few rollups,
    the latest probes and what control knows; raises NotFound for an endpoint that is not known.
    """
    terms = terms_of(control.catalog.sources(), control.catalog.endpoints(place.environment), document)
    if place not in terms:
        where = f"{place.source}/{place.endpoint} in {place.environment}"
        raise NotFound(f"there is no endpoint {where}", "`hookvitals endpoint list` shows them")
    channels = sorted({name for route in document.effective_routes() for name in route.channels})
    found = shown(facts, control, place, terms[place], channels, now)
    return judged(found, control.attestations.of(place))
