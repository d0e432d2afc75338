from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from psycopg import sql

from monitor.errors import ConfigError, Unavailable, WrongSchema
from monitor.store.facts.postgres.server import Server
from monitor.store.facts.postgres.setup import create, migrate, require_server, require_version, version_of
from tests.postgres import Postgres

pytestmark = pytest.mark.postgres


def meta(url: str) -> dict[str, str]:
    with psycopg.connect(url) as db:
        return dict(db.execute("SELECT key, value FROM facts.meta").fetchall())


def altered(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        name = sql.Identifier(db.info.dbname)
        db.execute(sql.SQL(statement).format(database=name))


def test_new_facts_have_an_id_a_version_and_no_floor(postgres_url: str) -> None:
    create(postgres_url, "store-1")

    assert meta(postgres_url) == {"store_id": "store-1", "schema_version": "1", "floor_us": "0"}


def test_made_again_the_facts_keep_their_id(postgres_url: str) -> None:
    create(postgres_url)
    before = meta(postgres_url)
    create(postgres_url, "store-2")

    assert meta(postgres_url) == before
    assert len(before["store_id"]) == 32


def test_many_that_make_them_at_once_all_find_the_same(postgres_url: str) -> None:
    together = Barrier(6)

    def make(number: int) -> None:
        together.wait(10)
        create(postgres_url, f"store-{number}")

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(make, range(6))) == [None] * 6
    assert meta(postgres_url)["schema_version"] == "1"


def test_a_schema_made_by_an_administrator_is_used(postgres_url: str) -> None:
    altered(postgres_url, "CREATE SCHEMA facts")
    create(postgres_url, "store-1")

    assert meta(postgres_url)["store_id"] == "store-1"


def test_facts_of_another_version_name_what_to_do(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as db, pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        require_version(db)
    create(postgres_url)
    altered(postgres_url, "UPDATE facts.meta SET value = '2' WHERE key = 'schema_version'")

    with psycopg.connect(postgres_url) as db, pytest.raises(WrongSchema, match="later one"):
        require_version(db)
    with pytest.raises(WrongSchema, match="later one"):
        create(postgres_url)


def test_facts_of_an_older_version_are_brought_to_a_later_one(postgres_url: str) -> None:
    create(postgres_url, "store-1")
    with psycopg.connect(postgres_url) as db:
        steps = {1: ["CREATE TABLE facts.one (a integer)"], 2: ["ALTER TABLE facts.one ADD b integer"]}
        migrate(db, 1, 3, steps)

    assert meta(postgres_url) == {"store_id": "store-1", "schema_version": "3", "floor_us": "0"}
    with psycopg.connect(postgres_url) as db:
        assert db.execute("SELECT a, b FROM facts.one").fetchall() == []
        with pytest.raises(WrongSchema, match="schema 3"):
            require_version(db)


def test_a_server_that_answers_before_the_disk_has_it_is_refused(postgres_url: str) -> None:
    altered(postgres_url, "ALTER DATABASE {database} SET synchronous_commit = off")

    with pytest.raises(ConfigError, match="synchronous_commit"):
        create(postgres_url)


def test_a_user_who_may_not_make_them_is_told_what_to_grant(postgres: Postgres, postgres_url: str) -> None:
    altered(postgres_url, "CREATE ROLE reader_only LOGIN")
    try:
        with pytest.raises(ConfigError, match="GRANT CREATE"):
            create(postgres_url.replace("postgres@", "reader_only@"))
    finally:
        altered(postgres_url, "DROP ROLE reader_only")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        create("postgresql://postgres@/none?host=/nowhere")


def test_the_way_of_a_store_sees_the_version(postgres_url: str) -> None:
    create(postgres_url)
    server = Server(postgres_url, 1)
    try:
        with server.read() as db:
            require_server(db)
            assert version_of(db) == 1
    finally:
        server.close()
