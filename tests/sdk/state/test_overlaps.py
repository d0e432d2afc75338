"""Two copies of an event at work at once, for the first outlived its lease: who ends what, on every state."""

import threading
from collections.abc import Callable, Iterator

import pytest

from hookvitals import Event, Receiver
from tests.sdk.state.places import Place
from tests.sdk.world import World, deliver

LEASE_S = 30.0


class Overlap:
    """The first copy returns when the second is at work, which goes on until `finish` is called."""

    def __init__(self, world: World, receiver: Receiver, behave: Callable[[Event], None]) -> None:
        self.world, self.receiver, self.behave = world, receiver, behave
        self.entered, self.hold = threading.Event(), threading.Event()
        self.second_told: list[int] = []
        self.second = threading.Thread(target=lambda: self.second_told.append(self.send()))
        world.behave = self.work
        self.first_told = self.send()

    def send(self) -> int:
        return deliver(self.receiver, at=self.world.clock.now).status

    def work(self, event: Event) -> None:
        if event.attempt == 1:
            self.world.clock.now += LEASE_S + 1
            self.second.start()
            assert self.entered.wait(10)
        else:
            self.entered.set()
            assert self.hold.wait(10)
        self.behave(event)

    def finish(self) -> int:
        """What the second copy was told."""
        self.hold.set()
        self.second.join(10)
        return self.second_told[0]


@pytest.fixture
def receiver(world: World, place: Place) -> Iterator[Receiver]:
    state = place.opened(world.clock)
    yield world.receiver(state=state, lease_s=LEASE_S)
    state.close()


def test_a_late_failure_lets_no_third_copy_run_beside_the_second(world: World, receiver: Receiver) -> None:
    """practice 13"""

    def fail_first(event: Event) -> None:
        if event.attempt == 1:
            raise RuntimeError("too late")

    both = Overlap(world, receiver, fail_first)

    assert both.first_told == 500
    assert both.send() == 503, "the second is at work"
    assert both.finish() == 200
    assert both.send() == 200
    assert [event.attempt for event in world.handled] == [1, 2]


def test_a_late_success_is_a_success_whatever_becomes_of_the_second(world: World, receiver: Receiver) -> None:
    def fail_second(event: Event) -> None:
        if event.attempt == 2:
            raise RuntimeError("it was done already")

    both = Overlap(world, receiver, fail_second)

    assert both.first_told == 200
    assert both.send() == 200, "it is done"
    assert both.finish() == 500
    assert both.send() == 200, "and stays done"
    assert [event.attempt for event in world.handled] == [1, 2]


def test_what_died_in_a_receiver_without_inbox_is_no_duplicate_to_one_that_has_it(world: World) -> None:
    """The receiver was killed and comes back with an inbox, while its claim has its lease still: to call the
    sender's next copy a duplicate would lose the event."""

    world.crash_within(world.receiver(state_path=str(world.directory / "state.db"), lease_s=LEASE_S))
    receiver = world.inbox()

    assert deliver(receiver).status == 503
    world.clock.now += LEASE_S
    assert deliver(receiver, at=world.clock.now).status == 200
    world.until(lambda: [event.attempt for event in world.handled] == [1])
