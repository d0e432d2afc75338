"""Records of RQ jobs, by real workers at a real Redis: in this process, and forking for each job."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from rq import Queue, Retry, SimpleWorker, Worker, get_current_job
from rq.registry import StartedJobRegistry

from hookvitals import ACCEPTED, Event, Recorder, Shipper
from hookvitals.integrations import rq as integration
from tests import redis_server
from tests.sdk.collector import KEY
from tests.sdk.world import NOW, World, deliver

EVENT = Event("evt_1", "invoice.paid", {"n": 1}, b"{}", [], int(NOW * 1e6), fields={"resource": "in_1"})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with redis_server.server() as started:
        yield started.url


@pytest.fixture(scope="module")
def connection(url: str) -> Iterator[Any]:
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture
def queue(world: World, connection: Any) -> Queue:
    connection.flushall()
    integration.instrument(Recorder("acme", "orders", world.shipper))
    return Queue("events", connection=connection)


def attempts(world: World) -> list[tuple[str, int]]:
    return [(record["outcome"], record["attempt"]) for record in world.records()]


def succeed(data: Any) -> str:
    return str(data)


def fail() -> None:
    raise ValueError("declined")


def fail_once() -> None:
    job = get_current_job()
    assert job is not None
    if "attempts" not in job.meta["hookvitals"]:
        raise TimeoutError


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_the_worker_once() -> None:
    job = get_current_job()
    assert job is not None
    if "attempts" not in job.meta["hookvitals"]:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def work(url: str) -> None:
    """In a process of its own."""
    with redis.Redis.from_url(url) as client:
        Worker(["events"], connection=client).work(burst=True, logging_level="CRITICAL")


def test_a_job_that_went_well_is_recorded_with_its_event(world: World, queue: Queue) -> None:
    queue.enqueue(succeed, EVENT.data, **integration.job(EVENT))

    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    (record,) = world.records()
    assert (record["outcome"], record["attempt"]) == ("succeeded", 1)
    assert (record["event_id"], record["event_type"], record["resource"]) == ("evt_1", "invoice.paid", "in_1")
    assert (record["source"], record["endpoint"]) == ("acme", "orders")
    assert record["received_at"] == int(NOW * 1e6)
    assert record["process_ms"] >= 0


def test_three_retries_are_four_attempts_and_each_says_which_it_was(world: World, queue: Queue) -> None:
    """practice 24"""
    queue.enqueue(fail, **integration.job(EVENT), retry=Retry(max=3))

    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    assert attempts(world) == [("failed", 1), ("failed", 2), ("failed", 3), ("dead_lettered", 4)]
    assert {record["error_message"] for record in world.records()} == {"declined"}


def test_a_job_that_is_retried_and_goes_well_ends_so(world: World, queue: Queue) -> None:
    queue.enqueue(fail_once, **integration.job(EVENT), retry=Retry(max=3))

    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    assert attempts(world) == [("failed", 1), ("succeeded", 2)]


def test_a_process_for_each_job_ships_before_it_ends(world: World, queue: Queue) -> None:
    queue.enqueue(succeed, EVENT.data, **integration.job(EVENT))

    Worker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    assert attempts(world) == [("succeeded", 1)]


def test_a_job_whose_process_was_killed_is_recorded(world: World, queue: Queue) -> None:
    queue.enqueue(die, **integration.job(EVENT))

    worker = Worker([queue], connection=queue.connection, work_horse_killed_handler=integration.killed)
    worker.work(burst=True, logging_level="CRITICAL")

    (record,) = world.records()
    assert (record["outcome"], record["attempt"]) == ("dead_lettered", 1)
    assert record["error_class"] == "hookvitals.integrations.rq.JobKilled"


@pytest.mark.faults
@pytest.mark.parametrize(
    ("retry", "told"),
    [
        (None, [("dead_lettered", 1)]),
        (Retry(max=1), [("failed", 1), ("succeeded", 2)]),
    ],
)
def test_a_job_whose_whole_worker_was_killed_is_recorded_by_who_cleans_up(
    world: World, queue: Queue, url: str, retry: Retry | None, told: list[tuple[str, int]]
) -> None:
    queue.enqueue(die_with_the_worker_once, **integration.job(EVENT), retry=retry)
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(url,))
    worker.start()
    worker.join(30)
    assert worker.exitcode == -signal.SIGKILL
    assert world.records() == []

    StartedJobRegistry(queue=queue).cleanup(time.time() + 3600)  # as every worker does, now and then
    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    assert attempts(world) == told
    assert world.records()[0]["error_class"] == "rq.exceptions.AbandonedJobError"


def test_what_a_receiver_accepted_is_ended_by_its_job_under_the_same_names(
    world: World, queue: Queue
) -> None:
    """practice 4"""
    receiver = world.receiver("stripe", endpoint="billing", environment="staging", handle=None)

    @receiver.on("*")
    def hand_over(event: Event) -> Any:
        queue.enqueue(succeed, event.data, **integration.job(event, receiver.settings))
        return ACCEPTED

    assert deliver(receiver).status == 200
    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    accepted, succeeded = world.records()
    assert (accepted["outcome"], succeeded["outcome"]) == ("accepted", "succeeded")
    names = ("event_id", "event_type", "source", "endpoint", "environment", "received_at")
    assert [accepted[name] for name in names] == [succeeded[name] for name in names]
    assert (accepted["http_status"], "http_status" in succeeded) == (200, False)


def test_a_job_of_nobodys_event_is_not_recorded(world: World, queue: Queue) -> None:
    queue.enqueue(succeed, 1)

    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    assert world.records() == []


def test_the_depth_and_age_of_a_queue_are_sampled(world: World, queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue(succeed, 1)
    sampling = Shipper(world.url, KEY, batch_delay_s=0.05, sample_every_s=0.05)
    integration.watch(Recorder("acme", "orders", sampling), queue)

    world.collector.wait_for(lambda: bool(world.collector.samples))
    sampling.close()

    sample = world.collector.samples[0]
    assert (sample["source"], sample["endpoint"], sample["queue"], sample["depth"]) == (
        "acme", "orders", "events", 3,
    )  # fmt: skip
    assert 0 <= sample["oldest_age_s"] < 60
