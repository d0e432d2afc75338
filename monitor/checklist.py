"""Two checklists before production, Orum's and HopNow's, judged by what an endpoint really did.

An item passes or fails by a figure from traffic, probes or drills; where there is none, a person may answer
for it. What fails is not attested away. Pure: `monitor.queries.checklist` fills what is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.model import Repeats, Terms
from alerts.sightings import Aspect, Sighting
from alerts.wording import moment, number, percent, seconds
from monitor import figures
from monitor.model import Duration, Outcome, ProbeKind, ProbeResult, Reason
from monitor.rollup import Rollup

ENOUGH = 20
"""Deliveries from which on a quantile says something."""
CERTIFICATE_LEFT = timedelta(days=14)
BUSY = 60
"""Deliveries of one minute that count as load."""
SOON_MS = 1000.0
"""An answer that leaves within it did not wait for slow work."""


class Verdict(StrEnum):
    """What is known of an item."""

    PASS = "pass"  # noqa: S105  # the word
    FAIL = "fail"
    UNKNOWN = "no evidence yet"
    ATTESTED = "attested"


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody answers for an item, until then."""

    item: str
    by: str
    at: datetime
    note: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """One endpoint. week: its last seven days. probes: the latest of each kind. peak: its busiest minute of
    the last day, in deliveries. elsewhere: other environments with as many records of the same endpoint.
    channels: who is told of its alerts."""

    now: datetime
    url: str | None
    terms: Terms
    week: Rollup
    probes: Mapping[ProbeKind, ProbeResult] = field(default_factory=dict)
    sightings: Sequence[Sighting] = ()
    repeats: Repeats = field(default_factory=Repeats)
    peak: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    channels: Sequence[str] = ()


Found = tuple[Verdict, str]


@dataclass(frozen=True, slots=True)
class Item:
    """id: as attested. list: whose checklist. asks: in one sentence."""

    id: str
    list: str
    group: str
    asks: str
    judge: Callable[[Shown], Found]


@dataclass(frozen=True, slots=True)
class Judged:
    """said: the figure behind the verdict, or who answers for it. attestation: what somebody said of it,
    also where that no longer holds, or evidence goes before it."""

    item: Item
    verdict: Verdict
    said: str
    attestation: Attestation | None = None


def judged(shown: Shown, attested: Mapping[str, Attestation]) -> list[Judged]:
    """Every item of both lists, in their order. attested: by item."""
    return [_judge(item, shown, attested.get(item.id)) for item in ITEMS]


def _judge(item: Item, shown: Shown, attestation: Attestation | None) -> Judged:
    verdict, said = item.judge(shown)
    if verdict is Verdict.UNKNOWN and attestation is not None:
        if shown.now < attestation.until:
            verdict = Verdict.ATTESTED
            until = f"until {attestation.until:%Y-%m-%d}"
            said = f"by {attestation.by}, {moment(attestation.at)}, {until}: {attestation.note}"
        else:
            said = f"{said}; what {attestation.by} answered for ended {moment(attestation.until)}"
    return Judged(item, verdict, said, attestation)


def signatures(shown: Shown) -> Found:
    week, probe = shown.week, shown.probes.get(ProbeKind.UNSIGNED)
    forged = figures.verification_failures(week)
    taken = sum(n for status, n in week.statuses(rejected=True).items() if 200 <= status < 300)
    secrets = [one for one in shown.sightings if one.aspect is Aspect.SECRET]
    if probe is not None and probe.http_status is not None and 200 <= probe.http_status < 300:
        return Verdict.FAIL, f"an unsigned POST was answered {probe.http_status} {moment(probe.checked_at)}"
    if forged and taken:
        return Verdict.FAIL, f"{number(taken)} rejected deliveries were answered 2xx in 7 d"
    if not secrets and (probe is None or not probe.ok):
        return Verdict.UNKNOWN, "no delivery said which secret verified it; probe_exposure = true would ask"
    refused = f", {number(forged)} forgeries refused" if forged else ""
    asked = f", an unsigned POST was answered {probe.http_status}" if probe and probe.ok else ""
    return (
        Verdict.PASS,
        f"{number(figures.deliveries(week) - forged)} deliveries verified in 7 d{refused}{asked}",
    )


def encrypted(shown: Shown) -> Found:
    if shown.url is not None and not shown.url.startswith("https://"):
        return Verdict.FAIL, "the endpoint's address is plain http"
    probe = shown.probes.get(ProbeKind.TLS)
    if probe is None:
        return Verdict.UNKNOWN, "no certificate was looked at; give the endpoint its url"
    if not probe.ok:
        return Verdict.FAIL, f"the certificate does not hold: {probe.error or 'see the probes'}"
    ends_at = probe.cert_not_after
    if ends_at is not None and ends_at - shown.now < CERTIFICATE_LEFT:
        return Verdict.FAIL, f"the certificate ends {moment(ends_at)}"
    until = f", valid until {moment(ends_at)}" if ends_at is not None else ""
    return Verdict.PASS, f"the certificate holds{until}"


def addresses(shown: Shown) -> Found:
    refused = shown.week.reasons().get(Reason.IP_NOT_ALLOWED, 0)
    known = sum(one.aspect is Aspect.ADDRESS for one in shown.sightings)
    if refused:
        return Verdict.PASS, f"{number(refused)} deliveries from foreign addresses refused in 7 d"
    return Verdict.UNKNOWN, f"no foreign address was refused yet; {number(known)} addresses were seen"


def no_login(shown: Shown) -> Found:
    probe = shown.probes.get(ProbeKind.UNSIGNED)
    accepted = probe is not None and probe.http_status is not None and 200 <= probe.http_status < 300
    if probe is not None and not probe.ok and not accepted:
        return (
            Verdict.FAIL,
            f"an unsigned POST did not reach the receiver: {probe.error or probe.http_status}",
        )
    verified = figures.deliveries(shown.week) - figures.verification_failures(shown.week)
    if verified:
        return Verdict.PASS, f"{number(verified)} deliveries of the provider came through in 7 d"
    return Verdict.UNKNOWN, "nothing was delivered in 7 d"


def once(shown: Shown) -> Found:
    if shown.repeats.twice:
        twice, of = shown.repeats.twice, shown.repeats.looked_at
        return Verdict.FAIL, f"{number(twice)} of {number(of)} recent events were processed twice"
    copies = shown.week.outcome(Outcome.DUPLICATE)
    if copies:
        return Verdict.PASS, f"{number(copies)} copies recognised in 7 d"
    return Verdict.UNKNOWN, "no event came twice in 7 d"


def order(shown: Shown) -> Found:
    late = shown.week.outcome(Outcome.STALE)
    if late:
        return Verdict.PASS, f"{number(late)} events came out of order in 7 d and were left aside"
    return Verdict.UNKNOWN, "no event came out of order in 7 d"


def within(limit_ms: float) -> Callable[[Shown], Found]:
    """Whether 99 % of the answers leave in time."""

    def judge(shown: Shown) -> Found:
        answers = shown.week.distribution(Duration.ACK)
        p99 = answers.quantile(0.99)
        if answers.count < ENOUGH or p99 is None:
            return Verdict.UNKNOWN, f"{number(answers.count)} answers were timed in 7 d"
        said = f"99 % of {number(answers.count)} answers within {seconds(p99)} (limit {seconds(limit_ms)})"
        return (Verdict.PASS if p99 <= limit_ms else Verdict.FAIL), said

    return judge


def later(shown: Shown) -> Found:
    accepted = shown.week.outcome(Outcome.ACCEPTED)
    if accepted:
        return Verdict.PASS, f"{number(accepted)} events acknowledged first and processed later in 7 d"
    verdict, said = within(SOON_MS)(shown)
    return verdict, f"processed before the answer; {said}"


def retried(shown: Shown) -> Found:
    stuck, failed = figures.stuck(shown.week), shown.week.outcome(Outcome.FAILED)
    dead = shown.week.outcome(Outcome.DEAD_LETTERED)
    if stuck:
        return Verdict.FAIL, f"{number(stuck)} acknowledged events have not ended"
    if not failed and not dead:
        return Verdict.UNKNOWN, "no attempt failed in 7 d"
    given_up = f"{number(dead)} given up and kept as dead letters"
    return Verdict.PASS, f"{number(failed)} failed attempts tried again in 7 d, {given_up}"


def logged(shown: Shown) -> Found:
    records = sum(shown.week.outcome(outcome) for outcome in Outcome)
    if not records:
        return Verdict.UNKNOWN, "no record in 7 d"
    return Verdict.PASS, f"{number(records)} records in 7 d, each with id, type, times and outcome"


def watched(shown: Shown) -> Found:
    if not shown.channels:
        return Verdict.FAIL, "alerts reach nobody: no channel is configured"
    rate = figures.attempt_error_rate(shown.week).share
    now = "no attempt yet" if rate is None else f"error rate {percent(rate)} in 7 d"
    return Verdict.PASS, f"{now}; alerts go to {', '.join(shown.channels)}"


def loaded(shown: Shown) -> Found:
    if shown.peak < BUSY:
        return Verdict.UNKNOWN, f"at most {number(shown.peak)} deliveries a minute in the last day"
    verdict, said = within(shown.terms.ack_deadline.total_seconds() * 1000)(shown)
    return verdict, f"{number(shown.peak)} deliveries in the busiest minute; {said}"


def rehearsed(shown: Shown) -> Found:
    probe = shown.probes.get(ProbeKind.CANARY)
    if probe is not None and probe.ok:
        return Verdict.PASS, f"a signed test event came through {moment(probe.checked_at)}"
    if probe is not None:
        return Verdict.FAIL, f"a signed test event did not come through: {probe.error or probe.http_status}"
    return Verdict.UNKNOWN, "no test event was seen; probe_canary = true sends them"


def staged(shown: Shown) -> Found:
    where = ", ".join(f"{name}: {number(n)} records" for name, n in sorted(shown.elsewhere.items()))
    return (Verdict.PASS, where) if where else (Verdict.UNKNOWN, "known in no other environment")


def refusals(shown: Shown) -> Found:
    forged, copies = figures.verification_failures(shown.week), shown.week.outcome(Outcome.DUPLICATE)
    said = f"{number(forged)} forgeries refused and {number(copies)} copies recognised in 7 d"
    return (Verdict.PASS if forged and copies else Verdict.UNKNOWN), said


def by_hand(said: str) -> Callable[[Shown], Found]:
    """For what no record shows."""
    return lambda shown: (Verdict.UNKNOWN, said)


Asked = tuple[str, str, Callable[[Shown], Found]]
"""The word for an item, what it asks, and how it is judged."""


def _items(name: str, groups: Mapping[str, Sequence[Asked]]) -> list[Item]:
    return [
        Item(f"{name}.{word}", name, group, asks, judge)
        for group, items in groups.items()
        for word, asks, judge in items
    ]


ORUM = _items(
    "orum",
    {
        "security": [
            ("signatures", "Every signature is verified before anything else.", signatures),
            ("https", "The endpoint is HTTPS alone, with a certificate that holds.", encrypted),
            ("addresses", "Only the provider's addresses get in.", addresses),
            ("public", "No login or API key stands before the endpoint.", no_login),
        ],
        "reliability": [
            ("idempotent", "An event that comes twice is processed once.", once),
            ("deadline", "Answers leave within 30 s.", within(30_000)),
            ("retries", "Processing that fails is tried again, and nothing is lost.", retried),
            ("logging", "Each delivery is logged with id, time and error.", logged),
        ],
        "performance": [
            ("background", "Slow work happens after the answer.", later),
            ("concurrency", "Many deliveries at once are answered in time.", loaded),
            (
                "database",
                "Connections to the database are pooled, and their timeouts handled.",
                by_hand("no record shows it"),
            ),
            ("monitoring", "Times, errors and queues are watched, and somebody is told.", watched),
        ],
        "testing": [
            ("mock", "The handler was tested with signed events that were made up.", rehearsed),
            ("staging", "It ran elsewhere before it ran in production.", staged),
            ("failures", "Bad signatures and copies were tried, too.", refusals),
            ("load", "It was tested under load.", loaded),
        ],
    },
)
HOPNOW = _items(
    "hopnow",
    {
        "summary": [
            ("signatures", "Every signature is verified.", signatures),
            ("https", "The endpoint is HTTPS alone.", encrypted),
            ("deadline", "Answers leave within 5 s.", within(5_000)),
            ("idempotent", "An event that comes twice is processed once.", once),
            ("order", "Events out of order do no harm.", order),
            ("background", "Processing follows the answer.", later),
            ("logging", "All that arrives is logged.", logged),
            ("monitoring", "Error rate and latency are watched.", watched),
            ("mock", "It was tested locally, with events that were made up.", rehearsed),
            ("errors", "A failure breaks nothing else, and is tried again.", retried),
        ],
    },
)
ITEMS = (*ORUM, *HOPNOW)
