"""A channel that takes nothing is told of by another, over a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.model import Notification, Observations, Route, Rule, State, Why
from alerts.rules import make
from monitor.queries.house import backlogs
from monitor.store.control import Control
from monitor.worker.evaluation import Evaluation
from tests.alerts.samples import alert
from tests.alerts.world import World, housed
from tests.control import lead, new_control
from tests.monitor.clocks import FakeClock

MINUTE = timedelta(minutes=1)


class Stuck:
    """Rounds over a real outbox in which a message to the pager waits."""

    def __init__(self, control: Control, clock: FakeClock, routes: list[Route]) -> None:
        self.control, self.clock, self.epoch = control, clock, lead(control)
        self.rules: list[Rule] = [make("outbox_stuck")]
        self.round = Evaluation(
            self.observe, lambda: self.rules, lambda: routes, control.book, clock.now, last_run={}
        )
        waiting = Notification("a", "pager", Why.FIRING, replace(alert(), fingerprint="f"), clock.now())
        control.notifications.add([waiting], self.epoch)

    def observe(self, now: object) -> Observations:
        world: World = housed(backlogs=backlogs(self.control, self.clock.now()))
        world.heartbeat_at = self.clock.now()
        return world

    def go(self, minutes: int) -> None:
        for _ in range(minutes):
            self.clock.move(MINUTE)
            self.round.run(self.epoch)

    def told(self) -> list[tuple[str, str, Why]]:
        waiting = self.control.notifications.due(self.clock.now() + timedelta(hours=1), 50)
        found = [one.notification for one in waiting if one.notification.key != "a"]
        return [(one.channel, one.alert.labels["channel"], one.reason) for one in found]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def control(tmp_path: Path, clock: FakeClock) -> Iterator[Control]:
    found = new_control(tmp_path, clock)
    yield found
    found.close()


def test_the_other_channel_is_told_once_after_ten_minutes(control: Control, clock: FakeClock) -> None:
    world = Stuck(control, clock, [Route(("pager", "chat"))])
    world.go(10)
    assert world.told() == []
    world.go(5)
    assert world.told() == [("chat", "pager", Why.FIRING)]


def test_the_other_channel_hears_of_the_end_too(control: Control, clock: FakeClock) -> None:
    world = Stuck(control, clock, [Route(("pager",)), Route(("chat",), matchers={"source": "orum"})])
    world.go(12)
    control.notifications.drop(["a"], clock.now(), world.epoch)
    world.go(2)
    assert world.told() == [("chat", "pager", Why.FIRING), ("chat", "pager", Why.RESOLVED)]
    stored = control.book.alerts([])
    assert {one.state for one in stored.values()} <= {State.RESOLVED}
