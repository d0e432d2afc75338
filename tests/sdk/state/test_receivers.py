"""Receivers of several processes on one state: each event is handled once, none is lost with its state."""

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from hookvitals import Event, Receiver, RedisState, SqliteState, SqlState
from tests import redis_server
from tests.postgres import programs
from tests.postgres import server as postgres_server
from tests.sdk.state.places import Place
from tests.sdk.world import NOW, SECRET, Answered, Clock, World, deliver

SPAWN = multiprocessing.get_context("spawn")
PROCESSES, THREADS, COPIES = 4, 5, 50
shared = pytest.mark.parametrize("place", ["sqlite", "redis", "postgresql"], indirect=True)


def receiver_on(place: Place, handled: Path, clock: Clock) -> Receiver:
    """Notes the id and the attempt of each event that it handles."""
    receiver = Receiver(
        "acme", endpoint="orders", secrets=[SECRET], system="standard", state=place.opened(clock),
        profile={"rate_per_minute": None}, lease_s=30.0, now=clock, monotonic=clock,
    )  # fmt: skip

    @receiver.on("*")
    def handle(event: Event) -> None:
        with handled.open("a") as file:
            file.write(f"{event.id} {event.attempt}\n")

    return receiver


def send_copies(place: Place, handled: Path, statuses: Path, together: Barrier) -> None:
    """In a process of its own: each of its threads sends the same event again and again."""
    receiver = receiver_on(place, handled, Clock())
    told: list[int] = []
    of_threads = threading.Barrier(THREADS)

    def send() -> None:
        if of_threads.wait() == 0:
            together.wait(60)
        of_threads.wait()
        told.extend(deliver(receiver).status for _ in range(COPIES))

    threads = [threading.Thread(target=send) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses.write_text(" ".join(map(str, told)))


@shared
def test_a_thousand_copies_at_once_over_four_processes_are_handled_once(place: Place, tmp_path: Path) -> None:
    """practice 13; the set of ids that two copies both pass is the bug of guide H."""
    handled, together = tmp_path / "handled", SPAWN.Barrier(PROCESSES)
    told = [tmp_path / f"told{number}" for number in range(PROCESSES)]
    processes = [SPAWN.Process(target=send_copies, args=(place, handled, path, together)) for path in told]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert handled.read_text() == "evt_1 1\n"
    statuses = Counter(int(word) for path in told for word in path.read_text().split())
    assert sum(statuses.values()) == 1000
    assert set(statuses) <= {200, 503}, "handled, or to be asked for again: never a failure"
    assert statuses[200] > 1


@shared
def test_hosts_that_share_a_state_together_take_what_one_may(world: World, place: Place) -> None:
    """practice 12: 100 requests in 60 s, whoever of them is asked."""
    states = [place.opened(world.clock) for _ in range(3)]
    receivers = [world.receiver(state=state, profile={"rate_per_minute": 100}) for state in states]
    told: list[int] = []

    def send(number: int) -> None:
        told.extend(deliver(receivers[number], f"evt_{number}_{one}").status for one in range(50))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for state in states:
        state.close()

    assert Counter(told) == {200: 100, 429: 50}
    assert len(world.handled) == 100


def claim_and_hang(place: Place, handled: Path) -> None:
    """In a process of its own: is killed in the middle of the work."""
    receiver = receiver_on(place, handled, Clock())

    @receiver.on("invoice.paid")
    def die(event: Event) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    deliver(receiver)


@shared
@pytest.mark.faults
def test_a_kill_between_claim_and_done_lets_the_next_copy_run_once_the_lease_has_ended(
    place: Place, tmp_path: Path
) -> None:
    """practice 13: lost between handling and marking in guide H."""
    process = SPAWN.Process(target=claim_and_hang, args=(place, tmp_path / "handled"))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    clock = Clock()
    receiver = receiver_on(place, tmp_path / "handled", clock)

    clock.now = NOW + 29
    assert deliver(receiver, at=clock.now).status == 503
    clock.now = NOW + 31
    assert deliver(receiver, at=clock.now).status == 200
    assert deliver(receiver, at=clock.now).status == 200

    assert (tmp_path / "handled").read_text() == "evt_1 2\n"
    receiver.state.close()


def assert_told_to_come_again(world: World, answer: Answered) -> None:
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.problem["code"] == "unavailable"
    assert world.handled == []
    record = world.records()[-1]
    assert (record["outcome"], record["http_status"], record["event_id"]) == ("failed", 503, "evt_1")
    assert record["error_class"] == "hookvitals.state.base.StateUnavailable"


@pytest.fixture
def own_redis() -> Iterator[redis_server.Redis]:
    if redis_server.program() is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    with redis_server.server() as made:
        yield made


@pytest.mark.faults
def test_while_redis_is_away_nothing_is_handled_nor_acknowledged_nor_lost(
    world: World, own_redis: redis_server.Redis
) -> None:
    state = RedisState(own_redis.url, now=world.clock)
    receiver = world.receiver(state=state)
    assert deliver(receiver, "evt_0").status == 200
    world.handled.clear()

    own_redis.stop(signal.SIGKILL)
    assert_told_to_come_again(world, deliver(receiver))
    own_redis.start()

    assert [deliver(receiver).status for _ in range(2)] == [200, 200]
    assert [event.id for event in world.handled] == ["evt_1"]
    assert deliver(receiver, "evt_0").status == 200
    assert len(world.handled) == 1, "what was synced to its file, it still knows"
    state.close()


@pytest.mark.faults
def test_while_postgresql_is_away_nothing_is_handled_nor_acknowledged_nor_lost(world: World) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgres_server() as postgres:
        state = SqlState(postgres.url("postgres"), now=world.clock)
        receiver = world.receiver(state=state)
        assert deliver(receiver, "evt_0").status == 200
        world.handled.clear()

        postgres.stop()
        assert_told_to_come_again(world, deliver(receiver))
        postgres.start()

        assert [deliver(receiver).status for _ in range(2)] == [200, 200]
        assert deliver(receiver, "evt_0").status == 200
        assert [event.id for event in world.handled] == ["evt_1"]
        state.close()


@pytest.mark.faults
def test_while_the_disk_is_full_nothing_is_handled_nor_acknowledged_nor_lost(world: World) -> None:
    state = SqliteState(str(world.directory / "state.db"), world.clock)
    receiver = world.receiver(state=state, endpoint="o" * 128)

    def limit(pages: int) -> int:
        with state.reading() as db:
            used: int = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages or used}")
        return used

    limit(0)
    answers = {}
    for number in range(200):  # until the pages that are there are full
        answers[number] = deliver(receiver, f"evt_{number}")
        if answers[number].status != 200:
            break
    assert (answers[number].status, answers[number].problem["code"]) == (503, "unavailable")
    handled = len(world.handled)
    assert handled == number

    limit(100_000)
    assert deliver(receiver, f"evt_{number}").status == 200
    assert len(world.handled) == handled + 1
    state.close()


def test_a_state_that_was_given_is_not_closed_with_the_receiver(world: World) -> None:
    state = SqliteState(str(world.directory / "state.db"), world.clock)
    first = world.receiver(state=state)
    deliver(first)
    first.close()

    assert deliver(world.receiver(state=state)).status == 200
    assert len(world.handled) == 1
    state.close()


def test_a_state_and_the_path_of_one_are_refused_together(world: World) -> None:
    state = SqliteState(str(world.directory / "state.db"), world.clock)
    with pytest.raises(ValueError, match="give one of them"):
        world.receiver(state=state, state_path=str(world.directory / "other.db"))
    with pytest.raises(ValueError, match="an inbox needs state_path"):
        world.receiver(state=state, inbox=True)
    state.close()
