"""What is true of control on PostgreSQL alone: its errors, its pool, a pooler before it, its locks."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import text

from monitor.config.values import parse_duration
from monitor.dead_letters import LetterKey, LetterRecord
from monitor.errors import Unavailable, WrongSchema
from monitor.model import Outcome
from monitor.store.control import Control, upgrade
from monitor.store.control.audit import Verified
from monitor.store.control.engine import open_engine, read
from monitor.store.control.marks import FeedMark
from monitor.store.control.migrations import head
from monitor.worker.leadership import TAKEOVER_S
from tests.control import lead
from tests.monitor.clocks import START, FakeClock
from tests.postgres import Postgres, database, pooler, server

pytestmark = pytest.mark.postgres

KEY = LetterKey("production", "stripe", "payments", "evt_1")


@pytest.fixture
def kept(postgres_url: str) -> Iterator[Control]:
    upgrade(postgres_url)
    control = Control.open(postgres_url, FakeClock(), connections=2)
    yield control
    control.close()


def test_an_empty_database_names_the_command_to_run(postgres_url: str) -> None:
    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        Control.open(postgres_url)


def test_upgrade_makes_the_tables_and_breaks_off_whole(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as db:
        db.execute("CREATE TABLE replay_item (squatter int)")

    with pytest.raises(WrongSchema, match="replay_item"):
        upgrade(postgres_url)
    with psycopg.connect(postgres_url) as db:
        found = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        db.execute("DROP TABLE replay_item")

    assert found == [("replay_item",)]
    assert upgrade(postgres_url) == (None, head())


@pytest.mark.skipif(not shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"), reason="needs pgbouncer")
def test_everything_works_through_a_pooler_in_transaction_mode(postgres: Postgres) -> None:
    with database(postgres) as direct, pooler(postgres) as through:
        url = through(direct.split("/")[3].split("?")[0])
        upgrade(url)
        control = Control.open(url, FakeClock())
        lead(control)
        for n in range(20):  # more turns than a driver needs to prepare a statement
            with control.write() as tx:
                control.audit.append(tx, START, "ada", "admin", "cli", "key.create", f"k{n}", {})

        assert control.audit.verify() == Verified(20)
        control.close()


def test_a_read_is_one_snapshot_and_cannot_write(kept: Control) -> None:
    with read(kept.engine) as tx:
        before = tx.scalar(text("SELECT count(*) FROM mark"))
        with kept.write() as other:
            kept.marks.put_feed(other, FeedMark("store", 0, 1))
        assert tx.scalar(text("SELECT count(*) FROM mark")) == before

    with pytest.raises(Unavailable, match="read-only"), read(kept.engine) as tx:
        kept.marks.put_feed(tx, FeedMark("store", 0, 2))


def test_a_writer_waits_for_the_one_before_it(kept: Control) -> None:
    done = Event()

    def second() -> None:
        with kept.write() as tx:
            kept.marks.put_feed(tx, FeedMark("store", 0, 2))
        done.set()

    with kept.write() as tx:
        kept.marks.put_feed(tx, FeedMark("store", 0, 1))
        thread = Thread(target=second)
        thread.start()
        while not tx.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert not done.is_set()
    thread.join(10)

    assert kept.marks.feed() == FeedMark("store", 0, 2)


def test_a_lock_that_is_held_too_long_is_told_of_as_busy(kept: Control) -> None:
    hasty = text("SET LOCAL lock_timeout = 10; SELECT * FROM mark")

    with kept.write() as holder:
        holder.execute(text("LOCK TABLE mark"))
        with pytest.raises(Unavailable, match="busy") as refusal, read(kept.engine) as waiter:
            waiter.execute(hasty)

    assert refusal.value.retry_after_s


def test_no_connection_to_spare_is_told_of_as_busy(kept: Control) -> None:
    with read(kept.engine), read(kept.engine), pytest.raises(Unavailable, match="busy"), read(kept.engine):
        raise AssertionError("two were allowed")


def test_a_server_that_comes_back_is_found_again() -> None:
    with server() as own, database(own) as url:
        upgrade(url)
        control = Control.open(url, FakeClock())
        own.stop()
        with pytest.raises(Unavailable, match="does not answer"):
            control.leases.read("worker")

        own.start()

        assert control.leases.take("worker", "w", None) == 1
        control.close()


def test_a_refused_connection_does_not_tell_the_password(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql://hookvitals:hunter2@/nowhere?host={tmp_path}")

    with pytest.raises(Unavailable) as refusal, read(engine):
        raise AssertionError("nobody listens there")

    assert "hunter2" not in f"{refusal.value!r} {refusal.value} {engine!r}"


def test_an_error_message_with_a_nul_is_kept_without_it(kept: Control) -> None:
    record = LetterRecord("r1", START, Outcome.DEAD_LETTERED, "paid", error_message="bad \0 byte")

    with kept.write() as tx:
        assert kept.letters.hear(tx, KEY, record)
        assert not kept.letters.hear(tx, KEY, record)
        kept.audit.append(tx, START, "ada", "admin", "cli", "key.create", "k\0", {})

    assert kept.letters.records(KEY.id) == [
        replace(record, error_message="bad \N{REPLACEMENT CHARACTER} byte")
    ]
    assert kept.audit.verify() == Verified(1)


def test_a_frozen_writer_loses_its_lock_before_a_follower_takes_over(kept: Control) -> None:
    with kept.write() as tx:
        shown = tx.scalar(text("SHOW idle_in_transaction_session_timeout"))

    assert shown == "10s"
    assert parse_duration(shown).total_seconds() < TAKEOVER_S
