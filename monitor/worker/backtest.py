"""What the rules would have made of the past: the evaluator's own job, run over stored facts.

Nothing is written, and nobody is told: its alerts live in a book of its own, whose notifications count as
delivered at once. What the rules of that time really did can be held against it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.flapping import DAMPING, Damping
from alerts.lifecycle import Move
from alerts.model import (
    Alert,
    Delivery,
    Inhibition,
    Notification,
    Observations,
    Route,
    Rule,
    Silence,
    Telling,
    Transition,
)
from monitor.worker.evaluation import Evaluation

MINUTE = timedelta(minutes=1)
WARM_UP = timedelta(hours=1)
NEAR = timedelta(minutes=2)
"""A transition of the past and its retold one are the same when they are no further apart: rules were judged
between the minutes then."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the rules are judged and told by."""

    rules: Sequence[Rule]
    routes: Sequence[Route] = ()
    silences: Sequence[Silence] = ()
    inhibitions: Sequence[Inhibition] = ()
    damping: Damping = DAMPING


@dataclass(frozen=True, slots=True)
class Retold:
    """moves: those that changed a state or a severity, in order. notifications: what would have been sent,
    in order."""

    moves: Sequence[Move]
    notifications: Sequence[Notification]

    @property
    def transitions(self) -> list[Transition]:
        return [move.transition for move in self.moves if move.transition is not None]


def retell(
    settings: Settings,
    observe: Callable[[datetime], Observations],
    start_at: datetime,
    end_at: datetime,
    progress: Callable[[datetime], None] = lambda at: None,
) -> Retold:
    """Every rule judged at each whole minute in (start_at, end_at].

    The hour before is lived through first and not told of: what fired already is no news then. observe: asked
    for one minute after the other.
    """
    book, clock = _PastBook(settings.silences), _Steps(start_at)
    job = Evaluation(
        observe,
        lambda: settings.rules,
        lambda: settings.routes,
        book,
        clock.now,
        inhibitions=lambda: settings.inhibitions,
        damping=lambda: settings.damping,
    )
    for now in minutes(start_at - WARM_UP, end_at):
        clock.at = now
        job.run(0)
        progress(now)
    return book.since(start_at)


def minutes(start_at: datetime, end_at: datetime) -> Iterator[datetime]:
    """The whole minutes in (start_at, end_at]."""
    now = start_at.replace(second=0, microsecond=0) + MINUTE
    while now <= end_at:
        yield now
        now += MINUTE


@dataclass(frozen=True, slots=True)
class Difference:
    """What live and retold transitions do not share."""

    only_live: Sequence[Transition]
    only_retold: Sequence[Transition]


def compare(live: Iterable[Transition], retold: Iterable[Transition]) -> Difference:
    """Which transitions have no counterpart: of the same alert, between the same states, about then."""
    left = list(retold)
    only_live = []
    for one in live:
        twin = next((other for other in left if _same(one, other)), None)
        if twin is None:
            only_live.append(one)
        else:
            left.remove(twin)
    return Difference(only_live, left)


def _same(one: Transition, other: Transition) -> bool:
    return (
        (one.fingerprint, one.from_state, one.to_state, one.severity)
        == (other.fingerprint, other.from_state, other.to_state, other.severity)
    ) and abs(one.at - other.at) <= NEAR


@dataclass(slots=True)
class _Steps:
    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class _PastBook:
    """A Book in memory. all_silences: those that there ever were; the ones not yet over are looked at."""

    all_silences: Sequence[Silence]
    _alerts: dict[str, Alert] = field(default_factory=dict)
    _moves: list[Move] = field(default_factory=list)
    _told: dict[str, list[Notification]] = field(default_factory=dict)

    def alerts(self, fingerprints: Iterable[str]) -> Mapping[str, Alert]:
        return self._alerts

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]:
        return {
            alert.fingerprint: [
                _telling(one)
                for one in self._told.get(alert.fingerprint, ())
                if one.alert.episode == alert.episode
            ]
            for alert in alerts
        }

    def silences(self, now: datetime) -> Sequence[Silence]:
        return [silence for silence in self.all_silences if now < silence.ends_at]

    def commit(self, moves: Sequence[Move], notifications: Sequence[Notification], epoch: int) -> None:
        self._alerts.update({move.after.fingerprint: move.after for move in moves})
        self._moves += [move for move in moves if move.transition is not None]
        for one in notifications:
            self._told.setdefault(one.alert.fingerprint, []).append(one)

    def since(self, start_at: datetime) -> Retold:
        moves = [one for one in self._moves if one.transition and one.transition.at > start_at]
        told = [one for each in self._told.values() for one in each if one.created_at > start_at]
        return Retold(moves, sorted(told, key=lambda one: one.created_at))


def _telling(one: Notification) -> Telling:
    return Telling(
        one.alert.fingerprint,
        one.alert.episode,
        one.channel,
        one.reason,
        one.alert.severity,
        one.created_at,
        Delivery.DELIVERED,
        one.alert.jumped,
    )
