"""The checklists' items: which figure makes one pass or fail, and what a person may answer for."""

from datetime import timedelta

import pytest

from alerts.model import Repeats, Terms
from monitor.checklist import HOPNOW, ITEMS, ORUM, Attestation, Judged, Shown, Verdict, judged
from monitor.model import Outcome, ProbeKind, ProbeResult, Reason, SeriesKey
from monitor.queries.checklist import shown
from monitor.rollup import Rollup
from monitor.store.control import Control
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.control import new_control
from tests.facts import NOON, Filled, RecordFactory, sqlite_facts
from tests.monitor.clocks import FakeClock

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PLACE = SeriesKey("production", "stripe", "payments")


def found_of(item: str, **changes: object) -> Judged:
    given = {"now": NOON, "url": "https://hooks.example/x", "terms": Terms(), "week": Rollup(), **changes}
    attested = given.pop("attested", {})
    [found] = [one for one in judged(Shown(**given), attested) if one.item.id == item]  # type: ignore[arg-type]
    return found


def probe(kind: ProbeKind, ok: bool, status: int | None = None, error: str = "", days: float = 60) -> object:
    result = ProbeResult(
        *("production", "stripe", "payments"), kind, ok, NOON, status, 5.0, error, NOON + days * DAY
    )
    return {kind: result}


def test_there_are_16_items_of_orum_and_10_of_hopnow_each_with_a_name_of_its_own() -> None:
    """practice 45"""
    groups = [item.group for item in ORUM]
    assert [groups.count(name) for name in ("security", "reliability", "performance", "testing")] == [4] * 4
    assert len(HOPNOW) == 10
    assert len({item.id for item in ITEMS}) == 26


def test_an_endpoint_that_nobody_used_has_no_evidence_and_no_failure_but_the_missing_channel() -> None:
    found = judged(Shown(NOON, None, Terms(), Rollup()), {})
    unlike = {one.item.id: one.verdict for one in found if one.verdict is not Verdict.UNKNOWN}
    assert unlike == {"orum.monitoring": Verdict.FAIL, "hopnow.monitoring": Verdict.FAIL}


@pytest.mark.parametrize(
    ("item", "changes", "verdict", "said"),
    [
        ("orum.https", {"url": "http://x"}, Verdict.FAIL, "plain http"),
        ("orum.https", {"probes": probe(ProbeKind.TLS, True)}, Verdict.PASS, "valid until 2027"),
        ("orum.https", {"probes": probe(ProbeKind.TLS, True, days=3)}, Verdict.FAIL, "ends 2026"),
        ("orum.https", {"probes": probe(ProbeKind.TLS, False, error="self-signed")}, Verdict.FAIL, "self"),
        ("orum.signatures", {"probes": probe(ProbeKind.UNSIGNED, False, 200)}, Verdict.FAIL, "answered 200"),
        ("orum.signatures", {"probes": probe(ProbeKind.UNSIGNED, True, 401)}, Verdict.PASS, "answered 401"),
        ("orum.public", {"probes": probe(ProbeKind.UNSIGNED, False, 302, "a login")}, Verdict.FAIL, "login"),
        ("orum.mock", {"probes": probe(ProbeKind.CANARY, True, 200)}, Verdict.PASS, "came through"),
        ("orum.mock", {"probes": probe(ProbeKind.CANARY, False, 500)}, Verdict.FAIL, "500"),
        ("orum.idempotent", {"repeats": Repeats(50, 2)}, Verdict.FAIL, "2 of 50"),
        ("orum.staging", {"elsewhere": {"staging": 12}}, Verdict.PASS, "staging: 12 records"),
        ("orum.monitoring", {"channels": ["pager"]}, Verdict.PASS, "alerts go to pager"),
    ],
)
def test_a_figure_decides(item: str, changes: dict[str, object], verdict: Verdict, said: str) -> None:
    found = found_of(item, **changes)
    assert found.verdict is verdict
    assert said in found.said


def test_a_person_answers_for_what_has_no_evidence_and_for_no_failure() -> None:
    word = Attestation("orum.database", "ada", NOON, "pool of 20, see PR 7", NOON + 90 * DAY)
    found = found_of("orum.database", attested={"orum.database": word})
    assert (found.verdict, found.said, found.attestation) == (
        Verdict.ATTESTED,
        "by ada, 2026-11-18 12:00 UTC, until 2027-02-16: pool of 20, see PR 7",
        word,
    )
    failing = found_of("orum.https", url="http://x", attested={"orum.https": word})
    assert failing.verdict is Verdict.FAIL


def test_a_word_that_has_ended_answers_for_nothing_and_is_remembered() -> None:
    word = Attestation("orum.database", "ada", NOON - 90 * DAY, "pool of 20", NOON)
    found = found_of("orum.database", attested={"orum.database": word})
    assert (found.verdict, found.attestation) == (Verdict.UNKNOWN, word)
    assert found.said.endswith("what ada answered for ended 2026-11-18 12:00 UTC")


def test_real_traffic_is_the_evidence(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory, make = tmp_path_factory.mktemp("facts"), RecordFactory()
    control = new_control(directory, FakeClock(NOON))
    with sqlite_facts(directory) as (fill, reader):
        fill_with_a_week(fill, make)
        found = {one.item.id: one for one in judged_now(reader, control)}
    control.close()
    passed = sorted(name for name, one in found.items() if one.verdict is Verdict.PASS)
    assert passed == sorted(
        [
            *("orum.public", "orum.idempotent", "orum.deadline", "orum.retries", "orum.logging"),
            *("orum.addresses", "orum.concurrency", "orum.load", "orum.failures", "orum.staging"),
            *("orum.monitoring", "orum.background"),
            *("hopnow.deadline", "hopnow.idempotent", "hopnow.order", "hopnow.logging"),
            *("hopnow.monitoring", "hopnow.errors", "hopnow.background"),
        ]
    )
    assert found["orum.idempotent"].said == "3 copies recognised in 7 d"
    assert found["hopnow.deadline"].said.endswith("(limit 5 s)")
    assert found["orum.load"].said.startswith("79 deliveries in the busiest minute")


def fill_with_a_week(fill: Filled, make: RecordFactory) -> None:
    at = NOON - 5 * MINUTE
    fill.add([make.delivery(at=at) for _ in range(70)])
    fill.add([make.delivery(Outcome.DUPLICATE, at) for _ in range(3)])
    fill.add([make.delivery(Outcome.STALE, at) for _ in range(2)])
    fill.add([make.delivery(Outcome.REJECTED, at, reason=Reason.IP_NOT_ALLOWED) for _ in range(2)])
    fill.add([make.delivery(Outcome.FAILED, at, http_status=500) for _ in range(2)])
    fill.add([make.delivery(at=at, environment="staging")])


def judged_now(reader: SqliteFactReader, control: Control) -> list[Judged]:
    return judged(shown(reader, control, PLACE, Terms(), ["pager"], NOON), {})
