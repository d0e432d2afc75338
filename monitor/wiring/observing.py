"""What the rules look at, put together: the facts, and what control and the configuration say beside them."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from monitor.config import Document
from monitor.queries.house import Disk, house, no_disk
from monitor.queries.windows import StoredObservations
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader
from monitor.wiring.terms import terms_of


def observing(
    facts: FactReader,
    control: Control,
    document: Callable[[], Document],
    budget_bytes: int = 0,
    disk: Disk = no_disk,
) -> Callable[[datetime], StoredObservations]:
    """Observations as of a moment. budget_bytes: of the facts, 0 for no bound; disk: the one they are on."""

    def observe(now: datetime) -> StoredObservations:
        terms = terms_of(control.catalog.sources(), control.catalog.endpoints(), document())
        about = partial(house, facts, control, now, budget_bytes, disk)
        return StoredObservations(
            facts, now, terms, terms, control.issues.fresh, about, control.sightings.all
        )

    return observe
