"""Records of Celery tasks, by a real worker in a thread of this process, over Celery's broker in memory."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker

from hookvitals import ACCEPTED, Event, Recorder, Shipper
from hookvitals.integrations import celery as integration
from tests import redis_server
from tests.sdk.collector import KEY, Collector, collecting
from tests.sdk.world import NOW, World, deliver

EVENT = Event("evt_1", "invoice.paid", {"n": 1}, b"{}", [], int(NOW * 1e6), fields={"resource": "in_1"})


class Bench:
    """A worker that runs for the whole module. To end one takes Celery 5 s where the broker is in memory: its
    loop listens for 2 s and once more, and what polls the broker sleeps a second in between."""

    def __init__(self, app: Celery, collector: Collector) -> None:
        self.app, self.collector, self.before = app, collector, 0

    def run(self, name: str, *given: Any, **options: Any) -> Any:
        """What the task gives, or raised."""
        sent = self.app.tasks[name].apply_async(given, headers=integration.headers(EVENT), **options)
        return sent.get(timeout=20, propagate=False, interval=0.02)

    def records(self, number: int) -> list[dict[str, Any]]:
        """Of the test at hand, once there are so many: a result can be had before Celery tells of it."""
        self.collector.wait_for(lambda: len(self.collector.records) >= self.before + number)
        return self.collector.records[self.before :]


@pytest.fixture(scope="module")
def working() -> Iterator[Bench]:
    app = Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.update(
        task_always_eager=False, worker_hijack_root_logger=False, broker_connection_retry_on_startup=False,
        broker_transport_options={"polling_interval": 0.01},
    )  # fmt: skip

    @app.task(shared=False, name="succeed")  # type: ignore[untyped-decorator]
    def succeed(data: Any = None) -> str:
        return f"done with {data}"

    @app.task(  # type: ignore[untyped-decorator]
        shared=False, name="fail", autoretry_for=(ValueError,), max_retries=3, default_retry_delay=0
    )
    def fail() -> None:
        raise ValueError("declined")

    @app.task(shared=False, name="fail_once", bind=True, max_retries=3)  # type: ignore[untyped-decorator]
    def fail_once(self: Any) -> str:
        if self.request.retries == 0:
            raise self.retry(exc=TimeoutError(), countdown=0)
        return "done"

    signals.setup_logging.connect(_log_as_before)
    with collecting() as (collector, url):
        shipper = Shipper(url, KEY, batch_delay_s=0.05, sample_every_s=3600.0)
        recorder = Recorder("acme", "orders", shipper, now_ns=lambda: int(NOW * 1e9))
        integration.instrument(app, recorder)
        with start_worker(app, perform_ping_check=False, pool="solo", loglevel="CRITICAL"):
            yield Bench(app, collector)
        shipper.close()
    signals.setup_logging.disconnect(_log_as_before)
    app.close()


def _log_as_before(**_: Any) -> None:
    """Or Celery would silence the root logger, and with it what later tests listen to."""


@pytest.fixture
def bench(working: Bench) -> Bench:
    working.before = len(working.collector.records)
    return working


def test_a_task_that_went_well_is_recorded_with_its_event(bench: Bench) -> None:
    assert bench.run("succeed") == "done with None"

    (record,) = bench.records(1)
    assert (record["outcome"], record["attempt"]) == ("succeeded", 1)
    assert (record["event_id"], record["event_type"], record["resource"]) == ("evt_1", "invoice.paid", "in_1")
    assert (record["source"], record["endpoint"]) == ("acme", "orders")
    assert record["received_at"] == int(NOW * 1e6)
    assert record["process_ms"] > 0


def test_three_retries_are_four_attempts_and_each_says_which_it_was(bench: Bench) -> None:
    """A guide's `max_retries=3` (practice 24)."""
    bench.run("fail")

    told = [(record["outcome"], record["attempt"]) for record in bench.records(4)]
    assert told == [("failed", 1), ("failed", 2), ("failed", 3), ("dead_lettered", 4)]
    assert {record["error_class"] for record in bench.records(4)} == {"ValueError"}
    assert {record["error_message"] for record in bench.records(4)} == {"declined"}


def test_a_task_that_is_retried_and_goes_well_ends_so(bench: Bench) -> None:
    bench.run("fail_once")

    failed, succeeded = bench.records(2)
    assert (failed["outcome"], failed["attempt"], failed["error_class"]) == ("failed", 1, "TimeoutError")
    assert (succeeded["outcome"], succeeded["attempt"]) == ("succeeded", 2)


def test_a_task_that_expired_in_the_queue_is_a_dead_letter(bench: Bench) -> None:
    bench.run("succeed", expires=-1)

    (record,) = bench.records(1)
    assert (record["outcome"], record["error_message"]) == ("dead_lettered", "expired")


def test_what_a_receiver_accepted_is_ended_by_its_task_under_the_same_names(
    world: World, bench: Bench
) -> None:
    """practice 4: accepted by one process and worked by another, it is one event of one endpoint."""
    receiver = world.receiver("stripe", endpoint="billing", environment="staging", handle=None)
    process, sent = bench.app.tasks["succeed"], []

    @receiver.on("*")
    def hand_over(event: Event) -> Any:
        headers = integration.headers(event, receiver.settings)
        sent.append(process.apply_async((event.id,), headers=headers))
        return ACCEPTED

    assert deliver(receiver).status == 200
    assert sent[0].get(timeout=20, interval=0.02) == "done with evt_1"

    (accepted,), (succeeded,) = world.records(), bench.records(1)
    assert (accepted["outcome"], succeeded["outcome"]) == ("accepted", "succeeded")
    names = ("event_id", "event_type", "source", "endpoint", "environment", "received_at")
    assert [accepted[name] for name in names] == [succeeded[name] for name in names]
    assert succeeded["endpoint"] == "billing"
    assert (accepted["http_status"], "http_status" in succeeded) == (200, False)


def test_a_task_of_nobodys_event_is_not_recorded(bench: Bench) -> None:
    assert bench.app.tasks["succeed"].delay().get(timeout=20, interval=0.02) == "done with None"

    bench.run("succeed", "an event")

    assert [record["event_id"] for record in bench.records(1)] == ["evt_1"]


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
from pathlib import Path
from celery import Celery
from hookvitals import Recorder, Shipper
from hookvitals.integrations.celery import instrument

broker, collector, key, died = sys.argv[1:]
app = Celery("tests", broker=broker)
app.conf.update(task_acks_late=True, worker_hijack_root_logger=False)
instrument(app, Recorder("acme", "orders", Shipper(collector, key, batch_delay_s=0.05)))

@app.task(name="die")
def die():
    os.kill(os.getpid(), 9)

@app.task(name="die_once", reject_on_worker_lost=True)
def die_once():
    if not Path(died).exists():
        Path(died).touch()
        os.kill(os.getpid(), 9)

app.worker_main("worker -P prefork -c 2 -l CRITICAL --without-gossip --without-mingle".split())
"""


@pytest.mark.faults
def test_a_task_whose_process_was_killed_is_recorded_whether_it_comes_back_or_not(
    world: World, tmp_path: Path
) -> None:
    """The main process of the worker tells, for nobody else is left who could."""
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with redis_server.server() as started:
        broker = started.url.replace("unix://", "redis+socket://").replace("?db=0", "")
        sender = Celery("tests", broker=broker, set_as_current=False)
        for name in ("die", "die_once"):
            sender.send_task(name, headers=integration.headers(replace(EVENT, id=name)))
        sender.close()
        command = [sys.executable, "-c", PROGRAM, broker, world.url, KEY, str(tmp_path / "died")]
        with subprocess.Popen(command) as worker:
            try:
                world.collector.wait_for(lambda: len(world.collector.records) == 3, 30)
            finally:
                worker.send_signal(signal.SIGQUIT)

    told = [(one["event_id"], one["outcome"], one["attempt"]) for one in world.collector.records]
    assert sorted(told) == [
        ("die", "dead_lettered", 1), ("die_once", "failed", 1), ("die_once", "succeeded", 1),
    ]  # fmt: skip
    lost = [one["error_class"] for one in world.collector.records if one["outcome"] != "succeeded"]
    assert all(name.endswith("WorkerLostError") for name in lost)
