"""A week's report counts what its definition says, and nothing when there is nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.figures import Rate
from monitor.model import Outcome, ProbeKind, ProbeResult, Reason, SeriesKey
from monitor.reports.sla import Objective, SlaReport, Week, downtime, sla_report
from monitor.rollup import Rollup, outcome_key, reason_key, status_key

START = datetime(2026, 11, 16, tzinfo=UTC)
WEEK = Week("2026-W47", "UTC", "production", START, START + timedelta(days=7))
MONDAY = WEEK.end_at + timedelta(hours=6)
MINUTE = timedelta(minutes=1)
STRIPE = SeriesKey("production", "stripe")
PAYMENTS = SeriesKey("production", "stripe", "payments")

GOOD = Rollup(
    {
        outcome_key(Outcome.SUCCEEDED): 998,
        outcome_key(Outcome.FAILED): 40,
        outcome_key(Outcome.DEAD_LETTERED): 2,
        outcome_key(Outcome.SUCCEEDED, 1): 1,
        status_key(200): 990,
        status_key(500): 10,
        status_key(401, rejected=True): 5,
        reason_key(Reason.BAD_SIGNATURE): 5,
    }
)


def probe(minute: int, ok: bool, endpoint: str = "payments") -> ProbeResult:
    return ProbeResult("production", "stripe", endpoint, ProbeKind.HTTP, ok, START + minute * MINUTE)


def report_of(**given: object) -> SlaReport:
    values: dict[str, object] = {"totals": {STRIPE: GOOD, PAYMENTS: GOOD}, "probes": [], "as_of": MONDAY}
    return sla_report(WEEK, **{**values, **given})  # type: ignore[arg-type]


def test_a_line_holds_each_figure_with_its_counts() -> None:
    source, endpoint = report_of().lines

    assert (source.source, source.endpoint, endpoint.endpoint) == ("stripe", None, "payments")
    assert (endpoint.deliveries, endpoint.ack_success) == (1005, Rate(990, 1000))
    assert (endpoint.event_success, endpoint.error_rate) == (Rate(998, 1000), Rate(42, 1040))
    assert (endpoint.dead_letters, endpoint.recovered, endpoint.verification_failures) == (2, 1, 5)


def test_a_good_ack_is_what_the_source_calls_one() -> None:
    assert report_of(expected={"stripe": (201,)}).lines[1].ack_success == Rate(0, 1000)


@pytest.mark.parametrize(("share", "met"), [(0.99, True), (0.998, True), (0.999, False)])
def test_an_objective_is_met_from_its_share_on(share: float, met: bool) -> None:
    (_, endpoint) = report_of(objectives=[Objective("slo", share)]).lines

    assert (endpoint.objective, endpoint.met) == (share, met)


def test_the_strictest_fitting_objective_holds() -> None:
    objectives = [
        Objective("all", 0.9),
        Objective("stripe", 0.95, source="str*"),
        Objective("payments", 0.99, endpoint="pay*"),
        Objective("other", 0.9999, source="orum"),
    ]

    source, endpoint = report_of(objectives=objectives).lines

    assert (source.objective, endpoint.objective) == (0.95, 0.99)


def test_without_an_objective_or_an_ended_event_nothing_is_met_or_missed() -> None:
    only_failed = Rollup({outcome_key(Outcome.FAILED): 9})

    assert report_of().lines[0].met is None
    lines = report_of(totals={PAYMENTS: only_failed}, objectives=[Objective("slo", 0.9)]).lines
    assert (lines[0].event_success.share, lines[0].met) == (None, None)


def test_an_empty_week_has_no_line() -> None:
    assert report_of(totals={}).is_empty


def test_an_endpoint_that_was_only_probed_has_a_line() -> None:
    source, endpoint = report_of(totals={}, probes=[probe(0, True), probe(1, False)]).lines

    assert (endpoint.endpoint, endpoint.uptime, endpoint.deliveries) == ("payments", Rate(1, 2), 0)
    assert (source.endpoint, source.uptime) == (None, Rate(1, 2))
    assert endpoint.event_success.share is None


def test_a_source_adds_up_its_endpoints_probes() -> None:
    probes = [probe(0, False), probe(0, True, "refunds"), probe(1, True), probe(1, False, "refunds")]
    last = [probe(2, True), probe(2, True, "refunds")]

    source = report_of(probes=[*probes, *last]).lines[0]

    assert (source.uptime, source.downtime) == (Rate(4, 6), 2 * MINUTE)


def test_unprobed_endpoints_have_no_uptime_and_no_downtime() -> None:
    line = report_of().lines[1]

    assert (line.uptime.share, line.downtime) == (None, None)


def test_downtime_runs_from_a_failed_probe_to_the_next() -> None:
    probes = [probe(0, True), probe(1, False), probe(2, False), probe(4, True), probe(5, True)]

    assert downtime(probes, WEEK.end_at) == 3 * MINUTE


def test_a_lone_failed_probe_counts_for_a_bounded_time() -> None:
    assert downtime([probe(0, False), probe(60, True)], WEEK.end_at) == 10 * MINUTE
    assert downtime([probe(0, False)], START + 3 * MINUTE) == 3 * MINUTE


def test_a_week_that_is_not_over_says_so() -> None:
    assert report_of().is_over
    assert not report_of(as_of=WEEK.end_at - MINUTE).is_over
