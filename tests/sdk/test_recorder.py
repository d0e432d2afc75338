"""The recorder: for receivers with their own verification, and never in their way."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hookvitals import Recorder, Shipper
from hookvitals.recorder import error_fields
from tests.sdk.collector import KEY, Collector, collecting


class Scene:
    """A recorder, its shipper and its collector."""

    def __init__(self, collector: Collector, url: str) -> None:
        self.collector = collector
        self.shipper = Shipper(url, KEY, batch_delay_s=60.0)
        self.now_ns = 1_800_000_000_000_000_000
        self.recorder = Recorder("acme", "orders", self.shipper, now_ns=lambda: self.now_ns)

    def records(self) -> list[dict[str, Any]]:
        assert self.shipper.flush(10.0)
        return self.collector.records


@pytest.fixture
def scene() -> Iterator[Scene]:
    with collecting() as (collector, url):
        made = Scene(collector, url)
        yield made
        made.shipper.close()


def test_work_that_ends_well_is_recorded_with_its_times(scene: Scene) -> None:
    began = time.perf_counter()
    with scene.recorder.track("evt_1", "t", received_at_us=1_799_999_999_000_000, attempt=2) as tracked:
        tracked.fields["labels"] = {"tenant": "a"}
    took_ms = (time.perf_counter() - began) * 1000

    (record,) = scene.records()
    assert (record["outcome"], record["event_id"], record["event_type"]) == ("succeeded", "evt_1", "t")
    assert record["received_at"] == 1_799_999_999_000_000
    assert record["latency_ms"] == pytest.approx(1000.0)
    assert 0 < record["process_ms"] <= took_ms
    assert (record["attempt"], record["labels"]) == (2, {"tenant": "a"})


def test_work_whose_receipt_nobody_told_was_received_when_it_began(scene: Scene) -> None:
    with scene.recorder.track("evt_1", "t"):
        pass

    (record,) = scene.records()
    assert record["process_ms"] > 0
    began_ns = scene.now_ns - int(record["process_ms"] * 1e6)
    assert record["received_at"] == pytest.approx(began_ns // 1000, abs=1)
    assert record["latency_ms"] == pytest.approx(record["process_ms"], abs=0.002)


def test_an_attempt_stays_open_to_fields_until_it_ends(scene: Scene) -> None:
    """Its time is the measured one, whatever the fields say."""
    with scene.recorder.track("evt_1", "t", process_ms=1e9) as tracked:
        assert tracked.fields["event_id"] == "evt_1"
        tracked.fields["resource"] = "order_1"

    (record,) = scene.records()
    assert record["resource"] == "order_1"
    assert record["process_ms"] < 1e6


@pytest.mark.parametrize(("will_retry", "outcome"), [(True, "failed"), (False, "dead_lettered")])
def test_an_exception_goes_on_and_is_recorded(scene: Scene, will_retry: bool, outcome: str) -> None:
    with pytest.raises(LookupError), scene.recorder.track("evt_1", "t", will_retry=will_retry):
        raise LookupError("no such order")

    (record,) = scene.records()
    assert (record["outcome"], record["error_class"]) == (outcome, "LookupError")
    assert record["error_message"] == "no such order"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_end_of_a_process_gives_up_no_event(scene: Scene, kind: type[BaseException]) -> None:
    with pytest.raises(kind), scene.recorder.track("evt_1", "t"):
        raise kind

    assert [record["outcome"] for record in scene.records()] == ["failed"]


def test_a_clock_that_was_set_back_makes_no_negative_latency(scene: Scene) -> None:
    with scene.recorder.track("evt_1", "t", received_at_us=1_900_000_000_000_000):
        pass

    assert scene.records()[0]["latency_ms"] >= 0


def test_where_and_by_whom_stands_in_every_record(scene: Scene) -> None:
    recorder = Recorder("acme", "orders", scene.shipper, environment="sandbox", receiver="worker-3")
    recorder.record("accepted", 1, {"event_id": "e", "event_type": "t", "http_status": 202})

    (record,) = scene.records()
    assert (record["environment"], record["receiver"], record["source"]) == ("sandbox", "worker-3", "acme")


def test_no_error_however_broken_replaces_the_one_that_was_raised(scene: Scene) -> None:
    class Broken(SyntaxError):
        text = 5  # type: ignore[assignment]
        lineno = "x"  # type: ignore[assignment]

        def __str__(self) -> str:
            raise RuntimeError("no words")

    with pytest.raises(Broken), scene.recorder.track("evt_1", "t"):
        raise Broken

    (record,) = scene.records()
    assert record["error_class"].endswith("Broken")


def test_a_shipper_that_breaks_does_not_reach_the_handler(scene: Scene) -> None:
    scene.shipper._noted = None  # type: ignore[assignment]  # as broken as can be

    scene.recorder.record("succeeded", 1, {"event_id": "e", "event_type": "t"})

    scene.shipper.restart_in_child()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8G"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("postgres://app:s3cr3tpw@db/orders", "s3cr3tpw"),
        ("password=s3cr3tpw&x=1", "s3cr3tpw"),
        ('{"api_key": "s3cr3tpw"}', "s3cr3tpw"),
        ("hv_abc_0123456789abcdef", "0123456789"),
        ("my own secret", "my own secret"),
    ],
)
def test_what_looks_like_a_secret_leaves_no_process(text: str, hidden: str) -> None:
    fields = error_fields(RuntimeError(text), ["my own secret"])

    assert hidden not in fields["error_message"] + fields["error_stack"]


def test_ordinary_words_stay_readable() -> None:
    fields = error_fields(RuntimeError("order 17 of https://shop.example/x?page=2 has no secret sauce"))

    assert fields["error_message"] == "order 17 of https://shop.example/x?page=2 has no secret sauce"
