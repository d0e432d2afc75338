"""Rules over the past: what was lived through minute by minute is found again, and what came late shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.model import Alert, Notification, Route, Rule, Silence, Transition
from alerts.rules import make
from monitor.clock import to_us
from monitor.model import Outcome, Record
from monitor.queries.past import Past
from monitor.queries.windows import StoredObservations
from monitor.store.control import Control
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.worker.backtest import WARM_UP, Difference, Retold, Settings, compare, minutes, retell
from monitor.worker.evaluation import Evaluation
from tests.control import lead, new_control
from tests.facts import NOON, Filled, RecordFactory, sqlite_facts
from tests.monitor.clocks import FakeClock

MINUTE = timedelta(minutes=1)
START = NOON
RULES = [
    make("error_rate", min_sample=1, for_=MINUTE, keep_firing_for=2 * MINUTE, window=5 * MINUTE),
    make("failure_count", threshold=3),
    make("slow_processing", threshold=1000, min_sample=1),
]
SETTINGS = Settings(RULES, [Route(("slack",))])


@dataclass
class Live:
    """Stores, and a worker that lives through minutes as they come."""

    control: Control
    filled: Filled
    facts: SqliteFactReader
    clock: FakeClock
    make: RecordFactory = field(default_factory=RecordFactory)

    def records(self, minute: int, succeeded: int, failed: int) -> list[Record]:
        at = START + minute * MINUTE + timedelta(seconds=7)
        return [
            *(self.make(at=at) for _ in range(succeeded)),
            *(self.make(Outcome.FAILED, at) for _ in range(failed)),
        ]

    def store(self, records: Sequence[Record]) -> None:
        self.filled.now = self.clock.now()
        self.filled.add(records)
        self.filled.writer.fold()

    def run(self, traffic: Callable[[int], tuple[int, int]], length: int) -> None:
        """Each minute's records are stored before the minute is judged."""
        job = Evaluation(
            lambda now: StoredObservations(self.facts, now),
            lambda: SETTINGS.rules,
            lambda: SETTINGS.routes,
            self.control.book,
            self.clock.now,
        )
        epoch = lead(self.control)
        for minute in range(length):
            succeeded, failed = traffic(minute)
            self.store(self.records(minute, succeeded, failed))
            self.clock.move(START + (minute + 1) * MINUTE - self.clock.now())
            self.filled.writer.heartbeat("c", to_us(self.clock.now()))
            job.run(epoch)

    def moves(self) -> list[tuple[Alert, Transition]]:
        return self.control.alerts.moves(START, self.clock.now())

    def retold(self, settings: Settings = SETTINGS) -> Retold:
        past = Past(self.facts, {}, START - WARM_UP)
        return retell(settings, past.at, START, self.clock.now())


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    clock = FakeClock(START)
    control = new_control(tmp_path, clock)
    with sqlite_facts(tmp_path) as (filled, facts):
        yield Live(control, filled, facts, clock)
    control.close()


def outage(minute: int) -> tuple[int, int]:
    return (10, 4) if 5 <= minute < 12 or minute == 31 else (20, 0)


def test_a_stretch_that_was_lived_through_is_retold_move_by_move(live: Live) -> None:
    live.run(outage, 45)

    happened = [move for _, move in live.moves()]
    retold = live.retold()

    assert len(happened) >= 7
    assert sorted(map(repr, retold.transitions)) == sorted(map(repr, happened))
    assert compare(happened, retold.transitions) == Difference([], [])
    sent = [one for alert in {a.fingerprint for a, _ in live.moves()} for one in _told(live, alert)]
    assert sorted(one.key for one in retold.notifications) == sorted(sent_one.key for sent_one in sent)


def _told(live: Live, fingerprint: str) -> list[Notification]:
    return [row.notification for row in live.control.notifications.of_alert(fingerprint)]


def test_what_came_late_is_a_difference(live: Live) -> None:
    live.run(lambda minute: (20, 0), 20)
    live.store(live.records(10, 0, 30))  # spooled by a receiver meanwhile

    found = compare([move for _, move in live.moves()], live.retold().transitions)

    assert found.only_live == []
    assert {(one.at - START) // MINUTE for one in found.only_retold if one.to_state == "firing"} <= {11, 12}
    assert len(found.only_retold) >= 4


def test_other_rules_than_those_of_then_can_be_tried(live: Live) -> None:
    live.run(outage, 45)

    def firings(rule: Rule) -> int:
        retold = live.retold(replace(SETTINGS, rules=[rule]))
        return sum(move.to_state == "firing" for move in retold.transitions)

    assert firings(make("failure_count", threshold=3)) == 2
    assert firings(make("failure_count", threshold=3, window=60 * MINUTE)) == 1
    assert firings(make("failure_count", threshold=30)) == 0


def test_a_silence_of_then_still_hides(live: Live) -> None:
    live.run(outage, 20)
    silence = Silence("s", {"source": "*"}, START, START + 60 * MINUTE)

    retold = live.retold(replace(SETTINGS, silences=[silence]))

    assert retold.notifications == []
    assert len(retold.moves) == len(live.moves())


def test_what_nobody_saw_is_not_judged_again(live: Live) -> None:
    """Heartbeats are stored, so the hour in which no collector ran is blind in retrospect, too."""
    live.run(lambda minute: (20, 0), 5)
    live.clock.move(30 * MINUTE)
    live.filled.writer.heartbeat("c", to_us(live.clock.now()))
    live.store(live.records(10, 0, 30))

    firing = {move.after.rule for move in live.retold().moves if move.after.state == "firing"}

    assert "monitor_blind" in firing
    assert "failure_count" not in firing


def test_only_whole_minutes_are_judged() -> None:
    start_at = START + timedelta(seconds=20)

    assert list(minutes(start_at, START + 2 * MINUTE)) == [START + MINUTE, START + 2 * MINUTE]
    assert list(minutes(START, START)) == []
