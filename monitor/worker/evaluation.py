"""One round over the rules: what was observed, what it makes of the alerts, and who is to be told.

Alerts, transitions and notifications go into the book in one commit, so that a crash leaves either all of a
round or none of it. It sends nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from alerts.lifecycle import Move, advance
from alerts.model import Alert, Notification, Observations, Route, Rule, Silence, State, Telling, Verdict
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
    """The job. It remembers when each rule last ran, and nothing else: a restart makes every rule due."""

    observe: Callable[[datetime], Observations]
    rules: Callable[[], Sequence[Rule]]
    routes: Callable[[], Sequence[Route]]
    book: Book
    now: Callable[[], datetime]
    last_run: dict[str, datetime] = field(default_factory=dict)

    def run(self, epoch: int) -> str:
        """Judges the rules that are due; says what changed."""
        now = self.now()
        found = evaluate(self.rules(), self.observe(now), now, self.last_run)
        breaches = {one.fingerprint for one in found.evaluations if one.verdict is Verdict.BREACH}
        alerts = self.book.alerts(breaches)
        moves = advance(alerts, found)
        after = {**alerts, **{move.after.fingerprint: move.after for move in moves}}
        moves, notifications = self._told(moves, after, now)
        if moves or notifications:
            self.book.commit(moves, notifications, epoch)
        self.last_run = dict(found.last_run)
        changes = [move for move in moves if move.transition is not None]
        return "; ".join(_sentence(move) for move in changes)

    def _told(
        self, moves: Sequence[Move], after: Mapping[str, Alert], now: datetime
    ) -> tuple[list[Move], list[Notification]]:
        """The moves, with what keeps each alert quiet, and the notifications that are due."""
        tellings, silences = self.book.tellings(after.values()), self.book.silences(now)
        firing = [alert for alert in after.values() if alert.state is State.FIRING]
        by_fingerprint = {move.after.fingerprint: move for move in moves}
        notifications: list[Notification] = []
        for alert in after.values():
            decided = due(
                alert,
                routes=self.routes(),
                silences=silences,
                others=firing,
                told=tellings.get(alert.fingerprint, ()),
                now=now,
            )
            notifications += decided.notifications
            if decided.muted_by != alert.muted_by and alert.state is State.FIRING:
                known = by_fingerprint.get(alert.fingerprint, Move(alert, alert))
                muted = replace(known.after, muted_by=decided.muted_by)
                by_fingerprint[alert.fingerprint] = replace(known, after=muted)
        return list(by_fingerprint.values()), notifications


def _sentence(move: Move) -> str:
    alert = move.after
    return f"{alert.rule} is {alert.state.value}: {alert.evidence.summary}"
