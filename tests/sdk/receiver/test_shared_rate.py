"""One allowance for all processes on one state (practices 11 and 12), kept by wall clocks that may differ."""

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookvitals import Receiver, SqliteState, replay_headers
from hookvitals.rates import SharedBucket, spent
from tests.sdk.world import NOW, REPLAY_SECRET, SECRET, URL, Answered, Clock, World, deliver, request

S = 1_000_000


def waits(asked_at_us: list[int], per_s: float = 1.0, size: float = 1.0) -> list[float]:
    """What each of these requests is told to wait."""
    note, found = None, []
    for at_us in asked_at_us:
        note = spent(note, at_us, per_s, size)
        found.append(float(note.split()[2]))
    return found


def test_receivers_on_one_file_share_one_allowance(world: World) -> None:
    path = str(world.directory / "state.db")
    one, other = (world.receiver(state_path=path, profile={"rate_per_minute": 3}) for _ in range(2))

    statuses = [deliver(each, f"evt_{number}").status for number, each in enumerate([one, other] * 3)]

    assert statuses == [200, 200, 200, 429, 429, 429]


def test_endpoints_on_one_file_have_an_allowance_each(world: World) -> None:
    path = str(world.directory / "state.db")
    rate = {"rate_per_minute": 1}

    for endpoint in ("a", "b"):
        receiver = world.receiver(state_path=path, endpoint=endpoint, profile=rate)
        assert deliver(receiver, "evt_1").status == 200
        assert deliver(receiver, "evt_2").status == 429


def test_the_allowance_outlives_a_restart_and_comes_back_with_time(world: World) -> None:
    path = str(world.directory / "state.db")
    rate = {"rate_per_minute": 2}
    first = world.receiver(state_path=path, profile=rate)
    deliver(first, "evt_1")
    deliver(first, "evt_2")
    first.close()

    second = world.receiver(state_path=path, profile=rate)
    refused = deliver(second, "evt_3")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
    world.clock.now += 30
    assert deliver(second, "evt_3", at=world.clock.now).status == 200


def test_a_burst_may_be_smaller_than_a_minutes_worth(world: World) -> None:
    for kept in ({}, {"state_path": str(world.directory / "state.db")}):
        receiver = world.receiver(profile={"rate_per_minute": 60, "rate_burst": 2}, **kept)

        statuses = [deliver(receiver, f"evt_{number}").status for number in range(4)]

        assert statuses == [200, 200, 429, 429]
        receiver.close()


def test_processes_on_one_file_together_take_what_one_may(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:  # a Pool waits for the dead
        told = list(pool.map(_deliver_20, [(str(tmp_path), who) for who in range(3)], timeout=60))

    statuses = [status for each in told for status in each]
    assert (statuses.count(200), statuses.count(429)) == (25, 35)


def _deliver_20(given: tuple[str, int]) -> list[int]:
    """In a process of its own: 20 events of its own."""
    directory, who = given
    receiver = Receiver(
        "acme",
        endpoint="orders",
        secrets=[SECRET],
        system="standard",
        state_path=f"{directory}/state.db",
        profile={"rate_per_minute": 25},
        now=lambda: NOW,
    )
    receiver.on("*")(lambda event: None)
    return [
        Answered(receiver.handle("POST", URL, *request(f"evt_{who}_{number}"))).status for number in range(20)
    ]


def test_it_says_once_that_there_is_a_limit_and_how_to_be_rid_of_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hookvitals")
    receiver = world.receiver()
    deliver(receiver, "evt_1")
    deliver(receiver, "evt_2")
    deliver(world.receiver(endpoint="free", profile={"rate_per_minute": None}), "evt_1")

    (said,) = [line for line in caplog.messages if "a minute is on" in line]
    assert "the limit of 100 a minute is on for acme at orders" in said
    assert "'rate_per_minute': None" in said


def test_a_limit_that_cannot_be_kept_lets_everything_through(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = world.receiver(state_path=str(world.directory / "state.db"), handle="order.*")
    receiver.state.close()

    assert [deliver(receiver, f"evt_{number}").status for number in range(3)] == [200, 200, 200]
    assert sum("cannot be kept" in line for line in caplog.messages) == 1


def test_a_clock_a_little_behind_the_last_one_makes_no_tokens() -> None:
    """Two hosts whose clocks are 10 s apart take turns."""
    alternating = [at for second in range(5) for at in ((100 + second) * S, (90 + second) * S)]

    assert waits(alternating)[:2] == [0.0, pytest.approx(11.0)]
    assert waits(alternating).count(0.0) == 5  # one each second of the faster clock


def test_a_clock_that_was_set_far_back_goes_on_from_there() -> None:
    day = 86_400 * S
    assert waits([10 * day, 9 * day, 9 * day + S]) == [0.0, pytest.approx(1.0), 0.0]


def test_a_clock_that_was_set_ahead_fills_the_bucket_once() -> None:
    assert waits([0, 10**15, 10**15, 10**15], size=2.0) == [0.0, 0.0, 0.0, pytest.approx(1.0)]


@given(st.lists(st.integers(0, 400 * S), min_size=1, max_size=200), st.floats(0.05, 20), st.floats(1, 50))
def test_never_more_are_let_in_than_the_burst_and_the_rate_allow(
    asked_at_us: list[int], per_s: float, size: float
) -> None:
    asked_at_us.sort()

    let_in = waits(asked_at_us, per_s, size).count(0.0)

    passed_s = (asked_at_us[-1] - asked_at_us[0]) / S
    assert let_in <= size + passed_s * per_s + 1e-6
    assert let_in >= 1


@pytest.mark.parametrize("note", [b"", b"x", b"1 2", b"nan 1 0", b"1 x 0", b"\xff\xfe", b"1 2 3 4"])
def test_a_note_that_is_none_of_ours_is_a_full_bucket(note: bytes) -> None:
    assert spent(note, S, 1.0, 5.0).split()[2] == b"0.0"


def test_who_waits_as_long_as_told_is_let_in(tmp_path: Path) -> None:
    clock = Clock()
    bucket = SharedBucket(SqliteState(str(tmp_path / "s.db")), "note", 7.0, 1.0, clock)
    assert bucket.wait_s() == 0.0

    clock.now += bucket.wait_s() + 1e-6

    assert bucket.wait_s() == 0.0


def test_forgeries_of_replays_use_up_nothing(world: World) -> None:
    receiver = world.receiver(profile={"replays_per_minute": 1})
    forged = [("Hookvitals-Replay", "i"), ("Hookvitals-Timestamp", "1"), ("Hookvitals-Signature", "v1,AA==")]
    for _ in range(5):
        receiver.handle("POST", URL, forged, b"{}")

    assert _replay(world, receiver, "evt_1").status == 200
    assert _replay(world, receiver, "evt_2").status == 429
    assert deliver(receiver, "evt_3").status == 200  # neither uses up the other's


def _replay(world: World, receiver: Receiver, event_id: str) -> Answered:
    body = request()[1]
    headers = replay_headers(f"item_{event_id}", body, REPLAY_SECRET, world.clock())
    return Answered(receiver.handle("POST", URL, [*headers, ("webhook-id", event_id)], body))
