"""Acknowledging, silencing, replaying, revealing: what each changes, refuses and leaves behind."""

from datetime import timedelta

import pytest

from alerts.model import State
from monitor.dead_letters import ReplayState
from monitor.errors import Conflict, NotFound, Unprocessable
from monitor.model import Outcome
from monitor.operations import alerts, payload, replays, silences
from monitor.seal import Sealer, Unsealable
from tests.monitor.operations.people import OPERATOR
from tests.monitor.replay.world import PLACE, World
from tests.monitor.store.control.test_alerts import firing, resolved

HOUR = timedelta(hours=1)


def last_act(world: World) -> tuple[str, str, str]:
    row = world.control.audit.page(1)[0]
    return row.action, row.actor, row.subject


def test_acknowledging_names_who_and_why(world: World) -> None:
    alert = firing()
    world.control.alerts.apply(world.epoch, alert, [], [])

    taken = alerts.acknowledge(world.desk, OPERATOR, alert.fingerprint, "looking")

    assert taken.ack is not None
    assert (taken.ack.by, taken.ack.note, taken.state) == ("olaf", "looking", State.FIRING)
    assert last_act(world) == ("alert.acknowledge", "olaf", alert.fingerprint)


def test_an_alert_that_is_over_or_unknown_cannot_be_taken_on(world: World) -> None:
    over = resolved(firing())
    world.control.alerts.apply(world.epoch, over, [], [])

    with pytest.raises(Conflict, match="resolved"):
        alerts.acknowledge(world.desk, OPERATOR, over.fingerprint)
    with pytest.raises(NotFound):
        alerts.acknowledge(world.desk, OPERATOR, "unknown")
    assert world.control.audit.page() == []


def test_a_silence_is_made_ended_and_audited(world: World) -> None:
    now = world.clock.now()

    made = silences.create(world.desk, OPERATOR, {"source": "stripe"}, now, now + HOUR, "deploy")
    assert world.control.silences.current(now) == [made]

    silences.expire(world.desk, OPERATOR, made.id)
    assert world.control.silences.current(now) == []
    assert last_act(world) == ("silence.expire", "olaf", made.id)


@pytest.mark.parametrize(
    ("matchers", "starts", "ends", "comment"),
    [
        ({}, 0, 1, "why"),
        ({"source": ""}, 0, 1, "why"),
        ({"source": "x"}, 0, -1, "why"),
        ({"source": "x"}, 2, 1, "why"),
        ({"source": "x"}, 0, 24 * 91, "why"),
        ({"source": "x"}, 0, 1, " "),
        ({"source": "x" * 3000}, 0, 1, "why"),
    ],
)
def test_a_silence_of_everything_for_ever_or_for_no_reason_is_refused(
    world: World, matchers: dict[str, str], starts: int, ends: int, comment: str
) -> None:
    now = world.clock.now()

    with pytest.raises(Unprocessable):
        silences.create(world.desk, OPERATOR, matchers, now + starts * HOUR, now + ends * HOUR, comment)


def test_a_plan_says_what_would_go_and_stores_nothing(world: World) -> None:
    good, redacted = world.die("evt_1"), world.die("evt_2", redacted=True)
    bare, mended = world.die("evt_3", captured=False), world.die("evt_4")
    world.take_in()
    world.clock.move(timedelta(seconds=1))
    world.report(Outcome.SUCCEEDED, "evt_4", None)

    made = replays.plan(world.desk, OPERATOR, [good, redacted, bare, mended, "unknown"])

    assert made.to_send == (good,)
    assert {why.value for why, _ in made.refusals} == {
        "capture_redacted",
        "capture_missing",
        "already_succeeded",
        "unknown_letter",
    }
    assert made.body_bytes > 0
    assert world.control.replays.page(10) == []


def test_an_endpoint_without_url_or_secret_is_named_before_anything_is_sent(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()

    world.register(url=None)
    with pytest.raises(Unprocessable, match="no_endpoint_url"):
        world.start(letter_id)
    world.register(secret=None)
    with pytest.raises(Unprocessable, match="no_replay_secret"):
        world.start(letter_id)


def test_starting_freezes_the_set_and_audits_who_why_and_what(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()

    replay = replays.start(world.desk, OPERATOR, [letter_id], "fixed the handler")
    world.die("evt_2")
    world.take_in()

    assert [item.letter_id for item in world.items(replay.id)] == [letter_id]
    row = world.control.audit.page(1)[0]
    assert (row.action, row.actor, row.subject) == ("replay.start", "olaf", replay.id)
    assert (row.detail["reason"], row.detail["letters"]) == ("fixed the handler", [letter_id])


def test_a_replay_without_a_reason_is_refused(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()

    with pytest.raises(Unprocessable, match="reason"):
        replays.start(world.desk, OPERATOR, [letter_id], "  ")


def test_a_replay_is_paused_resumed_and_cancelled_once_each(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()
    replay_id = world.start(letter_id)

    replays.pause(world.desk, OPERATOR, replay_id, "too fast")
    with pytest.raises(Conflict, match="paused"):
        replays.pause(world.desk, OPERATOR, replay_id)
    replays.resume(world.desk, OPERATOR, replay_id)
    replays.cancel(world.desk, OPERATOR, replay_id)

    found = world.replay(replay_id)
    assert (found.state, found.state_reason) == (ReplayState.CANCELLED, "cancelled by olaf")
    with pytest.raises(NotFound):
        replays.cancel(world.desk, OPERATOR, "rp_unknown")


def test_a_look_at_a_payload_is_masked_and_audited_before_it_is_shown(world: World) -> None:
    world.die("evt_1")
    world.take_in()

    shown = payload.reveal(world.desk, OPERATOR, *PLACE, "evt_1")

    assert shown is not None
    assert '"amount": 1' in shown.body
    assert shown.headers == {"X-Request-Id": "r1"}
    assert last_act(world) == ("payload.reveal", "olaf", "/".join((*PLACE, "evt_1")))


def test_a_payload_that_was_never_captured_is_none_and_no_act(world: World) -> None:
    world.die("evt_1", captured=False)
    world.take_in()

    assert payload.reveal(world.desk, OPERATOR, *PLACE, "evt_1") is None
    assert world.control.audit.page() == []


def test_a_payload_is_shown_from_the_facts_before_the_feed_was_taken_in(world: World) -> None:
    world.die("evt_1")

    assert payload.reveal(world.desk, OPERATOR, *PLACE, "evt_1") is not None


def test_without_the_key_a_payload_stays_shut(world: World) -> None:
    world.die("evt_1")
    world.take_in()
    world.desk = type(world.desk)(
        world.control, world.facts, world.clock, Sealer(b"x" * 32), world.random_hex, world.desk.passwords
    )

    with pytest.raises(Unsealable):
        payload.reveal(world.desk, OPERATOR, *PLACE, "evt_1")
