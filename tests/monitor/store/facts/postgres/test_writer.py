from dataclasses import replace
from datetime import timedelta

import msgspec
import psycopg
import pytest

from monitor.errors import ConfigError, StoreFull, TooLarge, Unavailable, WrongSchema
from monitor.model import OTHER, SeriesKey
from monitor.store.facts.postgres.writer import PostgresFactWriter
from monitor.store.facts.protocol import Batch, ClientCounts
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.postgres.stored import DAY_US, assert_counted, count, rows, some
from tests.postgres import Postgres, pooler

pytestmark = pytest.mark.postgres


def test_records_are_stored_and_counted_when_append_returns(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    done = writer.append([batch_of(writer, some(250))])

    assert (done[0].accepted, done[0].duplicates) == (250, 0)
    assert count(facts_url, "record") == 250
    assert_counted(facts_url, some(250))


def test_duplicates_within_a_batch_and_across_the_group_change_nothing(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    first, second = some(10), some(10, first=5)
    done = writer.append([batch_of(writer, [*first, first[3]]), batch_of(writer, second)])

    assert [(a.accepted, a.duplicates) for a in done] == [(10, 1), (10, 0)]  # other times, so other ids
    again = writer.append([batch_of(writer, first), batch_of(writer, [*second, Made(99)])])
    assert [(a.accepted, a.duplicates) for a in again] == [(0, 10), (1, 10)]
    assert_counted(facts_url, [*first, *second, Made(99)])


def test_known_records_are_met_more_than_once_in_a_row(facts_url: str, writer: PostgresFactWriter) -> None:
    """After the first group with one, the writer looks before it stores."""
    for _ in range(3):
        done = writer.append([batch_of(writer, some(5))])
    assert (done[0].accepted, done[0].duplicates) == (0, 5)
    assert writer.append([batch_of(writer, some(5, first=5))])[0].accepted == 5
    assert_counted(facts_url, [*some(5), *some(5, first=5)])


def test_first_copy_of_a_record_wins(facts_url: str, writer: PostgresFactWriter) -> None:
    one = Made(1, outcome="failed")
    writer.append([batch_of(writer, [one, replace(one, outcome="succeeded")])])
    writer.append([batch_of(writer, [replace(one, outcome="accepted")])])

    assert rows(facts_url, "SELECT outcome FROM record") == [(2,)]
    assert_counted(facts_url, [one])


def test_fold_moves_counts_and_changes_no_sum(facts_url: str, writer: PostgresFactWriter) -> None:
    records = [Made(i, START_US + i * 61_000_000, durations=(None, 5, i, 7, 9)) for i in range(200)]
    writer.append([batch_of(writer, records[:100])])
    assert writer.fold() == 100
    writer.append([batch_of(writer, records[100:])])
    assert_counted(facts_url, records)
    assert writer.fold() == 100
    assert writer.fold() == 0

    assert count(facts_url, "delta") == 0
    assert_counted(facts_url, records)


def test_a_fold_knows_the_names_that_another_collector_made(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    other = PostgresFactWriter(facts_url, FakeClock())
    records = [Made(1, key=SeriesKey("staging", "stripe", "payments", "invoice.paid"))]
    other.append([batch_of(other, records)])
    other.close()

    assert writer.fold() == 1
    assert_counted(facts_url, records)


def test_store_reopens_with_its_names_and_floor(facts_url: str, writer: PostgresFactWriter) -> None:
    writer.raise_floor(START_US - DAY_US, 100)
    codes = writer.intern_series([Made(0).key], 0)

    again = PostgresFactWriter(facts_url, FakeClock())
    assert again.intern_series([Made(0).key], 1) == codes
    assert again.floor_us == START_US - DAY_US
    again.close()


def test_a_record_that_cannot_be_stored_takes_no_neighbour_with_it(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    good, other = batch_of(writer, some(3)), batch_of(writer, some(3, first=10))
    poisoned = Batch([good.rows[0], (*good.rows[1][:3], 2**70, *good.rows[1][4:]), good.rows[2]], good.deltas)
    hollow = Batch(
        [other.rows[0], (*other.rows[1][:1], None, *other.rows[1][2:]), other.rows[2]], other.deltas
    )

    done = writer.append([poisoned, hollow])

    assert [(a.accepted, a.duplicates, list(a.unstorable)) for a in done] == [(2, 0, [1]), (2, 0, [1])]
    assert_counted(facts_url, [some(3)[0], some(3)[2], some(3, first=10)[0], some(3, first=10)[2]])


def test_what_the_server_itself_refuses_is_named_too(facts_url: str, writer: PostgresFactWriter) -> None:
    """A capture's text with a NUL, an id of 15 bytes, and a time that no partition is made for."""
    one, short, late, last = some(4)
    late = replace(late, at_us=START_US + 90 * DAY_US)
    batch = batch_of(writer, [replace(one, event_id="a\0b"), short, late, last], captures={0: b"sealed"})
    batch = replace(
        batch,
        rows=[batch.rows[0], (batch.rows[1][0][:15], *batch.rows[1][1:]), *batch.rows[2:]],  # type: ignore[index]
    )

    done = writer.append([batch])[0]

    assert (done.accepted, done.duplicates, list(done.unstorable)) == (1, 0, [0, 1, 2])
    assert_counted(facts_url, [last])


def test_only_inserted_records_feed_control_and_the_first_capture_stays(
    facts_url: str, writer: PostgresFactWriter
) -> None:
    letter = Made(1, outcome="dead_lettered", event_id="evt_1")
    retry = Made(2, START_US + 5_000, outcome="dead_lettered", event_id="evt_1")
    writer.append([batch_of(writer, [letter], fed=[(0,)], captures={0: b"first"})])
    writer.append([batch_of(writer, [letter, retry], fed=[(0,), (1,)], captures={0: b"other", 1: b"second"})])

    fed = rows(facts_url, "SELECT uuid_send(record_id) FROM feed ORDER BY xid, seq")
    assert fed == [(letter.record_id,), (retry.record_id,)]
    assert rows(facts_url, "SELECT sealed FROM capture") == [(b"first",)]


def test_feed_rows_are_kept_fourteen_days_by_when_they_were_written(facts_url: str) -> None:
    clock = FakeClock()
    writer = PostgresFactWriter(facts_url, clock)
    ancient = Made(1, START_US - 90 * DAY_US, outcome="dead_lettered")
    writer.append([batch_of(writer, [ancient], fed=[(0,)])])
    kept = []
    for _ in range(17):
        writer.prune()
        clock.move(timedelta(days=1))
        kept.append(count(facts_url, "feed"))
    writer.close()

    assert kept == [1] * 15 + [0] * 2


def test_counts_of_a_client_never_fall(facts_url: str, writer: PostgresFactWriter) -> None:
    late = ClientCounts("app", "1.0", "host-1", 5, 100, 3, 10, 1, {"full": 4}, {"inbox": 1})
    early = replace(late, seen_at_us=50, produced=7, dropped={"full": 2, "encoding": 1}, state={})
    for client in (late, early):
        writer.append([batch_of(writer, [], client=client)])

    (found,) = rows(facts_url, "SELECT produced, seen_at_us, dropped, state FROM client")
    assert found[:2] == (10, 100)
    assert msgspec.msgpack.decode(found[2]) == {"full": 4, "encoding": 1}
    assert msgspec.msgpack.decode(found[3]) == {"inbox": 1, "dropped_at_us": 100}


def test_samples_probes_and_heartbeats_are_stored_once(facts_url: str, writer: PostgresFactWriter) -> None:
    key = SeriesKey("production", "orum", "payouts")
    code = writer.intern_series([key], 0)[key]
    sample = (code, "inbox", START_US, 12, None)
    probe = (code, "http", START_US, 1, 200, 1500, None, None, None, None)

    assert (writer.append_queues([sample, sample]), writer.append_queues([sample])) == (1, 0)
    assert (writer.append_probes([probe]), writer.append_probes([probe])) == (1, 0)
    assert writer.append_queues([]) == 0
    writer.heartbeat("a", START_US)
    writer.heartbeat("a", START_US)
    assert rows(facts_url, "SELECT * FROM heartbeat") == [("a", START_US)]


def test_store_of_another_version_names_the_command_to_run(postgres_url: str, facts_url: str) -> None:
    with psycopg.connect(facts_url) as db:
        db.execute("UPDATE facts.meta SET value = '2' WHERE key = 'schema_version'")
    with pytest.raises(WrongSchema, match="later"):
        PostgresFactWriter(facts_url, FakeClock())
    with psycopg.connect(postgres_url) as db:
        db.execute("DROP SCHEMA facts CASCADE")
    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        PostgresFactWriter(postgres_url, FakeClock())


def test_a_server_that_forgets_what_it_answered_is_refused(facts_url: str) -> None:
    with psycopg.connect(facts_url, autocommit=True) as db:
        db.execute(f"ALTER DATABASE {db.info.dbname} SET synchronous_commit = off".encode())

    with pytest.raises(ConfigError, match="synchronous_commit"):
        PostgresFactWriter(facts_url, FakeClock())


def test_it_works_behind_a_pooler_that_changes_servers_at_each_transaction(
    postgres: Postgres, facts_url: str
) -> None:
    with pooler(postgres) as through:
        writer = PostgresFactWriter(through(facts_url.split("/")[3].split("?")[0]), FakeClock())
        writer.append([batch_of(writer, some(300), fed=[(7,)], captures={3: b"sealed"})])
        again = writer.append([batch_of(writer, some(300))])
        writer.fold()
        while writer.raise_floor(START_US + 100_000, 30):
            pass
        writer.prune()
        writer.close()

    assert again[0].duplicates == 300
    assert count(facts_url, "record") == 200


@pytest.mark.parametrize(("state", "error"), [("53100", StoreFull), ("57P01", Unavailable)])
def test_what_fails_on_the_server_refuses_the_group_and_keeps_what_was_stored(
    facts_url: str, writer: PostgresFactWriter, state: str, error: type[Unavailable]
) -> None:
    """53100 is disk_full, 57P01 admin_shutdown: raised where the deltas are written, after the records."""
    writer.append([batch_of(writer, some(10))])
    with psycopg.connect(facts_url, autocommit=True) as db:
        db.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$".encode()
        )
        db.execute("CREATE TRIGGER fail BEFORE INSERT ON facts.delta EXECUTE FUNCTION fail()")
        with pytest.raises(error):
            writer.append([batch_of(writer, some(10, first=50))])
        db.execute("DROP TRIGGER fail ON facts.delta")

    assert_counted(facts_url, some(10))
    assert writer.append([batch_of(writer, some(10, first=50))])[0].accepted == 10


def test_a_type_over_the_cap_of_its_source_is_other_and_an_environment_too_many_is_refused(
    writer: PostgresFactWriter,
) -> None:
    keys = [SeriesKey("production", "orum", "payouts", f"type-{n}") for n in range(1005)]
    codes = writer.intern_series(keys, 0)
    other = codes[SeriesKey("production", "orum", "payouts", OTHER)]
    assert [codes[key] for key in keys].count(other) == 5

    with pytest.raises(TooLarge, match="env-15"):
        writer.intern_series([SeriesKey(f"env-{n}") for n in range(16)], 0)
    assert writer.intern_series([SeriesKey("env-1")], 0)[SeriesKey("env-1")] == max(codes.values()) + 1
