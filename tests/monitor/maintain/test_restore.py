"""What works after a restore as it did before, and what a restore refuses."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitor.clock import SystemClock
from monitor.dead_letters import LetterFilter, LetterState, ReplayState
from monitor.model import Outcome
from monitor.operations import Actor, keys, replays, sessions, silences, users
from monitor.store.control import Control
from monitor.store.control.accounts import Role
from monitor.store.control.engine import read
from monitor.store.control.schema import metadata
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from tests.control import control_url, lead
from tests.facts import Filled
from tests.monitor.cli.running import error_of, run
from tests.monitor.replay.world import OPERATOR, World, new_world

ADMIN = Actor("grace", Role.ADMIN, "cli")
TOLD = frozenset({"mark", "lease", "job"})
"""What a round of the worker writes although nothing happened."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "data"
    folder.mkdir()
    with new_world(folder) as world:
        yield world


@contextmanager
def restored(tmp_path: Path, world: World) -> Iterator[World]:
    """The same world out of a backup, in the directory `new`."""
    backup = tmp_path / "backup"
    done = run("backup", str(backup), data_dir=tmp_path / "data")
    assert done.exit_code == 0, done.stderr or done.exception
    done = run("restore", str(backup), data_dir=tmp_path / "new")
    assert done.exit_code == 0, done.stderr or done.exception
    path = tmp_path / "new" / "facts.db"
    with (
        closing(Control.open(control_url(tmp_path / "new"), world.clock)) as control,
        closing(SqliteFactWriter(path, world.clock)) as writer,
        closing(SqliteFactReader(path)) as reader,
    ):
        made = World(control, Filled(writer), reader, world.clock)
        made.make.made, made._ids = world.make.made + 1_000, world._ids + 1_000
        yield made


def control_rows(control: Control, without: frozenset[str] = TOLD) -> dict[str, list[Any]]:
    with read(control.engine) as tx:
        return {
            name: sorted(map(repr, tx.execute(select(table)).all()))
            for name, table in metadata.tables.items()
            if name not in without
        }


def a_busy_week(world: World) -> None:
    """Letters open, resolved and permanent, a finished replay, an alert about it."""
    world.receiver.outcomes = {"evt_bad": [Outcome.FAILED] * 9}
    letters = [world.die("evt_good"), world.die("evt_bad"), world.die("evt_waits")]
    world.take_in()
    world.start(*letters[:2])
    world.turn(8)
    for _ in range(4):
        world.start(letters[1])
        world.turn(8)
    assert world.letter(letters[0]).standing.state is LetterState.RESOLVED
    assert world.letter(letters[1]).standing.state is LetterState.PERMANENT
    assert world.control.alerts.active() != ()


def test_reading_the_feed_again_adds_nothing_twice(world: World, tmp_path: Path) -> None:
    a_busy_week(world)
    with restored(tmp_path, world) as after:
        before = control_rows(after.control)
        assert before == control_rows(world.control, TOLD) | {
            "audit": before["audit"]  # one row more: the restore
        }

        assert after.take_in().startswith("took "), "the feed is read from its start"
        assert after.take_in() == ""

        assert control_rows(after.control) == before


def test_letter_that_control_had_not_heard_of_is_found_in_the_feed(world: World, tmp_path: Path) -> None:
    a_busy_week(world)
    letter = world.die("evt_late")
    assert world.control.letters.get(letter) is None
    with restored(tmp_path, world) as after:
        after.take_in()
        assert after.letter(letter).standing.state is LetterState.OPEN
        assert after.control.letters.capture(letter) is not None


def test_open_letter_is_replayed_from_the_restored_stores(world: World, tmp_path: Path) -> None:
    a_busy_week(world)
    with restored(tmp_path, world) as after:
        after.take_in()
        (letter,) = after.control.letters.page(LetterFilter(states=(LetterState.OPEN,)), 10)
        after.start(letter.id)
        after.turn(3)
        assert after.receiver.effects == ["evt_waits"]
        assert after.letter(letter.id).standing.state is LetterState.RESOLVED


def test_replay_that_was_running_is_paused_and_can_be_resumed(world: World, tmp_path: Path) -> None:
    letters = [world.die(f"evt_{n}") for n in range(3)]
    world.take_in()
    running = world.start(*letters)
    with restored(tmp_path, world) as after:
        assert after.replay(running).state is ReplayState.PAUSED
        assert "restored from a backup" in after.replay(running).state_reason
        after.turn(3)
        assert after.receiver.requests == []
        replays.resume(after.desk, OPERATOR, running)
        after.turn(5)
        assert sorted(after.receiver.effects) == ["evt_0", "evt_1", "evt_2"]


def test_users_keys_and_silences_work_but_nobody_is_signed_in(world: World, tmp_path: Path) -> None:
    users.create(world.desk, ADMIN, "ada", "a long enough password", Role.OPERATOR)
    key = keys.create(world.desk, ADMIN, "ci", ["read"])
    now = world.clock.now()
    silence = silences.create(world.desk, ADMIN, {"rule": "*"}, now, now + timedelta(hours=1), "quiet")
    token = sessions.login(world.desk, "ada", "a long enough password", "127.0.0.1")
    with restored(tmp_path, world) as after:
        assert keys.authenticate(after.desk, key.token).id == key.key.id
        assert [one.id for one in after.control.silences.current(now)] == [silence.id]
        assert sessions.authenticate(after.desk, token) is None
        assert sessions.login(after.desk, "ada", "a long enough password", "127.0.0.1")


def test_worker_leads_at_once_and_older_claims_are_past(world: World, tmp_path: Path) -> None:
    with restored(tmp_path, world) as after:
        assert after.epoch > world.epoch
        assert lead(after.control, "worker-2") > after.epoch


def test_audit_goes_on_where_it_was_and_names_the_restore(world: World, tmp_path: Path) -> None:
    a_busy_week(world)
    with restored(tmp_path, world) as after:
        rows = world.control.audit.verify().rows
        assert after.control.audit.verify().bad_seq is None
        (newest, *_) = after.control.audit.page()
        assert (newest.seq, newest.action) == (rows + 1, "backup.restore")


@pytest.mark.parametrize("store", ["facts", "control"])
def test_store_that_holds_anything_is_refused_and_left_alone(
    world: World, tmp_path: Path, store: str
) -> None:
    world.die("evt_1")
    world.take_in()
    run("backup", str(tmp_path / "backup"), data_dir=tmp_path / "data")
    there = tmp_path / "new" / f"{store}.db"
    there.parent.mkdir()
    shutil.copy(tmp_path / "data" / f"{store}.db", there)
    if store == "facts":
        shutil.copy(tmp_path / "data" / "facts.db-wal", there.with_name("facts.db-wal"))

    said = error_of(run("restore", str(tmp_path / "backup"), data_dir=tmp_path / "new"))

    assert f"{store} store {there} is not empty" in said
    assert "data_dir" in said
    assert not (tmp_path / "new" / ("facts.db" if store == "control" else "control.db")).exists()


def test_store_that_is_being_written_is_refused(world: World, tmp_path: Path) -> None:
    run("backup", str(tmp_path / "backup"), data_dir=tmp_path / "data")
    (tmp_path / "new").mkdir()
    run("db", "upgrade", data_dir=tmp_path / "new")
    with closing(SqliteFactWriter(tmp_path / "new" / "facts.db", SystemClock())):
        said = error_of(run("restore", str(tmp_path / "backup"), data_dir=tmp_path / "new"))
    assert "is written by process" in said


def test_stores_that_were_only_made_are_filled(world: World, tmp_path: Path) -> None:
    letter = world.die("evt_1")
    world.take_in()
    assert run("db", "upgrade", data_dir=tmp_path / "new").exit_code == 0
    with restored(tmp_path, world) as after:
        assert after.letter(letter).standing.state is LetterState.OPEN


@pytest.mark.parametrize("file", ["facts.record.rows.gz", "control.dead_letter.rows.gz", "manifest.json"])
def test_backup_with_a_flipped_byte_is_refused_before_anything_is_made(
    world: World, tmp_path: Path, file: str
) -> None:
    world.die("evt_1")
    world.take_in()
    backup = tmp_path / "backup"
    run("backup", str(backup), data_dir=tmp_path / "data")
    content = bytearray((backup / file).read_bytes())
    content[len(content) // 2] ^= 1
    (backup / file).write_bytes(content)

    said = error_of(run("restore", str(backup), data_dir=tmp_path / "new"))

    assert said.startswith(f"error: {backup / file} was changed since it was written")
    assert not (tmp_path / "new").exists()


class TestSecret:
    """The key that seals captures stays apart unless it is asked for."""

    @pytest.fixture
    def data(self, world: World, tmp_path: Path) -> Path:
        (tmp_path / "data" / "secret.key").write_text("ab" * 32 + "\n")
        return tmp_path / "data"

    def test_is_not_copied_and_the_command_says_so(self, data: Path, tmp_path: Path) -> None:
        done = run("backup", str(tmp_path / "backup"), data_dir=data)
        assert "secret.key is not in it" in done.stdout
        assert not (tmp_path / "backup" / "secret.key").exists()
        assert all(b"ab" * 32 not in file.read_bytes() for file in (tmp_path / "backup").iterdir())

        said = run("restore", str(tmp_path / "backup"), data_dir=tmp_path / "new").stdout
        assert "the key that sealed the captured payloads is not here" in said

    def test_comes_along_when_asked_for(self, data: Path, tmp_path: Path) -> None:
        done = run("backup", str(tmp_path / "backup"), "--with-secret", data_dir=data)
        assert "secret.key is in it" in done.stdout

        said = run("restore", str(tmp_path / "backup"), data_dir=tmp_path / "new").stdout

        assert "not here" not in said
        new = tmp_path / "new" / "secret.key"
        assert new.read_text() == (data / "secret.key").read_text()
        assert new.stat().st_mode & 0o777 == 0o600

    def test_never_takes_the_place_of_another(self, data: Path, tmp_path: Path) -> None:
        run("backup", str(tmp_path / "backup"), "--with-secret", data_dir=data)
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "secret.key").write_text("cd" * 32 + "\n")

        said = error_of(run("restore", str(tmp_path / "backup"), data_dir=tmp_path / "new"))

        assert "another sealing key" in said
        assert (tmp_path / "new" / "secret.key").read_text() == "cd" * 32 + "\n"
        assert not (tmp_path / "new" / "facts.db").exists()

    def test_that_is_not_there_cannot_be_copied(self, world: World, tmp_path: Path) -> None:
        result = run("backup", str(tmp_path / "backup"), "--with-secret", data_dir=tmp_path / "data")
        assert "there is no" in error_of(result)
