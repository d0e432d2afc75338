"""Judging records: ids, and that the fast way and the slow way agree."""

import random
from uuid import UUID

import msgspec
import pytest

from monitor.collector.accept import Terms, derived_id, judged
from monitor.collector.columns import Columns
from monitor.collector.wire import RecordIn

NOW_US = 1_795_000_000_000_000


def record(**given: object) -> RecordIn:
    stated = {
        "source": "orum",
        "endpoint": "payouts",
        "received_at": NOW_US - 5_000_000,
        "outcome": "succeeded",
        "event_id": "e1",
        "event_type": "t",
    }
    return msgspec.convert(stated | given, RecordIn)


def v7(ms: int, number: int = 0) -> str:
    return str(UUID(int=ms << 80 | 7 << 76 | 2 << 62 | number))


def test_derived_id_is_a_uuid7_that_names_the_outcome() -> None:
    texts = dict.fromkeys(("source", "environment", "endpoint", "event_id", "receiver"), "another")
    parts: dict[str, object] = {**texts, "attempt": 2}
    first = UUID(derived_id(record(), NOW_US))
    others = [UUID(derived_id(record(**{name: value}), NOW_US)) for name, value in parts.items()]
    others.append(UUID(derived_id(record(outcome="failed"), NOW_US)))
    others.append(UUID(derived_id(record(received_at=NOW_US - 4_999_999), NOW_US)))

    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first.int >> 80 == (NOW_US - 5_000_000) // 1000
    assert len({first, *others}) == 9
    assert UUID(derived_id(record(process_ms=5, event_type="other"), NOW_US)) == first


def test_derived_id_stays_the_same_from_release_to_release() -> None:
    assert derived_id(record(), NOW_US) == derived_id(record(received_at="2026-11-18T11:06:35Z"), NOW_US)
    assert derived_id(record(), NOW_US) == "01a1ee56-4a78-7867-9191-072b256d81c6"


@pytest.mark.parametrize("mixed", [False, True])
def test_each_is_judged_alike_alone_and_in_company(mixed: bool) -> None:
    chance = random.Random(7)
    ms = NOW_US // 1000
    ids = [v7(ms), v7(ms + 299_999), v7(ms + 300_001), str(UUID(int=4 << 76)), "x", v7(ms).upper(), None]
    times = [NOW_US, NOW_US + 299_000_000, NOW_US + 301_000_000, -1, "2026-11-18T11:06:35Z"]
    records = [
        record(
            record_id=chance.choice(ids if mixed else [ids[0]]),
            received_at=chance.choice(times if mixed else times[:2]),
            ack_ms=chance.choice([None, 1.0]),
            http_status=chance.choice([None, 200] if mixed else [200]),
        )
        for _ in range(200)
    ]
    terms = Terms(NOW_US)
    together = judged(records, range(200), terms)
    alone = [judged([r], [i], terms) for i, r in enumerate(records)]

    for name in Columns._fields:
        assert [*getattr(together.columns, name)] == [v for one in alone for v in getattr(one.columns, name)]
    assert [*together.indexes] == [i for one in alone for i in one.indexes]
    assert [*together.rejected] == [e for one in alone for e in one.rejected]
    assert together.ids == b"".join(one.ids for one in alone)
    assert together.stamp_ms.tolist() == [ms for one in alone for ms in one.stamp_ms.tolist()]
    assert together.received_us == [us for one in alone for us in one.received_us]
    assert bool(together.rejected) is mixed


def test_ids_that_only_look_right_side_by_side_are_refused_both() -> None:
    joined = v7(NOW_US // 1000) + v7(NOW_US // 1000)
    found = judged([record(record_id=joined[:35]), record(record_id=joined[35:])], [0, 1], Terms(NOW_US))

    assert [(e.index, e.code) for e in found.rejected] == [(0, "invalid"), (1, "invalid")]


def test_reason_of_what_was_not_rejected_is_dropped() -> None:
    columns = judged([record(reason="bad_signature")], [0], Terms(NOW_US)).columns

    assert (columns.reason, columns.outcome) == ((None,), ("succeeded",))


def test_columns_are_the_fields_of_a_record_in_their_order() -> None:
    assert Columns._fields == RecordIn.__struct_fields__
