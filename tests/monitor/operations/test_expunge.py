"""What was received of one event, removed for good: no byte of it stays, and no count changes."""

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.dead_letters import LetterKey
from monitor.errors import Forbidden, NotFound, Unprocessable
from monitor.maintain.verify import verify
from monitor.model import Outcome, Record
from monitor.operations.expunge import Done, expunge
from monitor.store.facts.expunging import Expunge, Expunged
from tests.facts import NOON, Captured
from tests.monitor.operations.people import ADMIN, OPERATOR
from tests.monitor.replay.world import PLACE, World

WHY = "erasure request 4711"
PERSONAL = {
    "error_message": "no such customer: Ada Lovelace",
    "error_stack": "Traceback: ada@example.com",
    "labels": {"customer": "Ada"},
    "remote_ip": "203.0.113.7",
    "user_agent": "Ada's agent",
}


def captured(world: World, event_id: str, sealed: bytes, **given: object) -> Record:
    """An event with a capture in the facts."""
    record = world.make(
        Outcome.DEAD_LETTERED, world.clock.now(), event_id=event_id, has_capture=True, **given
    )
    world.filled.captures[record.record_id] = Captured(sealed)
    world.filled.add([record])
    return record


def removed(world: World, event_id: str, **chosen: object) -> Done:
    wanted = Expunge(PLACE[1], event_id, **chosen)  # type: ignore[arg-type]  # names of fields
    return expunge(world.desk, ADMIN, world.filled.writer, wanted, WHY)


def holding(folder: Path, sealed: bytes) -> list[str]:
    """Files of the folder with any stretch of the sealed bytes."""
    pieces = [sealed[at : at + 16] for at in range(0, len(sealed) - 15, 1000)]
    return sorted(
        file.name
        for file in folder.iterdir()
        if file.is_file() and any(p in file.read_bytes() for p in pieces)
    )


@pytest.mark.parametrize("size", [100, 3_000, 400_000])
def test_no_byte_of_the_capture_stays_in_any_file(world: World, tmp_path: Path, size: int) -> None:
    sealed, other = os.urandom(size), os.urandom(size)
    captured(world, "evt_1", sealed)
    captured(world, "evt_2", other)
    world.take_in()
    assert "facts.db-wal" in holding(tmp_path, sealed)

    done = removed(world, "evt_1")

    assert done == Done(captures=1, letters=1, records=1, is_settled=True)
    assert holding(tmp_path, sealed) == []
    assert world.facts.capture(*PLACE, "evt_1") is None
    assert world.control.letters.capture(LetterKey(*PLACE, "evt_1").id) is None
    assert world.facts.capture(*PLACE, "evt_2") == (other, False)
    assert "facts.db" in holding(tmp_path, other)


def test_pages_of_the_log_that_a_reader_needs_are_told_of(world: World, tmp_path: Path) -> None:
    sealed = os.urandom(500)
    captured(world, "evt_1", sealed)
    with closing(sqlite3.connect(tmp_path / "facts.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM capture").fetchone()
        first = world.filled.writer.expunge(Expunge(PLACE[1], "evt_1"))
        assert first == Expunged(captures=1, records=1, is_settled=False)
    assert world.filled.writer.expunge(Expunge(PLACE[1], "evt_1")) == Expunged(0, 0, is_settled=True)
    assert holding(tmp_path, sealed) == []


def test_store_goes_on_deleting_as_before(world: World) -> None:
    captured(world, "evt_1", os.urandom(50))
    setting = "PRAGMA secure_delete"
    db = world.filled.writer._db  # type: ignore[attr-defined]  # SQLite's own
    before = db.execute(setting).fetchone()
    removed(world, "evt_1")
    assert db.execute(setting).fetchone() == before


def test_records_and_counts_stay_as_they_were(world: World) -> None:
    world.filled.add([world.make(Outcome.FAILED, NOON, event_id="evt_1", attempt=1, error_class="KeyError")])
    captured(world, "evt_1", os.urandom(50), **PERSONAL)
    keys = list(world.facts.series().values())
    before, ever = world.facts.event(None, PLACE[1], "evt_1"), world.facts.ever(keys)

    removed(world, "evt_1", details=True)
    world.filled.writer.fold()

    after = world.facts.event(None, PLACE[1], "evt_1")
    assert [one.record_id for one in after] == [one.record_id for one in before]
    assert world.facts.ever(keys) == ever
    found = verify(world.facts, NOON - timedelta(days=1), NOON + timedelta(days=1))
    assert (found.records, found.differences) == (2, [])


def test_personal_texts_stay_unless_they_are_to_go(world: World) -> None:
    made = captured(world, "evt_1", os.urandom(50), **PERSONAL)
    world.take_in()

    removed(world, "evt_1")
    kept = world.facts.get(made.record_id)
    assert kept is not None
    assert {name: getattr(kept, name) for name in PERSONAL} == PERSONAL
    assert kept.has_capture is False

    done = removed(world, "evt_1", details=True)
    blank = world.facts.get(made.record_id)
    assert blank is not None
    assert {name: getattr(blank, name) for name in PERSONAL} == dict.fromkeys(PERSONAL) | {"labels": {}}
    assert (blank.event_id, blank.error_class) == ("evt_1", made.error_class)
    assert done == Done(captures=0, letters=0, records=1, is_settled=True)
    letter = world.letter(LetterKey(*PLACE, "evt_1").id)
    assert letter.standing.error_message is None
    assert [one.error_message for one in world.control.letters.records(letter.id)] == [None]


def test_only_the_named_endpoint_is_touched(world: World) -> None:
    captured(world, "evt_1", os.urandom(50))
    captured(world, "evt_1", os.urandom(50), endpoint="refunds")
    captured(world, "evt_1", os.urandom(50), environment="staging")

    done = removed(world, "evt_1", endpoint="payments", environment="production")

    assert (done.captures, done.records) == (1, 1)
    assert world.facts.capture("production", PLACE[1], "refunds", "evt_1") is not None
    assert world.facts.capture("staging", PLACE[1], "payments", "evt_1") is not None
    assert removed(world, "evt_1").captures == 2


def test_audit_says_who_why_and_what(world: World) -> None:
    captured(world, "evt_1", os.urandom(50))
    world.take_in()
    removed(world, "evt_1", details=True)

    done, asked = world.control.audit.page(2)

    assert (asked.action, asked.subject, asked.actor) == ("event.expunge", "stripe/evt_1", ADMIN.name)
    assert asked.detail == {"reason": WHY, "environment": None, "endpoint": None, "details": True}
    assert (done.action, done.detail) == ("event.expunged", {"captures": 1, "letters": 1, "records": 1})


def test_capture_is_not_copied_into_control_again(world: World) -> None:
    captured(world, "evt_1", os.urandom(50))
    removed(world, "evt_1")
    world.take_in()
    assert world.control.letters.capture(LetterKey(*PLACE, "evt_1").id) is None


def test_only_an_admin_may(world: World) -> None:
    captured(world, "evt_1", os.urandom(50))
    with pytest.raises(Forbidden):
        expunge(world.desk, OPERATOR, world.filled.writer, Expunge(PLACE[1], "evt_1"), WHY)
    assert world.facts.capture(*PLACE, "evt_1") is not None


@pytest.mark.parametrize("wanted", [Expunge("stripe", "evt_none"), Expunge("orum", "evt_1")])
def test_unknown_event_is_told_of_and_not_audited(world: World, wanted: Expunge) -> None:
    captured(world, "evt_1", os.urandom(50))
    rows = world.control.audit.verify().rows
    with pytest.raises(NotFound):
        expunge(world.desk, ADMIN, world.filled.writer, wanted, WHY)
    assert world.control.audit.verify().rows == rows


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_reason_is_needed(world: World, reason: str) -> None:
    with pytest.raises(Unprocessable):
        expunge(world.desk, ADMIN, world.filled.writer, Expunge(PLACE[1], "evt_1"), reason)
