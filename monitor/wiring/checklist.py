"""The checklists of endpoints, for the command line, the API and the pages alike."""

from collections.abc import Iterator
from datetime import datetime

from monitor.checklist import Judged, judged
from monitor.config import Document
from monitor.errors import NotFound
from monitor.model import SeriesKey
from monitor.queries.checklist import StoredEvidence
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
    evidence = _evidence(facts, control, document, now)
    return judged(evidence.shown(place, terms[place]), control.attestations.of(place))


def checklists(
    facts: FactReader, control: Control, document: Document, environment: str, now: datetime
) -> Iterator[tuple[SeriesKey, list[Judged]]]:
    """The same of every endpoint of an environment, in the catalog's order: each as `checklist` judges it,
    and what is common to them is read once."""
    terms = terms_of(control.catalog.sources(), control.catalog.endpoints(environment), document)
    evidence = _evidence(facts, control, document, now)
    for place, of_place in terms.items():
        yield place, judged(evidence.shown(place, of_place), control.attestations.of(place))


def _evidence(facts: FactReader, control: Control, document: Document, now: datetime) -> StoredEvidence:
    channels = sorted({name for route in document.effective_routes() for name in route.channels})
    return StoredEvidence(facts, control, channels, now)
