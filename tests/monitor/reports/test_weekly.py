"""The report of a week, out of a real store."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.clock import to_us
from monitor.figures import Rate
from monitor.model import Outcome, SeriesKey
from monitor.queries.sla import week_bounds
from monitor.reports.sla import Objective
from monitor.reports.weekly import weekly_report
from tests.facts import NOON, RecordFactory, sqlite_facts

BERLIN = ZoneInfo("Europe/Berlin")


def as_of() -> datetime:
    return week_bounds("2026-W47", BERLIN)[1] + timedelta(hours=6)


def test_the_report_counts_the_records_and_probes_of_its_week(tmp_path: Path) -> None:
    make = RecordFactory()
    start, end = week_bounds("2026-W47", BERLIN)
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([make.delivery(at=start), *(make.delivery(at=NOON) for _ in range(8))])
        fill.writer.fold()
        fill.add([make(Outcome.DEAD_LETTERED, end - timedelta(seconds=1)), make(at=NOON, replay_id="rep_1")])
        fill.add([make.delivery(Outcome.DEAD_LETTERED, end), make(at=NOON, environment="dev")])
        code = {key: c for c, key in reader.series().items()}[SeriesKey("production", "stripe", "payments")]
        fill.writer.append_probes(
            [
                (
                    code,
                    "http",
                    to_us(NOON + timedelta(minutes=i)),
                    int(i != 1),
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                )
                for i in range(4)
            ]
        )

        report = weekly_report(
            reader,
            "2026-W47",
            BERLIN,
            as_of(),
            objectives=[Objective("slo", 0.95)],
            expected={"stripe": (200,)},
        )

    source, endpoint = report.lines
    assert (source.endpoint, endpoint.endpoint) == (None, "payments")
    assert endpoint.event_success == source.event_success == Rate(9, 10)
    assert (endpoint.deliveries, endpoint.ack_success, endpoint.recovered) == (9, Rate(9, 9), 1)
    assert (endpoint.met, endpoint.uptime, endpoint.downtime) == (False, Rate(3, 4), timedelta(minutes=1))


def test_a_week_nobody_sent_in_is_no_data(tmp_path: Path) -> None:
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([RecordFactory()(at=NOON)])

        assert weekly_report(reader, "2026-W40", BERLIN, as_of()).is_empty
