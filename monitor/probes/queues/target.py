"""A queue to be asked after, and its sample as the collector takes it."""

from dataclasses import dataclass, field
from enum import StrEnum

from monitor.model import QueueSample


class QueueKind(StrEnum):
    """How messages lie in the broker."""

    REDIS_LIST = "redis_list"
    REDIS_STREAM = "redis_stream"
    CELERY = "celery"
    RQ = "rq"
    RABBITMQ = "rabbitmq"


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """Where to ask, and for whom. name: what the samples call it; queue: what the broker does.

    url: redis://host:port/db, or that of RabbitMQ's management API. group: the consumers of a stream.
    """

    environment: str
    source: str
    endpoint: str
    name: str
    kind: QueueKind
    url: str
    queue: str
    vhost: str = "/"
    group: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def sample_fields(sample: QueueSample) -> dict[str, object]:
    """The sample as the collector's `POST /api/v1/queues` takes it."""
    fields: dict[str, object] = {
        "environment": sample.environment,
        "source": sample.source,
        "endpoint": sample.endpoint,
        "queue": sample.queue,
        "depth": sample.depth,
        "oldest_age_s": sample.oldest_age_s,
        "sampled_at": sample.sampled_at.isoformat(),
    }
    return {name: value for name, value in fields.items() if value is not None}
