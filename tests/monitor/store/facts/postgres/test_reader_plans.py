"""Which indexes PostgreSQL takes for what screens and control ask, told by the server itself.

Nothing is analyzed: a day that is being written has no statistics, and then a planner errs most.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from monitor.model import Grain, Outcome
from monitor.store.facts.postgres.pages import PostgresLanes
from monitor.store.facts.postgres.partitions import ensure_days
from monitor.store.facts.postgres.records import PostgresRecords
from monitor.store.facts.postgres.rollups import PostgresRollups
from monitor.store.facts.postgres.server import Server
from monitor.store.facts.postgres.setup import create
from monitor.store.facts.reading.pages import LAST_ID, Lane
from monitor.store.facts.record_rows import first_id_at

pytestmark = pytest.mark.postgres

DAY_US = 86_400_000_000
START_US = 1_795_000_000_000_000 // DAY_US * DAY_US
DAYS = 4
ROWS = 20_000

_FILL = f"""
    INSERT INTO facts.record
    SELECT (lpad(to_hex({START_US // 1000} + i * {DAYS * DAY_US // 1000 // ROWS}::bigint), 12, '0')
            || '70008000' || lpad(to_hex(i), 12, '0'))::uuid,
        i % 7 + 1, CASE WHEN i % 50 = 0 THEN 2 ELSE 1 END, 0, 200, 5, 0, i % 5000, '\\x90'
    FROM generate_series(0, {ROWS - 1}) AS i"""


@dataclass
class Node:
    """One step of a plan that really ran."""

    kind: str
    table: str
    index: str
    removed: int


@dataclass
class Asked:
    """A connection that hears how each of its statements was done."""

    db: psycopg.Connection[tuple[object, ...]]
    heard: list[str] = field(default_factory=list)

    def statements(self) -> list[list[Node]]:
        """The steps of each statement that looked at facts, but those that never ran."""
        self.db.execute("SELECT 1")  # what is told of a statement comes with the next answer
        plans = [json.loads(text.partition("plan:")[2]) for text in self.heard if "facts." in text]
        return [list(_nodes(plan["Plan"])) for plan in plans]

    def ran(self) -> list[Node]:
        """The steps of the last of them."""
        return self.statements()[-1]


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    if plan["Actual Loops"]:
        yield Node(
            plan["Node Type"],
            plan.get("Relation Name", ""),
            plan.get("Index Name", ""),
            plan.get("Rows Removed by Filter", 0),
        )
        for part in plan.get("Plans", ()):
            yield from _nodes(part)


def kinds(nodes: list[Node]) -> set[str]:
    return {node.kind for node in nodes}


def indexes(nodes: list[Node]) -> list[str]:
    return [node.index for node in nodes if node.table]


@pytest.fixture
def asked(postgres_url: str) -> Iterator[Asked]:
    create(postgres_url)
    with closing(Server(postgres_url)) as server:
        ensure_days(server, START_US, START_US + (DAYS - 1) * DAY_US)
    with psycopg.connect(postgres_url) as db:
        db.execute(_FILL)
        db.execute(
            "INSERT INTO facts.feed (record_id, records, fed_at_us) SELECT record_id, 1, 0 FROM facts.record"
        )
        db.commit()
        found = Asked(db)
        db.execute("LOAD 'auto_explain'")
        for name in ("log_min_duration = 0", "log_analyze = on", "log_timing = off", "log_format = json"):
            db.execute(f"SET auto_explain.{name}")
        db.execute("SET client_min_messages = log")
        db.add_notice_handler(lambda notice: found.heard.append(notice.message_primary or ""))
        yield found


def lane(first: bytes = bytes(16), before: bytes = LAST_ID, route: int = 1) -> Lane:
    return Lane(first, before, None, [("route", [route])])


def test_a_page_walks_the_newest_day_alone_and_sorts_nothing(asked: Asked) -> None:
    assert len(PostgresLanes(asked.db).shown(lane(), 51, 5_000)) == 51

    ran = asked.ran()
    assert "Sort" not in kinds(ran)
    assert indexes(ran) == ["record_20261121_pkey"]


def test_a_page_that_finds_nothing_stops_at_its_bound(asked: Asked) -> None:
    lanes = PostgresLanes(asked.db)

    assert lanes.shown(lane(route=99), 51, 7_500) == []
    ran = asked.ran()
    assert "Sort" not in kinds(ran)
    assert sum(node.removed for node in ran) == 7_500
    assert indexes(ran) == ["record_20261121_pkey", "record_20261120_pkey"]

    assert lanes.last_walked(lane(route=99), 7_500) is not None
    assert indexes(asked.ran()) == ["record_20261121_pkey", "record_20261120_pkey"]


def test_a_range_of_times_reads_its_days_alone(asked: Asked) -> None:
    first, before = first_id_at(START_US + DAY_US), first_id_at(START_US + 2 * DAY_US)

    assert PostgresLanes(asked.db).shown(lane(first, before, route=99), 51, 50_000) == []

    assert indexes(asked.ran()) == ["record_20261119_pkey"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.REJECTED])
def test_troubled_records_are_found_by_their_own_index(asked: Asked, outcome: Outcome) -> None:
    """failed: one in fifty; rejected: none at all, which a walk of all days would have to find out."""
    lanes = PostgresLanes(asked.db)
    wanted = Lane(bytes(16), LAST_ID, outcome, [])

    assert len(lanes.shown(wanted, 500, 50_000)) == (400 if outcome is Outcome.FAILED else 0)
    ran = asked.ran()
    assert "Sort" not in kinds(ran)
    assert [name.endswith("_outcome_record_id_idx") for name in indexes(ran)] == [True] * DAYS
    assert lanes.last_walked(wanted, 50_000) is None
    assert [name.endswith("_outcome_record_id_idx") for name in indexes(asked.ran())] == [True] * DAYS


def test_a_full_page_is_planned_without_the_older_days(asked: Asked, postgres_url: str) -> None:
    """To plan a walk of 400 days takes longer than to walk what a page needs of two."""
    with closing(Server(postgres_url)) as server:
        ensure_days(server, START_US - 60 * DAY_US, START_US)

    assert len(PostgresLanes(asked.db).shown(lane(), 51, 5_000)) == 51
    assert len(asked.statements()) == 1
    assert len(set(re.findall(r"record_2026\d{4}_pkey", asked.heard[-1]))) < 15


def test_an_event_is_found_by_its_hash_in_each_day(asked: Asked) -> None:
    PostgresRecords(asked.db).of_event("evt_x")

    assert len(indexes(asked.ran())) == DAYS
    assert all(name.endswith("_event_hash_idx") for name in indexes(asked.ran()) if name)


def test_a_record_is_found_in_its_day_alone(asked: Asked) -> None:
    assert PostgresRecords(asked.db).row(first_id_at(START_US + DAY_US)) is None

    assert indexes(asked.ran()) == ["record_20261119_pkey"]


def test_the_feed_is_read_in_order_by_its_key_and_no_further_than_asked(asked: Asked) -> None:
    assert len(PostgresRecords(asked.db).fed(0, 0, 20)) == 20

    marks, records = asked.statements()
    assert kinds(marks) == {"Limit", "Index Scan"}
    assert indexes(marks) == ["feed_pkey"]
    assert "Hash Join" not in kinds(records)
    assert indexes(records) == ["record_20261118_pkey"]


def test_rollups_are_read_by_their_key(asked: Asked) -> None:
    PostgresRollups(asked.db).stored([1, 2, 3], (Grain.HOUR, 0, 60), ["counts"])

    assert set(indexes(asked.ran())) == {"rollup_pkey"}
