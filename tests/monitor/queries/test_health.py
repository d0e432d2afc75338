"""Health, queues and probes are told as the facts hold them."""

from datetime import timedelta

from monitor.clock import to_us
from monitor.figures import Rate
from monitor.model import Outcome, SeriesKey
from monitor.queries.health import health, stuck
from monitor.queries.probes import standings
from monitor.queries.queues import latest, lines
from monitor.store.facts.protocol import ClientCounts
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.facts import NOON, Filled, RecordFactory

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PAYMENTS = SeriesKey("production", "stripe", "payments")


def test_a_new_store_has_no_heartbeat_and_no_floor(reader: SqliteFactReader) -> None:
    found = health(reader, NOON)

    assert (found.heartbeat_at, found.heartbeat_age, found.floor_at, list(found.clients)) == (
        None,
        None,
        None,
        [],
    )
    assert found.used_bytes > 0


def test_health_tells_ages_in_the_readers_terms(fill: Filled, reader: SqliteFactReader) -> None:
    fill.writer.heartbeat("collector-1", to_us(NOON - MINUTE))
    fill.writer.raise_floor(to_us(NOON - HOUR), 10)
    counts = ClientCounts(
        "shop", "1.0", "pod-1", to_us(NOON - HOUR), to_us(NOON), -1_500_000, 5, 1, {"full": 2}, {"inbox": 3}
    )
    fill.add([], client=counts)

    found = health(reader, NOON)

    assert (found.heartbeat_age, found.floor_at) == (MINUTE, NOON - HOUR)
    (client,) = found.clients
    assert (client.skew, client.started_at) == (timedelta(seconds=-1.5), NOON - HOUR)
    since = {"inbox": 3, "dropped_at_us": to_us(NOON)}
    assert (client.produced, client.dropped, client.state) == (5, {"full": 2}, since)


def test_what_was_accepted_long_ago_and_never_ended_is_stuck(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    old = NOON - HOUR
    fill.add([make.delivery(Outcome.ACCEPTED, old, received_at=old), make.delivery(Outcome.ACCEPTED, NOON)])

    assert stuck(reader, "production", NOON + MINUTE) == {PAYMENTS: 1}


def test_a_queue_line_holds_its_samples_oldest_first(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make(), make(environment="dev")])
    codes = {key: code for code, key in reader.series().items()}
    dev = SeriesKey("dev", "stripe", "payments")
    fill.writer.append_queues(
        [(codes[PAYMENTS], "inbox", to_us(NOON - i * MINUTE), i, None) for i in range(3)]
        + [(codes[dev], "inbox", to_us(NOON), 99, None)]
    )

    (line,) = lines(reader, "production", NOON - HOUR, NOON + MINUTE, source="stripe")

    assert [sample.depth for sample in line.samples] == [2, 1, 0]
    assert line.latest.sampled_at == NOON
    assert lines(reader, "production", NOON - HOUR, NOON, endpoint="refunds") == []
    assert [sample.depth for sample in latest(reader, "production", NOON - HOUR)] == [0]


def test_a_standing_tells_the_latest_look_and_the_share_of_good_ones(
    fill: Filled, reader: SqliteFactReader, make: RecordFactory
) -> None:
    fill.add([make()])
    code = {key: code for code, key in reader.series().items()}[PAYMENTS]
    ends = NOON + timedelta(days=30)
    fill.writer.append_probes(
        [
            (code, "http", to_us(NOON - i * MINUTE), int(ok), None, None, None, None, None, None)
            for i, ok in enumerate([False, True, True, True])
        ]
        + [
            (code, "tls", to_us(NOON - MINUTE), 1, None, None, None, to_us(ends), "a", "b"),
            (code, "tls", to_us(NOON), 0, None, None, "refused", None, None, None),
        ]
    )

    standing = standings(reader, "production", NOON - HOUR, NOON + MINUTE)[PAYMENTS]

    assert (standing.healthy, standing.uptime, standing.cert_not_after) == (False, Rate(3, 4), ends)
    assert standings(reader, "production", NOON + HOUR, NOON + 2 * HOUR) == {}
