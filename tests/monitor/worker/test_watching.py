"""A round that hangs or fails is told of by somebody else."""

from collections.abc import Sequence
from datetime import timedelta

from alerts.house import House
from alerts.model import Observations, Route, Rule, State, Why
from alerts.rules import default_rules, make
from monitor.worker.evaluation import Evaluation
from monitor.worker.watching import Watch
from tests.alerts.world import NOW, World, attempts
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.books import MemoryBook

STEP = timedelta(seconds=15)


class Rounds:
    """A watch beside rounds that come to their end, or do not."""

    def __init__(self, rules: Sequence[Rule] = tuple(default_rules())) -> None:
        self.clock, self.book = FakeClock(NOW), MemoryBook()
        self.rules = rules
        self.completed_at = NOW
        self.world = World()
        self.round = self.evaluation()
        self.watch = Watch(self.evaluation(), lambda: self.completed_at)

    def evaluation(self) -> Evaluation:
        routes = [Route(("pager",))]
        return Evaluation(
            self.observe, lambda: self.rules, lambda: routes, self.book, self.clock.now, last_run={}
        )

    def observe(self, now: object) -> Observations:
        self.world.heartbeat_at = self.clock.now()
        self.world.monitor = House(evaluated_at=self.completed_at)
        return self.world

    def go(self, steps: int, hangs: bool = False) -> None:
        for _ in range(steps):
            self.clock.move(STEP)
            if not hangs:
                self.completed_at = self.clock.now()
                self.round.run(1)
            self.watch.run(1)

    def told(self) -> list[tuple[str, Why]]:
        entries = self.book.entries.values()
        return [(entry.notification.alert.rule, entry.notification.reason) for entry in entries]


def test_rounds_that_hang_are_told_of_once() -> None:
    rounds = Rounds()
    rounds.go(4)
    rounds.go(8, hangs=True)
    assert rounds.told() == []
    rounds.go(8, hangs=True)
    assert rounds.told() == [("evaluator_late", Why.FIRING)]
    [alert] = rounds.book.stored.values()
    assert "has judged no rule for 4 min (threshold 2 min)" in alert.evidence.summary


def test_the_first_round_that_works_again_ends_the_alert() -> None:
    rounds = Rounds()
    rounds.go(16, hangs=True)
    assert [alert.state for alert in rounds.book.stored.values()] == [State.FIRING]
    rounds.go(1)
    assert [alert.state for alert in rounds.book.stored.values()] == [State.RESOLVED]


def test_a_worker_that_was_stopped_for_hours_is_given_its_time() -> None:
    rounds = Rounds()
    rounds.completed_at = NOW - timedelta(hours=5)
    rounds.go(8, hangs=True)
    assert rounds.told() == []


def test_other_alerts_are_left_as_they_are() -> None:
    rounds = Rounds([make("error_rate", for_=timedelta(0), min_sample=1), make("evaluator_late")])
    rounds.world = attempts(failed=50)
    rounds.go(1)
    assert rounds.told() == [("error_rate", Why.FIRING)]
    rounds.go(20, hangs=True)
    states = {alert.rule: alert.state for alert in rounds.book.stored.values()}
    assert states == {"error_rate": State.FIRING, "evaluator_late": State.FIRING}


def test_nothing_is_judged_without_the_rule() -> None:
    rounds = Rounds([make("error_rate"), make("evaluator_late", enabled=False)])
    rounds.go(40, hangs=True)
    assert rounds.told() == []
