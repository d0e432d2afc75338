"""Queues of a real RabbitMQ, Celery's among them: one server for all tests of this file."""

import time
from collections.abc import Callable, Iterator

import pytest
from celery import Celery

from alerts.errors import Failure, RequestFailed
from monitor.clock import SystemClock
from monitor.model import QueueSample
from monitor.probes.queues.sample import sample_queue
from monitor.probes.queues.target import QueueKind, QueueTarget
from tests.alerts.support import Service, loopback_egress, serving
from tests.monitor.probes.queues.brokers import RabbitMq, rabbitmq_server

WITHIN_S = 20.0


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitMq]:
    """With three messages in `events`, five minutes old, and two tasks of Celery in `tasks`."""
    with rabbitmq_server() as broker:
        broker.ask("PUT", "queues/%2F/events", {"durable": True})
        message = {
            "properties": {"timestamp": int(time.time()) - 300},
            "routing_key": "events",
            "payload": "{}",
            "payload_encoding": "string",
        }
        for _ in range(3):
            broker.ask("POST", "exchanges/%2F/amq.default/publish", message)
        app = Celery(broker=f"amqp://guest:guest@127.0.0.1:{broker.amqp_port}//")
        for n in range(2):
            app.send_task("receiver.work", args=[f"evt_{n}"], queue="tasks")
        app.close()
        yield broker


def target(
    url: str, queue: str, kind: QueueKind = QueueKind.RABBITMQ, password: str = "guest"
) -> QueueTarget:
    place = "production", "stripe", "payments"
    return QueueTarget(*place, "inbox", kind, url, queue, user="guest", password=password)


def sampled(target: QueueTarget) -> QueueSample:
    return sample_queue(target, loopback_egress(), SystemClock(), 5)


def until(target: QueueTarget, holds: Callable[[QueueSample], bool]) -> QueueSample:
    """The first sample that holds: RabbitMQ's figures are a second old."""
    end_s = time.monotonic() + WITHIN_S
    while time.monotonic() < end_s:
        try:
            found = sampled(target)
        except RequestFailed:
            found = None
        if found is not None and holds(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {WITHIN_S} s")


def test_depth_and_age_are_those_of_the_broker(broker: RabbitMq) -> None:
    found = until(target(broker.url, "events"), lambda one: one.depth == 3 and one.oldest_age_s is not None)
    assert (found.queue, found.depth) == ("inbox", 3)
    assert found.oldest_age_s == pytest.approx(300, abs=60)


def test_a_queue_of_celery_is_asked_of_the_same_place(broker: RabbitMq) -> None:
    found = until(target(broker.url, "tasks", QueueKind.CELERY), lambda one: one.depth == 2)
    assert found.oldest_age_s is None


def test_a_queue_that_is_not_there_says_so(broker: RabbitMq) -> None:
    with pytest.raises(RequestFailed, match="RabbitMQ has no queue missing in vhost /"):
        sampled(target(broker.url, "missing"))


def test_a_wrong_password_says_what_the_user_needs_and_is_not_shown(broker: RabbitMq) -> None:
    with pytest.raises(RequestFailed, match="the tag `monitoring`") as refused:
        sampled(target(broker.url, "events", password="sesame-7310"))
    assert refused.value.reason is Failure.AUTHENTICATION
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"messages": null}', b"{}"])
def test_an_answer_without_figures_is_no_empty_queue(body: bytes) -> None:
    with (
        serving(Service(body=body)) as service,
        pytest.raises(RequestFailed, match="no figures of the queue"),
    ):
        sampled(target(service.url, "events"))
