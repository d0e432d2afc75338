"""Every figure of /stats is what counting the stored records one by one gives, in JSON and in CSV."""

import csv
import io
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from monitor.clock import to_us
from monitor.histogram import RELATIVE_ERROR
from monitor.model import ATTEMPTS, UNVERIFIED, Outcome, Record
from tests.facts import NOON, Filled, RecordFactory, mixed
from tests.monitor.api.conftest import bearer
from tests.monitor.clocks import FakeClock

HOUR = timedelta(hours=1)
READ = bearer("read")

NAME_OF: dict[str, Callable[[Record], tuple[str | None, ...]]] = {
    "event_type": lambda record: (record.source, record.event_type),
    "endpoint": lambda record: (record.source, record.endpoint),
    "source": lambda record: (record.source,),
    "outcome": lambda record: (record.outcome.value,),
    "error_class": lambda record: (record.source, record.error_class),
}
LABELS = {
    "event_type": ("source", "event_type"),
    "endpoint": ("source", "endpoint"),
    "source": ("source",),
    "outcome": ("outcome",),
    "error_class": ("source", "error_class"),
}


def get(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/api/v1{path}", headers=READ)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def lines_by_hand(by: str, records: Sequence[Record]) -> dict[tuple[str | None, ...], list[Record]]:
    """The records of each line: no replay, no canary, and only what the table is about."""
    found = defaultdict(list)
    for record in records:
        if record.replay_id is not None or record.canary:
            continue
        if (by == "event_type" and record.event_type == UNVERIFIED) or (
            by == "error_class" and record.error_class is None
        ):
            continue
        found[NAME_OF[by](record)].append(record)
    return found


def rank(values: Sequence[float], q: float) -> float:
    """The nearest-rank quantile of all values."""
    return sorted(values)[max(1, -(-int(q * 1000) * len(values) // 1000)) - 1]


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("by", list(NAME_OF))
def test_each_line_is_what_its_records_say(
    client: FlaskClient, filled: Filled, clock: FakeClock, by: str, folded: bool
) -> None:
    records = mixed(500, start=NOON - 6 * HOUR, over=6 * HOUR)
    filled.add(records)
    if folded:
        filled.writer.fold()
    clock.move(timedelta(minutes=1))
    wanted = lines_by_hand(
        by, [r for r in records if r.recorded_at >= NOON - 3 * HOUR + timedelta(minutes=1)]
    )

    answer = get(client, f"/stats?by={by}&window=3h")

    shown = {tuple(line[label] for label in LABELS[by]): line for line in answer["lines"]}
    assert set(shown) == set(wanted)
    for name, own in wanted.items():
        line, outcomes = shown[name], [record.outcome for record in own]
        assert line["total"] == len(own)
        failed = [each for each in outcomes if each in (Outcome.FAILED, Outcome.DEAD_LETTERED)]
        assert line["failed"] == len(failed)
        assert line["succeeded"] == outcomes.count(Outcome.SUCCEEDED)
        if by != "error_class":
            assert line["dead_lettered"] == outcomes.count(Outcome.DEAD_LETTERED)
        taken = [r.process_ms for r in own if r.outcome in ATTEMPTS and r.process_ms is not None]
        if by in ("outcome", "error_class") or not taken:
            assert {line[f"{figure}_ms"] for figure in ("avg", "min", "max", "p50", "p95", "p99")} == {None}
            continue
        assert (line["min_ms"], line["max_ms"]) == (min(taken), max(taken))
        assert line["avg_ms"] == pytest.approx(statistics.fmean(taken))
        for q in (50, 95, 99):
            assert line[f"p{q}_ms"] == pytest.approx(rank(taken, q / 100), rel=RELATIVE_ERROR)


@pytest.mark.parametrize("by", list(NAME_OF))
def test_lines_come_by_total_then_by_name(client: FlaskClient, filled: Filled, by: str) -> None:
    filled.add(mixed(300, start=NOON - HOUR, over=HOUR))

    lines = get(client, f"/stats?by={by}")["lines"]

    names = [tuple(line[label] or "" for label in LABELS[by]) for line in lines]
    assert len(lines) >= 2
    assert [*zip([-line["total"] for line in lines], names, strict=True)] == sorted(
        zip([-line["total"] for line in lines], names, strict=True)
    )


@pytest.mark.parametrize("by", list(NAME_OF))
def test_a_source_and_an_endpoint_narrow_every_table(client: FlaskClient, filled: Filled, by: str) -> None:
    records = mixed(300, start=NOON - HOUR, over=HOUR)
    filled.add(records)
    of_stripe = [record for record in records if record.source == "stripe"]
    of_refunds = [record for record in of_stripe if record.endpoint == "refunds"]

    for path, own in (("&source=stripe", of_stripe), ("&source=stripe&endpoint=refunds", of_refunds)):
        lines = get(client, f"/stats?by={by}{path}")["lines"]
        wanted = lines_by_hand(by, own)
        assert {tuple(line[label] for label in LABELS[by]): line["total"] for line in lines} == {
            name: len(found) for name, found in wanted.items()
        }


@pytest.mark.parametrize("by", list(NAME_OF))
def test_the_csv_holds_the_same_figures(client: FlaskClient, filled: Filled, by: str) -> None:
    filled.add(mixed(200, start=NOON - HOUR, over=HOUR))

    lines = get(client, f"/stats?by={by}&window=2h")["lines"]
    answer = client.get(f"/api/v1/stats?by={by}&window=2h&format=csv", headers=READ)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.mimetype == "text/csv"
    assert f"hookvitals-stats-{by}-20261118T1000Z-20261118T1200Z.csv" in answer.headers["Content-Disposition"]
    assert tuple(rows[0])[: len(LABELS[by])] == LABELS[by]
    told = [{name: "" if line[name] is None else str(line[name]) for name in rows[0]} for line in lines]
    assert rows == told


@pytest.mark.parametrize("name", ["=SUM(A1)", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_no_cell_of_the_csv_is_a_formula(client: FlaskClient, filled: Filled, name: str) -> None:
    make = RecordFactory()
    filled.add([make(Outcome.FAILED, NOON - HOUR, event_type=name, error_class=name)])

    for by in ("event_type", "error_class"):
        answer = client.get(f"/api/v1/stats?by={by}&format=csv", headers=READ)
        (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
        assert row[by] == "'" + name
        assert get(client, f"/stats?by={by}")["lines"][0][by] == name


def test_a_name_with_commas_quotes_and_lines_comes_back_from_the_csv(
    client: FlaskClient, filled: Filled
) -> None:
    name = 'a,"b"\nc;d'
    filled.add([RecordFactory()(at=NOON - HOUR, event_type=name)])

    answer = client.get("/api/v1/stats?format=csv", headers=READ)

    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (row["event_type"], row["total"]) == (name, "1")


def test_an_empty_range_has_no_lines_and_says_what_it_covers(client: FlaskClient) -> None:
    answer = get(client, "/stats?since=2026-11-17T08:00:30%2B01:00&until=2026-11-17T10:00:00Z")

    assert answer == {
        "environment": "production",
        "by": "event_type",
        "since": "2026-11-17T07:01:00Z",
        "until": "2026-11-17T10:00:00Z",
        "rounded_to": None,
        "lines": [],
    }


def test_a_range_whose_minutes_are_purged_says_that_it_was_widened(
    client: FlaskClient, filled: Filled, clock: FakeClock
) -> None:
    make = RecordFactory()
    filled.add([make(at=NOON - 5 * HOUR + timedelta(minutes=m)) for m in range(0, 300, 10)])
    filled.writer.fold()
    filled.writer.raise_floor(to_us(NOON - 2 * HOUR), 500)
    filled.writer.prune()

    answer = get(client, "/stats?since=2026-11-18T07:30:00Z&until=2026-11-18T11:30:00Z")

    assert (answer["since"], answer["rounded_to"]) == ("2026-11-18T07:00:00Z", "hour")
    assert answer["lines"][0]["total"] == 27
