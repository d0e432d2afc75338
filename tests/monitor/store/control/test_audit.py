import random
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from monitor.store.control import Control
from monitor.store.control.audit import Verified
from monitor.store.control.engine import read
from tests.monitor.clocks import START, FakeClock

ROWS = 12


def fill(control: Control, rows: int = ROWS) -> None:
    for n in range(rows):
        with control.write() as tx:
            control.audit.append(
                tx, START + timedelta(seconds=n), "ada", "admin", "cli", "key.create", f"k{n}", {"n": n}
            )


def tampered(control: Control, *statements: str) -> None:
    """Changes rows the way somebody with the store would: the triggers away first, back after."""
    with control.engine.connect() as tx, tx.execution_options(hookvitals_write=True).begin():
        if tx.dialect.name == "sqlite":
            triggers = tx.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
            without = [f"DROP TRIGGER {name}" for name, _ in triggers]
            again = [str(sql) for _, sql in triggers]
        else:
            without = ["ALTER TABLE audit DISABLE TRIGGER audit_append_only"]
            again = ["ALTER TABLE audit ENABLE TRIGGER audit_append_only"]
        for statement in [*without, *statements, *again]:
            tx.exec_driver_sql(statement)


def test_an_untouched_chain_verifies(control: Control) -> None:
    fill(control)

    assert control.audit.verify() == Verified(ROWS)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"])
def test_the_store_itself_refuses_to_change_or_delete_rows(control: Control, statement: str) -> None:
    fill(control, 1)

    with pytest.raises(DBAPIError, match="append-only"), control.write() as tx:
        tx.exec_driver_sql(statement)


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
def test_the_first_bad_row_is_named(control: Control, statement: str, bad_seq: int) -> None:
    fill(control)

    tampered(control, statement)

    found = control.audit.verify()
    assert found.bad_seq == bad_seq
    assert found.problem


def test_two_rows_that_changed_places_are_found(control: Control) -> None:
    fill(control)

    tampered(
        control,
        "UPDATE audit SET seq = 99 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = 99",
    )

    assert control.audit.verify().bad_seq == 3


def test_no_single_change_of_any_column_is_missed(control: Control) -> None:
    fill(control)
    dice = random.Random(1)
    columns = ("actor", "role", "via", "action", "subject", "detail", "prev_hash", "hash")
    for _ in range(60):
        column, seq = dice.choice(columns), dice.randint(1, ROWS)
        with read(control.engine) as tx:
            value: str = tx.exec_driver_sql(f"SELECT {column} FROM audit WHERE seq = {seq}").scalar_one()
        at = dice.randrange(len(value))
        changed = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        quoted = changed.replace("'", "''")
        tampered(control, f"UPDATE audit SET {column} = '{quoted}' WHERE seq = {seq}")

        found = control.audit.verify()

        assert found.bad_seq is not None, (column, seq)
        assert found.bad_seq in (seq, seq + 1)
        original = value.replace("'", "''")
        tampered(control, f"UPDATE audit SET {column} = '{original}' WHERE seq = {seq}")


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
