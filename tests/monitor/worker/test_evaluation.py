"""One round over the rules: alerts move, and whoever is to be told is told in the same commit."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from alerts.model import Observations, Route, Rule, Silence, State, Why
from alerts.rules import make
from monitor.errors import Conflict
from monitor.worker.evaluation import Evaluation
from tests.alerts.world import NOW, World, attempts
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.books import MemoryBook

RULE = make("error_rate", for_=timedelta(0), keep_firing_for=timedelta(0), min_sample=1)
BAD, GOOD = attempts(succeeded=50, failed=50), attempts(succeeded=100)


class Round:
    """The job over a world that a test changes."""

    def __init__(self, rules: Sequence[Rule] = (RULE,)) -> None:
        self.book, self.clock, self.world = MemoryBook(), FakeClock(NOW), BAD
        self.routes = [Route(("team",))]
        self.rules = list(rules)
        self.job = Evaluation(
            self.observe, lambda: self.rules, lambda: self.routes, self.book, self.clock.now
        )

    def observe(self, now: object) -> Observations:
        self.world.heartbeat_at = self.clock.now()
        return self.world

    def run(self, world: World | None = None, epoch: int = 1) -> str:
        self.world = world or self.world
        self.clock.move(timedelta(minutes=1))
        return self.job.run(epoch)

    def told(self) -> list[Why]:
        return [entry.notification.reason for entry in self.book.entries.values()]

    def states(self) -> list[State]:
        return [move.transition.to_state for move in self.book.moves if move.transition]


def test_breach_fires_and_tells_the_channels_of_its_route() -> None:
    world = Round()
    assert world.run().startswith("error_rate is firing: 50 % of stripe/payments failed")
    assert (world.states(), world.told()) == ([State.FIRING], [Why.FIRING])


def test_alert_that_goes_on_is_told_once() -> None:
    world = Round()
    for _ in range(5):
        world.run()
    assert world.told() == [Why.FIRING]


def test_recovery_resolves_and_tells_whoever_was_told() -> None:
    world = Round()
    world.run(BAD)
    world.run(GOOD)
    assert (world.states(), world.told()) == (
        [State.FIRING, State.RESOLVED],
        [Why.FIRING, Why.RESOLVED],
    )


def test_second_firing_continues_the_same_alert() -> None:
    world = Round()
    for one in (BAD, GOOD, BAD):
        world.run(one)
    [alert] = world.book.stored.values()
    assert (alert.episode, alert.revision, alert.state) == (2, 3, State.FIRING)


def test_silence_keeps_an_alert_quiet_and_its_end_tells() -> None:
    world = Round()
    soon = world.clock.now() + timedelta(hours=1)
    world.book.active_silences = [Silence("s1", {"source": "stripe"}, NOW, soon)]
    world.run()
    [alert] = world.book.stored.values()
    assert (world.told(), alert.muted_by) == ([], "silence:s1")
    world.book.active_silences = []
    world.run()
    [alert] = world.book.stored.values()
    assert (world.told(), alert.muted_by) == ([Why.FIRING], None)


def test_rule_is_judged_at_its_interval_only() -> None:
    world = Round([make("error_rate", interval=timedelta(minutes=10), for_=timedelta(0), min_sample=1)])
    world.run(GOOD)
    world.run(BAD)
    assert world.told() == []
    world.clock.move(timedelta(minutes=10))
    world.run(BAD)
    assert world.told() == [Why.FIRING]


def test_worker_that_lost_the_lead_changes_nothing_and_judges_again() -> None:
    world = Round()
    with pytest.raises(Conflict):
        world.run(epoch=7)
    assert world.book.stored == {}
    assert world.job.last_run == {}


def test_quiet_round_writes_nothing() -> None:
    world = Round()
    assert world.run(GOOD) == ""
    assert world.book.moves == []
