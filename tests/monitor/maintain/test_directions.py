"""A backup of either database restores into either: the same facts, the same control."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from monitor.cli.main import main
from monitor.clock import to_us
from monitor.config import Settings
from monitor.dead_letters import LetterState
from monitor.errors import Unavailable
from monitor.maintain.backup_files import read_manifest
from monitor.maintain.restore import ControlLoad, Target, restore
from monitor.maintain.verify import verify
from monitor.model import Grain, Outcome, ProbeKind
from monitor.store.control import Control
from monitor.store.control.dump import NOT_CARRIED
from monitor.store.control.engine import read
from monitor.store.control.schema import metadata
from monitor.store.facts.protocol import ClientCounts, FactReader, FactWriter, RecordFilter, pages
from monitor.wiring import copying
from monitor.wiring.stores import control_url, open_facts
from tests.conformance.store import DAY, meanwhile
from tests.facts import NOON, Captured, Filled, mixed
from tests.monitor.clocks import FakeClock
from tests.monitor.replay.world import World
from tests.postgres import Postgres, database

KINDS = ("sqlite", "postgresql")
CHANGES = frozenset({"audit", "lease"})
"""What a restore itself writes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Both stores, in a directory or in a database."""

    folder: Path
    url: str = ""

    def run(self, *words: str) -> str:
        environ = {"HOOKVITALS_DATA_DIR": str(self.folder), "HOOKVITALS_STORE_URL": self.url}
        done: Result = CliRunner().invoke(main, list(words), env=environ, prog_name="hookvitals")
        assert done.exit_code == 0, done.stderr or done.exception
        return done.output

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, store_url=self.url)  # type: ignore[arg-type]  # as it is read

    def reader(self) -> FactReader:
        return open_facts(self.settings)

    def writer(self) -> FactWriter:
        if self.url:
            from monitor.store.facts.postgres.writer import PostgresFactWriter

            return PostgresFactWriter(self.url, FakeClock(NOON))
        from monitor.store.facts.sqlite.writer import SqliteFactWriter

        return SqliteFactWriter(self.folder / "facts.db", FakeClock(NOON))

    def control(self) -> Control:
        return Control.open(control_url(self.settings), FakeClock(NOON))


@pytest.fixture
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mapping[str, Place]]:
    """Two of each kind, as the test's parameters name them; nothing is made in them yet."""
    with ExitStack() as stack:

        def place(name: str, kind: str) -> Place:
            if kind == "sqlite":
                return Place(tmp_path / name)
            postgres: Postgres = request.getfixturevalue("postgres")
            return Place(tmp_path / name, stack.enter_context(database(postgres)))

        parameters: dict[str, str] = request.node.callspec.params
        yield {name: place(name, parameters[name]) for name in ("source", "target")}


@pytest.mark.postgres
@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_stores_come_back_whole(
    places: Mapping[str, Place], source: str, target: str, tmp_path: Path
) -> None:
    before, after = places["source"], places["target"]
    before.run("db", "upgrade")
    with opened(before, FakeClock(NOON)) as world:
        fill(world)

    before.run("backup", str(tmp_path / "backup"))
    after.run("restore", str(tmp_path / "backup"))

    with closing(before.reader()) as one, closing(after.reader()) as two:
        assert shown(one) == shown(two)
        assert one.store_id() != two.store_id()
        assert verify(two, NOON - DAY, NOON + DAY).differences == []
        for found in pages(one, RecordFilter(), 500):
            assert two.get(found.record_id) == found
            if found.event_id is not None:
                known = one.event(found.environment, found.source, found.event_id)
                assert two.event(found.environment, found.source, found.event_id) == known
    with closing(before.control()) as one_control, closing(after.control()) as two_control:
        assert control_rows(two_control) == control_rows(one_control)
        assert two_control.audit.verify().bad_seq is None


@pytest.mark.postgres
@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_everything_goes_on_where_it_was(
    places: Mapping[str, Place], source: str, target: str, tmp_path: Path
) -> None:
    before, after = places["source"], places["target"]
    before.run("db", "upgrade")
    with opened(before, FakeClock(NOON)) as world:
        fill(world)
    before.run("backup", str(tmp_path / "backup"))
    after.run("restore", str(tmp_path / "backup"))

    with opened(after, FakeClock(NOON + timedelta(hours=1))) as world:
        writer, control, facts = world.filled.writer, world.control, world.facts
        while writer.fold():
            pass
        world.make.made, world._ids = 10_000, 10_000
        known = control_rows(control)
        assert world.take_in().startswith("took ")
        assert control_rows(control) == known, "reading the feed again adds nothing twice"

        letter = world.die("evt_after")
        world.take_in()
        world.start(letter)
        world.turn(4)
        assert world.letter(letter).standing.state is LetterState.RESOLVED
        while writer.thin(to_us(NOON), 7):
            pass
        known_again = writer.append([Filled(writer).batch(mixed(50, over=timedelta(hours=3)))])[0]
        assert known_again.accepted == 0, "what was restored is known"
        assert verify(facts, NOON - DAY, NOON + DAY).differences == []


@pytest.mark.postgres
@pytest.mark.parametrize("target", ["sqlite"])
@pytest.mark.parametrize("source", ["postgresql"])
def test_capture_in_postgresql_is_expunged_by_the_command(
    places: Mapping[str, Place], source: str, target: str
) -> None:
    place = places["source"]
    place.run("db", "upgrade")
    with opened(place, FakeClock(NOON)) as world:
        world.die("evt_1")
        world.take_in()

        said = place.run("expunge", "stripe", "evt_1", "--reason", "erasure request", "--yes")

        assert "captures removed: 1, copies in dead letters: 1" in said
        assert "PostgreSQL overwrites what was deleted in its own time" in said
        assert world.facts.capture("production", "stripe", "payments", "evt_1") is None


@pytest.mark.postgres
@pytest.mark.parametrize("target", ["postgresql"])
@pytest.mark.parametrize("source", ["sqlite"])
def test_database_that_holds_anything_is_refused(
    places: Mapping[str, Place], source: str, target: str, tmp_path: Path
) -> None:
    before, after = places["source"], places["target"]
    before.run("db", "upgrade")
    before.run("backup", str(tmp_path / "backup"))
    after.run("db", "upgrade")
    with closing(after.writer()) as writer:
        Filled(writer).add(mixed(5, over=timedelta(minutes=1)))
    with pytest.raises(AssertionError, match="the facts in PostgreSQL are not empty"):
        after.run("restore", str(tmp_path / "backup"))


@pytest.mark.postgres
@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", ["postgresql"])
def test_collectors_go_on_at_full_speed_and_the_snapshot_is_one_moment(
    places: Mapping[str, Place], source: str, target: str, tmp_path: Path
) -> None:
    before, after = places["source"], places["target"]
    before.run("db", "upgrade")
    ingested = 0
    with closing(before.writer()) as writer:

        def ingest() -> None:
            nonlocal ingested
            Filled(writer).add(mixed(BATCH, seed=ingested + 1, over=timedelta(hours=3)))
            ingested += 1
            if ingested % 5 == 0:
                writer.fold()

        for _ in range(10):
            ingest()
        with meanwhile(ingest):
            before.run("backup", str(tmp_path / "backup"))
    assert ingested > 10
    after.run("restore", str(tmp_path / "backup"))

    manifest = read_manifest(tmp_path / "backup")
    (records,) = (file.rows for file in manifest.facts.files if file.table == "record")
    with closing(after.reader()) as reader:
        found = verify(reader, NOON - DAY, NOON + DAY)
    assert (found.records, found.differences) == (records, [])
    assert 10 * BATCH <= records <= ingested * BATCH
    assert records % BATCH == 0, "a transaction is in it whole or not at all"


BATCH = 200


@pytest.mark.postgres
@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", ["sqlite"])
def test_restore_that_fails_midway_leaves_nothing_in_its_way(
    places: Mapping[str, Place], source: str, target: str, tmp_path: Path
) -> None:
    before, after = places["source"], places["target"]
    before.run("db", "upgrade")
    with opened(before, FakeClock(NOON)) as world:
        fill(world)
    before.run("backup", str(tmp_path / "backup"))
    settings = after.settings

    @contextmanager
    def failing() -> Iterator[ControlLoad]:
        with copying.control_loading(settings) as load:
            yield load
            raise Unavailable("the disk of control is gone")

    target_stores = Target(
        facts=partial(copying.facts_loading, settings, FakeClock(NOON)),
        control=failing,
        require_empty=partial(copying.require_empty, settings),
        facts_tables=copying.FACTS_TABLES,
        control_tables=copying.CONTROL_TABLES,
        control_schema=copying.control_schema(),
        secret=None,
        secret_id=None,
    )
    with pytest.raises(Unavailable):
        restore(tmp_path / "backup", target_stores, NOON, "ada")

    copying.require_empty(settings)
    left = [path.name for path in after.folder.iterdir()] if after.folder.exists() else []
    assert set(left) <= {"facts.lock"}
    after.run("restore", str(tmp_path / "backup"))
    with closing(before.reader()) as one, closing(after.reader()) as two:
        assert shown(one) == shown(two)


@contextmanager
def opened(place: Place, clock: FakeClock) -> Iterator[World]:
    """The stores of a place at work."""
    with (
        closing(place.control()) as control,
        closing(place.writer()) as writer,
        closing(place.reader()) as facts,
    ):
        yield World(control, Filled(writer), facts, clock)  # type: ignore[arg-type]  # any reader will do


def fill(world: World) -> None:
    """Something in every table that a week of work fills."""
    world.register()
    world.receiver.outcomes = {"evt_bad": [Outcome.FAILED] * 9}
    letters = [world.die("evt_good"), world.die("evt_bad"), world.die("evt_waits")]
    world.take_in()
    world.start(*letters[:2])
    world.turn(6)
    records = mixed(400, over=timedelta(hours=30), start=NOON - timedelta(hours=20))
    world.filled.captures.update({one.record_id: Captured(b"\x00\x01sealed", True) for one in records[:9]})
    world.filled.add(records, client=_client())
    world.filled.writer.raise_floor(to_us(NOON - timedelta(hours=19)), 10_000)
    flooded(world, NOON - timedelta(hours=5))
    world.filled.writer.fold()
    while world.filled.writer.thin(to_us(NOON - timedelta(hours=4)), 7):
        pass
    flooded(world, NOON - timedelta(hours=3))
    world.filled.add(mixed(50, over=timedelta(hours=3)))
    world.take_in()
    codes = {key: code for code, key in world.facts.series().items()}
    endpoint = next(code for key, code in codes.items() if key.endpoint and not key.event_type)
    world.filled.writer.append_queues([(endpoint, "q", to_us(NOON), 3, None), (endpoint, "r", 1, 2, 5)])
    world.filled.writer.append_probes(
        [(endpoint, "http", to_us(NOON), 0, None, 5, "ECONNREFUSED", None, None, None)]
    )
    world.filled.writer.heartbeat("c1", to_us(NOON))


def flooded(world: World, at: datetime) -> None:
    """Rejections over their bound a minute."""
    rejected = [world.make(Outcome.REJECTED, at + timedelta(milliseconds=n)) for n in range(20)]
    world.filled.add(rejected, bare=rejected[5:])


def _client() -> ClientCounts:
    return ClientCounts(
        name="shop",
        version="1.0",
        instance="i1",
        started_at_us=to_us(NOON),
        seen_at_us=to_us(NOON),
        skew_us=-5,
        produced=9,
        spooled=1,
        dropped={"full": 2},
        state={"inbox_depth": 4},
    )


def shown(reader: FactReader) -> dict[str, Any]:
    """What a reader says of everything."""
    keys = list(reader.series().values())
    start_us, end_us = to_us(NOON - 3 * DAY), to_us(NOON + 3 * DAY)
    records = list(pages(reader, RecordFilter(), 500))
    return {
        "series": reader.series(),
        "floor": reader.floor_us(),
        "records": records,
        "rollups": [reader.rollups(keys, grain, start_us, end_us) for grain in Grain],
        "ever": reader.ever(keys),
        "recount": reader.recount(start_us, end_us),
        "queues": reader.queue_samples(0, end_us),
        "probes": reader.probe_results(ProbeKind.HTTP, 0, end_us),
        "heartbeat": reader.heartbeat_us(),
        "clients": reader.clients(0),
        "captures": {
            place: reader.capture(*place)
            for one in records
            if one.event_id is not None
            for place in [(one.environment, one.source, one.endpoint, one.event_id)]
        },
        "feed": [
            (row.record.record_id, row.sealed_capture, row.capture_redacted)
            for row in reader.feed(0, 0, 10_000)
        ],
    }


def control_rows(control: Control) -> dict[str, list[str]]:
    with read(control.engine) as tx:
        return {
            name: sorted(map(repr, tx.execute(select(table)).all()))
            for name, table in metadata.tables.items()
            if name not in NOT_CARRIED | CHANGES | {"mark", "job"}
        }
