"""Something to look at: an hour of traffic with an outage in it, its alerts, letters and replays."""

import math
import random
from datetime import timedelta

from alerts.rules import KINDS, default_rules
from dashboard.views import (
    AlertLine,
    AlertView,
    Bucket,
    ChecklistLine,
    ChecklistView,
    Choices,
    Client,
    EndpointLine,
    EndpointView,
    Figures,
    HiddenLine,
    IssueLine,
    IssuesView,
    IssueView,
    Job,
    LetterLine,
    LettersView,
    NotificationLine,
    Outage,
    OverviewView,
    Payload,
    ProbedCell,
    ReplayLine,
    ReplayPlan,
    RuleLine,
    RulesView,
    ShellView,
    SightingLine,
    SilenceLine,
    SilencesView,
    StatusView,
    TransitionLine,
    TypeFigures,
)
from monitor.checklist import ITEMS
from monitor.model import Outcome, Reason, Record
from tests.dashboard.canned import CannedActions, CannedReads
from tests.dashboard.support import NOW, record, record_id

LEDGER = "connection to ledger-db:5432 timed out after 1000 ms"
STACK = """Traceback (most recent call last):
  File "handlers/transfers.py", line 42, in on_completed
    ledger.post(entry)
ledger.errors.LedgerTimeout: connection to ledger-db:5432 timed out after 1000 ms"""
EVENT = "evt_01J9ZK3V7Q2M8T"
_PLACES = (
    ("orum", "transfers"),
    ("hopnow", "payouts"),
    ("stripe", "invoices"),
    ("scalekit", "users"),
)
_TYPES = ("transfer.completed", "transfer.failed", "payout.created", "invoice.paid", "user.updated")
_ERRORS = ("LedgerTimeout", "DatabaseError", "ValidationError")


def figures(n: int, error_rate: float, ms: float) -> Figures:
    """n deliveries of which error_rate fail."""
    failed = int(n * error_rate)
    dead = failed // 6
    good = n - failed
    outcomes = {
        Outcome.ACCEPTED: int(n * 0.4),
        Outcome.SUCCEEDED: good,
        Outcome.FAILED: failed - dead,
        Outcome.DEAD_LETTERED: dead,
        Outcome.REJECTED: n // 90,
        Outcome.DUPLICATE: n // 30,
    }
    return Figures(
        sum(outcomes.values()),
        n,
        outcomes,
        good / (good + dead) if n else None,
        failed / n if n else None,
        0.998 if n else None,
        ms if n else None,
        ms * 4.2 if n else None,
        ms * 9 if n else None,
    )


def buckets(seed: int = 4) -> list[Bucket]:
    """Sixty minutes: three without a record, then twenty bad ones."""
    dice = random.Random(seed)
    found = []
    for i in range(60):
        at = NOW - timedelta(minutes=60 - i)
        if 20 <= i < 23:
            found.append(Bucket(at, Figures()))
            continue
        bad = 0.01 + 0.25 * math.exp(-(((i - 47) / 4) ** 2))
        n = int(300 + 80 * math.sin(i / 7) + dice.random() * 40)
        found.append(Bucket(at, figures(n, bad, 80 + 30 * dice.random() + (90 if i > 42 else 0))))
    return found


def endpoints() -> list[EndpointLine]:
    told = [
        ("orum", "transfers", 4210, 0.18, 320, 14, True, 61, 37, 1, 2),
        ("hopnow", "payouts", 2110, 0.004, 90, 0, True, 12, 0, 0, 5),
        ("scalekit", "users", 841, 0.0, 44, 2, True, 80, 0, 0, 14),
        ("stripe", "invoices", 9810, 0.012, 120, 3, True, 80, 4, 0, 1),
        ("svix", "notifications", 0, 0.0, 0, None, None, None, 0, 0, 9000),
        ("acme", "orders", 312, 0.022, 1900, 0, False, 5, 0, 1, 40),
    ]
    return [
        EndpointLine(
            source,
            name,
            figures(n, bad, ms),
            depth,
            12.0 if depth else None,
            up,
            None if up else "connection refused",
            NOW + timedelta(days=days) if days else None,
            letters,
            firing,
            NOW - timedelta(minutes=age // 60),
        )
        for source, name, n, bad, ms, depth, up, days, letters, firing, age in told
    ]


def overview() -> OverviewView:
    dice = random.Random(5)
    depths = [dice.random() * 12 + (18 if i > 40 else 0) for i in range(60)]
    return OverviewView(
        NOW - timedelta(hours=1),
        NOW,
        figures(17_283, 0.038, 142),
        figures(15_920, 0.0121, 97),
        buckets(),
        endpoints(),
        19,
        depths,
        41,
        2,
        0.05,
    )


def probed(back: timedelta, ok: int, every: int) -> ProbedCell:
    return ProbedCell(NOW - back, ok, every)


def endpoint() -> EndpointView:
    dice = random.Random(6)
    depths = [
        (NOW - timedelta(minutes=60 - i), max(0, round(dice.gauss(6, 3) + (18 if i > 42 else 0))))
        for i in range(60)
    ]
    return EndpointView(
        NOW - timedelta(hours=1),
        NOW,
        endpoints()[0],
        figures(3800, 0.012, 210),
        buckets(7),
        [
            ("transfer.completed", TypeFigures(3911, 3200, 711, 410.0, 12.0, 9011.0, 320.0, 1340.0, 2880.0)),
            ("transfer.failed", TypeFigures(299, 290, 9, 40.0, 11.0, 811.0, 32.0, 134.0, 288.0)),
        ],
        [("LedgerTimeout", 702), ("DatabaseError", 55)],
        [(Reason.BAD_SIGNATURE, 12)],
        [(202, 4198), (401, 12)],
        {"inbox": depths},
        None,
        [("24h", 0.9986, 1440), ("7d", 0.8571, 10_080), ("30d", 0.8571, 10_080)],
        IssuesView([one for one in issues().issues if one.endpoint == "transfers"], 1),
        {
            "24h": [probed(timedelta(minutes=30 * (48 - i)), 28 if i == 31 else 30, 30) for i in range(48)],
            "30d": [
                probed(timedelta(days=30 - i), {27: 0, 29: 1438}.get(i, 1440), 1440)
                if i > 22
                else probed(timedelta(days=30 - i), 0, 0)
                for i in range(30)
            ],
        },
        [Outage(NOW - timedelta(hours=9), NOW - timedelta(hours=8, minutes=40), "a9")],
    )


def story() -> list[Record]:
    """One event that was acknowledged, failed twice and died."""

    def step(outcome: Outcome, ms: float, n: int, **more: object) -> Record:
        return record(
            outcome,
            ms / 1000 - 540,
            n,
            received_at=NOW - timedelta(minutes=9),
            event_id=EVENT,
            trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
            remote_ip="34.231.148.64",
            receiver="payments-api-7c9f",
            user_agent="Orum-Webhooks/2.1",
            resource="transfer/tr_8812",
            has_capture=True,
            **more,
        )

    failed = {"error_class": "LedgerTimeout", "error_message": LEDGER}
    return [
        step(Outcome.ACCEPTED, 14, 1, http_status=202, ack_ms=14.1, verify_ms=1.9),
        step(
            Outcome.FAILED, 1350, 2, attempt=1, queue_ms=220.0, process_ms=1130.0, error_stack=STACK, **failed
        ),
        step(Outcome.FAILED, 3420, 3, attempt=2, queue_ms=2350.0, process_ms=1070.0, **failed),
        step(Outcome.DEAD_LETTERED, 6600, 4, attempt=3, queue_ms=5480.0, process_ms=1120.0, **failed),
    ]


def traffic(n: int) -> list[Record]:
    """n records, one each 1.1 s back from NOW."""
    dice = random.Random(8)
    found = []
    for i in range(n):
        at = NOW - timedelta(seconds=1.1 * i)
        outcome = dice.choices(list(Outcome), [25, 60, 6, 2, 2, 3, 1, 1])[0]
        source, name = dice.choice(_PLACES)
        rejected, tried = outcome is Outcome.REJECTED, outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED)
        ran = tried or outcome is Outcome.SUCCEEDED
        found.append(
            record(
                outcome,
                -1.1 * i,
                record_id=record_id(at, i),
                received_at=at - timedelta(milliseconds=dice.randint(20, 900)),
                source=source,
                endpoint=name,
                event_type="__unverified__" if rejected else dice.choice(_TYPES),
                event_id=None if rejected else f"evt_{dice.getrandbits(64):016x}",
                reason=Reason.BAD_SIGNATURE if rejected else None,
                attempt=dice.randint(1, 3) if ran else None,
                http_status=401 if rejected else 202 if outcome is Outcome.ACCEPTED else None,
                process_ms=dice.lognormvariate(4.5, 0.8) if ran else None,
                error_class=dice.choice(_ERRORS) if tried else None,
                error_message=LEDGER if tried else None,
            )
        )
    return found


def alerts() -> list[AlertLine]:
    at_orum = {"environment": "production", "source": "orum", "endpoint": "transfers"}
    at_acme = {"environment": "production", "source": "acme", "endpoint": "orders"}
    at_hopnow = {"environment": "production", "source": "hopnow", "endpoint": "payouts"}
    return [
        AlertLine(
            "a1",
            "error_rate",
            "error_rate",
            "critical",
            "firing",
            at_orum,
            "18 % of 4,210 attempts at orum/transfers failed in the last 15 min; the limit is 5 %.",
            NOW - timedelta(minutes=12),
            0.18,
            0.05,
            "share",
            ("slack", "email"),
            runbook="https://runbooks.example.com/ledger",
            sample=4210,
            top_errors=(("LedgerTimeout", 702), ("DatabaseError", 55)),
            flapping_since=NOW - timedelta(minutes=34),
        ),
        AlertLine(
            "a2",
            "certificate_expiry",
            "certificate_expiry",
            "error",
            "firing",
            at_acme,
            "The certificate of acme/orders ends in 5 days, on 2026-11-26.",
            NOW - timedelta(hours=7),
            5.0,
            7.0,
            "days",
            ("slack",),
            acked_by="mira",
            acked_at=NOW - timedelta(hours=6),
            ack_note="renewal is ordered",
            muted_by="silence:s1",
            ack_until=NOW + timedelta(hours=18),
        ),
        AlertLine(
            "a3",
            "slow_processing",
            "slow_processing",
            "warning",
            "pending",
            at_acme,
            "Half of the attempts at acme/orders took longer than 5 s.",
            NOW - timedelta(minutes=2),
            7980.0,
            5000.0,
            "ms",
            (),
            None,
        ),
        AlertLine(
            "a4",
            "endpoint_down",
            "endpoint_down",
            "critical",
            "resolved",
            at_hopnow,
            "hopnow/payouts answers again.",
            NOW - timedelta(hours=20),
            0.0,
            3.0,
            "failures",
            ("slack", "email"),
            resolved_at=NOW - timedelta(hours=19, minutes=48),
        ),
    ]


def alert() -> AlertView:
    moved, sent = NOW - timedelta(minutes=12), NOW - timedelta(minutes=12)
    return AlertView(
        alerts()[0],
        [
            TransitionLine(moved, "pending", "firing", "critical", "breach_held", "18 % of attempts failed"),
            TransitionLine(
                moved - timedelta(minutes=1),
                "inactive",
                "pending",
                "critical",
                "breach_started",
                "7 % failed",
            ),
        ],
        [
            NotificationLine(
                NOW - timedelta(minutes=2), "phone", "escalated", "delivered", 1, NOW, "", "PD-8812"
            ),
            NotificationLine(sent, "slack", "firing", "delivered", 1, sent, "", "C012345 1763694840.0001"),
            NotificationLine(sent, "email", "firing", "due", 2, None, "421 try again later"),
        ],
        [step for step in story() if step.outcome is Outcome.DEAD_LETTERED],
    )


def letters(n: int = 41) -> LettersView:
    dice = random.Random(9)
    found = [
        LetterLine(
            f"letter-{i}",
            *dice.choice(_PLACES),
            f"evt_{dice.getrandbits(64):016x}",
            dice.choice(_TYPES),
            "open",
            dice.choice(_ERRORS),
            LEDGER,
            3,
            i % 3,
            NOW - timedelta(minutes=3 * i + 4),
            "capture_redacted" if i % 9 == 8 else None,
        )
        for i in range(n)
    ]
    return LettersView(found, n, {"open": n})


def silences() -> SilencesView:
    hour = timedelta(hours=1)
    return SilencesView(
        [
            SilenceLine(
                "s1",
                {"source": "acme", "rule": "certificate_expiry"},
                NOW - hour,
                NOW + 3 * hour,
                "in force",
                "mira",
                "The renewal is ordered; acme installs it in the morning.",
                hid=2,
            ),
            SilenceLine(
                "nightly-import",
                {"source": "hopnow", "endpoint": "payouts"},
                NOW - 90 * 24 * hour,
                NOW.replace(year=9999),
                "between its hours",
                "",
                "The import stops the queue each night.",
                "02:00-03:00 on mon,tue,wed,thu,fri (Europe/Berlin)",
                by_file=True,
            ),
            SilenceLine(
                "s2",
                {"source": "stripe*", "severity": "warning"},
                NOW + 5 * hour,
                NOW + 7 * hour,
                "coming",
                "omar",
                "The ledger moves to its new machine.",
            ),
            SilenceLine(
                "s3",
                {"rule": "error_rate"},
                NOW - 30 * hour,
                NOW - 26 * hour,
                "ended",
                "omar",
                "A known bug.",
            ),
        ],
        [
            HiddenLine(NOW - hour / 2, "certificate_expiry", "error", "a2", alerts()[1].summary),
            HiddenLine(NOW - hour / 3, "certificate_expiry", "error", "a5", "It ends in 4 days."),
        ],
    )


def rules() -> RulesView:
    """The shipped ones; one is over its limit, one waits for data, one is broken."""
    told = {
        "error_rate": ("over the limit", 11, 1, 1, 1, 0, alerts()[0].summary),
        "certificate_expiry": ("over the limit", 5, 1, 1, 1, 0, alerts()[1].summary),
        "slow_processing": ("over the limit", 6, 0, 1, 0, 1, alerts()[2].summary),
        "no_events": ("no data", 0, 6, 0, 0, 0, ""),
        "queue_depth": (
            "broken", 0, 0, 0, 1, 0,
            'Rule "queue_depth" could not be evaluated (ValueError: bad sample); what it watches goes unseen',
        ),
    }  # fmt: skip
    return RulesView(
        [
            RuleLine(
                rule.name,
                rule.kind,
                KINDS[rule.kind].about,
                rule.severity.value,
                (rule.source, rule.endpoint, rule.event_type),
                rule.threshold,
                KINDS[rule.kind].unit,
                KINDS[rule.kind].counted_over(rule),
                rule.for_,
                rule.interval,
                state,
                judged,
                without,
                over,
                said,
                firing,
                pending,
                "https://runbooks.example.com/ledger" if rule.name == "error_rate" else rule.runbook,
                KINDS[rule.kind].on_monitor,
            )
            for rule in default_rules()
            for state, judged, without, over, firing, pending, said in [
                told.get(rule.name, ("within the limit", 6, 0, 0, 0, 0, ""))
            ]
        ],
        NOW - timedelta(seconds=1),
    )


SHOWN = {
    "signatures": "4,198 deliveries verified in 7 d; 12 forged requests refused in 30 d",
    "public": "4,210 deliveries of the provider came through in 7 d",
    "idempotent": "38 duplicates recognised in 30 d, the last on 2026-11-20",
    "deadline": "99 % of 4,210 answers within 0.42 s",
    "retries": "757 failed attempts in 30 d, and nothing is stuck: dead letters 37",
    "logging": "8,961 records in 7 d, each with id, type, times and outcome",
    "background": "4,198 events acknowledged first and processed later in 7 d",
    "concurrency": "412 deliveries in the busiest minute; 99 % of 412 answers within 0.61 s",
    "monitoring": "error rate 17.98 % in 7 d; slack took a message 2026-11-21 03:47 UTC",
    "load": "412 deliveries in the busiest minute; 99 % of 412 answers within 0.61 s",
    "mock": "60 signed test events came through in 30 d, the last on 2026-11-17",
    "staging": "staging: 1,204 records in 30 d, the last on 2026-11-20",
    "failures": "12 forged requests refused in 30 d; 38 duplicates recognised in 30 d",
    "order": "4 events out of order left aside in 30 d, the last on 2026-11-12",
    "errors": "757 failed attempts in 30 d, and nothing is stuck",
}
"""What an item that passes says, by its name."""


def checklist() -> ChecklistView:
    """Every item: most pass, two fail, one waits for evidence, one is answered for."""
    ends = ("fail", "the certificate ends 2026-11-26 12:00 UTC", NOW - timedelta(minutes=20))
    told = {
        "orum.addresses": (
            "no evidence yet",
            "no foreign address was refused in 30 d, 3 addresses are known",
            None,
        ),
        "orum.database": ("attested", "by mira, 2026-11-18 03:59 UTC, until 2027-05-17: pool of 20", None),
        "orum.https": ends,
        "hopnow.https": ends,
    }
    hour = timedelta(hours=1)
    word = ("mira", NOW - 72 * hour, NOW + 2400 * hour, "pool of 20")
    return ChecklistView(
        [
            ChecklistLine(
                item.id, item.list, item.group, item.asks, verdict, said, at,
                *(word if verdict == "attested" else ()),
            )
            for item in ITEMS
            for verdict, said, at in [
                told.get(item.id) or ("pass", SHOWN[item.id.split(".")[1]], NOW - timedelta(minutes=3))
            ]
        ],
        [
            SightingLine("event type", "transfer.reversed", NOW - hour, NOW, str(record_id(NOW - hour))),
            SightingLine("signature_headers", "orum-signature orum-timestamp", NOW - 300 * hour, NOW, EVENT),
            SightingLine("address", "34.231.148.64", NOW - 900 * hour, NOW, ""),
        ],
    )  # fmt: skip


def issues() -> IssuesView:
    told = [
        ("new", "LedgerTimeout", LEDGER.replace("5432", "<number>").replace("1000", "<number>"), 0, 702, 12),
        ("regressed", "DatabaseError", "deadlock detected on relation <quoted>", 1, 55, 9 * 24 * 60),
        ("ongoing", "ValidationError", "amount: expected an integer, got <quoted>", 2, 1240, 21 * 24 * 60),
        ("ongoing", "ValidationError", "__other__", 3, 18, 3 * 24 * 60),
    ]
    found = [
        IssueLine(
            f"issue-{i}",
            *_PLACES[place],
            ("transfer.completed", "payout.created", "invoice.paid", "user.updated")[place],
            error,
            message,
            state,
            failures,
            NOW - timedelta(minutes=age),
            NOW - timedelta(minutes=1 + 7 * i),
        )
        for i, (state, error, message, place, failures, age) in enumerate(told)
    ]
    return IssuesView(found, len(found))


def replays() -> list[ReplayLine]:
    return [
        ReplayLine(
            "rp_01J9ZK",
            "running",
            "the ledger is back",
            "mira",
            NOW - timedelta(minutes=1),
            None,
            {"succeeded": 18, "failed": 1, "sent": 3, "planned": 9},
        ),
        ReplayLine(
            "rp_01J8AA",
            "stopped",
            "try again",
            "omar",
            NOW - timedelta(hours=1),
            NOW - timedelta(minutes=58),
            {"succeeded": 2, "failed": 5, "planned": 34},
            "5 failures in a row",
        ),
    ]


def status() -> StatusView:
    return StatusView(
        NOW - timedelta(seconds=4),
        [
            Job("rules", 5.0, NOW - timedelta(seconds=3), False),
            Job("feed_intake", 1.0, NOW - timedelta(seconds=1), False),
            Job("probes", 60.0, NOW - timedelta(minutes=14), True, "acme/orders: timed out"),
            Job("weekly_report", 604_800.0, NOW - timedelta(days=5), False),
        ],
        [
            Client("hookvitals", "0.1.0", "payments-api-7c9f:1", NOW, 0.04, 182_332, {}),
            Client("hookvitals", "0.1.0", "orders-9d:1", NOW, 44.0, 312, {"queue_full": 12}, 3),
        ],
        1_288_490_188,
        10_737_418_240,
        NOW - timedelta(days=21),
        ["slack", "email"],
        "worker-1",
        "0.1.0",
        [("orum", "transfers", "inbox", 14, 12.4, NOW), ("stripe", "invoices", "inbox", 3, 0.4, NOW)],
    )


def outage(records: int = 250) -> CannedReads:
    """Everything at once."""
    return CannedReads(
        shell_view=ShellView(("production", "staging"), NOW, ("slack",), (), 2, 41, True, new_issues=2),
        overview_view=overview(),
        endpoint_view=endpoint(),
        all_records=[*traffic(records), *story()],
        choices_view=Choices(
            sorted({s for s, _ in _PLACES}), sorted({e for _, e in _PLACES}), _TYPES, _ERRORS
        ),
        alert_lines=alerts(),
        alert_views={"a1": alert()},
        checklist_view=checklist(),
        rules_view=rules(),
        silences_view=silences(),
        issues_view=issues(),
        issue_view=IssueView(issues().issues[0], [one for one in reversed(story()) if one.error_class]),
        letters_view=letters(),
        replay_lines=replays(),
        status_view=status(),
        weeks=("2026-W47", "2026-W46"),
    )


def deeds() -> CannedActions:
    return CannedActions(
        plan=ReplayPlan(2, 1, 48_213, 5.0, (("capture_redacted", 1),), 0),
        payload=Payload(
            {"content-type": "application/json"},
            '{"amount": 1200, "iban": "•••"}',
            "application/json",
            1,
            False,
        ),
    )
