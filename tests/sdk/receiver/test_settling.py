"""An event of the inbox that was worked is not worked again because that could not be stored."""

import sqlite3

import pytest

from hookvitals import Event, Permanent
from tests.sdk.world import World, deliver


def test_a_success_that_cannot_be_stored_yet_is_stored_later_and_runs_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    path = world.directory / "state.db"
    receiver = world.inbox()
    inbox = receiver.inbox
    assert inbox is not None
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def block(event: Event) -> None:
        with receiver.state.reading() as db:  # type: ignore[attr-defined]
            db.execute("PRAGMA busy_timeout = 10")
        blocker.execute("BEGIN IMMEDIATE")

    world.behave = block
    assert deliver(receiver).status == 200
    world.until(lambda: blocker.in_transaction)
    world.until(lambda: "could not be stored" in caplog.text)
    blocker.execute("ROLLBACK")
    world.until(lambda: inbox.depth() == 0)

    assert len(world.handled) == 1
    assert world.outcomes() == ["accepted", "succeeded"]
    blocker.close()


def test_a_dead_letter_is_on_record_once_before_it_leaves_the_inbox(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = world.inbox()
    inbox = receiver.inbox
    assert inbox is not None
    blocker = sqlite3.connect(world.directory / "state.db", isolation_level=None, check_same_thread=False)

    def block(event: Event) -> None:
        with receiver.state.reading() as db:  # type: ignore[attr-defined]
            db.execute("PRAGMA busy_timeout = 10")
        blocker.execute("BEGIN IMMEDIATE")
        raise Permanent

    world.behave = block
    assert deliver(receiver).status == 200
    world.until(lambda: "could not be stored" in caplog.text)
    assert world.outcomes() == ["accepted", "dead_lettered"]
    assert inbox.depth() == 1
    blocker.execute("ROLLBACK")
    world.until(lambda: inbox.depth() == 0)

    assert len(world.handled) == 1
    assert world.outcomes() == ["accepted", "dead_lettered"]
    blocker.close()
