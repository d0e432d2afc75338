import random
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store.control import Control
from monitor.store.control.audit import Verified
from tests.monitor.clocks import START, FakeClock

ROWS = 12


def fill(control: Control, rows: int = ROWS) -> None:
    for n in range(rows):
        with control.write() as tx:
            control.audit.append(
                tx, START + timedelta(seconds=n), "ada", "admin", "cli", "key.create", f"k{n}", {"n": n}
            )


def tampered(folder: Path, *statements: str) -> None:
    """Changes rows the way somebody with the file would: the triggers away first, back after."""
    db = sqlite3.connect(folder / "control.db")
    triggers = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in [*statements, *triggers]:
        db.execute(statement)
    db.commit()
    db.close()


def test_an_untouched_chain_verifies(control: Control) -> None:
    fill(control)

    assert control.audit.verify() == Verified(ROWS)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"])
def test_the_store_itself_refuses_to_change_or_delete_rows(
    control: Control, tmp_path: Path, statement: str
) -> None:
    fill(control, 1)
    db = sqlite3.connect(tmp_path / "control.db")

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    ("statement", "bad_seq"),
    [
        ("UPDATE audit SET detail = '{\"n\":99}' WHERE seq = 5", 5),
        ("UPDATE audit SET at_us = at_us + 1 WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 7", 7),
        ("DELETE FROM audit WHERE seq = 12", 12),
        ("DELETE FROM audit", 1),
    ],
)
def test_the_first_bad_row_is_named(control: Control, tmp_path: Path, statement: str, bad_seq: int) -> None:
    fill(control)

    tampered(tmp_path, statement)

    found = control.audit.verify()
    assert found.bad_seq == bad_seq
    assert found.problem


def test_two_rows_that_changed_places_are_found(control: Control, tmp_path: Path) -> None:
    fill(control)

    tampered(
        tmp_path,
        "UPDATE audit SET seq = 99 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = 99",
    )

    assert control.audit.verify().bad_seq == 3


def test_no_single_change_of_any_column_is_missed(control: Control, tmp_path: Path) -> None:
    fill(control)
    dice = random.Random(1)
    columns = ("actor", "role", "via", "action", "subject", "detail", "prev_hash", "hash")
    for _ in range(60):
        column, seq = dice.choice(columns), dice.randint(1, ROWS)
        kept = sqlite3.connect(tmp_path / "control.db")
        (value,) = kept.execute(f"SELECT {column} FROM audit WHERE seq = {seq}").fetchone()
        kept.close()
        at = dice.randrange(len(value))
        changed = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        quoted = changed.replace("'", "''")
        tampered(tmp_path, f"UPDATE audit SET {column} = '{quoted}' WHERE seq = {seq}")

        found = control.audit.verify()

        assert found.bad_seq is not None, (column, seq)
        assert found.bad_seq in (seq, seq + 1)
        original = value.replace("'", "''")
        tampered(tmp_path, f"UPDATE audit SET {column} = '{original}' WHERE seq = {seq}")


def test_an_act_that_is_undone_leaves_no_row(control: Control) -> None:
    def act() -> None:
        with control.write() as tx:
            control.audit.append(tx, START, "ada", "admin", "cli", "key.create", "k", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()

    fill(control, 2)
    assert control.audit.verify() == Verified(2)


def test_pages_go_back_in_time(control: Control, clock: FakeClock) -> None:
    fill(control)

    first = control.audit.page(limit=5)
    second = control.audit.page(limit=5, before=first[-1].seq)

    assert [row.seq for row in [*first, *second]] == list(range(12, 2, -1))
    assert [row.detail for row in control.audit.page(subject="k3")] == [{"n": 3}]
