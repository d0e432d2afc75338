"""The monitor about itself: does the collector beat, do the jobs run, who reports, what is stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from dashboard.data import incidents
from dashboard.data.catalog import Catalog
from dashboard.views import Client, Job, ShellView, StatusView
from monitor.queries import health, queues
from monitor.store.control import Control
from monitor.store.control.leases import WORKER
from monitor.store.facts.protocol import FactReader

JOBS_EVERY_S: Mapping[str, float] = {
    "catalog": 15,
    "feed": 1,
    "rules": 1,
    "watch": 15,
    "replay": 1,
    "notifications": 1,
    "minutes": 15,
    "sightings": 15,
    "reminders": 30,
    "acknowledgements": 10,
    "standing alerts": 60,
    "heartbeat": 5,
    "drill": 300,
    "probes": 5,
    "canaries": 5,
    "queues": 5,
    "redelivery": 300,
    "report": 600,
    "prune": 3600,
}
"""The worker's jobs and how often each runs; a test holds it to the worker's own list."""
_SLACK = timedelta(seconds=60)
_QUEUES_BACK = timedelta(hours=1)


def shell(
    facts: FactReader, control: Control, catalog: Catalog, environment: str, now: datetime, paste: str
) -> ShellView:
    """What the frame shows. firing and letters are of the environment; the rest is of the installation."""
    series = facts.series().values()
    known = {key.environment for key in series} | catalog.environments()
    return ShellView(
        sorted(known),
        health.health(facts, now).heartbeat_at,
        catalog.channels(),
        [job for job in jobs(control, now) if job.late],
        sum(incidents.firing_at(control, environment).values()),
        sum(incidents.letters_at(control, environment).values()),
        bool(series),
        paste,
        incidents.new_issues(control, environment, now),
    )


def status(
    facts: FactReader,
    control: Control,
    catalog: Catalog,
    now: datetime,
    version: str,
    budget_bytes: int,
) -> StatusView:
    """The status page. budget_bytes: 0 when there is no bound."""
    found = health.health(facts, now)
    lease = control.leases.read(WORKER)
    return StatusView(
        found.heartbeat_at,
        jobs(control, now),
        [_client(one) for one in found.clients],
        found.used_bytes,
        budget_bytes or None,
        found.floor_at,
        catalog.channels(),
        lease.owner if lease and lease.owner else None,
        version,
        _queues(facts, sorted({key.environment for key in facts.series().values()}), now),
    )


def jobs(control: Control, now: datetime) -> list[Job]:
    """Every job of the worker, in the order of their rounds. One that never ran is given its time from the
    installation on: nothing is late in its first minutes."""
    noted = {row.name: row for row in control.jobs.all()}
    installed_at = control.configs.first_applied_at() or now
    found = []
    for name, every_s in JOBS_EVERY_S.items():
        row = noted.get(name)
        last = row.succeeded_at if row else None
        patience = timedelta(seconds=3 * every_s) + _SLACK
        found.append(
            Job(name, every_s, last, now - (last or installed_at) > patience, row.error if row else "")
        )
    return found


def _queues(
    facts: FactReader, environments: Sequence[str], now: datetime
) -> list[tuple[str, str, str, int, float | None, datetime]]:
    return [
        (one.source, one.endpoint, one.queue, one.depth, one.oldest_age_s, one.sampled_at)
        for environment in environments
        for one in queues.latest(facts, environment, now - _QUEUES_BACK)
    ]


def _client(one: health.Client) -> Client:
    depth = one.state.get("inbox_depth")
    return Client(
        one.name,
        one.version,
        one.instance,
        one.seen_at,
        None if one.skew is None else one.skew.total_seconds(),
        one.produced,
        one.dropped,
        int(depth) if isinstance(depth, int | float) else None,
    )
