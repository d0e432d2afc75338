"""The shipper against a collector on loopback: nothing lost silently, nothing blocked, everything counted."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hookvitals import Recorder, Shipper
from tests.ports import free_port
from tests.sdk.collector import KEY, Collector, Post, Reply, collecting

Made = Callable[..., Shipper]


@pytest.fixture
def collector_and_url() -> Iterator[tuple[Collector, str]]:
    with collecting() as made:
        yield made


@pytest.fixture
def collector(collector_and_url: tuple[Collector, str]) -> Collector:
    return collector_and_url[0]


@pytest.fixture
def make(collector_and_url: tuple[Collector, str]) -> Iterator[Made]:
    """Shippers to that collector that wait as short as can be between attempts."""
    made: list[Shipper] = []

    def shipper(**settings: Any) -> Shipper:
        given: dict[str, Any] = {"batch_delay_s": 60.0, "uniform": lambda low, high: 0.01, "timeout_s": 5.0}
        url = settings.pop("url", collector_and_url[1])
        made.append(Shipper(url, KEY, **{**given, **settings}))
        return made[-1]

    yield shipper
    for one in made:
        one.close(0.5)


def note(shipper: Shipper, number: int, *, first: int = 0, **fields: Any) -> None:
    """`number` records, told apart by their event ids."""
    recorder = Recorder("acme", "orders", shipper)
    for one in range(first, first + number):
        recorder.record("succeeded", 1, {"event_id": f"evt_{one}", "event_type": "t", **fields})


def ids(collector: Collector) -> list[str]:
    return [record["event_id"] for record in collector.records]


def failing_first(times: int, reply: Reply) -> Callable[[Post], Reply]:
    """Answers `reply` so many times, then takes everything."""
    left = [times]

    def answer(post: Post) -> Reply:
        left[0] -= 1
        return reply if left[0] >= 0 else Reply()

    return answer


def balanced(shipper: Shipper, produced: int) -> dict[str, Any]:
    """The counts, once they have been found to add up to what was really produced."""
    counts = shipper.counts()
    assert counts["produced"] == produced
    assert counts["accepted"] + counts["waiting"] + sum(counts["dropped"].values()) == produced
    return counts


def test_a_full_batch_leaves_at_once_compressed_and_with_the_key(collector: Collector, make: Made) -> None:
    note(make(batch_size=100), 100)

    collector.wait_for(lambda: len(collector.stored) == 100)

    assert ids(collector) == [f"evt_{number}" for number in range(100)]
    (post,) = collector.posts
    assert post.path == "/api/v1/records"
    assert post.headers["Authorization"] == f"Bearer {KEY}"
    assert post.headers["Content-Encoding"] == "gzip"
    assert post.raw_bytes < 100 * 60
    client = post.document["client"]
    assert (client["name"], client["produced"], client["dropped"]) == ("hookvitals-python", 100, {})


def test_less_than_a_batch_leaves_after_the_delay(collector: Collector, make: Made) -> None:
    note(make(batch_size=100, batch_delay_s=0.05), 3)

    collector.wait_for(lambda: len(collector.stored) == 3)


def test_less_than_a_batch_does_not_leave_before_the_delay(collector: Collector, make: Made) -> None:
    shipper = make(batch_size=100, batch_delay_s=60.0)
    note(shipper, 99)

    assert balanced(shipper, 99)["waiting"] == 99
    assert collector.posts == []


@pytest.mark.parametrize("number", [1, 99, 100, 101, 1234])
def test_a_flush_leaves_nothing_behind(collector: Collector, make: Made, number: int) -> None:
    shipper = make()
    note(shipper, number)

    assert shipper.flush(10.0)

    assert ids(collector) == [f"evt_{one}" for one in range(number)]
    assert balanced(shipper, number)["accepted"] == number


def test_a_url_may_have_a_base_path(collector: Collector, make: Made) -> None:
    from urllib.parse import urlsplit

    with collecting() as (behind, url):
        shipper = make(url=url + "/monitor/")
        note(shipper, 1)
        assert shipper.flush(5.0)
        assert urlsplit(behind.posts[0].path).path == "/monitor/api/v1/records"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 301, 401, 403, 404, 405])
def test_what_somebody_can_mend_is_tried_again_and_loses_nothing(
    collector: Collector, make: Made, status: int
) -> None:
    collector.answer = failing_first(3, Reply(status, {"Retry-After": "0"}))
    shipper = make()
    note(shipper, 150)

    assert shipper.flush(10.0)

    assert sorted(ids(collector)) == sorted(f"evt_{number}" for number in range(150))
    assert balanced(shipper, 150)["dropped"] == {}


def test_a_record_keeps_its_id_when_it_is_sent_again(collector: Collector, make: Made) -> None:
    collector.answer = failing_first(2, Reply(500))
    shipper = make()
    note(shipper, 5)
    assert shipper.flush(10.0)

    given: dict[str, set[str]] = {}
    for post in collector.posts:
        for record in post.document["records"]:
            given.setdefault(record["event_id"], set()).add(record["record_id"])
    assert len(collector.posts) >= 3
    assert [len(record_ids) for record_ids in given.values()] == [1] * 5


def test_records_wait_while_nobody_listens_and_arrive_when_somebody_does(make: Made) -> None:
    port = free_port()
    shipper = make(url=f"http://127.0.0.1:{port}")
    note(shipper, 250)
    assert not shipper.flush(0.2)
    assert balanced(shipper, 250)["waiting"] == 250

    with collecting(port) as (late, _):
        assert shipper.flush(10.0)
        assert len(late.stored) == 250
    assert balanced(shipper, 250)["accepted"] == 250


def test_a_connection_that_the_collector_closed_is_opened_again(collector: Collector, make: Made) -> None:
    collector.answer = lambda post: Reply(headers={"Connection": "close"})
    shipper = make()
    for number in range(3):
        note(shipper, 1, first=number)
        assert shipper.flush(5.0)

    assert len(collector.stored) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_even_by_a_flush(collector: Collector, make: Made, status: int) -> None:
    at: list[float] = []

    def answer(post: Post) -> Reply:
        at.append(time.monotonic())
        return Reply(status, {"Retry-After": "1"}) if len(at) == 1 else Reply()

    collector.answer = answer
    shipper = make()
    note(shipper, 1)

    shipper.flush(0.3)
    assert shipper.flush(5.0)
    assert at[1] - at[0] >= 1.0


def test_a_batch_that_is_too_large_is_halved_until_it_fits(collector: Collector, make: Made) -> None:
    collector.answer = lambda post: Reply(413) if post.number > 20 else Reply()
    shipper = make()
    note(shipper, 100)

    assert shipper.flush(10.0)

    assert sorted(ids(collector)) == sorted(f"evt_{number}" for number in range(100))
    assert balanced(shipper, 100)["dropped"] == {}


def test_one_poisonous_record_is_dropped_alone(collector: Collector, make: Made) -> None:
    def answer(post: Post) -> Reply:
        poisonous = any(record["event_id"] == "evt_33" for record in post.document["records"])
        return Reply(400) if poisonous else Reply()

    collector.answer = answer
    shipper = make()
    note(shipper, 100)

    assert shipper.flush(10.0)

    assert len(collector.stored) == 99
    assert balanced(shipper, 100)["dropped"] == {"refused_400": 1}


def test_a_half_that_meets_a_failure_is_kept_and_nothing_is_sent_twice(
    collector: Collector, make: Made
) -> None:
    failures = iter([False, True])

    def answer(post: Post) -> Reply:
        if post.number > 5:
            return Reply(413)
        return Reply(503, {"Retry-After": "0"}) if next(failures, False) else Reply()

    collector.answer = answer
    shipper = make()
    note(shipper, 40)

    assert shipper.flush(10.0)

    assert ids(collector) == [f"evt_{number}" for number in range(40)]
    assert collector.duplicates == 0


def test_a_capture_too_large_for_the_collector_is_left_out_and_its_record_is_not(
    collector: Collector, make: Made
) -> None:
    def answer(post: Post) -> Reply:
        bodies = any("body" in record.get("capture", {}) for record in post.document["records"])
        return Reply(413) if bodies else Reply()

    collector.answer = answer
    shipper = make()
    note(shipper, 1, capture={"headers": {}, "body": "AAAA"})

    assert shipper.flush(10.0)

    (record,) = collector.records
    assert "body" not in record["capture"]
    assert record["capture"]["redacted"], "nobody may replay an empty body in its place"
    assert balanced(shipper, 1)["accepted"] == 1


def test_records_the_collector_rejects_are_counted_by_code(collector: Collector, make: Made) -> None:
    wrong = {"evt_1": "too_old", "evt_3": "in_future", "evt_4": "too_old"}

    def answer(post: Post) -> Reply:
        rejected = [
            {"index": index, "pointer": "/record_id", "code": wrong[record["event_id"]], "detail": ""}
            for index, record in enumerate(post.document["records"])
            if record["event_id"] in wrong
        ]
        accepted = post.number - len(rejected)
        return Reply(document={"accepted": accepted, "duplicates": 0, "rejected": rejected})

    collector.answer = answer
    shipper = make()
    note(shipper, 10)

    assert shipper.flush(10.0)

    assert len(collector.stored) == 7
    assert balanced(shipper, 10)["dropped"] == {"rejected_too_old": 2, "rejected_in_future": 1}


@pytest.mark.parametrize("document", ["<html>hello</html>", [], 5, {"ok": True}, {"accepted": "x"}])
def test_a_200_that_no_collector_would_give_accepts_nothing(
    collector: Collector, make: Made, document: Any
) -> None:
    collector.answer = failing_first(1, Reply(200, {}, document))
    shipper = make()
    note(shipper, 3)

    assert shipper.flush(10.0)

    assert len(collector.posts) == 2
    assert len(collector.stored) == 3


@pytest.mark.parametrize(
    "fields", [{"labels": {"a": object()}}, {"skew_ms": float("nan")}, {"labels": {1: {2: {3}}}}]
)
def test_a_record_that_is_no_json_is_dropped_alone_and_counted(
    collector: Collector, make: Made, fields: dict[str, Any]
) -> None:
    shipper = make()
    note(shipper, 2)
    note(shipper, 1, first=2, **fields)
    note(shipper, 2, first=3)

    assert shipper.flush(10.0)

    assert ids(collector) == ["evt_0", "evt_1", "evt_3", "evt_4"]
    assert balanced(shipper, 5)["dropped"] == {"unencodable": 1}


def test_memory_is_bounded_and_the_oldest_go_counted(collector: Collector, make: Made) -> None:
    away = threading.Event()
    collector.answer = lambda post: Reply() if away.is_set() else Reply(503, {"Retry-After": "0"})
    shipper = make(max_waiting=1000)
    for first in range(0, 3000, 50):
        note(shipper, 50, first=first)
        assert balanced(shipper, first + 50)["waiting"] <= 1000

    away.set()
    assert shipper.flush(10.0)

    counts = balanced(shipper, 3000)
    assert counts["dropped"]["memory_full"] == 3000 - len(collector.stored)
    assert ids(collector)[-1] == "evt_2999", "the newest is never what goes"
    assert collector.posts[-1].document["client"]["dropped"] == counts["dropped"]


def test_captured_bodies_do_not_fill_the_memory(collector: Collector, make: Made) -> None:
    away = threading.Event()
    collector.answer = lambda post: Reply() if away.is_set() else Reply(503, {"Retry-After": "0"})
    shipper = make(max_waiting_bytes=1 << 20)
    for number in range(64):
        note(shipper, 1, first=number, capture={"headers": {}, "body": "A" * (1 << 17)})

    away.set()
    assert shipper.flush(10.0)

    counts = balanced(shipper, 64)
    assert counts["accepted"] == len(collector.stored) > 32, "the records matter more than the bodies"
    with_body = [record for record in collector.records if "body" in record["capture"]]
    assert 1 <= len(with_body) <= 16, "what was noted, and what was encoded: 1 MiB each"
    assert all(record["capture"]["redacted"] for record in collector.records if record not in with_body)


def test_the_stacks_of_a_failing_handler_do_not_fill_the_memory(collector: Collector, make: Made) -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(1)
        shipper = make(
            url=f"http://127.0.0.1:{hole.getsockname()[1]}",
            timeout_s=0.5,
            batch_size=1,
            max_waiting_bytes=1 << 20,
        )
        note(shipper, 1)
        for number in range(1, 500):
            note(shipper, 1, first=number, error_class="E", error_stack="x" * 8192)
        while shipper._noted:
            time.sleep(0.01)

    dropped = balanced(shipper, 500)["dropped"]
    assert dropped.get("memory_full", 0) < 50, "without their stacks there is room for nearly all"


def test_the_counts_add_up_at_every_moment(collector: Collector, make: Made) -> None:
    """Eight threads note while a ninth reads: never more missing than the eight may have in hand."""
    replies = iter([Reply(503, {"Retry-After": "0"}), Reply(413)] * 20)
    collector.answer = lambda post: next(replies, Reply())
    shipper = make(max_waiting=500, batch_delay_s=0.01)
    noted = [0] * 8
    wrong: list[dict[str, Any]] = []
    done = threading.Event()

    def produce(own: int) -> None:
        for number in range(500):
            note(shipper, 1, first=own * 1000 + number)
            noted[own] += 1

    def read() -> None:
        while not done.is_set():
            before = sum(noted)
            counts = shipper.counts()
            after = sum(noted) + len(noted)
            if not before <= counts["produced"] <= after:
                wrong.append({**counts, "between": (before, after)})

    reader = threading.Thread(target=read)
    reader.start()
    producers = [threading.Thread(target=produce, args=(own,)) for own in range(8)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    assert shipper.flush(20.0)
    done.set()
    reader.join()

    assert wrong == []
    counts = balanced(shipper, 4000)
    assert counts["accepted"] == len(collector.stored)


def test_a_collector_that_never_answers_delays_no_caller_and_no_close(make: Made) -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(1)
        shipper = make(url=f"http://127.0.0.1:{hole.getsockname()[1]}", timeout_s=30.0)
        longest = 0.0
        for number in range(2000):
            began = time.perf_counter()
            note(shipper, 1, first=number)
            longest = max(longest, time.perf_counter() - began)

        began = time.monotonic()
        assert not shipper.close(0.5)
        closing_s = time.monotonic() - began

    assert longest < 5.0  # far below the 30 s that the collector is waited for
    assert closing_s < 10.0
    assert balanced(shipper, 2000)["waiting"] == 2000


def test_a_record_noted_after_a_close_is_shipped_by_the_next_flush(collector: Collector, make: Made) -> None:
    shipper = make()
    note(shipper, 1)
    assert shipper.close()

    note(shipper, 1, first=1)

    assert shipper.flush(5.0)
    assert ids(collector) == ["evt_0", "evt_1"]


def test_a_queue_that_cannot_be_sampled_stops_no_record_and_no_other_queue(
    collector: Collector, make: Made
) -> None:
    sample = {"source": "a", "endpoint": "b", "queue": "inbox", "depth": 1, "sampled_at": 1}

    def broken() -> list[dict[str, Any]]:
        raise OSError("locked")

    shipper = make(sample_every_s=0.02, batch_delay_s=0.02)
    shipper.sample(broken)
    shipper.sample(lambda: [sample])
    note(shipper, 1)

    collector.wait_for(lambda: bool(collector.samples) and bool(collector.stored))


def test_a_queue_whose_oldest_age_nobody_knows_stops_no_record(collector: Collector, make: Made) -> None:
    sample = {"source": "a", "endpoint": "b", "queue": "inbox", "depth": 3, "sampled_at": 1}
    shipper = make(sample_every_s=0.02)
    shipper.sample(lambda: [sample])
    collector.wait_for(lambda: bool(collector.samples))
    note(shipper, 1)

    assert shipper.flush(5.0)
    said = [post.document["client"] for post in collector.posts if "client" in post.document]
    assert [one["inbox_depth"] for one in said] == [3]  # the samples are posts of their own


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("127.0.0.1:8700", "k"),
        ("ftp://x", "k"),
        ("http://", "k"),
        ("", "k"),
        ("http://x", ""),
        ("http://x", "a\nb"),
    ],
)
def test_an_address_or_key_that_cannot_be_one_is_refused_at_once(url: str, key: str) -> None:
    with pytest.raises(ValueError):
        Shipper(url, key)


def test_neither_its_repr_nor_its_log_shows_the_key(
    collector: Collector, make: Made, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answer = failing_first(2, Reply(401))
    shipper = make()
    note(shipper, 1)
    assert shipper.flush(5.0)

    assert KEY not in caplog.text + repr(shipper)
    assert caplog.text.count("check") == 1  # once, not at every try
