"""Queues in a real Redis: lists, streams, Celery's and RQ's, written by their own libraries."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import redis
from celery import Celery
from rq import Queue

from alerts.egress import Egress
from alerts.errors import EgressRefused, Failure, RequestFailed
from monitor.clock import SystemClock
from monitor.model import QueueSample
from monitor.probes.queues.sample import sample_queue
from monitor.probes.queues.target import QueueKind, QueueTarget
from tests.alerts.support import Service, loopback_egress, serving
from tests.monitor.probes.queues.brokers import redis_server

PASSWORD = "sesame-7310"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with redis_server(PASSWORD) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[redis.Redis]:
    with redis.Redis(port=port, password=PASSWORD, db=3) as client:
        client.flushdb()
        yield client


def target(
    port: int, kind: QueueKind, queue: str, group: str | None = None, password: str | None = PASSWORD
) -> QueueTarget:
    url = f"redis://127.0.0.1:{port}/3"
    place = "production", "stripe", "payments"
    return QueueTarget(*place, "inbox", kind, url, queue, group=group, password=password)


def sampled(target: QueueTarget, egress: Egress | None = None) -> QueueSample:
    return sample_queue(target, egress or loopback_egress(), SystemClock(), 5)


def ago(seconds: float) -> str:
    return f"{int((time.time() - seconds) * 1000)}-0"


def test_a_list_is_as_deep_as_it_is_long(client: redis.Redis, port: int) -> None:
    assert sampled(target(port, QueueKind.REDIS_LIST, "jobs")).depth == 0
    client.rpush("jobs", b"x" * 200_000, "b", "c")
    found = sampled(target(port, QueueKind.REDIS_LIST, "jobs"))
    assert (found.queue, found.depth, found.oldest_age_s) == ("inbox", 3, None)


def test_a_stream_is_as_old_as_its_first_entry(client: redis.Redis, port: int) -> None:
    assert sampled(target(port, QueueKind.REDIS_STREAM, "s")).depth == 0
    for seconds in (90, 60, 30):
        client.xadd("s", {"n": "1"}, id=ago(seconds))
    found = sampled(target(port, QueueKind.REDIS_STREAM, "s"))
    assert found.depth == 3
    assert found.oldest_age_s == pytest.approx(90, abs=20)


def test_of_a_group_counts_what_it_has_not_acknowledged(client: redis.Redis, port: int) -> None:
    one = target(port, QueueKind.REDIS_STREAM, "s", "workers")
    for seconds in (90, 60, 30):
        client.xadd("s", {"n": "1"}, id=ago(seconds))
    assert sampled(one).depth == 3  # nobody has made the group yet
    client.xgroup_create("s", "workers", id="0")
    client.xgroup_create("s", "others", id="$")
    client.xreadgroup("workers", "me", {"s": ">"}, count=2)
    found = sampled(one)
    assert found.depth == 3
    assert found.oldest_age_s == pytest.approx(90, abs=20)

    acknowledge(client, 2)
    found = sampled(one)
    assert found.depth == 1
    assert found.oldest_age_s == pytest.approx(30, abs=20)

    client.xreadgroup("workers", "me", {"s": ">"})
    acknowledge(client, 3)
    found = sampled(one)
    assert (found.depth, found.oldest_age_s) == (0, None)


def acknowledge(client: redis.Redis, count: int) -> None:
    """The first entries of the stream."""
    for entry_id, _ in client.xrange("s", count=count) or []:
        assert entry_id is not None
        client.xack("s", "workers", entry_id)


def test_celerys_queue_counts_every_priority(client: redis.Redis, port: int) -> None:
    app = Celery(broker=f"redis://:{PASSWORD}@127.0.0.1:{port}/3")
    app.conf.broker_transport_options = {"priority_steps": [0, 3, 6, 9]}
    for priority in (0, 3, 9):
        app.send_task("receiver.work", args=["evt_1"], queue="events", priority=priority)
    app.close()
    assert sampled(target(port, QueueKind.CELERY, "events")).depth == 3


def test_rqs_queue_is_as_old_as_its_first_job(client: redis.Redis, port: int) -> None:
    assert sampled(target(port, QueueKind.RQ, "events")).depth == 0
    queue = Queue("events", connection=client)
    jobs = [queue.enqueue("receiver.work", f"evt_{n}") for n in range(2)]
    client.hset(f"rq:job:{jobs[0].id}", "enqueued_at", _iso(jobs[0].enqueued_at, timedelta(minutes=7)))
    found = sampled(target(port, QueueKind.RQ, "events"))
    assert found.depth == 2
    assert found.oldest_age_s == pytest.approx(420, abs=10)


def _iso(at: datetime | None, before: timedelta) -> str:
    assert at is not None
    return (at - before).replace(tzinfo=None).isoformat() + "Z"


@pytest.mark.parametrize(
    ("password", "reason"), [("wrong", Failure.AUTHENTICATION), (None, Failure.AUTHENTICATION)]
)
def test_a_wrong_password_says_what_to_set_and_is_not_shown(
    port: int, password: str | None, reason: Failure
) -> None:
    one = target(port, QueueKind.REDIS_LIST, "jobs", password=password)
    with pytest.raises(RequestFailed, match="set user and password of this queue") as refused:
        sampled(one)
    assert refused.value.reason is reason
    assert "wrong" not in str(refused.value)
    assert PASSWORD not in repr(target(port, QueueKind.REDIS_LIST, "jobs"))


def test_a_key_of_another_type_says_so(client: redis.Redis, port: int) -> None:
    client.set("jobs", "text")
    with pytest.raises(RequestFailed, match="WRONGTYPE"):
        sampled(target(port, QueueKind.REDIS_LIST, "jobs"))


def test_an_entry_of_more_than_64_kib_is_not_read(client: redis.Redis, port: int) -> None:
    client.xadd("s", {"n": b"x" * 100_000})
    with pytest.raises(RequestFailed, match="more than 65536 bytes") as refused:
        sampled(target(port, QueueKind.REDIS_STREAM, "s"))
    assert refused.value.reason is Failure.TOO_LARGE


def test_a_private_broker_is_not_dialled_unless_allowed(port: int) -> None:
    with pytest.raises(EgressRefused, match=r"egress\.allow"):
        sampled(target(port, QueueKind.REDIS_LIST, "jobs"), Egress())


def test_what_is_no_redis_is_told_apart() -> None:
    with serving(Service()) as service, pytest.raises(RequestFailed, match="not answer as a Redis does"):
        sampled(target(service.port, QueueKind.REDIS_LIST, "jobs", password=None))
