"""What the rules look at: alerts' Observations over the facts, as of one moment.

One object serves one evaluation and keeps what it has read, so all rules see the same. Whatever the first
rule asks of one endpoint is read for all of them at once; distributions and examples only when a rule asks.
It judges nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from alerts.house import House
from alerts.issues import Issue, Kin
from alerts.model import (
    ErrorCount,
    ProbeKind,
    ProbeResult,
    QueueSample,
    Refusal,
    Repeats,
    Rule,
    Stuck,
    Target,
    Terms,
    Window,
)
from alerts.sightings import Declared, Sighting
from monitor import figures, model
from monitor.clock import EPOCH, from_us, to_us
from monitor.model import CANARY_TYPE, UNVERIFIED, Duration, Grain, Outcome, Record, SeriesKey
from monitor.queries.declared import declared_types
from monitor.queries.places import Places
from monitor.queries.repeats import read_repeats
from monitor.queries.summary import top_errors
from monitor.queries.totals import Later, Times, Totals
from monitor.rollup import Exemplars
from monitor.store.facts.protocol import COUNTED, FactReader, RecordFilter

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
QUEUES_BACK = timedelta(hours=1)
PROBES_BACK = {
    ProbeKind.HTTP: timedelta(hours=1),
    ProbeKind.TLS: timedelta(days=3),
    ProbeKind.PROVIDER: timedelta(days=3),
    ProbeKind.UNSIGNED: timedelta(days=3),
    ProbeKind.METHOD: timedelta(days=3),
    ProbeKind.CANARY: timedelta(hours=1),
}
"""How far back the latest samples and results are looked for; how old is too old is the rule's decision."""

MINUTE_US = 60_000_000
REFUSALS_SEEN = 200
"""Stored rejections that are looked at: enough to tell one address from many."""
ANSWERED_WITHIN = MINUTE
STUCK_SEEN, STUCK_NAMED = 200, 3
"""Acknowledged deliveries of the oldest minute that are looked up, and how many are named."""


class StoredObservations:
    """Observations as of `now`.

    registered: endpoints that count as known even when no record names them. terms: per endpoint; those that
    are missing have the default. issues: the open ones that appeared or came back since a time. house: the
    monitor itself. sightings: by endpoint.
    """

    def __init__(
        self,
        reader: FactReader,
        now: datetime,
        registered: Iterable[SeriesKey] = (),
        terms: Mapping[SeriesKey, Terms] | None = None,
        issues: Callable[[datetime], Sequence[Issue]] = lambda since: (),
        house: Callable[[], House] = House,
        sightings: Callable[[], Mapping[SeriesKey, Sequence[Sighting]]] = dict,
    ) -> None:
        self._reader = reader
        self._now = now
        self._places = Places({*reader.series().values(), *registered})
        self._terms = terms or {}
        self._issues = issues
        self._read_house = house
        self._read_sightings = sightings
        self._fresh: dict[datetime, Sequence[Issue]] = {}
        self._totals: dict[tuple[datetime, datetime], Totals] = {}
        self._windows: dict[tuple[Target, datetime, datetime], Window] = {}
        self._samples: Sequence[model.QueueSample] | None = None
        self._results: dict[ProbeKind, dict[SeriesKey, list[ProbeResult]]] = {}
        self._repeats: dict[tuple[str, datetime, datetime], Mapping[SeriesKey, Repeats]] = {}

    def last_heartbeat_at(self) -> datetime | None:
        beat = self._reader.heartbeat_us()
        return None if beat is None else from_us(beat)

    def targets(self, rule: Rule) -> Sequence[Target]:
        return self._places.selected(rule)

    def types(self, target: Target) -> Sequence[Target]:
        return self._places.types(SeriesKey(target.environment, target.source, target.endpoint))

    def terms(self, target: Target) -> Terms:
        return self._terms.get(SeriesKey(target.environment, target.source, target.endpoint), Terms())

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        """Counts are kept by the minute, and the minutes of both ends are in it: a window never looks back
        less than it says, or one of a minute would be empty whenever a minute begins."""
        place = target, start_at, end_at
        if place not in self._windows:
            self._windows[place] = self._window(target, start_at, end_at)
        return self._windows[place]

    def past(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        return self.window(target, start_at - (start_at - EPOCH) % HOUR, end_at + (EPOCH - end_at) % HOUR)

    def last_event_at(self, target: Target) -> datetime | None:
        return self._last_events.get(_key(target))

    def stuck(self, target: Target, older_than: timedelta, back: timedelta) -> Stuck:
        end_at = self._now - older_than
        end_at -= (end_at - EPOCH) % MINUTE
        start_at = self._now - back
        start_at -= (start_at - EPOCH) % HOUR
        rollup = self._total(start_at, end_at).counts(_key(target))
        found = Stuck(figures.acknowledged(rollup), figures.stuck(rollup))
        return self._with_oldest(_key(target), found, start_at, end_at) if found.count else found

    def refused(self, target: Target, start_at: datetime, end_at: datetime) -> Sequence[Refusal]:
        wanted = RecordFilter(
            target.environment,
            target.source,
            target.endpoint,
            outcomes=(Outcome.REJECTED,),
            since_us=to_us(start_at),
            until_us=to_us(end_at),
        )
        return [
            Refusal(str(record.record_id), record.reason or "", record.remote_ip or "")
            for record in self._reader.page(wanted, REFUSALS_SEEN).records
        ]

    def repeats(self, target: Target, start_at: datetime, end_at: datetime) -> Repeats:
        place = target.environment, start_at, end_at
        if place not in self._repeats:
            self._repeats[place] = read_repeats(self._reader, *place)
        return self._repeats[place].get(_key(target), Repeats())

    def issues(self, target: Target, since: datetime) -> Sequence[Issue]:
        if since not in self._fresh:
            self._fresh[since] = self._issues(since)
        return [one for one in self._fresh[since] if _is_of(one.kin, target)]

    def sightings(self, target: Target) -> Sequence[Sighting]:
        return self._sightings.get(SeriesKey(target.environment, target.source, target.endpoint), ())

    def declared(self, target: Target) -> Declared:
        key = SeriesKey(target.environment, target.source, target.endpoint)
        return self._declared.get(key, Declared())

    def house(self) -> House:
        return self._house

    def queues(self, target: Target) -> Sequence[QueueSample]:
        if self._samples is None:
            self._samples = self._reader.latest_queue_samples(to_us(self._now - QUEUES_BACK))
        return [
            QueueSample(sample.queue, sample.depth, sample.oldest_age_s, sample.sampled_at)
            for sample in self._samples
            if sample.environment == target.environment
            and target.source in (None, sample.source)
            and target.endpoint in (None, sample.endpoint)
        ]

    def probes(self, target: Target, kind: ProbeKind) -> Sequence[ProbeResult]:
        if kind not in self._results:
            self._results[kind] = self._read_probes(kind)
        key = SeriesKey(target.environment, target.source, target.endpoint)
        return self._results[kind].get(key, [])

    def _window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        key, total = _key(target), self._total(start_at, end_at)
        rollup = total.counts(key)
        return Window(
            target,
            start_at,
            end_at,
            succeeded=rollup.outcome(Outcome.SUCCEEDED),
            failed=rollup.outcome(Outcome.FAILED),
            dead_lettered=rollup.outcome(Outcome.DEAD_LETTERED),
            accepted=rollup.outcome(Outcome.ACCEPTED),
            duplicates=rollup.outcome(Outcome.DUPLICATE),
            stale=rollup.outcome(Outcome.STALE),
            unhandled=rollup.outcome(Outcome.UNHANDLED),
            rejected=rollup.outcome(Outcome.REJECTED),
            deliveries=figures.deliveries(rollup),
            redelivered=figures.redelivered(rollup),
            off_time=figures.off_time(rollup),
            answers=rollup.statuses(rejected=False),
            refusals=rollup.statuses(rejected=True),
            verification_failures={
                reason.value: n for reason, n in figures.verification_reasons(rollup).items()
            },
            process_ms=Times(lambda: total.distribution(key, Duration.PROCESS)),
            ack_ms=Times(lambda: total.distribution(key, Duration.ACK)),
            top_errors=Later(lambda: [ErrorCount(name, n) for name, n in top_errors(self._reader, rollup)]),
            failure_exemplars=Later(
                lambda: _texts(sorted(total.exemplars(key).failures.values(), reverse=True))
            ),
            slow_exemplars=Later(lambda: _texts(_slowest(total.exemplars(key)))),
        )

    def _total(self, start_at: datetime, end_at: datetime) -> Totals:
        start_at -= (start_at - EPOCH) % MINUTE
        stretch = start_at, end_at
        if stretch not in self._totals:
            self._totals[stretch] = Totals(self._reader, self._places, to_us(start_at), to_us(end_at))
        return self._totals[stretch]

    @cached_property
    def _sightings(self) -> Mapping[SeriesKey, Sequence[Sighting]]:
        return self._read_sightings()

    @cached_property
    def _declared(self) -> Mapping[SeriesKey, Declared]:
        said = declared_types(self._reader, self._now)
        return {key: Declared(one.handled, one.expected) for key, one in said.items()}

    @cached_property
    def _house(self) -> House:
        return self._read_house()

    @cached_property
    def _last_events(self) -> Mapping[SeriesKey, datetime]:
        """Of every type and endpoint. What did not verify is of no type that was sent, and counts for
        none."""
        typed = [key for key in self._places.keys if key.event_type not in (None, UNVERIFIED, CANARY_TYPE)]
        found = {key: from_us(us) for key, us in self._reader.last_seen(typed).items()}
        for key, at in list(found.items()):
            if key.parent is not None:
                found[key.parent] = max(at, found.get(key.parent, at))
        return found

    def _with_oldest(self, key: SeriesKey, found: Stuck, start_at: datetime, end_at: datetime) -> Stuck:
        """With the minute in which the oldest of them were received, and some of it that are still open."""
        start_us, end_us = to_us(start_at), to_us(end_at)
        for grain in (Grain.HOUR, Grain.MINUTE):
            read = self._reader.rollups([key], grain, start_us, end_us, parts=COUNTED).get(key, {})
            open_us = [us for us, rollup in read.items() if figures.stuck(rollup)]
            if not open_us:
                return found
            start_us = min(open_us)
            end_us = min(end_us, start_us + grain.minutes * MINUTE_US)
        # a record is stamped when its answer left, which may be in a minute after that of receipt
        answered_us = end_us + ANSWERED_WITHIN // timedelta(microseconds=1)
        wanted = RecordFilter(
            key.environment,
            key.source,
            key.endpoint,
            key.event_type,
            (Outcome.ACCEPTED,),
            since_us=start_us,
            until_us=answered_us,
        )
        named: list[str] = []
        for record in reversed(self._reader.page(wanted, STUCK_SEEN).records):
            if len(named) < STUCK_NAMED and to_us(record.received_at) < end_us and self._is_open(record):
                named.append(str(record.record_id))
        return replace(found, oldest_at=from_us(start_us), exemplars=named)

    def _is_open(self, record: Record) -> bool:
        known = self._reader.event(record.environment, record.source, record.event_id or "")
        return not any(
            one.received_at == record.received_at
            and one.http_status is None
            and one.outcome not in (Outcome.ACCEPTED, Outcome.FAILED)
            for one in known
        )

    def _read_probes(self, kind: ProbeKind) -> dict[SeriesKey, list[ProbeResult]]:
        """Newest first, each with the failures in a row up to it."""
        start_us = to_us(self._now - PROBES_BACK[kind])
        found: dict[SeriesKey, list[ProbeResult]] = {}
        for result in self._reader.probe_results(model.ProbeKind(kind), start_us, to_us(self._now) + 1):
            key = SeriesKey(result.environment, result.source, result.endpoint)
            earlier = found.setdefault(key, [])
            failing = 0 if result.ok else 1 + (earlier[-1].consecutive_failures if earlier else 0)
            earlier.append(
                ProbeResult(
                    kind,
                    result.ok,
                    result.checked_at,
                    result.http_status,
                    result.latency_ms,
                    result.error or "",
                    result.cert_not_after,
                    failing,
                )
            )
        return {key: results[::-1] for key, results in found.items()}


def _key(target: Target) -> SeriesKey:
    return SeriesKey(target.environment, target.source, target.endpoint, target.event_type)


def _slowest(exemplars: Exemplars) -> list[bytes]:
    return [exemplars.slowest[1]] if exemplars.slowest else []


def _texts(record_ids: Sequence[bytes]) -> list[str]:
    return [str(UUID(bytes=record_id)) for record_id in record_ids]


def _is_of(kin: Kin, target: Target) -> bool:
    return (
        (kin.environment, kin.source, kin.endpoint) == (target.environment, target.source, target.endpoint)
    ) and target.event_type in (None, kin.event_type)
