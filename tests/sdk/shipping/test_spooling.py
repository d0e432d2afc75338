"""A shipper with a spool: what is away, too much or left at the end waits on disk, and every count adds up.

practice 40: batches, bounded, and nothing lost in silence.
"""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Receiver, Recorder, Shipper
from hookvitals.spool import Spool
from tests.sdk.collector import KEY, Collector, Post, Reply, collecting
from tests.sdk.world import SECRET

Made = Callable[..., Shipper]


@pytest.fixture
def collector_and_url() -> Iterator[tuple[Collector, str]]:
    with collecting() as made:
        yield made


@pytest.fixture
def collector(collector_and_url: tuple[Collector, str]) -> Collector:
    return collector_and_url[0]


@pytest.fixture
def make(collector_and_url: tuple[Collector, str], tmp_path: Path) -> Iterator[Made]:
    """Shippers to that collector with a spool, that wait as short as can be between attempts."""
    made: list[Shipper] = []

    def shipper(**settings: Any) -> Shipper:
        given: dict[str, Any] = {
            "batch_delay_s": 60.0,
            "uniform": lambda low, high: 0.01,
            "timeout_s": 5.0,
            "spool_dir": str(tmp_path / "spool"),
        }
        made.append(Shipper(collector_and_url[1], KEY, **{**given, **settings}))
        return made[-1]

    yield shipper
    for one in made:
        one.close(0.5)


def note(shipper: Shipper, number: int, *, first: int = 0, durable: bool = False, **fields: Any) -> None:
    """`number` records, told apart by their event ids."""
    recorder = Recorder("acme", "orders", shipper, durable=durable)
    for one in range(first, first + number):
        recorder.record("succeeded", 1, {"event_id": f"evt_{one}", "event_type": "t", **fields})


def ids(collector: Collector) -> list[str]:
    return [record["event_id"] for record in collector.records]


def expected(number: int) -> list[str]:
    return [f"evt_{one}" for one in range(number)]


def away(post: Post) -> Reply:
    return Reply(503, {"Retry-After": "0"})


def until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.005)


def told(collector: Collector) -> dict[str, dict[str, Any]]:
    """What each instance said last."""
    return {post.document["client"]["instance"]: post.document["client"] for post in collector.posts}


def assert_balanced(collector: Collector) -> None:
    """Every instance: produced = stored + spooled + dropped, as the collector heard and counted it."""
    stored: dict[str, set[str]] = {}
    seen: set[str] = set()
    for post in collector.posts:
        own = stored.setdefault(post.document["client"]["instance"], set())
        for record in post.document["records"]:
            if record["record_id"] in collector.stored and record["record_id"] not in seen:
                own.add(record["record_id"])
                seen.add(record["record_id"])
    for instance, client in told(collector).items():
        known = len(stored[instance]) + client["spooled"] + sum(client["dropped"].values())
        assert client["produced"] == known, (instance, client, len(stored[instance]))


def run(program: str, *arguments: str, code: int = 0) -> str:
    """What a process of its own printed."""
    done = subprocess.run(
        [sys.executable, "-c", START + textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


START = f"""
import os, signal, sys, threading, time
from hookvitals import Recorder, Shipper
def shipper_to(url, **settings):
    return Shipper(url, "{KEY}", **{{"batch_delay_s": 60.0, "spool_dir": sys.argv[1], **settings}})
def note(shipper, first, number, durable=False):
    recorder = Recorder("acme", "orders", shipper, durable=durable)
    for one in range(first, first + number):
        recorder.record("succeeded", 1, {{"event_id": f"evt_{{one}}", "event_type": "t"}})
"""


def test_while_the_collector_is_away_records_wait_on_disk_and_then_arrive_in_order(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    collector.answer = away
    shipper = make()
    for first in range(0, 3000, 500):
        note(shipper, 500, first=first)
        until(lambda: shipper.counts()["on_disk"] == shipper.counts()["waiting"])
    assert shipper.counts()["on_disk"] == 3000

    collector.answer = lambda post: Reply()
    assert shipper.flush(10.0)

    assert ids(collector) == expected(3000)
    assert collector.duplicates == 0
    assert shipper.counts()["accepted"] == 3000
    assert_balanced(collector)
    assert shipper.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_more_than_memory_holds_waits_on_disk_and_nothing_is_dropped(
    collector: Collector, make: Made
) -> None:
    collector.answer = away
    shipper = make(max_waiting=1000)
    for first in range(0, 5000, 100):
        note(shipper, 100, first=first)
        until(lambda: shipper.counts()["waiting"] - shipper.counts()["on_disk"] < 800)

    collector.answer = lambda post: Reply()
    assert shipper.flush(10.0)

    assert ids(collector) == expected(5000)
    assert shipper.counts()["dropped"] == {}


def test_beyond_the_bound_of_the_disk_the_oldest_go_counted(collector: Collector, make: Made) -> None:
    collector.answer = away
    shipper = make(max_spool_bytes=100_000)
    for first in range(0, 2000, 100):
        note(shipper, 100, first=first)
        until(lambda: shipper.counts()["waiting"] == shipper.counts()["on_disk"])

    collector.answer = lambda post: Reply()
    assert shipper.flush(10.0)
    note(shipper, 1, first=2000)
    assert shipper.flush(10.0)

    counts = shipper.counts()
    assert counts["dropped"] == {"spool_full": 2001 - len(collector.stored)}
    assert ids(collector)[-1] == "evt_2000"
    assert_balanced(collector)


def test_what_a_process_could_not_ship_is_shipped_by_the_next_in_its_name(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    run(
        """
        shipper = shipper_to("http://127.0.0.1:9", instance="first")
        note(shipper, 0, 250)
        """,
        str(tmp_path / "spool"),
    )
    assert len(list((tmp_path / "spool").glob("*.spool"))) == 1

    shipper = make(instance="second")
    note(shipper, 1, first=1000)
    collector.wait_for(lambda: len(collector.stored) == 250)
    assert shipper.flush()

    assert ids(collector)[:250] == expected(250)
    first = told(collector)["first"]
    assert (first["produced"], first["spooled"], first["dropped"]) == (250, 0, {})
    assert told(collector)["second"]["produced"] == 1
    assert_balanced(collector)
    until(lambda: len(list((tmp_path / "spool").iterdir())) == 2, 5.0)  # only the second's own


def test_a_receiver_that_starts_ships_what_was_left_without_a_record_of_its_own(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    run(
        """
        shipper = shipper_to("http://127.0.0.1:9", instance="first")
        note(shipper, 0, 250)
        """,
        str(tmp_path / "spool"),
    )
    shipper = make(instance="second")
    receiver = Receiver("acme", endpoint="orders", system="standard", secrets=[SECRET], shipper=shipper)

    receiver.start()
    collector.wait_for(lambda: len(collector.stored) == 250)
    until(lambda: list((tmp_path / "spool").iterdir()) == [])

    assert told(collector).keys() == {"first"}
    assert shipper.counts()["produced"] == 0
    note(shipper, 3)
    assert shipper.flush()
    assert told(collector)["second"]["produced"] == 3
    assert_balanced(collector)


def test_where_nothing_was_left_a_start_starts_no_thread(make: Made) -> None:
    """A server that forks after it has started its receivers has no thread to lose."""
    shipper = make()
    shipper.start()
    assert shipper._thread is None

    note(shipper, 1)
    assert shipper._thread is not None


def test_what_waited_longer_than_the_collector_keeps_is_dropped_once_under_that_reason(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    """Of this process and of one that has ended; each first refusal is not heard, so that they come again."""
    old = {f"evt_{one}" for one in (*range(40), *range(1000, 1007))}
    heard: set[str] = set()

    def answer(post: Post) -> Reply:
        at = [at for at, one in enumerate(post.document["records"]) if one["event_id"] in old]
        names = {post.document["records"][one]["event_id"] for one in at}
        if not names <= heard:
            heard.update(names)
            return away(post)
        rejected = [{"index": one, "pointer": "/record_id", "code": "too_old", "detail": ""} for one in at]
        taken = {"accepted": post.number - len(at), "duplicates": 0, "rejected": rejected}
        return Reply(document=taken)

    run(
        """
        shipper = shipper_to("http://127.0.0.1:9", instance="first")
        note(shipper, 0, 150)
        """,
        str(tmp_path / "spool"),
    )
    collector.answer = away
    shipper = make(instance="second")
    note(shipper, 150, first=1000)
    until(lambda: shipper.counts()["on_disk"] == 150)
    collector.answer = answer
    assert shipper.flush(10.0)
    collector.wait_for(lambda: told(collector)["first"]["dropped"] != {})
    note(shipper, 1, first=2000)
    assert shipper.flush(10.0)

    assert shipper.counts()["dropped"] == {"rejected_too_old": 7}
    assert told(collector)["second"]["dropped"] == {"rejected_too_old": 7}
    assert told(collector)["first"]["dropped"] == {"rejected_too_old": 40}
    assert set(ids(collector)) == {f"evt_{one}" for one in (*range(150), *range(1000, 1150), 2000)} - old
    assert_balanced(collector)


def test_what_is_noted_after_a_close_waits_on_disk_for_the_next_process(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    run(
        """
        shipper = shipper_to("http://127.0.0.1:9")
        note(shipper, 0, 5)
        shipper.close(0.0)
        note(shipper, 5, 5)
        """,
        str(tmp_path / "spool"),
    )

    note(make(), 100, first=1000)
    collector.wait_for(lambda: len(collector.stored) == 110)
    assert_balanced(collector)


def test_of_a_killed_process_only_what_memory_held_is_lost_and_that_is_counted(
    collector: Collector, make: Made, collector_and_url: tuple[Collector, str], tmp_path: Path
) -> None:
    run(
        """
        shipper = shipper_to(sys.argv[2], instance="first")
        note(shipper, 0, 100)
        while shipper.counts()["waiting"]:
            time.sleep(0.01)
        note(shipper, 100, 30, durable=True)
        note(shipper, 130, 20)
        assert shipper.flush()
        note(shipper, 150, 80)
        assert shipper.flush()
        note(shipper, 230, 30, durable=True)
        note(shipper, 260, 9)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        str(tmp_path / "spool"),
        collector_and_url[1],
        code=-signal.SIGKILL,
    )
    shipper = make(instance="second")
    note(shipper, 100, first=1000)
    collector.wait_for(lambda: len(collector.stored) == 360)
    assert shipper.flush()

    assert set(expected(260)) <= set(ids(collector))
    assert_balanced(collector)


def test_what_memory_held_of_a_killed_process_is_counted_as_far_as_it_was_told(
    collector: Collector, make: Made, collector_and_url: tuple[Collector, str], tmp_path: Path
) -> None:
    """600 wait; 500 travel, and the collector hears of all 600; then the process is killed."""

    def kill_once(post: Post) -> Reply:
        if post.document["client"]["instance"] == "first":
            os.kill(int(post.document["records"][0]["event_type"]), signal.SIGKILL)
        return Reply()

    collector.answer = kill_once
    run(
        """
        shipper = shipper_to(sys.argv[2], instance="first", batch_size=600)
        recorder = Recorder("acme", "orders", shipper)
        for one in range(600):
            recorder.record("succeeded", 1, {"event_id": f"evt_{one}", "event_type": str(os.getpid())})
        time.sleep(30)
        """,
        str(tmp_path / "spool"),
        collector_and_url[1],
        code=-signal.SIGKILL,
    )
    collector.wait_for(lambda: len(collector.stored) == 500)
    collector.answer = lambda post: Reply()

    shipper = make(instance="second")
    note(shipper, 100, first=1000)
    collector.wait_for(lambda: told(collector)["first"]["dropped"] == {"killed": 100})

    assert told(collector)["first"]["spooled"] == 0
    assert_balanced_but_for_unanswered(collector, 500)


def test_what_the_post_brought_back_is_counted_once_when_its_process_is_killed(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    """It was in memory alone while it travelled, and is on disk since."""
    run(
        """
        shipper = shipper_to("http://127.0.0.1:9", instance="first", batch_size=1000)
        note(shipper, 0, 100)
        shipper.flush(0.0)
        while shipper.counts()["on_disk"] < 100:
            time.sleep(0.01)
        note(shipper, 100, 900)
        while shipper.counts()["on_disk"] < 1000:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        str(tmp_path / "spool"),
        code=-signal.SIGKILL,
    )

    make(instance="second").start()
    collector.wait_for(lambda: len(collector.stored) == 1000)

    until(lambda: "first" in told(collector) and told(collector)["first"]["spooled"] == 0)
    assert told(collector)["first"]["produced"] == 1000
    assert_balanced(collector)


def assert_balanced_but_for_unanswered(collector: Collector, stored: int) -> None:
    client = told(collector)["first"]
    assert client["produced"] == stored + sum(client["dropped"].values())


def test_a_process_that_ends_while_its_post_hangs_leaves_all_on_disk(
    collector: Collector, make: Made, tmp_path: Path
) -> None:
    printed = run(
        """
        import socket
        hole = socket.socket()
        hole.bind(("127.0.0.1", 0))
        hole.listen(1)
        shipper = shipper_to(f"http://127.0.0.1:{hole.getsockname()[1]}", timeout_s=60.0, instance="first")
        note(shipper, 0, 150)
        began = time.monotonic()
        shipper.close(0.2)
        print(time.monotonic() - began < 5.0)
        """,
        str(tmp_path / "spool"),
    )
    assert printed == "True\n"

    note(make(), 100, first=1000)
    collector.wait_for(lambda: len(collector.stored) == 250)
    assert set(expected(150)) < set(ids(collector))
    assert_balanced(collector)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_leaves_its_parents_spool_alone(
    collector: Collector, collector_and_url: tuple[Collector, str], tmp_path: Path
) -> None:
    printed = run(
        """
        shipper = shipper_to(sys.argv[2])
        note(shipper, 0, 50, durable=True)
        for fork in range(4):
            pid = os.fork()
            if pid == 0:
                note(shipper, 100 * fork + 100, 50, durable=True)
                assert shipper.counts()["produced"] == 50, shipper.counts()
                if fork % 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                assert shipper.close()
                os._exit(0)
            os.waitpid(pid, 0)
        note(shipper, 50, 50, durable=True)
        assert shipper.counts()["waiting"] <= 100
        assert shipper.close(), shipper.counts()
        shipper._disk._tend_due_s = 0.0
        note(shipper, 500, 100)
        assert shipper.flush()
        deadline = time.monotonic() + 10
        while shipper._disk._orphans and time.monotonic() < deadline:
            time.sleep(0.01)
        assert shipper.close()
        print(len(os.listdir(sys.argv[1])))
        """,
        str(tmp_path / "spool"),
        collector_and_url[1],
    )
    assert printed == "0\n"
    assert len(collector.stored) == 4 * 50 + 100 + 100
    assert collector.duplicates == 0
    assert_balanced(collector)


def test_threads_that_record_durably_lose_and_double_nothing(collector: Collector, make: Made) -> None:
    import threading

    shipper = make(max_spool_bytes=1_000_000, batch_delay_s=0.01)
    threads = [
        threading.Thread(target=note, args=(shipper, 50), kwargs={"first": 100 * own, "durable": True})
        for own in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shipper.flush(10.0)

    assert len(collector.stored) == 400 == len(set(ids(collector)))
    assert shipper.counts() == {
        "produced": 400,
        "waiting": 0,
        "on_disk": 0,
        "accepted": 400,
        "dropped": {},
    }


def test_durable_without_a_spool_is_refused_at_once(make: Made) -> None:
    with pytest.raises(ValueError, match="spool_dir"):
        note(make(spool_dir=None), 1, durable=True)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("spool_dir", ""),
        ("spool_dir", "a\0b"),
        ("max_spool_bytes", 0),
        ("max_spool_bytes", float("inf")),
        ("max_spool_age_s", 0),
        ("batch_size", 0),
        ("max_waiting", 0),
        ("max_waiting_bytes", -1),
        ("batch_delay_s", -1.0),
        ("batch_delay_s", float("inf")),
        ("sample_every_s", 0.0),
        ("timeout_s", 0.0),
        ("timeout_s", float("nan")),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once_by_name(make: Made, setting: str, value: Any) -> None:
    """A batch of none would be posted without end, and a thread that cannot wait so long would die."""
    with pytest.raises(ValueError, match=setting):
        make(**{setting: value})


def test_half_an_answer_is_a_collector_that_went_away_and_no_wrong_address(
    collector: Collector, make: Made, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answer = lambda post: (
        Reply(headers={"Content-Length": "999", "Connection": "close"})
        if len(collector.posts) == 1
        else Reply()
    )
    shipper = make()
    note(shipper, 3)

    assert shipper.flush(10.0)
    assert "cannot be reached" in caplog.text
    assert "check the collector's address" not in caplog.text
    assert collector.records == collector.posts[1].document["records"]


@pytest.mark.parametrize("durable", [False, True])
def test_where_no_spool_can_be_made_records_wait_in_memory_and_it_is_said_once(
    collector: Collector, make: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture, durable: bool
) -> None:
    (tmp_path / "file").write_text("no directory")
    collector.answer = away
    shipper = make(spool_dir=str(tmp_path / "file" / "spool"))
    note(shipper, 150, durable=durable)
    until(lambda: shipper._delivery.failures > 2)

    collector.answer = lambda post: Reply()
    assert shipper.flush(10.0)

    assert len(collector.stored) == 150
    assert shipper.counts()["dropped"] == {}
    assert caplog.text.count("cannot be used") == 1


def test_damage_is_counted_and_costs_nothing_else(collector: Collector, make: Made, tmp_path: Path) -> None:
    collector.answer = away
    shipper = make()
    note(shipper, 300)
    until(lambda: shipper.counts()["on_disk"] == 300)
    (file,) = (tmp_path / "spool").glob("*.spool")
    data = bytearray(file.read_bytes())
    at = data.index(b'"evt_123"')
    data[at + 3] ^= 4
    file.write_bytes(bytes(data))

    collector.answer = lambda post: Reply()
    assert shipper.flush(10.0)
    note(shipper, 1, first=300)
    assert shipper.flush(10.0)

    assert ids(collector) == [one for one in expected(301) if one != "evt_123"]
    assert shipper.counts()["dropped"] == {"spool_damaged": 1}
    assert_balanced(collector)


def test_files_removed_under_a_running_process_are_told_of_and_cost_nothing(
    collector: Collector, make: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shipper = make()
    note(shipper, 50, durable=True)
    for file in (tmp_path / "spool").iterdir():
        file.unlink()
    note(shipper, 50, first=50, durable=True)

    assert shipper.flush(10.0)
    assert sorted(ids(collector)) == sorted(expected(100))
    assert collector.duplicates == 0
    assert caplog.text.count("its files were removed") == 1


def test_an_orphan_too_old_is_given_up_and_told(collector: Collector, make: Made, tmp_path: Path) -> None:
    spool = Spool.create(str(tmp_path / "spool"))
    spool.note({"instance": "first", "started_at": 5, "produced": 3, "accepted": 0})
    spool.append([b'{"event_id":"a"}'] * 3)
    spool.release()
    (file,) = (tmp_path / "spool").glob("*.spool")
    os.utime(file, (1e9, 1e9))

    note(make(), 100)
    collector.wait_for(lambda: "first" in told(collector))

    first = told(collector)["first"]
    assert (first["produced"], first["spooled"], first["dropped"]) == (3, 0, {"spool_expired": 3})
