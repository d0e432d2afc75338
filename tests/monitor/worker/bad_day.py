"""Twelve kinds of trouble at once, each at an endpoint of its own, lived through by the worker's own jobs on
a clock that the test moves: records, probes, queue samples and heartbeats go into real stores as they come,
and what leaves goes to two channels that keep it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from alerts.message import Links, Message
from monitor.clock import to_us
from monitor.config import Document
from monitor.config.load import checked
from monitor.config.toml_file import read_toml
from monitor.model import Outcome, ProbeKind, ProbeResult, Reason, Record, SeriesKey
from monitor.probes.target import ProbeTarget
from monitor.queries.house import EVALUATION, house
from monitor.queries.windows import StoredObservations
from monitor.replay.intake import Intake
from monitor.store.control import Control
from monitor.store.facts.protocol import ClientCounts
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.wiring.applying import source_of
from monitor.wiring.terms import terms_of
from monitor.worker.cataloguing import Cataloguing
from monitor.worker.delivery import Delivery
from monitor.worker.evaluation import Evaluation
from monitor.worker.probing import Plan, Probing
from tests.control import lead
from tests.facts import NOON, Filled, RecordFactory
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.books import FakeChannel

SECOND, MINUTE, HOUR, WEEK = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "weeks"))
START = NOON
BEGINS, ENDS, LENGTH = 10, 76, 120
"""Minutes of the day: when all the troubles begin and end, and when the day is over."""
STEP = 2
"""Minutes from one round of the jobs to the next: the longest gap in which time counts as watched."""
BACKLOG = 5
"""Minutes in which a sender that was not heard sends again what it still has."""
EVENTS = 12
"""A minute and endpoint, as a rule."""

MAKE = RecordFactory()

FILE = """
[[sources]]
name = "stripe"
deadline = "10s"

[[slos]]
name = "processed"
source = "*"
objective = 0.999

[[channels]]
kind = "slack"
name = "team"
url = { env = "TEAM_URL" }

[[channels]]
kind = "pagerduty"
name = "oncall"
routing_key = { env = "PAGERDUTY_KEY" }

[[routes]]
channels = ["oncall"]
min_severity = "error"
repeat_every = "8h"

[[routes]]
channels = ["team"]
min_severity = "warning"
"""


def document(folder: Path) -> Document:
    path = folder / "hookvitals.toml"
    path.write_text(FILE)
    found, problems = checked(*_parsed(path))
    assert found is not None, problems
    return found


def _parsed(path: Path) -> tuple[Mapping[str, object], Path, str]:
    raw, text = read_toml(path)
    return raw, path, text


Traffic = Callable[["Endpoint", datetime], Iterable[Record]]


@dataclass(slots=True)
class Endpoint:
    """One endpoint and what goes wrong at it: traffic: its records of a minute while it does. waiting:
    deliveries that were acknowledged and not worked on. queue, answers, certificate: what is seen of it from
    outside while it does."""

    source: str
    name: str
    trouble: Traffic
    usual: Traffic
    queue: bool = False
    refuses: str = ""
    expired: bool = False
    skew: timedelta = timedelta(0)
    waiting: list[Record] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.source}/{self.name}"

    @property
    def key(self) -> SeriesKey:
        return SeriesKey("production", self.source, self.name)

    def minute(self, number: int) -> list[Record]:
        at = START + number * MINUTE
        if BEGINS <= number < ENDS:
            return list(self.trouble(self, at))
        late = self.worked_off(at, len(self.waiting)) if number >= ENDS else []
        again = self.sent_again(at) if ENDS <= number < ENDS + BACKLOG else []
        return [*late, *again, *self.usual(self, at)]

    def sent_again(self, at: datetime) -> list[Record]:
        """What its sender still had of the time in which it was not taken."""
        attempt = 2 if self.trouble is failing else 1 if self.trouble is nothing else 0
        return [self.event(Outcome.SUCCEEDED, moment, attempt=attempt) for moment in moments(at) if attempt]

    def event(self, outcome: Outcome, at: datetime, **given: object) -> Record:
        """What the sender delivered and was answered."""
        return MAKE.delivery(outcome, at, source=self.source, endpoint=self.name, **given)

    def worked_off(self, at: datetime, count: int) -> list[Record]:
        """The oldest that wait, ended."""
        done, self.waiting = self.waiting[:count], self.waiting[count:]
        return [
            replace(
                MAKE(Outcome.SUCCEEDED, at + 55 * SECOND, source=self.source, endpoint=self.name),
                event_id=one.event_id,
                received_at=one.received_at,
            )
            for one in done
        ]


def moments(at: datetime, count: int = EVENTS) -> Iterator[datetime]:
    return (at + n * 50 * SECOND / count for n in range(count))


def inline(to: Endpoint, at: datetime) -> Iterable[Record]:
    return [to.event(Outcome.SUCCEEDED, moment) for moment in moments(at)]


def queued(to: Endpoint, at: datetime) -> Iterable[Record]:
    to.waiting += (taken := [to.event(Outcome.ACCEPTED, moment) for moment in moments(at)])
    return [*taken, *to.worked_off(at, EVENTS)]


def failing(to: Endpoint, at: datetime) -> Iterable[Record]:
    """Three of four run out of time, fail, and are sent again, some of them for the last time."""
    fates = (
        (Outcome.SUCCEEDED, 200, 1),
        (Outcome.FAILED, 500, 1),
        (Outcome.FAILED, 500, 2),
        (Outcome.DEAD_LETTERED, 500, 3),
    )
    for n, moment in enumerate(moments(at)):
        outcome, status, attempt = fates[n % 4]
        yield to.event(outcome, moment, http_status=status, attempt=attempt, ack_ms=9_000.0)


def slow(to: Endpoint, at: datetime) -> Iterable[Record]:
    """Slower than its sender waits, which sends a third of it again."""
    for n, moment in enumerate(moments(at)):
        yield to.event(Outcome.SUCCEEDED, moment, process_ms=20_000.0, ack_ms=20_100.0, latency_ms=20_100.0)
        if n % 3 == 0:
            yield to.event(Outcome.DUPLICATE, moment)


def refused(reason: Reason, to: Endpoint, at: datetime) -> Iterable[Record]:
    return [to.event(Outcome.REJECTED, moment, reason=reason) for moment in moments(at)]


def piling_up(to: Endpoint, at: datetime) -> Iterable[Record]:
    """Half of the workers are gone."""
    to.waiting += (taken := [to.event(Outcome.ACCEPTED, moment) for moment in moments(at, 2 * EVENTS)])
    return [*taken, *to.worked_off(at, EVENTS // 2)]


def nothing(to: Endpoint, at: datetime) -> Iterable[Record]:
    return ()


def one_type_out(to: Endpoint, at: datetime) -> Iterable[Record]:
    voided = [
        to.event(Outcome.FAILED, moment, event_type="invoice.voided", http_status=500, error_class="KeyError")
        for moment in moments(at, 4)
    ]
    return [*inline(to, at), *voided]


def voided_too(to: Endpoint, at: datetime) -> Iterable[Record]:
    voided = [to.event(Outcome.SUCCEEDED, moment, event_type="invoice.voided") for moment in moments(at, 4)]
    return [*inline(to, at), *voided]


def sent_five_times(to: Endpoint, at: datetime) -> Iterable[Record]:
    for moment in moments(at):
        yield (first := to.event(Outcome.SUCCEEDED, moment))
        for _ in range(4):
            yield to.event(Outcome.DUPLICATE, moment, event_id=first.event_id)


def sent_again(to: Endpoint, at: datetime) -> Iterable[Record]:
    """What failed on another day comes again, and goes well now."""
    again = [to.event(Outcome.SUCCEEDED, moment, attempt=3) for moment in moments(at, 2 * EVENTS)]
    return [*inline(to, at), *again]


def hanging(to: Endpoint, at: datetime) -> Iterable[Record]:
    to.waiting += (taken := [to.event(Outcome.ACCEPTED, moment) for moment in moments(at)])
    return taken


def endpoints() -> list[Endpoint]:
    return [
        Endpoint("stripe", "payments", failing, inline),
        Endpoint("github", "pushes", slow, inline),
        Endpoint("adyen", "notices", partial(refused, Reason.BAD_SIGNATURE), inline),
        Endpoint(
            "orum", "transfers", partial(refused, Reason.TIMESTAMP_IN_FUTURE), inline, skew=-400 * SECOND
        ),
        Endpoint("shop", "orders", piling_up, queued, queue=True),
        Endpoint("mail", "bounces", nothing, inline, refuses="connection refused"),
        Endpoint("bank", "payouts", nothing, inline, refuses="the certificate has expired", expired=True),
        Endpoint("crm", "contacts", nothing, inline),
        Endpoint("billing", "invoices", one_type_out, voided_too),
        Endpoint("chat", "messages", sent_five_times, inline),
        Endpoint("ci", "builds", sent_again, inline),
        Endpoint("sms", "receipts", hanging, queued),
        Endpoint("maps", "places", queued, queued),
    ]


@dataclass(slots=True)
class BadDay:
    """The stores, the worker's jobs, and who is told."""

    control: Control
    filled: Filled
    facts: SqliteFactReader
    clock: FakeClock
    file: Document
    endpoints: Sequence[Endpoint] = field(default_factory=endpoints)
    oncall: FakeChannel = field(default_factory=lambda: FakeChannel("oncall", gathers=False))
    team: FakeChannel = field(default_factory=lambda: FakeChannel("team"))

    def live(self) -> None:
        epoch = lead(self.control)
        self.had_past()
        sources = [source_of(table, START) for table in self.file.sources]

        def observe(now: datetime) -> StoredObservations:
            terms = terms_of(sources, self.control.catalog.endpoints(), self.file)
            about = partial(house, self.facts, self.control, now)
            fresh = self.control.issues.fresh
            return StoredObservations(self.facts, now, terms, terms, fresh, about)

        catalog, now = self.control.catalog, self.clock.now
        judging = Evaluation(
            observe,
            self.file.effective_rules,
            self.file.effective_routes,
            self.control.book,
            now,
            inhibitions=self.file.effective_inhibitions,
            monotonic=self.clock.monotonic,
        )
        channels = {"oncall": self.oncall, "team": self.team}
        links = Links("https://hooks.example.com")
        probing = Probing(self.plan, self.look, self.looked, self.clock)
        jobs = [
            Cataloguing(self.facts.series, catalog.register, now).run,
            Intake(self.control, self.facts, self.file.effective_routes, self.clock).run,
            judging.run,
            Delivery(self.control.notifications, lambda: channels, links, now, lambda: 0.5).run,
        ]
        for number in range(0, LENGTH, STEP):
            self.clock.move(STEP * MINUTE)
            self.store(range(number, number + STEP))
            probing.run(epoch)
            for job in jobs:
                job(epoch)
            self.control.jobs.succeeded(EVALUATION, now(), 0.0, epoch)

    def had_past(self) -> None:
        """The same hours of three weeks ago, two and one: an event in two minutes."""
        for weeks in (3, 2, 1):
            at = START - weeks * WEEK - HOUR
            self.filled.add(
                [
                    record
                    for to in self.endpoints
                    for n in range(150)
                    if (record := to.event(Outcome.SUCCEEDED, at + 2 * n * MINUTE))
                ]
            )
        self.filled.writer.fold()

    def store(self, minutes: Sequence[int]) -> None:
        """What the receivers, queues and collectors wrote in the minutes that are just over."""
        now, writer = self.clock.now(), self.filled.writer
        self.filled.now = now
        writer.append(
            [
                self.filled.batch(
                    [record for number in minutes for record in to.minute(number)],
                    self.client(to, minutes[-1]),
                )
                for to in self.endpoints
            ]
        )
        codes = writer.intern_series([to.key for to in self.endpoints], to_us(now))
        samples = [
            (codes[to.key], "inbox", to_us(now), len(to.waiting), self.oldest_us(to, now))
            for to in self.endpoints
            if to.queue
        ]
        writer.append_queues(samples)
        writer.heartbeat("collector", to_us(now))
        writer.fold()

    def oldest_us(self, to: Endpoint, now: datetime) -> int | None:
        return to_us(now) - to_us(to.waiting[0].received_at) if to.waiting else None

    def client(self, to: Endpoint, number: int) -> ClientCounts:
        skew = to.skew if self.is_bad(number) else timedelta(0)
        now_us, us = to_us(self.clock.now()), timedelta(microseconds=1)
        return ClientCounts(
            "python", "1.0.0", f"{to.source}-1", to_us(START), now_us, skew // us, 0, 0, {}, {}
        )

    def is_bad(self, number: int) -> bool:
        return BEGINS <= number < ENDS

    def plan(self) -> Plan:
        targets = [
            ProbeTarget("production", to.source, to.name, f"https://{to.source}.example/hooks")
            for to in self.endpoints
        ]
        return Plan(targets, MINUTE, HOUR, 3 * SECOND)

    def look(self, target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        now = self.clock.now()
        to = next(to for to in self.endpoints if to.source == target.source)
        is_bad = self.is_bad((now - START) // MINUTE - 1)
        refuses = to.refuses if is_bad and (kind is ProbeKind.HTTP or to.expired) else ""
        ends_at = START if to.expired and is_bad else START + 1440 * HOUR
        result = ProbeResult(
            "production", to.source, to.name, kind, not refuses, now, latency_ms=12.0, error=refuses or None
        )
        return replace(result, cert_not_after=ends_at) if kind is ProbeKind.TLS else result

    def looked(self, results: Sequence[ProbeResult]) -> None:
        keys = [SeriesKey(one.environment, one.source, one.endpoint) for one in results]
        codes = self.filled.writer.intern_series(keys, to_us(self.clock.now()))
        self.filled.writer.append_probes(
            [
                (
                    codes[key],
                    one.kind.value,
                    to_us(one.checked_at),
                    one.ok,
                    one.http_status,
                    12_000,
                    one.error,
                    None if one.cert_not_after is None else to_us(one.cert_not_after),
                    None,
                    None,
                )
                for key, one in zip(keys, results, strict=True)
            ]
        )

    def place_of(self, message: Message) -> str:
        """Which endpoint it is about; empty for the monitor itself."""
        named = (message.labels.get("source"), message.labels.get("endpoint"))
        return next((to.place for to in self.endpoints if (to.source, to.name) == named), "")


def minute_of(message: Message) -> int:
    return (message.created_at - START) // MINUTE
