"""One round over the rules: what was observed, what it makes of the alerts, and who is to be told.

Alerts, transitions and notifications go into the book in one commit, so that a crash leaves either all of a
round or none of it. It sends nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from alerts.flapping import DAMPING, Damping
from alerts.inhibition import BY_ALERT, causes_named, inhibiting, possible_causes
from alerts.lifecycle import Move, advance, put_right
from alerts.model import (
    Alert,
    Inhibition,
    Notification,
    Observations,
    Route,
    Rule,
    Silence,
    State,
    Steady,
    Telling,
    Verdict,
)
from alerts.notifier import due
from alerts.rules.evaluate import evaluate


class Book(Protocol):
    """Where alerts are kept."""

    def alerts(self, fingerprints: Iterable[str]) -> Mapping[str, Alert]:
        """By fingerprint: the named ones that exist, every alert that is pending or firing, and each resolved
        one whose end some channel may not know yet."""
        ...

    def tellings(self, alerts: Iterable[Alert]) -> Mapping[str, Sequence[Telling]]:
        """By fingerprint: what the outbox holds of each alert's current episode."""
        ...

    def silences(self, now: datetime) -> Sequence[Silence]: ...

    def commit(self, moves: Sequence[Move], notifications: Sequence[Notification], epoch: int) -> None:
        """All in one transaction, refused with Conflict when the epoch is no longer the leader's."""
        ...


@dataclass(slots=True)
class Evaluation:
    """The job. It remembers when each rule last ran, and nothing else: a restart makes every rule due.

    windows: silences that no person made, such as maintenance. monotonic: seconds that never run backwards,
    from the machine's start that `boot` names; without it only a clock that was put back is noticed.
    """

    observe: Callable[[datetime], Observations]
    rules: Callable[[], Sequence[Rule]]
    routes: Callable[[], Sequence[Route]]
    book: Book
    now: Callable[[], datetime]
    last_run: dict[str, datetime] = field(default_factory=dict)
    windows: Callable[[], Sequence[Silence]] = tuple
    inhibitions: Callable[[], Sequence[Inhibition]] = tuple
    damping: Callable[[], Damping] = lambda: DAMPING
    monotonic: Callable[[], float] | None = None
    boot: str = ""
    _settles_at: datetime | None = None

    def run(self, epoch: int) -> str:
        """Judges the rules that are due; says what changed."""
        now, steady = self.now(), self._steady()
        found = evaluate(self.rules(), self.observe(now), now, self.last_run, self._settles_at)
        breaches = {one.fingerprint for one in found.evaluations if one.verdict is Verdict.BREACH}
        stored = self.book.alerts(breaches)
        if ended := causes_named(stored.values()) - stored.keys():
            stored = self.book.alerts(breaches | ended)
        alerts = {key: put_right(alert, now, steady) for key, alert in stored.items()}
        moves = [_stamped(move, now, steady) for move in advance(alerts, found, self.damping())]
        moved = {move.after.fingerprint for move in moves}
        moves += [
            Move(stored[key], alert)
            for key, alert in alerts.items()
            if alert is not stored[key] and key not in moved
        ]
        after = {**alerts, **{move.after.fingerprint: move.after for move in moves}}
        moves, notifications = self._told(moves, after, now)
        if moves or notifications:
            self.book.commit(moves, notifications, epoch)
        self.last_run, self._settles_at = dict(found.last_run), found.settles_at
        changes = [move for move in moves if move.transition is not None]
        return "; ".join(_sentence(move) for move in changes)

    def _steady(self) -> Steady | None:
        return None if self.monotonic is None else Steady(self.boot, self.monotonic())

    def _told(
        self, moves: Sequence[Move], after: Mapping[str, Alert], now: datetime
    ) -> tuple[list[Move], list[Notification]]:
        """The moves, with what keeps each alert quiet, and the notifications that are due."""
        tellings = self.book.tellings(after.values())
        silences = [*self.book.silences(now), *self.windows()]
        routes, inhibitions = self.routes(), self.inhibitions()
        causes = possible_causes(after.values(), inhibitions)
        by_fingerprint = {move.after.fingerprint: move for move in moves}
        notifications: list[Notification] = []
        for alert in after.values():
            decided = due(
                alert,
                routes=routes,
                silences=silences,
                others=causes,
                told=tellings.get(alert.fingerprint, ()),
                now=now,
                inhibitions=inhibitions,
            )
            notifications += decided.notifications
            muted_by = decided.muted_by
            if alert.state is State.PENDING:  # so that it is explained still when it fires a moment later
                cause = inhibiting(alert, causes, inhibitions)
                muted_by = None if cause is None else f"{BY_ALERT}{cause.fingerprint}"
            if muted_by != alert.muted_by and alert.state in (State.PENDING, State.FIRING):
                known = by_fingerprint.get(alert.fingerprint, Move(alert, alert))
                muted = replace(known.after, muted_by=muted_by)
                by_fingerprint[alert.fingerprint] = replace(known, after=muted)
        return list(by_fingerprint.values()), notifications


def _stamped(move: Move, now: datetime, steady: Steady | None) -> Move:
    if move.after.last_evaluated_at != now:
        return move
    return replace(move, after=replace(move.after, steady=steady))


def _sentence(move: Move) -> str:
    alert = move.after
    return f"{alert.rule} is {alert.state.value}: {alert.evidence.summary}"
