"""An alert that comes and goes is told of once, and held until it has been calm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec

from alerts.flapping import Damping
from alerts.lifecycle import step
from alerts.message import compose
from alerts.model import Alert, Evaluation, Route, State, Telling, Why
from alerts.notifier import due
from tests.alerts.samples import LINKS, T0, notification
from tests.alerts.test_lifecycle import AT_ONCE, BREACH, MINUTE, OK

RULE = replace(AT_ONCE, interval=MINUTE)
DAMPING = Damping(count=3, window=timedelta(hours=1), calm=timedelta(minutes=30))


class Life:
    """One alert and what a channel heard of it, minute by minute; it goes to JSON and back each time."""

    def __init__(self, damping: Damping = DAMPING) -> None:
        self.damping = damping
        self.now = T0
        self.alert: Alert | None = None
        self.told: list[Telling] = []

    def sees(self, evaluation: Evaluation, minutes: int = 1) -> Life:
        for _ in range(minutes):
            self.now += MINUTE
            move = step(RULE, self.alert, evaluation, self.now, self.damping)
            if move is not None:
                self.alert = msgspec.convert(msgspec.to_builtins(move.after), Alert)
                self._tell(self.alert)
        return self

    def _tell(self, alert: Alert) -> None:
        found = due(alert, routes=[Route(("slack",))], silences=(), others=(), told=self.told, now=self.now)
        self.told += [
            Telling(alert.fingerprint, alert.episode, one.channel, one.reason, alert.severity, self.now)
            for one in found.notifications
        ]

    @property
    def heard(self) -> list[Why]:
        return [telling.reason for telling in self.told]

    @property
    def state(self) -> State | None:
        return None if self.alert is None else self.alert.state


PAIR = [Why.FIRING, Why.RESOLVED]


def flapping() -> Life:
    life = Life()
    for _ in range(2):
        life.sees(BREACH, 2).sees(OK, 2)
    return life.sees(BREACH)


def test_third_firing_within_the_hour_is_told_as_flapping() -> None:
    assert flapping().heard == [*PAIR, *PAIR, Why.FLAPPING]


def test_flapping_alert_is_held_firing_and_told_of_no_more() -> None:
    life = flapping()
    for _ in range(20):
        life.sees(OK, 5).sees(BREACH, 5)
    assert (life.state, life.heard) == (State.FIRING, [*PAIR, *PAIR, Why.FLAPPING])


def test_flapping_ends_with_one_message_once_it_has_been_calm() -> None:
    life = flapping().sees(OK, 29)
    assert life.state is State.FIRING
    life.sees(OK)
    assert (life.state, life.heard) == (State.RESOLVED, [*PAIR, *PAIR, Why.FLAPPING, Why.RESOLVED])
    assert life.alert is not None
    assert life.alert.flapping_since is None


def test_flapping_alert_that_comes_back_soon_flaps_still_and_later_fires_anew() -> None:
    assert flapping().sees(OK, 30).sees(BREACH).heard[-1] is Why.FLAPPING
    assert flapping().sees(OK, 90).sees(BREACH).heard[-1] is Why.FIRING


def test_firings_far_apart_are_no_flapping() -> None:
    life = Life()
    for _ in range(5):
        life.sees(BREACH, 2).sees(OK, 31)
    assert life.heard == PAIR * 5


def test_count_of_nothing_damps_nothing() -> None:
    life = Life(Damping(count=0))
    for _ in range(6):
        life.sees(BREACH).sees(OK)
    assert life.heard == PAIR * 6


def test_message_says_how_often_it_fired_and_what_comes_of_it() -> None:
    alert = flapping().alert
    assert alert is not None
    message = compose(notification(alert, Why.FLAPPING), LINKS)
    assert message.title == "Flapping, error: error_rate at stripe/payments"
    assert dict(message.facts)["Flapping"] == (
        "fired 3 times since 2026-11-21 03:01 UTC; held until it has been calm"
    )
