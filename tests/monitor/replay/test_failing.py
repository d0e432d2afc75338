"""Failures out of the feed: counted into issues once, whatever is read again (practice 33)."""

from datetime import timedelta

import pytest

from alerts.issues import Issue, IssueState
from monitor.model import Outcome
from monitor.store.control.issues import IssueFilter
from monitor.store.control.marks import FeedMark
from tests.monitor.replay.world import World

MINUTE = timedelta(minutes=1)


def issues(world: World) -> list[Issue]:
    return world.control.issues.page(IssueFilter(), world.clock.now(), 100)


def fail(world: World, *messages: str) -> None:
    at = world.clock.now()
    world.filled.add([world.make(Outcome.FAILED, at, error_message=text) for text in messages])


def test_failed_attempts_become_an_issue_with_their_count(world: World) -> None:
    fail(world, "no answer to order 1", "no answer to order 1", "no answer to order 1")
    world.take_in()

    [issue] = issues(world)

    assert issue.failures == 3
    assert issue.kin.message == "no answer to order <number>"
    assert (issue.kin.error_class, issue.state(world.clock.now())) == ("TimeoutError", IssueState.NEW)
    assert world.facts.get(world.make(Outcome.FAILED).record_id) is None
    assert issue.record_id in world.control.issues.records(issue.kin.id)


def test_a_dead_letter_is_a_letter_and_counts_as_a_failure(world: World) -> None:
    letter_id = world.die("evt_1")
    world.take_in()

    [issue] = issues(world)

    assert (issue.failures, issue.kin.error_class) == (1, "KeyError")
    assert world.letter(letter_id).key.event_id == "evt_1"


def test_reading_the_whole_feed_again_counts_nothing_twice(world: World) -> None:
    fail(world, "a", "a")
    world.die("evt_1")
    world.take_in()
    before = issues(world)

    with world.control.write() as tx:
        world.control.marks.put_feed(tx, FeedMark("another store", 0, 10**9))
    world.take_in()

    assert issues(world) == before


@pytest.mark.parametrize("given", [{"replay_id": "rep_1"}, {"canary": True}])
def test_replays_and_canaries_make_no_issue(world: World, given: dict[str, object]) -> None:
    for outcome in (Outcome.FAILED, Outcome.DEAD_LETTERED):
        world.filled.add([world.make(outcome, world.clock.now(), **given)])
    world.take_in()

    assert issues(world) == []


def test_a_resolved_issue_regresses_when_it_fails_again(world: World) -> None:
    fail(world, "a")
    world.take_in()
    [issue] = issues(world)
    with world.control.write() as tx:
        world.control.issues.resolve(tx, issue.kin.id, "ada", world.clock.now())
    world.clock.move(MINUTE)
    fail(world, "a")
    world.take_in()

    [again] = issues(world)

    assert (again.state(world.clock.now()), again.failures) == (IssueState.REGRESSED, 2)
