from datetime import timedelta

import pytest

from monitor.dead_letters import ItemState, LetterState, ReplayState
from monitor.errors import Conflict, LeaseLost, Unprocessable
from monitor.model import Outcome
from monitor.operations import replays
from monitor.replay.redelivery import Redelivery
from monitor.store.control.catalog import ManagedBy, Source
from tests.control import lead
from tests.monitor.replay.world import OPERATOR, World


def dead(world: World, count: int = 1) -> list[str]:
    ids = [world.die(f"evt_{n}") for n in range(count)]
    world.take_in()
    return ids


def states(world: World, replay_id: str) -> list[str]:
    return [item.state.value for item in world.items(replay_id)]


def test_a_replayed_letter_is_resolved_by_the_record_that_comes_back(world: World) -> None:
    (letter_id,) = dead(world)
    replay_id = world.start(letter_id)

    world.turn(2)

    assert world.letter(letter_id).standing.how == "replayed"
    assert states(world, replay_id) == ["succeeded"]
    assert world.replay(replay_id).state is ReplayState.COMPLETED


def test_an_answer_of_200_alone_resolves_nothing(world: World) -> None:
    (letter_id,) = dead(world)
    world.receiver.reports = False
    replay_id = world.start(letter_id)

    world.turn(5)

    assert world.letter(letter_id).state is LetterState.OPEN
    assert states(world, replay_id) == ["sent"]
    assert world.replay(replay_id).state is ReplayState.RUNNING


def test_without_a_record_it_is_unconfirmed_after_ten_minutes_and_a_late_one_still_settles_it(
    world: World,
) -> None:
    (letter_id,) = dead(world)
    world.receiver.reports = False
    replay_id = world.start(letter_id)
    world.turn()

    world.clock.move(timedelta(minutes=10))
    world.turn()
    assert states(world, replay_id) == ["unconfirmed"]
    assert world.letter(letter_id).standing.failed_replays == 0

    world.report(Outcome.SUCCEEDED, "evt_0", world.items(replay_id)[0].id)
    world.turn()
    assert states(world, replay_id) == ["succeeded"]
    assert world.letter(letter_id).state is LetterState.RESOLVED


def test_a_receiver_that_reports_no_replay_is_settled_by_the_next_final_record(world: World) -> None:
    (letter_id,) = dead(world)
    world.receiver.reports_replays = False
    replay_id = world.start(letter_id)

    world.turn(5)

    assert states(world, replay_id) == ["succeeded"]
    assert world.letter(letter_id).standing.how == "replayed"


def test_a_retry_of_such_a_receiver_settles_nothing_yet(world: World) -> None:
    (letter_id,) = dead(world)
    world.receiver.reports_replays = False
    world.receiver.outcomes["evt_0"] = [Outcome.FAILED]
    replay_id = world.start(letter_id)

    world.turn(5)

    assert states(world, replay_id) == ["sent"]


def test_a_death_reported_without_the_replay_counts_as_its_failure_in_either_order(world: World) -> None:
    (letter_id,) = dead(world)
    world.receiver.reports_replays = False
    world.receiver.outcomes["evt_0"] = [Outcome.DEAD_LETTERED]
    replay_id = world.start(letter_id)

    world.turn(5)

    assert states(world, replay_id) == ["failed"]
    assert world.letter(letter_id).standing.failed_replays == 1


def test_an_event_that_the_provider_delivered_again_is_not_sent(world: World) -> None:
    (letter_id,) = dead(world)
    replay_id = world.start(letter_id)
    world.report(Outcome.SUCCEEDED, "evt_0", None)

    world.turn(2)

    assert world.receiver.requests == []
    assert states(world, replay_id) == ["skipped"]
    assert world.letter(letter_id).standing.how == "recovered"


def test_the_replay_stops_itself_after_five_failures_in_a_row(world: World) -> None:
    world.receiver.status, world.receiver.reports = 500, False
    replay_id = world.start(*dead(world, 40))

    world.turn(10)

    found = world.replay(replay_id)
    assert found.state is ReplayState.STOPPED
    assert found.state_reason == "5 failures in a row, the last: the receiver answered 500"
    assert len(world.receiver.requests) < 2 * 5  # four failures, and five on their way


def test_a_stopped_replay_goes_on_when_resumed_and_sends_only_what_is_left(world: World) -> None:
    world.receiver.status, world.receiver.reports = 500, False
    replay_id = world.start(*dead(world, 12))
    world.turn(3)
    failed = states(world, replay_id).count("failed")
    world.receiver.status, world.receiver.reports = 200, True

    replays.resume(world.desk, OPERATOR, replay_id)
    world.turn(6)

    assert sorted(states(world, replay_id)) == ["failed"] * failed + ["succeeded"] * (12 - failed)
    assert world.replay(replay_id).state is ReplayState.COMPLETED


def test_no_more_than_five_are_on_their_way_to_an_endpoint(world: World) -> None:
    world.receiver.reports = False
    world.start(*dead(world, 20))

    world.turn(4)

    assert len(world.receiver.requests) == 5


def test_the_rate_is_kept(world: World) -> None:
    world.start(*dead(world, 10), per_second=0.5)

    world.turn(8)

    assert len(world.receiver.requests) in (4, 5)


def test_a_paused_replay_sends_nothing_and_still_settles(world: World) -> None:
    ids = dead(world, 6)
    world.receiver.reports = False
    replay_id = world.start(*ids)
    world.turn(2)
    replays.pause(world.desk, OPERATOR, replay_id)

    for event_id, item_id in list(world.receiver.requests):
        world.report(Outcome.SUCCEEDED, event_id, item_id)
    world.turn(3)

    assert sorted(states(world, replay_id)) == ["planned"] + ["succeeded"] * 5


def test_a_cancelled_replay_frees_its_letters(world: World) -> None:
    ids = dead(world, 3)
    replay_id = world.start(*ids)
    with pytest.raises(Unprocessable, match="in_another_replay"):
        world.start(*ids)

    replays.cancel(world.desk, OPERATOR, replay_id)

    assert states(world, replay_id) == ["skipped"] * 3
    world.start(*ids)
    world.turn(2)
    assert sorted(world.receiver.effects) == ["evt_0", "evt_1", "evt_2"]
    with pytest.raises(Conflict):
        replays.resume(world.desk, OPERATOR, replay_id)


def test_a_leader_that_was_replaced_between_claim_and_send_does_not_send(world: World) -> None:
    (letter_id,) = dead(world)
    world.start(letter_id)
    former = world.epoch
    world.epoch = lead(world.control, "another")

    with pytest.raises(LeaseLost):
        world.engine.run(former)

    assert world.receiver.requests == []


def test_a_secret_sealed_by_a_key_that_is_gone_skips_with_the_reason(world: World) -> None:
    (letter_id,) = dead(world)
    replay_id = world.start(letter_id)
    world.register(secret=None)

    world.turn()

    assert states(world, replay_id) == ["skipped"]
    assert world.items(replay_id)[0].reason == "no_replay_secret"


def redelivery(world: World) -> Redelivery:
    return Redelivery(world.control, world.facts, world.clock, lambda: world.random_hex(16))


def test_redelivery_sends_open_letters_of_sources_that_ask_for_it_and_audits(world: World) -> None:
    dead(world, 2)
    assert redelivery(world).run(world.epoch) == ""
    with world.control.write() as tx:
        source = Source("stripe", ManagedBy.FILE, world.clock.now(), redeliver=True)
        world.control.catalog.put_source(tx, source, world.clock.now())

    assert redelivery(world).run(world.epoch) == "redelivers 2 letters of stripe"
    assert redelivery(world).run(world.epoch) == ""
    world.turn(2)

    assert sorted(world.receiver.effects) == ["evt_0", "evt_1"]
    assert world.control.audit.page()[0].actor == "worker"
    assert redelivery(world).run(world.epoch) == ""


def test_redelivery_leaves_permanent_letters_to_a_person(world: World) -> None:
    (letter_id,) = dead(world)
    world.receiver.outcomes["evt_0"] = [Outcome.FAILED] * 9
    with world.control.write() as tx:
        source = Source("stripe", ManagedBy.FILE, world.clock.now(), redeliver=True)
        world.control.catalog.put_source(tx, source, world.clock.now())

    for _ in range(8):
        redelivery(world).run(world.epoch)
        world.turn(3)

    assert world.letter(letter_id).state is LetterState.PERMANENT
    assert len(world.receiver.requests) == 5


def test_every_item_has_exactly_one_success_in_a_large_replay(world: World) -> None:
    ids = dead(world, 120)
    replay_id = world.start(*ids)

    for _ in range(200):
        world.turn()
        if world.replay(replay_id).state is not ReplayState.RUNNING:
            break

    assert world.control.replays.counts([replay_id])[replay_id] == {ItemState.SUCCEEDED: 120}
    assert sorted(world.receiver.effects) == sorted(f"evt_{n}" for n in range(120))
