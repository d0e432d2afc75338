"""The checklists' items: which figure makes one pass or fail, and what a person may answer for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from alerts.exercises import drill
from alerts.model import Repeats, Terms
from alerts.notifier import Delivered, GivenUp
from monitor.checklist import HOPNOW, ITEMS, ORUM, Attestation, Judged, Shown, Told, Verdict, judged
from monitor.clock import to_us
from monitor.config import Document
from monitor.model import Outcome, ProbeKind, ProbeResult, Reason, SeriesKey
from monitor.queries.checklist import StoredEvidence
from monitor.queries.windows import PROBES_BACK
from monitor.rollup import Rollup
from monitor.store.control import Control
from monitor.store.facts.protocol import RecordFilter, RecordPage
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import SqliteFactWriter
from monitor.wiring.checklist import checklist, checklists
from tests.control import lead, new_control
from tests.facts import NOON, Filled, RecordFactory, mixed, sqlite_facts
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
        ("orum.monitoring", {"channels": {"pager": Told(NOON, True)}}, Verdict.PASS, "pager took a message"),
        (
            "orum.monitoring",
            {"channels": {"pager": None}},
            Verdict.UNKNOWN,
            "`hookvitals channel test pager`",
        ),
        (
            "orum.monitoring",
            {"channels": {"chat": Told(NOON, True), "mail": Told(NOON, False, "550 unknown user")}},
            Verdict.FAIL,
            "mail gave up a message 2026-11-18 12:00 UTC: 550 unknown user",
        ),
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


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    opened = new_control(tmp_path, FakeClock(NOON))
    yield opened
    opened.close()


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[tuple[Filled, SqliteFactReader]]:
    with sqlite_facts(tmp_path) as opened:
        yield opened


Facts = tuple[Filled, SqliteFactReader]


def test_real_traffic_is_the_evidence(facts: Facts, control: Control) -> None:
    """practice 45"""
    fill_with_a_week(facts[0], RecordFactory())
    found = judged_now(facts[1], control)
    passed = sorted(name for name, one in found.items() if one.verdict is Verdict.PASS)
    assert passed == sorted(
        [
            *("orum.signatures", "orum.public", "orum.idempotent", "orum.deadline", "orum.retries"),
            *("orum.addresses", "orum.concurrency", "orum.load", "orum.failures", "orum.staging"),
            *("orum.logging", "orum.background"),
            *("hopnow.signatures", "hopnow.deadline", "hopnow.idempotent", "hopnow.order"),
            *("hopnow.logging", "hopnow.errors", "hopnow.background"),
        ]
    )
    assert found["orum.idempotent"].said == "3 duplicates recognised in 30 d, the last on 2026-11-18"
    assert "1 forged request refused in 30 d" in found["orum.signatures"].said
    assert found["hopnow.deadline"].said.endswith("(limit 5 s)")
    assert found["orum.load"].said.startswith("80 deliveries in the busiest minute, 2026-11-18 11:00")
    assert "99 % of 80 answers" in (found["orum.load"].said)


def fill_with_a_week(fill: Filled, make: RecordFactory) -> None:
    at = NOON - 5 * MINUTE
    fill.add([make.delivery(at=at) for _ in range(70)])
    fill.add([make.delivery(Outcome.DUPLICATE, at) for _ in range(3)])
    fill.add([make.delivery(Outcome.STALE, at) for _ in range(2)])
    fill.add([make.delivery(Outcome.REJECTED, at, reason=Reason.IP_NOT_ALLOWED) for _ in range(2)])
    fill.add([make.delivery(Outcome.REJECTED, at)])
    fill.add([make.delivery(Outcome.FAILED, at, http_status=500) for _ in range(2)])
    fill.add([make.delivery(at=at, environment="staging")])


def judged_now(
    reader: SqliteFactReader, control: Control, now: datetime = NOON, channels: Sequence[str] = ()
) -> dict[str, Judged]:
    found = judged(StoredEvidence(reader, control, channels, now).shown(PLACE, Terms()), {})
    return {one.item.id: one for one in found}


def test_what_was_seen_too_long_ago_is_no_evidence_and_says_its_age(facts: Facts, control: Control) -> None:
    fill_with_a_week(facts[0], RecordFactory())
    still = judged_now(facts[1], control, NOON + 29 * DAY)
    assert still["orum.idempotent"].verdict is Verdict.PASS
    found = judged_now(facts[1], control, NOON + 40 * DAY)
    assert {one.verdict for one in found.values()} == {Verdict.UNKNOWN, Verdict.FAIL}
    aged = {name for name, one in found.items() if one.said.endswith("the last was 40 d ago")}
    assert {"orum.signatures", "orum.addresses", "orum.idempotent", "orum.deadline", "orum.retries"} <= aged
    assert {"orum.failures", "orum.staging", "orum.logging", "hopnow.order", "hopnow.background"} <= aged
    assert found["orum.failures"].said.startswith("no forgery and no copy was seen in 30 d")
    assert found["orum.idempotent"].on == NOON.replace(hour=0)


def test_too_little_of_today_has_no_age(facts: Facts, control: Control) -> None:
    facts[0].add([RecordFactory().delivery(at=NOON - MINUTE)])
    found = judged_now(facts[1], control)
    assert found["orum.background"].said == found["orum.deadline"].said == "1 answer timed in 7 d"


def test_canaries_and_replays_are_drills_that_count(facts: Facts, control: Control) -> None:
    fill, make, at = facts[0], RecordFactory(), NOON - 9 * DAY
    fill.add([make.delivery(at=at, environment="staging", canary=True)])
    fill.add([make(Outcome.DUPLICATE, at, replay_id="rep_1")])
    fill.add([make(at=at, replay_id="rep_2")])
    found = judged_now(facts[1], control)
    passed = {name: one.said for name, one in found.items() if one.verdict is Verdict.PASS}
    assert passed["orum.mock"] == "1 signed test event came through in 30 d, the last on 2026-11-09"
    assert passed["orum.idempotent"] == "1 duplicate recognised in 30 d, the last on 2026-11-09"
    assert passed["hopnow.errors"].endswith("replayed to a good end 1")
    broken = make.delivery(Outcome.FAILED, NOON - DAY, http_status=500, canary=True)
    fill.add([broken])
    assert judged_now(facts[1], control)["orum.mock"].said == passed["orum.mock"]


def test_a_test_of_load_in_staging_says_nothing_of_production(facts: Facts, control: Control) -> None:
    fill, make, at = facts[0], RecordFactory(), NOON - 9 * DAY
    fill.add([make.delivery(at=at, environment="staging", ack_ms=45_000.0) for _ in range(60)])
    found = judged_now(facts[1], control)
    assert found["orum.concurrency"].verdict is Verdict.UNKNOWN
    assert found["orum.load"].verdict is Verdict.FAIL
    assert "60 deliveries in the busiest minute in staging, 2026-11-09 12:00 UTC" in found["orum.load"].said


def test_a_rush_whose_minutes_are_purged_counts_by_its_hour(facts: Facts, control: Control) -> None:
    fill, make, at = facts[0], RecordFactory(), NOON - 9 * DAY
    fill.add([make.delivery(at=at + number * MINUTE / 70) for number in range(60 * 70)])
    assert isinstance(fill.writer, SqliteFactWriter)
    fill.writer.fold()
    fill.writer.raise_floor(to_us(NOON - DAY), 5_000)
    fill.writer.prune()
    found = judged_now(facts[1], control)["orum.load"]
    assert (found.verdict, found.on) == (Verdict.PASS, at)
    assert found.said.startswith("70 deliveries in the busiest minute")


def test_a_channel_is_believed_by_the_last_message_it_took(facts: Facts, control: Control) -> None:
    weekly, epoch = drill("mail", "2026-W42", NOON - 31 * DAY), lead(control)
    control.notifications.add([weekly], epoch)
    judging = partial(judged_now, facts[1], control, NOON, ["mail"])
    never = judging()["orum.monitoring"]
    assert (never.verdict, never.on) == (Verdict.UNKNOWN, None)

    control.notifications.settle({weekly.key: Delivered(Receipt())}, NOON - 31 * DAY, [], epoch)
    stale = judging()["hopnow.monitoring"]
    assert stale.verdict is Verdict.UNKNOWN
    assert stale.said.endswith("try `hookvitals channel test mail`; the last was 31 d ago")

    with control.write() as tx:
        control.audit.append(tx, NOON - DAY, "ada", "admin", "cli", "channel.test", "mail", {})
    tested = judging()["orum.monitoring"]
    assert (tested.verdict, tested.on) == (Verdict.PASS, NOON - DAY)

    again = drill("mail", "2026-W47", NOON)
    refused = ChannelError(Failure.RECIPIENTS_REFUSED, "550 unknown", retryable=False)
    control.notifications.add([again], epoch)
    control.notifications.settle({again.key: GivenUp(refused)}, NOON, [], epoch)
    assert judging()["orum.monitoring"].verdict is Verdict.FAIL


class CountingReader(SqliteFactReader):
    """Counts the reads that cost as much for one endpoint as for all of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reads: Counter[str] = Counter()

    def probe_results(self, kind: ProbeKind, start_us: int, end_us: int) -> Sequence[ProbeResult]:
        self.reads["probe_results"] += 1
        return super().probe_results(kind, start_us, end_us)

    def page(self, wanted: RecordFilter, limit: int, before: UUID | None = None) -> RecordPage:
        self.reads["page"] += 1
        return super().page(wanted, limit, before)


def test_all_endpoints_are_judged_as_each_alone_and_what_is_common_is_read_once(
    facts: Facts, control: Control, tmp_path: Path
) -> None:
    names = [("stripe", "payments"), ("stripe", "refunds"), ("orum", "transfers"), ("orum", "returns")]
    fill = facts[0]
    fill.add(mixed(400, start=NOON - 2 * DAY, over=2 * DAY))
    fill.add(mixed(200, seed=2, start=NOON - 10 * MINUTE, over=9 * MINUTE))
    fill.add([RecordFactory().delivery(at=NOON - DAY, environment="staging")])
    keys = [SeriesKey("production", *name) for name in names]
    codes = fill.writer.intern_series(keys, to_us(NOON))
    for number, key in enumerate(keys[1:]):
        at_us = to_us(NOON - number * MINUTE)
        fill.writer.append_probes([(codes[key], "tls", at_us, number % 2, *[None] * 6)])
    control.catalog.register([("production", *name) for name in names], NOON)
    with control.write() as tx:
        word = Attestation("orum.database", "ada", NOON, "pool of 20", NOON + DAY)
        control.attestations.put(tx, PLACE, word)
    alone = {key: checklist(facts[1], control, Document(), key, NOON) for key in keys}

    counting = CountingReader(tmp_path / "facts.db")
    together = dict(checklists(counting, control, Document(), "production", NOON))
    counting.close()
    assert together == alone
    assert len({tuple(one.said for one in found) for found in together.values()}) == len(names)
    assert counting.reads == {"probe_results": len(PROBES_BACK), "page": 1}
