"""What the rules look at: alerts' Observations over the facts, as of one moment.

One object serves one evaluation and keeps what it has read, so all rules see the same. Whatever the first
rule asks of one endpoint is read for all of them at once; distributions and examples only when a rule asks.
It judges nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar, overload
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
from alerts.patterns import matches
from alerts.sightings import Declared, Sighting
from monitor import figures, model
from monitor.clock import EPOCH, from_us, to_us
from monitor.histogram import Distribution
from monitor.model import CANARY_TYPE, UNVERIFIED, Duration, Grain, Outcome, Record, SeriesKey
from monitor.queries.declared import declared_types
from monitor.queries.summary import top_errors
from monitor.rollup import Exemplars, Rollup
from monitor.store.facts.protocol import COUNTED, FactReader, Parts, RecordFilter

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
EXEMPLARS = Parts((), exemplars=True)
REFUSALS_SEEN = 200
"""Stored rejections that are looked at: enough to tell one address from many."""
ANSWERED_WITHIN = MINUTE
STUCK_SEEN, STUCK_NAMED = 200, 3
"""Acknowledged deliveries of the oldest minute that are looked up, and how many are named."""
SUCCESSES_SEEN, SUCCESSES_ASKED = 1000, 200
"""The newest successes of an environment that are compared with each other, and how many of their events are
looked up among all that is stored. Measured: 25 ms for both at ten million records."""

Item = TypeVar("Item", covariant=True)


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
        self._places = _Places({*reader.series().values(), *registered})
        self._terms = terms or {}
        self._issues = issues
        self._read_house = house
        self._read_sightings = sightings
        self._fresh: dict[datetime, Sequence[Issue]] = {}
        self._totals: dict[tuple[datetime, datetime], _Totals] = {}
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
            self._repeats[place] = self._read_repeats(*place)
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
            process_ms=_Times(lambda: total.distribution(key, Duration.PROCESS)),
            ack_ms=_Times(lambda: total.distribution(key, Duration.ACK)),
            top_errors=_Later(lambda: [ErrorCount(name, n) for name, n in top_errors(self._reader, rollup)]),
            failure_exemplars=_Later(
                lambda: _texts(sorted(total.exemplars(key).failures.values(), reverse=True))
            ),
            slow_exemplars=_Later(lambda: _texts(_slowest(total.exemplars(key)))),
        )

    def _total(self, start_at: datetime, end_at: datetime) -> "_Totals":
        start_at -= (start_at - EPOCH) % MINUTE
        stretch = start_at, end_at
        if stretch not in self._totals:
            self._totals[stretch] = _Totals(self._reader, self._places, to_us(start_at), to_us(end_at))
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

    def _read_repeats(
        self, environment: str, start_at: datetime, end_at: datetime
    ) -> Mapping[SeriesKey, Repeats]:
        """Counting each success against all before it would cost ingest a lookup a record; no rollup can tell
        either. So the newest successes are compared with each other, and some of their events looked up: what
        is done twice as a rule is found at once, what is done twice now and then is found in time."""
        wanted = RecordFilter(
            environment, outcomes=(Outcome.SUCCEEDED,), since_us=to_us(start_at), until_us=to_us(end_at)
        )
        events: dict[SeriesKey, dict[str, list[Record]]] = {}
        for record in self._reader.page(wanted, SUCCESSES_SEEN).records:
            if record.event_id and _is_ordinary(record):
                of_place = events.setdefault(_place(record), {})
                of_place.setdefault(record.event_id, []).append(record)
        found: dict[SeriesKey, Repeats] = {}
        left = SUCCESSES_ASKED
        for place, known in sorted(events.items(), key=lambda pair: len(pair[1])):
            # what quiet endpoints have no use for is for the busy ones
            share = max(1, left // (len(events) - len(found)))
            found[place] = self._repeats_of(place, known, share)
            left -= min(share, len(known))
        return found

    def _repeats_of(self, place: SeriesKey, known: Mapping[str, Sequence[Record]], most: int) -> Repeats:
        twice = {event: str(seen[0].record_id) for event, seen in known.items() if len(seen) > 1}
        asked = [event for event in known if event not in twice][:most]
        for event in asked:
            successes = [
                record
                for record in self._reader.event(place.environment, place.source or "", event)
                if record.outcome is Outcome.SUCCEEDED and _is_ordinary(record) and _place(record) == place
            ]
            if len(successes) > 1:
                twice[event] = str(successes[-1].record_id)
        return Repeats(len(asked) + len(twice.keys() - set(asked)), len(twice), tuple(twice.values())[:5])

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


class _Places:
    """The endpoints and types there are, and which of them a rule selects."""

    def __init__(self, keys: Iterable[SeriesKey]) -> None:
        self.keys = frozenset(keys)
        self._alike: dict[tuple[bool, ...], list[SeriesKey]] = {}
        for key in self.keys:
            self._alike.setdefault(_level(key), []).append(key)
        self._selected: dict[tuple[str, ...], Sequence[Target]] = {}

    def alike(self, key: SeriesKey) -> Sequence[SeriesKey]:
        """All that are of one level with `key`: endpoints with an endpoint, types with a type."""
        return self._alike.get(_level(key), [])

    def types(self, endpoint: SeriesKey) -> Sequence[Target]:
        """By name, without what was never verified."""
        return self._types.get(endpoint, [])

    @cached_property
    def _types(self) -> Mapping[SeriesKey, Sequence[Target]]:
        found: dict[SeriesKey, list[Target]] = {}
        for key in sorted(self._alike.get((True, True, True), []), key=lambda key: key.event_type or ""):
            if key.parent is not None and key.event_type not in (UNVERIFIED, CANARY_TYPE):
                target = Target(key.environment, key.source, key.endpoint, key.event_type)
                found.setdefault(key.parent, []).append(target)
        return found

    def selected(self, rule: Rule) -> Sequence[Target]:
        patterns = rule.environment, rule.source, rule.endpoint, rule.event_type
        if patterns not in self._selected:
            self._selected[patterns] = self._select(*patterns)
        return self._selected[patterns]

    def _select(self, environment: str, source: str, endpoint: str, event_type: str) -> Sequence[Target]:
        typed = event_type != "*"
        found = [
            Target(key.environment, key.source, key.endpoint, key.event_type)
            for key in self._named(source, endpoint, typed)
            if matches(environment, key.environment)
            and matches(source, key.source or "")
            and matches(endpoint, key.endpoint or "")
            and (not typed or matches(event_type, key.event_type or ""))
        ]
        return sorted(found, key=lambda target: tuple(target.labels().items()))

    def _named(self, source: str, endpoint: str, typed: bool) -> Iterable[SeriesKey]:
        """Few enough to be matched one by one: most rules name their endpoint."""
        if "*" in source or "*" in endpoint:
            return self._alike.get((True, True, typed), [])
        return self._by_name.get((source, endpoint, typed), [])

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str, bool], Sequence[SeriesKey]]:
        found: dict[tuple[str, str, bool], list[SeriesKey]] = {}
        for key in self.keys:
            if key.source and key.endpoint:
                found.setdefault((key.source, key.endpoint, key.event_type is not None), []).append(key)
        return found


class _Totals:
    """All that are alike over one stretch: counts in one read, distributions in one more when first asked."""

    def __init__(self, reader: FactReader, places: _Places, start_us: int, end_us: int) -> None:
        self._reader = reader
        self._places = places
        self._stretch = start_us, end_us
        self._read: dict[tuple[tuple[bool, ...], Duration | None], Mapping[SeriesKey, Rollup]] = {}

    def counts(self, key: SeriesKey) -> Rollup:
        return self._of(key, None, COUNTED).get(key) or Rollup()

    def distribution(self, key: SeriesKey, kind: Duration) -> Distribution:
        read = self._of(key, kind, Parts((kind,), exemplars=False))
        return (read.get(key) or Rollup()).distribution(kind)

    def exemplars(self, key: SeriesKey) -> Exemplars:
        """Of one alone: only what breaches is exemplified."""
        return (self._reader.total([key], *self._stretch, EXEMPLARS).get(key) or Rollup()).exemplars

    def _of(self, key: SeriesKey, kind: Duration | None, parts: Parts) -> Mapping[SeriesKey, Rollup]:
        place = _level(key), kind
        if place not in self._read:
            self._read[place] = self._reader.total(self._places.alike(key), *self._stretch, parts)
        return self._read[place]


class _Times:
    """A distribution that is read when it is first asked something."""

    def __init__(self, read: Callable[[], Distribution]) -> None:
        self._read_it = read

    @cached_property
    def _read(self) -> Distribution:
        return self._read_it()

    @property
    def count(self) -> int:
        return self._read.count

    def quantile(self, q: float) -> float | None:
        return self._read.quantile(q)

    def share_above(self, ms: float) -> float:
        return self._read.share_above(ms)


class _Later(Sequence[Item]):
    """A sequence that is read when it is first looked into."""

    def __init__(self, read: Callable[[], Sequence[Item]]) -> None:
        self._read_it = read

    @cached_property
    def _read(self) -> Sequence[Item]:
        return self._read_it()

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        return self._read[at]

    def __len__(self) -> int:
        return len(self._read)


def _key(target: Target) -> SeriesKey:
    return SeriesKey(target.environment, target.source, target.endpoint, target.event_type)


def _place(record: Record) -> SeriesKey:
    return SeriesKey(record.environment, record.source, record.endpoint)


def _level(key: SeriesKey) -> tuple[bool, ...]:
    return key.source is not None, key.endpoint is not None, key.event_type is not None


def _is_ordinary(record: Record) -> bool:
    return record.replay_id is None and not record.canary


def _slowest(exemplars: Exemplars) -> list[bytes]:
    return [exemplars.slowest[1]] if exemplars.slowest else []


def _texts(record_ids: Sequence[bytes]) -> list[str]:
    return [str(UUID(bytes=record_id)) for record_id in record_ids]


def _is_of(kin: Kin, target: Target) -> bool:
    return (
        (kin.environment, kin.source, kin.endpoint) == (target.environment, target.source, target.endpoint)
    ) and target.event_type in (None, kin.event_type)
