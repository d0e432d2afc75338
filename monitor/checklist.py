"""Two checklists before production, Orum's and HopNow's, judged by what an endpoint really did.

An item passes or fails by a figure from traffic, probes or drills that is not too old; where there is none, a
person may answer for it. What fails is not attested away. Pure: `monitor.queries.checklist` fills what is
shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.model import Repeats, Terms
from alerts.sightings import Aspect, Sighting
from alerts.wording import counted, moment, number, percent, seconds, span
from monitor import figures
from monitor.histogram import Distribution
from monitor.model import Duration, Outcome, ProbeKind, ProbeResult, Reason
from monitor.rollup import Rollup

FRESH = timedelta(days=30)
"""So long counts what happens now and then: a copy, a forgery, a canary, a replay, a drill."""
LOOKED_BACK = timedelta(days=90)
"""So far back is looked for the last time of what is no longer fresh."""
ENOUGH = 20
"""Deliveries from which on a quantile says something."""
CERTIFICATE_LEFT = timedelta(days=14)
BUSY = 60
"""Deliveries of one minute that count as load."""
FORGED = (Reason.MISSING_SIGNATURE, Reason.MALFORMED_SIGNATURE, Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY)
BROKEN = (Outcome.FAILED, Outcome.DEAD_LETTERED, Outcome.REJECTED)
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
class Rush:
    """The busiest hour while that is fresh. a_minute: deliveries of its busiest minute. answers: how long all
    of them took. elsewhere: the other environment that it was in."""

    at: datetime
    a_minute: int
    answers: Distribution
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel last made of a message: took it, or gave it up for this error."""

    at: datetime
    took: bool
    error: str = ""


Days = Mapping[datetime, Rollup]
"""By the start of the day (UTC), of the time that is looked back."""
Count = Callable[[Rollup], int]


@dataclass(frozen=True, slots=True)
class Shown:
    """One endpoint. week: its last seven days. probes: the latest of each kind. elsewhere: the days of the
    same endpoint in other environments. rushes: at most one an environment. channels: those that are told of
    alerts, with what they last made of a message."""

    now: datetime
    url: str | None
    terms: Terms
    week: Rollup
    days: Days = field(default_factory=dict)
    probes: Mapping[ProbeKind, ProbeResult] = field(default_factory=dict)
    sightings: Sequence[Sighting] = ()
    repeats: Repeats = field(default_factory=Repeats)
    elsewhere: Mapping[str, Days] = field(default_factory=dict)
    rushes: Sequence[Rush] = ()
    channels: Mapping[str, Told | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """How often something was seen while that is fresh, and the day it was last seen, fresh or not."""

    times: int
    last: datetime | None = None

    @property
    def lately(self) -> str:
        """`in 30 d, the last on 2026-11-18`."""
        return f"in {FRESH.days} d, the last on {self.last:%Y-%m-%d}" if self.last else f"in {FRESH.days} d"


def seen(now: datetime, count: Count, *kept: Days) -> Seen:
    """Of one environment or several together."""
    when = [(at, n) for days in kept for at, one in days.items() if (n := count(one))]
    last = max((at for at, _ in when), default=None)
    return Seen(sum(n for at, n in when if now - at <= FRESH), last)


@dataclass(frozen=True, slots=True)
class Found:
    """said: the figure. on: when the newest evidence is from, of what is counted the start of its day."""

    verdict: Verdict
    said: str
    on: datetime | None = None


Judge = Callable[[Shown], Found]


def _none(said: str, now: datetime, last: datetime | None = None) -> Found:
    """No evidence that still counts."""
    if last is not None:
        said = f"{said}; the last was {span(timedelta(days=(now - last).days))} ago"
    return Found(Verdict.UNKNOWN, said, last)


@dataclass(frozen=True, slots=True)
class Item:
    """id: as attested. list: whose checklist. asks: in one sentence."""

    id: str
    list: str
    group: str
    asks: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Judged:
    """said: the figure behind the verdict, or who answers for it. on: when its newest evidence is from.
    attestation: what somebody said of it, also where that no longer holds, or evidence goes before it."""

    item: Item
    verdict: Verdict
    said: str
    on: datetime | None = None
    attestation: Attestation | None = None


def judged(shown: Shown, attested: Mapping[str, Attestation]) -> list[Judged]:
    """Every item of both lists, in their order. attested: by item."""
    return [_judge(item, shown, attested.get(item.id)) for item in ITEMS]


def _judge(item: Item, shown: Shown, attestation: Attestation | None) -> Judged:
    found = item.judge(shown)
    verdict, said = found.verdict, found.said
    if verdict is Verdict.UNKNOWN and attestation is not None:
        if shown.now < attestation.until:
            verdict = Verdict.ATTESTED
            until = f"until {attestation.until:%Y-%m-%d}"
            said = f"by {attestation.by}, {moment(attestation.at)}, {until}: {attestation.note}"
        else:
            said = f"{said}; what {attestation.by} answered for ended {moment(attestation.until)}"
    return Judged(item, verdict, said, found.on, attestation)


def _latest(*times: datetime | None) -> datetime | None:
    return max(filter(None, times), default=None)


def signatures(shown: Shown) -> Found:
    week, probe = shown.week, shown.probes.get(ProbeKind.UNSIGNED)
    refused = seen(shown.now, _forged, shown.days)
    taken = sum(n for status, n in week.statuses(rejected=True).items() if 200 <= status < 300)
    known = [one.last_at for one in shown.sightings if one.aspect is Aspect.SECRET]
    used = max(known, default=None)
    if probe is not None and probe.http_status is not None and 200 <= probe.http_status < 300:
        said = f"an unsigned POST was answered {probe.http_status} {moment(probe.checked_at)}"
        return Found(Verdict.FAIL, said, probe.checked_at)
    if figures.verification_failures(week) and taken:
        return Found(Verdict.FAIL, f"{number(taken)} rejected deliveries were answered 2xx in 7 d", shown.now)
    asked = probe if probe is not None and probe.ok else None
    verified = used if used is not None and shown.now - used <= FRESH else None
    if verified is None and asked is None and not refused.times:
        said = "no delivery said which secret verified it; probe_exposure = true would ask"
        return _none(said, shown.now, _latest(used, refused.last))
    parts = [f"{number(figures.deliveries(week) - figures.verification_failures(week))} verified in 7 d"]
    if refused.times:
        parts.append(f"{counted(refused.times, 'forged request')} refused {refused.lately}")
    if asked is not None:
        parts.append(f"an unsigned POST was answered {asked.http_status} {moment(asked.checked_at)}")
    newest = _latest(verified, refused.last, asked.checked_at if asked else None)
    return Found(Verdict.PASS, ", ".join(parts), newest)


def _forged(one: Rollup) -> int:
    """Refused for its signature."""
    return sum(n for reason, n in one.reasons().items() if reason in FORGED)


def encrypted(shown: Shown) -> Found:
    if shown.url is not None and not shown.url.startswith("https://"):
        return Found(Verdict.FAIL, "the endpoint's address is plain http", shown.now)
    probe = shown.probes.get(ProbeKind.TLS)
    if probe is None:
        return _none("no certificate was looked at in 3 d; give the endpoint its url", shown.now)
    ends_at, on = probe.cert_not_after, probe.checked_at
    if not probe.ok:
        said = f"the certificate does not hold: {probe.error or 'see the probes'}"
        return Found(Verdict.FAIL, said, on)
    if ends_at is not None and ends_at - shown.now < CERTIFICATE_LEFT:
        return Found(Verdict.FAIL, f"the certificate ends {moment(ends_at)}", on)
    until = f", valid until {moment(ends_at)}" if ends_at is not None else ""
    return Found(Verdict.PASS, f"the certificate holds{until}, looked at {moment(on)}", on)


def addresses(shown: Shown) -> Found:
    refused = seen(shown.now, lambda one: one.reasons().get(Reason.IP_NOT_ALLOWED, 0), shown.days)
    known = sum(one.aspect is Aspect.ADDRESS for one in shown.sightings)
    if refused.times:
        said = f"{counted(refused.times, 'request')} from foreign addresses refused {refused.lately}"
        return Found(Verdict.PASS, said, refused.last)
    said = f"no foreign address was refused in {FRESH.days} d, {number(known)} addresses are known"
    return _none(said, shown.now, refused.last)


def no_login(shown: Shown) -> Found:
    probe = shown.probes.get(ProbeKind.UNSIGNED)
    accepted = probe is not None and probe.http_status is not None and 200 <= probe.http_status < 300
    if probe is not None and not probe.ok and not accepted:
        said = f"an unsigned POST did not reach the receiver: {probe.error or probe.http_status}"
        return Found(Verdict.FAIL, said, probe.checked_at)
    verified = figures.deliveries(shown.week) - figures.verification_failures(shown.week)
    last = seen(shown.now, figures.deliveries, shown.days).last
    if verified:
        said = f"{number(verified)} deliveries of the provider came through in 7 d"
        return Found(Verdict.PASS, said, last)
    return _none("nothing was delivered in 7 d", shown.now, last)


def once(shown: Shown) -> Found:
    if shown.repeats.twice:
        twice, of = shown.repeats.twice, shown.repeats.looked_at
        said = f"{number(twice)} of {number(of)} recent events were processed twice"
        return Found(Verdict.FAIL, said, shown.now)
    copies = seen(shown.now, _copies, shown.days)
    if copies.times:
        said = f"{counted(copies.times, 'duplicate')} recognised {copies.lately}"
        return Found(Verdict.PASS, said, copies.last)
    return _none(f"no event came twice in {FRESH.days} d", shown.now, copies.last)


def _copies(one: Rollup) -> int:
    """Of the provider's, and of events that were done when they were replayed."""
    return one.outcome(Outcome.DUPLICATE) + one.outcome(Outcome.DUPLICATE, figures.REPLAYS)


def order(shown: Shown) -> Found:
    late = seen(shown.now, lambda one: one.outcome(Outcome.STALE), shown.days)
    if late.times:
        said = f"{counted(late.times, 'event')} out of order left aside {late.lately}"
        return Found(Verdict.PASS, said, late.last)
    return _none(f"no event came out of order in {FRESH.days} d", shown.now, late.last)


def within(limit_ms: float) -> Judge:
    """Whether 99 % of the answers of a week leave in time."""

    def judge(shown: Shown) -> Found:
        answers, last = shown.week.distribution(Duration.ACK), seen(shown.now, figures.deliveries, shown.days)
        if answers.count < ENOUGH:
            return _none(f"{number(answers.count)} answers were timed in 7 d", shown.now, last.last)
        return _in_time(answers, limit_ms, last.last)

    return judge


def _in_time(answers: Distribution, limit_ms: float, on: datetime | None) -> Found:
    p99 = answers.quantile(0.99) or 0.0
    said = f"99 % of {number(answers.count)} answers within {seconds(p99)} (limit {seconds(limit_ms)})"
    return Found(Verdict.PASS if p99 <= limit_ms else Verdict.FAIL, said, on)


def later(shown: Shown) -> Found:
    accepted = shown.week.outcome(Outcome.ACCEPTED)
    if accepted:
        last = seen(shown.now, lambda one: one.outcome(Outcome.ACCEPTED), shown.days).last
        said = f"{number(accepted)} events acknowledged first and processed later in 7 d"
        return Found(Verdict.PASS, said, last)
    found = within(SOON_MS)(shown)
    return replace(found, said=f"processed before the answer; {found.said}")


def retried(shown: Shown) -> Found:
    stuck = figures.stuck(shown.week)
    if stuck:
        return Found(Verdict.FAIL, f"{number(stuck)} acknowledged events have not ended", shown.now)
    failed = seen(shown.now, figures.failures, shown.days)
    mended = seen(shown.now, figures.recovered, shown.days)
    last = _latest(failed.last, mended.last)
    if not failed.times and not mended.times:
        return _none(f"no attempt failed in {FRESH.days} d", shown.now, last)
    dead = seen(shown.now, lambda one: one.outcome(Outcome.DEAD_LETTERED), shown.days)
    said = (
        f"{counted(failed.times, 'failed attempt')} {failed.lately}, and nothing is stuck: dead letters"
        f" {number(dead.times)}, replayed to a good end {number(mended.times)}"
    )
    return Found(Verdict.PASS, said, last)


def logged(shown: Shown) -> Found:
    records = sum(shown.week.outcome(outcome) for outcome in Outcome)
    last = seen(shown.now, Rollup.records, shown.days).last
    if not records:
        return _none("no record in 7 d", shown.now, last)
    said = f"{number(records)} records in 7 d, each with id, type, times and outcome"
    return Found(Verdict.PASS, said, last)


def watched(shown: Shown) -> Found:
    """Errors and times are watched by the rules that are shipped; what may be missing is who is told."""
    if not shown.channels:
        return Found(Verdict.FAIL, "alerts reach nobody: no channel is configured")
    for name, told in shown.channels.items():
        if told is not None and not told.took:
            return Found(Verdict.FAIL, f"{name} gave up a message {moment(told.at)}: {told.error}", told.at)
    for name, told in shown.channels.items():
        if told is None or shown.now - told.at > FRESH:
            said = f"{name} took no message in {FRESH.days} d; try `hookvitals channel test {name}`"
            return _none(said, shown.now, told.at if told else None)
    rate = figures.attempt_error_rate(shown.week).share
    now = "no attempt yet" if rate is None else f"error rate {percent(rate)} in 7 d"
    times = {name: told.at for name, told in shown.channels.items() if told is not None}
    arrived = ", ".join(f"{name} took a message {moment(at)}" for name, at in times.items())
    return Found(Verdict.PASS, f"{now}; {arrived}", min(times.values()))


def loaded(*, anywhere: bool) -> Judge:
    """Whether the busiest hour was answered in time. anywhere: a test of load elsewhere counts, too."""

    def judge(shown: Shown) -> Found:
        mine = [one for one in shown.rushes if anywhere or one.elsewhere is None]
        rush = max(mine, key=lambda one: one.a_minute, default=None)
        if rush is None or rush.a_minute < BUSY:
            most = number(rush.a_minute if rush else 0)
            return _none(f"at most {most} deliveries a minute in {FRESH.days} d", shown.now)
        where = f" in {rush.elsewhere}" if rush.elsewhere else ""
        busy = f"{number(rush.a_minute)} deliveries in the busiest minute{where}, {moment(rush.at)}"
        if rush.answers.count < ENOUGH:
            return _none(f"{busy}; {number(rush.answers.count)} answers were timed", shown.now)
        found = _in_time(rush.answers, shown.terms.ack_deadline.total_seconds() * 1000, rush.at)
        return replace(found, said=f"{busy}; {found.said}")

    return judge


def rehearsed(shown: Shown) -> Found:
    probe = shown.probes.get(ProbeKind.CANARY)
    if probe is not None and not probe.ok:
        said = f"a signed test event did not come through: {probe.error or probe.http_status}"
        return Found(Verdict.FAIL, said, probe.checked_at)
    if probe is not None:
        said = f"a signed test event came through {moment(probe.checked_at)}"
        return Found(Verdict.PASS, said, probe.checked_at)
    sent = seen(shown.now, _canaries, shown.days, *shown.elsewhere.values())
    if sent.times:
        return Found(
            Verdict.PASS, f"{counted(sent.times, 'signed test event')} came through {sent.lately}", sent.last
        )
    return _none("no test event was seen; probe_canary = true sends them", shown.now, sent.last)


def _canaries(one: Rollup) -> int:
    """Those that came through."""
    ended = figures.outcomes(one, figures.CANARIES)
    return sum(n for outcome, n in ended.items() if outcome not in BROKEN)


def staged(shown: Shown) -> Found:
    found = {name: seen(shown.now, Rollup.records, days) for name, days in sorted(shown.elsewhere.items())}
    last = _latest(*(one.last for one in found.values()))
    fresh = [
        f"{name}: {counted(one.times, 'record')} {one.lately}" for name, one in found.items() if one.times
    ]
    if fresh:
        return Found(Verdict.PASS, ", ".join(fresh), last)
    return _none(f"no record in another environment in {FRESH.days} d", shown.now, last)


def refusals(shown: Shown) -> Found:
    """`hookvitals send` tries both, in production or elsewhere."""
    kept = shown.days, *shown.elsewhere.values()
    forged = seen(shown.now, _forged, *kept)
    copies = seen(shown.now, _copies, *kept)
    last = min(filter(None, (forged.last, copies.last)), default=None)
    if forged.times and copies.times:
        said = (
            f"{counted(forged.times, 'forged request')} refused {forged.lately};"
            f" {counted(copies.times, 'duplicate')} recognised {copies.lately}"
        )
        return Found(Verdict.PASS, said, last)
    lacking = " and no ".join(name for name, one in (("forgery", forged), ("copy", copies)) if not one.times)
    return _none(f"no {lacking} was seen in {FRESH.days} d", shown.now, last)


def by_hand(said: str) -> Judge:
    """For what no record shows."""
    return lambda _: Found(Verdict.UNKNOWN, said)


Asked = tuple[str, str, Judge]
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
            ("concurrency", "Many deliveries at once are answered in time.", loaded(anywhere=False)),
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
            ("load", "It was tested under load.", loaded(anywhere=True)),
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
