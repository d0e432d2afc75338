import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import TooLarge
from monitor.model import OTHER, UNVERIFIED, SeriesKey
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.clocks import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "facts.db")
    return tmp_path / "facts.db"


@pytest.fixture
def writer(path: Path) -> Iterator[SqliteFactWriter]:
    opened = SqliteFactWriter(path, FakeClock())
    yield opened
    opened.close()


def types(count: int, endpoint: str = "payouts", first: int = 0) -> list[SeriesKey]:
    return [SeriesKey("production", "orum", endpoint, f"type-{first + i}") for i in range(count)]


def test_ancestors_are_made_and_answered_with_their_parents(path: Path, writer: SqliteFactWriter) -> None:
    key = types(1)[0]
    codes = writer.intern_series([key], 42)

    chain = [key]
    while parent := chain[-1].parent:
        chain.append(parent)
    assert set(codes) == set(chain)
    db = sqlite3.connect(path)
    stored = dict(db.execute("SELECT code, parent FROM series").fetchall())
    assert db.execute("SELECT DISTINCT first_seen_us FROM series").fetchall() == [(42,)]
    db.close()
    assert [stored[codes[k]] for k in chain] == [*(codes[k] for k in chain[1:]), 0]


def test_a_thousand_types_of_a_source_then_other(writer: SqliteFactWriter) -> None:
    known = writer.intern_series(types(1000), 0)
    late = writer.intern_series([*types(5, "refunds", 998), *types(1)], 0)

    other = SeriesKey("production", "orum", "refunds", OTHER)
    assert late[types(1)[0]] == known[types(1)[0]]
    assert [late[key] == late[other] for key in types(5, "refunds", 998)] == [False, False, True, True, True]


def test_over_the_cap_within_one_call_goes_to_other(writer: SqliteFactWriter) -> None:
    codes = writer.intern_series(types(1500), 0)

    assert len({codes[key] for key in types(1500)}) == 1001
    unverified = SeriesKey("production", "orum", "payouts", UNVERIFIED)
    assert writer.intern_series([unverified], 0)[unverified] not in codes.values()


def test_caps_survive_a_restart(path: Path) -> None:
    first = SqliteFactWriter(path, FakeClock())
    first.intern_series(types(1000), 0)
    first.intern_errors([(3, f"error-{i}") for i in range(200)])
    first.close()
    second = SqliteFactWriter(path, FakeClock())
    codes = second.intern_series(types(1, first=5000), 0)
    errors = second.intern_errors([(3, "another"), (4, "another")])
    second.close()

    assert codes[types(1, first=5000)[0]] == codes[SeriesKey("production", "orum", "payouts", OTHER)]
    assert errors[3, "another"] == errors[3, OTHER] != errors[4, "another"]


def test_seventeenth_environment_is_refused_and_nothing_is_made(writer: SqliteFactWriter) -> None:
    environments = [SeriesKey(f"env-{i}") for i in range(16)]
    codes = writer.intern_series(environments, 0)

    with pytest.raises(TooLarge, match="env-16"):
        writer.intern_series([SeriesKey("env-3", "orum"), SeriesKey("env-16")], 0)
    after = writer.intern_series([SeriesKey("env-3", "orum")], 0)
    assert after[SeriesKey("env-3", "orum")] == max(codes.values()) + 1


def test_two_hundred_error_classes_an_endpoint_then_other(writer: SqliteFactWriter) -> None:
    names = [(7, f"error-{i}") for i in range(203)]
    codes = writer.intern_errors(names)

    assert [codes[name] == codes[7, OTHER] for name in names] == [False] * 200 + [True] * 3
    assert writer.intern_errors(names[:1])[names[0]] == codes[names[0]]
    assert 0 not in codes.values()
