"""What holds for every history, however verdicts, silences and the clock fall."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.lifecycle import step
from alerts.model import (
    OPENING,
    Alert,
    Delivery,
    Evaluation,
    Evidence,
    NoData,
    Notification,
    Route,
    Rule,
    Severity,
    Silence,
    State,
    Telling,
    Transition,
    Verdict,
    Why,
)
from alerts.notifier import due
from tests.alerts.samples import every

T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LABELS = {"source": "stripe", "endpoint": "payments"}
ROUTES = [Route(("slack",), repeat=every(timedelta(minutes=30))), Route(("pager",), Severity.CRITICAL)]
SILENCE = Silence("s", {"source": "*"}, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Look:
    """One evaluation: what it finds, how far the clock moved before it, whether a silence holds."""

    verdict: Verdict
    cleared: bool
    severity: Severity
    moved: timedelta
    silenced: bool


looks = st.builds(
    Look,
    verdict=st.sampled_from(Verdict),
    cleared=st.booleans(),
    severity=st.sampled_from(Severity),
    moved=st.timedeltas(timedelta(minutes=-90), timedelta(minutes=90)),
    silenced=st.booleans(),
)
rules = st.builds(
    lambda for_, keep, no_data: Rule(
        "r",
        "error_rate",
        for_=timedelta(minutes=for_),
        keep_firing_for=timedelta(minutes=keep),
        no_data=no_data,
    ),
    st.integers(0, 10),
    st.integers(0, 10),
    st.sampled_from(NoData),
)


@dataclass(frozen=True)
class History:
    transitions: list[tuple[Look, Transition]]
    sent: list[Notification]
    alert: Alert | None


def lived(rule: Rule, seen: list[Look]) -> History:
    """The alert's history, with every notification stored as soon as it is due."""
    alert: Alert | None = None
    transitions: list[tuple[Look, Transition]] = []
    sent: list[Notification] = []
    told: list[Telling] = []
    now = T0
    for look in seen:
        now += look.moved
        cleared = look.cleared and look.verdict is not Verdict.BREACH
        found = Evaluation("r", LABELS, look.verdict, look.severity, Evidence("said"), cleared)
        move = step(rule, alert, found, now)
        if move is not None:
            alert = move.after
            transitions += [(look, move.transition)] if move.transition else []
        if alert is None:
            continue
        silences = [SILENCE] if look.silenced else []
        what = due(alert, routes=ROUTES, silences=silences, others=[], told=told, now=now)
        sent += what.notifications
        told += [
            Telling(
                alert.fingerprint, alert.episode, item.channel, item.reason, alert.severity, now, Delivery.DUE
            )
            for item in what.notifications
        ]
    return History(transitions, sent, alert)


histories = st.builds(lived, rules, st.lists(looks, max_size=30))
thorough = settings(deadline=None, max_examples=300)


@thorough
@given(histories)
def test_transitions_form_an_unbroken_chain(history: History) -> None:
    state = State.INACTIVE
    for number, (_, transition) in enumerate(history.transitions, start=1):
        assert (transition.revision, transition.from_state) == (number, state)
        state = transition.to_state
    assert history.alert is None or history.alert.state is state


@thorough
@given(histories)
def test_only_a_breach_or_lacking_data_fires_and_unknown_moves_nothing(history: History) -> None:
    for look, transition in history.transitions:
        assert look.verdict is not Verdict.UNKNOWN
        if transition.to_state is State.FIRING:
            assert look.verdict in (Verdict.BREACH, Verdict.NO_DATA)
        if transition.to_state is State.RESOLVED:
            assert look.verdict in (Verdict.OK, Verdict.NO_DATA)


@thorough
@given(histories)
def test_no_notification_is_ever_stored_twice(history: History) -> None:
    keys = [item.key for item in history.sent]
    assert len(set(keys)) == len(keys)


@thorough
@given(histories)
def test_each_channel_hears_firing_first_and_the_end_at_most_once(history: History) -> None:
    for channel in ("slack", "pager"):
        episodes: dict[int, list[Why]] = {}
        for item in history.sent:
            if item.channel == channel:
                episodes.setdefault(item.alert.episode, []).append(item.reason)
        for reasons in episodes.values():
            assert reasons[0] in (Why.FIRING, Why.FLAPPING)
            assert reasons.count(reasons[0]) == 1
            assert Why.RESOLVED not in reasons[:-1]
            assert set(reasons) <= OPENING | {Why.RESOLVED}


@thorough
@given(rules, st.lists(looks, max_size=30))
def test_every_channel_that_heard_of_the_last_firing_hears_of_its_end(rule: Rule, seen: list[Look]) -> None:
    calm = Look(Verdict.OK, True, Severity.INFO, timedelta(hours=2), True)
    history = lived(rule, [*seen, calm, calm])
    if history.alert is None or history.alert.state is not State.RESOLVED:
        return
    last = [item for item in history.sent if item.alert.episode == history.alert.episode]
    heard = {item.channel for item in last if item.reason in OPENING}
    ended = {item.channel for item in last if item.reason is Why.RESOLVED}
    assert heard == ended


@thorough
@given(rules, st.lists(st.timedeltas(timedelta(hours=-5), timedelta(seconds=30)), min_size=1, max_size=20))
def test_no_clock_that_only_jumps_back_makes_a_breach_fire_early(rule: Rule, steps: list[timedelta]) -> None:
    waiting = replace(rule, for_=timedelta(minutes=11))
    seen = [Look(Verdict.BREACH, False, Severity.ERROR, moved, False) for moved in steps]
    forward = sum((moved for moved in steps[1:] if moved > timedelta(0)), timedelta(0))
    assert forward < waiting.for_
    assert [item for item in lived(waiting, seen).transitions if item[1].to_state is State.FIRING] == []
