"""Records as lines for other programs."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import to_us
from monitor.maintain.export import COLUMNS, PAGE, Form, export
from monitor.model import Outcome
from monitor.store.facts.protocol import FactReader, RecordFilter
from tests.facts import NOON, Captured, Filled, RecordFactory, mixed, sqlite_facts

EVERY = RecordFilter()
SEALED = b"sealed-payload-of-the-event"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[Filled, FactReader]]:
    with sqlite_facts(tmp_path) as (filled, reader):
        yield filled, reader


def exported(reader: FactReader, form: Form, wanted: RecordFilter = EVERY) -> str:
    out = io.BytesIO()
    export(reader, wanted, form, out)
    return out.getvalue().decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_record_is_a_line_newest_first(store: tuple[Filled, FactReader]) -> None:
    filled, reader = store
    records = mixed(2 * PAGE + 7, over=timedelta(hours=3))
    filled.add(records)

    lines = [json.loads(line) for line in exported(reader, Form.NDJSON).splitlines()]

    assert [line["record_id"] for line in lines] == sorted((str(r.record_id) for r in records), reverse=True)
    assert all(tuple(line) == COLUMNS for line in lines)


def test_both_forms_say_the_same(store: tuple[Filled, FactReader]) -> None:
    filled, reader = store
    filled.add(
        [RecordFactory().delivery(Outcome.FAILED, NOON, labels={"organization_id": "o1"}, skew_ms=-3.5)]
    )

    line = json.loads(exported(reader, Form.NDJSON))
    (row,) = rows(exported(reader, Form.CSV))

    assert tuple(row) == COLUMNS
    assert (line["outcome"], row["outcome"]) == ("failed", "failed")
    assert (line["labels"], row["labels"]) == ({"organization_id": "o1"}, '{"organization_id":"o1"}')
    assert (line["skew_ms"], row["skew_ms"]) == (-3.5, "-3.5")
    assert (line["canary"], row["canary"]) == (False, "false")
    assert (line["replay_id"], row["replay_id"]) == (None, "")
    assert row["recorded_at"] == "2026-11-18T12:00:00.000000Z"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(store: tuple[Filled, FactReader], start: str) -> None:
    filled, reader = store
    filled.add([RecordFactory()(Outcome.FAILED, NOON, error_message=f'{start}cmd|"/c calc"!A1, and more')])

    (row,) = rows(exported(reader, Form.CSV))

    assert row["error_message"] == f'\'{start}cmd|"/c calc"!A1, and more'


def test_cells_with_quotes_and_line_ends_come_back_whole(store: tuple[Filled, FactReader]) -> None:
    filled, reader = store
    stack = 'File "a.py", line 1\r\n  raise KeyError("x")\n'
    filled.add([RecordFactory()(Outcome.FAILED, NOON, error_stack=stack)])

    text = exported(reader, Form.CSV)

    assert rows(text)[0]["error_stack"] == stack
    assert text.splitlines(keepends=True)[0].endswith(",has_capture\r\n")


def test_filter_chooses_the_records(store: tuple[Filled, FactReader]) -> None:
    filled, reader = store
    make = RecordFactory()
    filled.add([make(Outcome.SUCCEEDED, NOON + timedelta(minutes=n)) for n in range(9)])
    failed = make(Outcome.FAILED, NOON + timedelta(minutes=4), source="orum")
    filled.add([failed])
    wanted = RecordFilter(
        source="orum",
        outcomes=(Outcome.FAILED,),
        since_us=to_us(NOON + timedelta(minutes=4)),
        until_us=to_us(NOON + timedelta(minutes=5)),
    )

    (line,) = exported(reader, Form.NDJSON, wanted).splitlines()

    assert json.loads(line)["record_id"] == str(failed.record_id)


def test_payload_is_never_among_them(store: tuple[Filled, FactReader]) -> None:
    filled, reader = store
    made = RecordFactory()(Outcome.DEAD_LETTERED, NOON, has_capture=True)
    filled.captures[made.record_id] = Captured(SEALED)
    filled.add([made])

    assert all(SEALED.decode() not in exported(reader, form) for form in Form)
    assert json.loads(exported(reader, Form.NDJSON))["has_capture"] is True


def test_empty_store_exports_nothing_but_the_header(store: tuple[Filled, FactReader]) -> None:
    _, reader = store
    assert exported(reader, Form.NDJSON) == ""
    assert exported(reader, Form.CSV) == ",".join(COLUMNS) + "\r\n"


def test_documentation_names_every_column_in_its_order() -> None:
    page = Path("docs/operations.md").read_text()
    section = page[page.index("**Export.**") : page.index("Times are RFC 3339")]
    named = re.findall(r"`(\w+)`", section.partition("in this order:")[2])
    assert tuple(named) == COLUMNS
