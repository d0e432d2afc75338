"""Whether the dashboard can serve, and what an operator should know although it can."""

from dashboard.data import house
from dashboard.data.catalog import Catalog
from dashboard.health import Readiness
from dashboard.views import BLIND_AFTER
from monitor.clock import Clock
from monitor.config.document import Document
from monitor.errors import HookvitalsError
from monitor.queries import health
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader


def readiness(facts: FactReader, control: Control, document: Document, clock: Clock) -> Readiness:
    """Not ready without a store that answers. A silent collector, late jobs and no channel are warnings."""
    now, reasons, warnings = clock.now(), [], []
    jobs = []
    try:
        beat = health.health(facts, now).heartbeat_at
        if beat is None or now - beat > BLIND_AFTER:
            warnings.append("the collector is silent: nothing is recorded")
    except HookvitalsError as exc:
        reasons.append(f"the facts store cannot be read: {exc}")
    try:
        jobs = house.jobs(control, now)
        warnings += [f"the job {job.name} is late" for job in jobs if job.late]
    except HookvitalsError as exc:
        reasons.append(f"the control store cannot be read: {exc}")
    if not Catalog(document).channels():
        warnings.append("no channel is configured: alerts reach nobody")
    return Readiness(reasons, warnings, {job.name: job.last_success_at for job in jobs})
