"""The fields of the records: what the sender saw, what it took, whose secret held, and what it was about."""

from typing import Any

from hookvitals import Event
from tests.sdk.schemes.test_standard import OLD_SECRET
from tests.sdk.world import NOW, SECRET, URL, World, deliver


def test_an_inline_event_is_one_record_of_delivery_and_attempt(world: World) -> None:
    receiver = world.receiver(
        environment="staging",
        labels={"organization_id": "org_1"},
        profile={"resource_path": "data.id", "version_path": "data.v"},
    )

    deliver(
        receiver,
        at=NOW - 7,
        data={"timestamp": "2027-01-15T07:59:53.5Z", "data": {"id": "inv_1", "v": 3}},
        more=[
            ("User-Agent", "Acme/1.0"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ],
    )

    (record,) = world.records()
    timed = {name for name in record if name.endswith("_ms")}
    assert timed == {"ack_ms", "latency_ms", "verify_ms", "queue_ms", "process_ms", "skew_ms"}
    assert 0 <= record["verify_ms"] <= record["ack_ms"] == record["latency_ms"]
    assert record["skew_ms"] == -7000
    assert {
        name: value for name, value in record.items() if name not in timed | {"record_id", "secret_id"}
    } == {
        "source": "acme",
        "environment": "staging",
        "endpoint": "orders",
        "event_id": "evt_1",
        "event_type": "invoice.paid",
        "outcome": "succeeded",
        "received_at": int(NOW * 1e6),
        "attempt": 1,
        "http_status": 200,
        "event_created_at": 1_799_999_993_500_000,
        "resource": "inv_1",
        "version": 3,
        "remote_ip": "192.0.2.1",
        "user_agent": "Acme/1.0",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "labels": {"organization_id": "org_1"},
    }


def test_the_id_of_a_record_is_stamped_with_the_time_it_was_noted(world: World) -> None:
    receiver = world.receiver()
    world.clock.now += 12.5

    deliver(receiver)
    receiver.handle("GET", URL, [], b"")

    for record in world.records():
        assert int(record["record_id"].replace("-", "")[:12], 16) == int((NOW + 12.5) * 1000)
        assert record["record_id"][14] == "7"


def test_a_record_says_by_a_short_hash_which_secret_held(world: World) -> None:
    receiver = world.receiver(secrets=[SECRET, OLD_SECRET])
    deliver(receiver, "evt_1")
    deliver(receiver, "evt_2", secret=OLD_SECRET)

    first, second = (record["secret_id"] for record in world.records())

    assert first != second
    assert len(first) == len(second) == 8


def test_an_error_is_bounded_and_carries_no_secret(world: World) -> None:
    def fail(event: Event) -> None:
        password = "hunter2hunter2"
        raise RuntimeError(f"postgres://app:{password}@db/x Authorization: Bearer {SECRET} " + "é" * 5000)

    world.behave = fail
    deliver(world.receiver())

    (record,) = world.records()
    told = record["error_message"] + record["error_stack"]
    assert len(record["error_message"]) <= 1024
    assert len(record["error_stack"]) <= 8192
    assert "hunter2hunter2@" not in told
    assert SECRET not in told


def test_an_error_of_any_make_is_recorded(world: World) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    errors: dict[str, BaseException] = {
        "evt_1": Mute(),
        "evt_2": ValueError("half \ud800 a character \x00"),
        "evt_3": type("N" * 600, (Exception,), {})(),
        "evt_4": RecursionError(),
    }

    def fail(event: Event) -> None:
        raise errors[event.id]

    world.behave = fail
    receiver = world.receiver()

    assert [deliver(receiver, event_id).status for event_id in errors] == [500] * 4
    assert world.outcomes() == ["failed"] * 4


def test_without_a_collector_everything_works_and_nothing_is_recorded(world: World) -> None:
    receiver = world.receiver(shipper=None)

    assert deliver(receiver).status == 200
    assert len(world.handled) == 1
    assert world.records() == []


def test_a_collector_that_is_away_changes_no_answer(world: World) -> None:
    from hookvitals import Shipper

    nowhere = Shipper("http://127.0.0.1:9", "hv_1", timeout_s=0.1)
    receiver = world.receiver(shipper=nowhere)

    answers: list[Any] = [deliver(receiver, f"evt_{number % 5}").status for number in range(10)]

    assert set(answers) == {200}
    assert nowhere.counts()["waiting"] == 10
    assert not nowhere.close(0.1)
