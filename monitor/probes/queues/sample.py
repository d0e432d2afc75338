"""One sample of one queue, whatever its broker."""

from urllib.parse import urlsplit

from alerts.egress import Egress
from alerts.http import Client
from monitor.clock import Clock
from monitor.model import QueueSample
from monitor.probes.queues import rabbitmq, redis
from monitor.probes.queues.resp import connected
from monitor.probes.queues.target import QueueTarget


def sample_queue(
    target: QueueTarget, egress: Egress, clock: Clock, timeout_s: float, *, ca_file: str | None = None
) -> QueueSample:
    """Raises RequestFailed in words that carry no password."""
    now = clock.now()
    if urlsplit(target.url).scheme in ("http", "https"):
        depth, age_s = rabbitmq.read(target, Client(egress, ca_file=ca_file), now, timeout_s)
    else:
        with connected(target, egress, timeout_s, ca_file=ca_file) as connection:
            depth, age_s = redis.read(target, connection, now)
    return QueueSample(target.environment, target.source, target.endpoint, target.name, depth, age_s, now)
