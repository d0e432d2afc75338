"""One round over the rules: alerts move, and whoever is to be told is told in the same commit."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from alerts.hours import hours_of
from alerts.model import (
    Inhibition,
    Observations,
    Route,
    Rule,
    Severity,
    Silence,
    State,
    Step,
    Target,
    Why,
    Window,
)
from alerts.rules import KINDS, make
from monitor.errors import Conflict
from monitor.worker.evaluation import Evaluation
from tests.alerts.world import NOW, PAYMENTS, World, attempts
from tests.monitor.clocks import FakeClock
from tests.monitor.worker.books import Entry, MemoryBook

RULE = make("error_rate", for_=timedelta(0), keep_firing_for=timedelta(0), min_sample=1)
BAD, GOOD = attempts(succeeded=50, failed=50), attempts(succeeded=100)


class Round:
    """The job over a world that a test changes; `step` lies between two rounds."""

    step = timedelta(minutes=1)

    def __init__(self, rules: Sequence[Rule] = (RULE,)) -> None:
        self.book, self.clock, self.world = MemoryBook(), FakeClock(NOW), BAD
        self.routes = [Route(("team",))]
        self.rules = list(rules)
        self.windows: list[Silence] = []
        self.inhibitions: list[Inhibition] = []
        self.heard: datetime | None = None
        self.restart()

    def restart(self, boot: str = "first") -> None:
        self.job = Evaluation(
            self.observe,
            lambda: self.rules,
            lambda: self.routes,
            self.book,
            self.clock.now,
            windows=lambda: self.windows,
            inhibitions=lambda: self.inhibitions,
            monotonic=self.clock.monotonic,
            boot=boot,
        )

    def observe(self, now: object) -> Observations:
        self.world.heartbeat_at = self.heard or self.clock.now()
        return self.world

    def run(self, world: World | None = None, epoch: int = 1) -> str:
        self.world = world or self.world
        self.clock.move(self.step)
        return self.job.run(epoch)

    def told(self) -> list[Why]:
        return [entry.notification.reason for entry in self.book.entries.values()]

    def of(self, rule: str) -> list[Entry]:
        return [entry for entry in self.book.entries.values() if entry.notification.alert.rule == rule]

    def firing(self) -> set[str]:
        return {alert.rule for alert in self.book.stored.values() if alert.state is State.FIRING}

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


PATIENT = make("error_rate", for_=timedelta(minutes=30), keep_firing_for=timedelta(minutes=30), min_sample=1)


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_put_forward_or_back_moves_no_timer(hours: int) -> None:
    world = Round([PATIENT])
    for _ in range(21):
        world.run(BAD)
    world.clock.at += timedelta(hours=hours)
    for _ in range(9):
        world.run(BAD)
    assert world.states() == [State.PENDING]
    world.run(BAD)
    assert world.states() == [State.PENDING, State.FIRING]
    world.run(GOOD)
    world.clock.at += timedelta(hours=hours)
    for _ in range(28):
        world.run(GOOD)
    assert world.states() == [State.PENDING, State.FIRING]
    world.run(GOOD)
    assert world.states() == [State.PENDING, State.FIRING, State.RESOLVED]


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_put_forward_or_back_takes_no_step_early_or_late(hours: int) -> None:
    world = Round()
    world.routes = [Route(("team",), steps=(Step(timedelta(minutes=10), ("phone",)),))]
    world.run(BAD)
    world.clock.at += timedelta(hours=hours)
    for _ in range(9):
        world.run(BAD)
    assert world.told() == [Why.FIRING]
    world.run(BAD)
    assert world.told() == [Why.FIRING, Why.ESCALATED]


def test_step_is_taken_by_the_worker_that_comes_after() -> None:
    world = Round()
    world.routes = [Route(("team",), steps=(Step(timedelta(minutes=10), ("phone",)),))]
    world.run(BAD)
    world.restart()
    world.clock.move(timedelta(minutes=8))
    world.run(BAD)
    assert world.told() == [Why.FIRING]
    world.run(BAD)
    assert world.told() == [Why.FIRING, Why.ESCALATED]


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_set_while_the_worker_is_down_brings_no_step_and_no_repeat_early(hours: int) -> None:
    world = Round()
    every = dict.fromkeys(Severity, timedelta(minutes=15))
    world.routes = [Route(("team",), repeat=every, steps=(Step(timedelta(minutes=10), ("phone",)),))]
    world.run(BAD)
    world.restart()
    world.clock.at += timedelta(hours=hours)
    world.clock.move(timedelta(minutes=5))
    for _ in range(4):
        world.run(BAD)
    assert world.told() == [Why.FIRING]
    world.run(BAD)
    assert world.told() == [Why.FIRING, Why.ESCALATED]
    for _ in range(4):
        world.run(BAD)
    assert world.told() == [Why.FIRING, Why.ESCALATED]
    world.run(BAD)
    assert world.told() == [Why.FIRING, Why.ESCALATED, Why.REPEAT]


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_set_while_the_worker_is_down_does_not_start_the_waiting_anew(hours: int) -> None:
    world = Round([PATIENT])
    for _ in range(21):
        world.run(BAD)
    world.restart()
    world.clock.at += timedelta(hours=hours)
    for _ in range(9):
        world.run(BAD)
    assert world.states() == [State.PENDING]
    world.run(BAD)
    assert world.states() == [State.PENDING, State.FIRING]


def test_after_a_start_of_the_machine_the_wall_clock_counts() -> None:
    world = Round()
    world.routes = [Route(("team",), steps=(Step(timedelta(minutes=10), ("phone",)),))]
    world.run(BAD)
    world.clock.elapsed_s = 0
    world.clock.at += timedelta(minutes=9)
    world.restart("second")
    world.run(BAD)
    assert world.told() == [Why.FIRING, Why.ESCALATED]


class Outage(Round):
    """Ten attempts a minute, half of them failed. The collector is away for a while; receivers keep what they
    would have sent, and send it half a minute after it is back."""

    step = timedelta(seconds=10)

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__(rules)
        self.known_until: datetime | None = None
        self.world = World(window_of=self.window)

    def window(self, target: Target, start_at: datetime, end_at: datetime) -> Window:
        known = end_at if self.known_until is None else min(end_at, self.known_until)
        half = max(0, int((known - start_at) / timedelta(seconds=12)))
        return Window(target, start_at, end_at, succeeded=half, failed=half, deliveries=2 * half)

    def lives_for(self, length: timedelta) -> None:
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.run()

    def loses_its_collector(self, away: timedelta) -> None:
        self.lives_for(timedelta(minutes=20))
        self.heard = self.known_until = self.clock.now()
        self.lives_for(away)
        self.heard = None
        self.lives_for(timedelta(seconds=30))
        self.known_until = None
        self.lives_for(timedelta(minutes=20))


WATCHING = [
    make("error_rate"),
    make("failure_count"),
    *(make(kind) for kind in ("no_events", "ack_deadline", "burn_rate") if kind in KINDS),
]


def test_collector_that_is_away_for_ten_minutes_resolves_nothing_and_pages_only_blindness() -> None:
    world = Outage(WATCHING)
    world.loses_its_collector(timedelta(minutes=10))
    moved = [(move.after.rule, move.after.state) for move in world.book.moves if move.transition]
    of_rules = [one for one in moved if one[0] != "monitor_blind"]
    assert {state for _, state in of_rules} <= {State.PENDING, State.FIRING}
    assert len(of_rules) == len(set(of_rules))
    assert [state for rule, state in moved if rule == "monitor_blind"] == [
        State.PENDING,
        State.FIRING,
        State.RESOLVED,
    ]
    assert [entry.notification.reason for entry in world.of("failure_count")] == [Why.FIRING]


def test_healthy_receivers_page_nobody_while_the_collector_is_away_and_after() -> None:
    world = Outage(
        [
            make(rule.kind, rule.name, threshold=1e9) if rule.kind == "failure_count" else rule
            for rule in WATCHING
            if rule.kind != "error_rate"
        ]
    )
    world.loses_its_collector(timedelta(minutes=10))
    assert {entry.notification.alert.rule for entry in world.book.entries.values()} == {"monitor_blind"}


def test_thirty_consequences_of_a_downtime_are_told_as_one_page() -> None:
    world = Round([make("error_rate", severity=Severity.CRITICAL, for_=timedelta(0), min_sample=1)])
    world.inhibitions = [Inhibition({"endpoint": "e0"}, {"endpoint": "e*"}, ("source",))]
    BAD.places = [Target("production", "stripe", f"e{n}") for n in range(31)]
    try:
        world.run(BAD)
    finally:
        BAD.places = [PAYMENTS]
    [page] = world.book.entries.values()
    assert page.notification.alert.labels["endpoint"] == "e0"
    quiet = [alert for alert in world.book.stored.values() if alert.muted_by is not None]
    assert {alert.muted_by for alert in quiet} == {f"alert:{page.notification.alert.fingerprint}"}
    assert len(quiet) == 30


def test_what_an_outage_explained_while_it_was_pending_is_not_told_after_it() -> None:
    count = make("failure_count", keep_firing_for=timedelta(0))
    rate = make("error_rate", for_=timedelta(minutes=3), min_sample=1)
    world, few = Round([count, rate]), attempts(succeeded=50, failed=5)
    world.run(BAD)
    world.run(few)
    assert world.firing() == set()
    for _ in range(14):
        world.run(few)
    assert (world.firing(), world.of("error_rate")) == ({"error_rate"}, [])
    world.run(few)
    assert [entry.notification.reason for entry in world.of("error_rate")] == [Why.FIRING]


def test_maintenance_window_keeps_an_alert_quiet_while_it_lasts() -> None:
    world = Round()
    hours = hours_of("04:00-05:00", "Europe/Berlin")  # 03:00 to 04:00 UTC
    always = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    world.windows = [Silence("upgrade", {"source": "stripe"}, *always, hours=hours)]
    world.run(BAD)
    [alert] = world.book.stored.values()
    assert (world.told(), alert.muted_by) == ([], "silence:upgrade")
    world.clock.move(timedelta(hours=1))
    world.run(BAD)
    assert world.told() == [Why.FIRING]
