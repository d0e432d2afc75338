"""What is of SQL alone: its tables, who makes them, poolers, outages, and connections across forks."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hookvitals import SqlState
from hookvitals.state import Claim, StateUnavailable
from tests.postgres import Postgres
from tests.sdk.world import Clock

S = 1_000_000


def test_its_tables_are_three_and_only_notes_may_be_lost_with_the_power(postgres_url: str) -> None:
    state = SqlState(postgres_url, now=Clock(0.0))
    state.claim("k", 0, S)
    state.close()

    with psycopg.connect(postgres_url) as db:
        found = db.execute(
            "SELECT relname, relpersistence FROM pg_class WHERE relkind = 'r' AND relname LIKE 'hookvitals%'"
        ).fetchall()
    assert sorted(found) == [
        ("hookvitals_claim", "p"), ("hookvitals_note", "u"), ("hookvitals_version", "p"),
    ]  # fmt: skip


def test_states_that_begin_at_once_make_the_tables_together(postgres_url: str) -> None:
    states = [SqlState(postgres_url, now=Clock(0.0)) for _ in range(8)]
    together = threading.Barrier(8)
    told: list[Claim] = []

    def begin(state: SqlState) -> None:
        together.wait()
        told.append(state.claim("k", 0, S))

    threads = [threading.Thread(target=begin, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for state in states:
        state.close()

    assert sorted(told, key=lambda claim: claim.value) == [Claim.BUSY] * 7 + [Claim.NEW]


def test_a_role_that_may_make_no_tables_works_with_those_that_are_there(postgres_url: str) -> None:
    state = SqlState(postgres_url)
    state.claim("k", 0, S)
    state.close()
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS receiver")
        db.execute("CREATE ROLE receiver LOGIN")
        db.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO receiver")
    state = SqlState(postgres_url.replace("postgres@", "receiver@"))

    assert state.claim("k", 0, S) is Claim.BUSY
    state.close()
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("DROP OWNED BY receiver")
        db.execute("DROP ROLE receiver")


def test_it_works_behind_a_pooler_that_changes_servers_at_each_transaction(
    postgres: Postgres, pooled: Callable[[str], str], postgres_url: str
) -> None:
    name = postgres_url.split("/")[3].partition("?")[0]
    state = SqlState(pooled(name), now=Clock(0.0))

    def more() -> None:
        for _ in range(50):
            state.change("count", lambda was: str(int(was or b"0") + 1).encode(), 100 * S)

    threads = [threading.Thread(target=more) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.change("count", lambda was: was or b"", 100 * S) == b"200"
    state.close()


def test_a_session_that_the_server_ended_is_not_noticed(postgres_url: str) -> None:
    state = SqlState(postgres_url, now=Clock(0.0))
    state.claim("k", 0, S)
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert state.claim("k", 0, S) is Claim.BUSY
    state.close()


def test_a_database_that_is_not_there_is_told_of_as_unavailable_without_the_password(tmp_path: Path) -> None:
    state = SqlState(f"postgresql://somebody:swordfish@/none?host={tmp_path}")

    with pytest.raises(StateUnavailable) as told:
        state.claim("k", 0, S)
    assert "swordfish" not in str(told.value)
    state.close()


@pytest.mark.parametrize("url", ["me:swordfish@host/name", "nosuch://me:swordfish@host/name", "sqlite://"])
def test_what_cannot_be_a_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="SqlState can use") as told:
        SqlState(url)
    assert "swordfish" not in str(told.value)


@pytest.mark.parametrize(
    ("missing", "url", "told"),
    [
        ("sqlalchemy", "sqlite:///s.db", "SqlState needs: pip install 'hookvitals[sql]'"),
        (
            "psycopg",
            "postgresql://host/name",
            "SqlState needs the driver of this database: pip install psycopg",
        ),
    ],
)
def test_without_a_package_it_is_named(missing: str, url: str, told: str) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None
import hookvitals
try:
    hookvitals.SqlState({url!r})
except hookvitals.MissingDependency as exc:
    print(exc)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.strip() == told
