"""Records of Celery tasks, by a real worker in a thread of this process, over Celery's broker in memory."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker

from hookvitals import Event, Recorder, Shipper
from hookvitals.integrations import celery as integration
from tests import redis_server
from tests.sdk.collector import KEY
from tests.sdk.world import NOW, World

EVENT = Event("evt_1", "invoice.paid", {"n": 1}, b"{}", [], int(NOW * 1e6), fields={"resource": "in_1"})


@pytest.fixture
def app(world: World) -> Iterator[Celery]:
    made = Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)
    made.conf.update(
        task_always_eager=False, worker_hijack_root_logger=False, broker_connection_retry_on_startup=False
    )
    recorder = Recorder("acme", "orders", world.shipper, now_ns=lambda: int(world.clock() * 1e9))
    integration.instrument(made, recorder)
    signals.setup_logging.connect(_log_as_before)
    yield made
    signals.setup_logging.disconnect(_log_as_before)
    made.close()


def _log_as_before(**_: Any) -> None:
    """Or Celery would silence the root logger, and with it what later tests listen to."""


def attempts(world: World) -> list[tuple[str, int]]:
    return [(record["outcome"], record["attempt"]) for record in world.records()]


def run(app: Celery, task: Any, **options: Any) -> Any:
    """What the task gives, or raised."""
    with start_worker(app, perform_ping_check=False, pool="solo", loglevel="CRITICAL"):
        sent = task.apply_async(headers=integration.headers(EVENT), **options)
        return sent.get(timeout=20, propagate=False)


def test_a_task_that_went_well_is_recorded_with_its_event(world: World, app: Celery) -> None:
    @app.task(shared=False)  # type: ignore[untyped-decorator]
    def process() -> str:
        return "done"

    assert run(app, process) == "done"

    (record,) = world.records()
    assert (record["outcome"], record["attempt"]) == ("succeeded", 1)
    assert (record["event_id"], record["event_type"], record["resource"]) == ("evt_1", "invoice.paid", "in_1")
    assert (record["source"], record["endpoint"]) == ("acme", "orders")
    assert record["received_at"] == int(NOW * 1e6)
    assert record["process_ms"] > 0


def test_three_retries_are_four_attempts_and_each_says_which_it_was(world: World, app: Celery) -> None:
    """A guide's `max_retries=3` (practice 24)."""

    @app.task(shared=False, autoretry_for=(ValueError,), max_retries=3, default_retry_delay=0)  # type: ignore[untyped-decorator]
    def process() -> None:
        raise ValueError("declined")

    run(app, process)

    assert attempts(world) == [("failed", 1), ("failed", 2), ("failed", 3), ("dead_lettered", 4)]
    assert {record["error_class"] for record in world.records()} == {"ValueError"}
    assert {record["error_message"] for record in world.records()} == {"declined"}


def test_a_task_that_is_retried_and_goes_well_ends_so(world: World, app: Celery) -> None:
    @app.task(shared=False, bind=True, max_retries=3)  # type: ignore[untyped-decorator]
    def process(self: Any) -> str:
        if self.request.retries == 0:
            raise self.retry(exc=TimeoutError(), countdown=0)
        return "done"

    run(app, process)

    assert attempts(world) == [("failed", 1), ("succeeded", 2)]
    assert world.records()[0]["error_class"] == "TimeoutError"


def test_a_task_that_expired_in_the_queue_is_a_dead_letter(world: World, app: Celery) -> None:
    @app.task(shared=False)  # type: ignore[untyped-decorator]
    def process() -> None: ...

    run(app, process, expires=-1)

    (record,) = world.records()
    assert (record["outcome"], record["error_message"]) == ("dead_lettered", "expired")


def test_a_task_of_nobodys_event_is_not_recorded(world: World, app: Celery) -> None:
    @app.task(shared=False)  # type: ignore[untyped-decorator]
    def other() -> str:
        return "done"

    with start_worker(app, perform_ping_check=False, pool="solo", loglevel="CRITICAL"):
        assert other.delay().get(timeout=20) == "done"

    assert world.records() == []


def test_the_depth_and_age_of_a_queue_in_redis_are_sampled(world: World) -> None:
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    sampling = Shipper(world.url, KEY, batch_delay_s=0.05, sample_every_s=0.05)
    recorder = Recorder("acme", "orders", sampling, now_ns=lambda: int((NOW + 42) * 1e9))
    with redis_server.server() as started, redis.Redis.from_url(started.url) as client:
        broker = started.url.replace("unix://", "redis+socket://").replace("?db=0", "")
        sender = Celery("tests", broker=broker, set_as_current=False)
        for _ in range(3):
            sender.send_task("process", headers=integration.headers(EVENT))
        sender.close()
        integration.watch(recorder, client)
        world.collector.wait_for(lambda: bool(world.collector.samples))
        sampling.close()

    sample = world.collector.samples[0]
    assert (sample["queue"], sample["depth"], sample["oldest_age_s"]) == ("celery", 3, 42.0)


PROGRAM = """
import os, sys
from celery import Celery
from hookvitals import Recorder, Shipper
from hookvitals.integrations.celery import instrument

broker, collector, key = sys.argv[1:]
app = Celery("tests", broker=broker)
app.conf.update(task_acks_late=True, worker_hijack_root_logger=False)
instrument(app, Recorder("acme", "orders", Shipper(collector, key, batch_delay_s=0.05)))

@app.task(name="die")
def die():
    os.kill(os.getpid(), 9)

app.worker_main(["worker", "-P", "prefork", "-c", "1", "-l", "CRITICAL", "--without-gossip"])
"""


@pytest.mark.faults
def test_a_task_whose_process_was_killed_is_a_dead_letter(world: World) -> None:
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with redis_server.server() as started:
        broker = started.url.replace("unix://", "redis+socket://").replace("?db=0", "")
        sender = Celery("tests", broker=broker, set_as_current=False)
        sender.send_task("die", headers=integration.headers(EVENT))
        sender.close()
        with subprocess.Popen([sys.executable, "-c", PROGRAM, broker, world.url, KEY]) as worker:
            try:
                world.collector.wait_for(lambda: bool(world.collector.records), 30)
            finally:
                worker.terminate()

    (record,) = world.collector.records
    assert (record["outcome"], record["event_id"], record["attempt"]) == ("dead_lettered", "evt_1", 1)
    assert record["error_class"].endswith("WorkerLostError")
