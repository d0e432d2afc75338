"""Engine and intake are killed at every one of their steps, one after the other, and gone on from each time.

A step is a statement, a commit, or a moment of the request. What a crash leaves is what the database kept.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from alerts.http import Response
from alerts.model import Route
from monitor.dead_letters import LetterState, ReplayState
from monitor.model import Outcome
from monitor.replay.engine import ReplayEngine
from monitor.replay.permanent import fingerprint
from tests.control import KINDS, lead, new_control_url
from tests.monitor.replay.world import PLACE, SEALER, World, new_world

LETTERS = 2
MakeWorld = Callable[[int], AbstractContextManager[World]]


class Crash(BaseException):
    """The process is gone. No handler of the product may take it for an error to go on from."""


class Fuse:
    """Burns one step at a time and raises at the last."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


class FusedRequests:
    """The receiver behind a network that dies before the request, or after it and before the answer."""

    def __init__(self, world: World, fuse: Fuse) -> None:
        self.world, self.fuse = world, fuse

    def request(
        self, method: str, url: str, headers: dict[str, str] | None, body: bytes, timeout_s: float
    ) -> Response:
        self.fuse.burn()
        answer = self.world.receiver.request(method, url, headers, body, timeout_s)
        self.fuse.burn()
        return answer


@contextmanager
def fused(world: World, fuse: Fuse) -> Iterator[None]:
    engine = world.control.engine
    hooks = [(name, lambda *parts: fuse.burn(*parts)) for name in ("before_cursor_execute", "commit")]
    for name, hook in hooks:
        event.listen(engine, name, hook)
    try:
        yield
    finally:
        for name, hook in hooks:
            event.remove(engine, name, hook)


def crashed(world: World, steps: int) -> bool:
    """Runs one round of the engine that dies at the step; False when the round was over before."""
    fuse = Fuse(steps)
    requests = FusedRequests(world, fuse)
    engine = ReplayEngine(world.control, world.facts, lambda: requests, SEALER, world.clock)
    with fused(world, fuse):
        try:
            engine.run(world.epoch)
        except Crash:
            return True
    return False


def resumed(world: World) -> None:
    """Another worker takes over and goes on until nothing is left to do."""
    world.epoch = lead(world.control, "successor")
    world.engine = world.new_engine()
    world.receiver.ship()
    world.turn(8)


def check(world: World, letter_ids: list[str], replay_id: str, step: int) -> None:
    assert [world.letter(id).state for id in letter_ids] == [LetterState.RESOLVED] * LETTERS, step
    assert {item.state.value for item in world.items(replay_id)} == {"succeeded"}, step
    assert world.replay(replay_id).state is ReplayState.COMPLETED, step
    assert sorted(world.receiver.effects) == [f"evt_{n}" for n in range(LETTERS)], step
    assert len(world.receiver.requests) <= LETTERS + 1, step  # at most the one that was on its way, twice


@pytest.fixture(params=KINDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    @contextmanager
    def made(number: int) -> Iterator[World]:
        folder = tmp_path / str(number)
        folder.mkdir()
        with new_control_url(request, folder) as url, new_world(folder, url) as world:
            yield world

    return made


def test_a_crash_at_any_step_loses_no_event_and_succeeds_none_twice(make_world: MakeWorld) -> None:
    for step in count(1):
        with make_world(step) as world:
            letter_ids = [world.die(f"evt_{n}") for n in range(LETTERS)]
            world.take_in()
            # One event a second: each round sends one, in this thread, so that steps come in order.
            replay_id = world.start(*letter_ids, per_second=1.0)
            died = crashed(world, step)
            resumed(world)
            check(world, letter_ids, replay_id, step)
        if not died:
            break
    assert step > 20


def test_two_crashes_of_the_same_item_end_in_one_success_too(make_world: MakeWorld) -> None:
    for step in range(10, 24):
        with make_world(step) as world:
            letter_id = world.die("evt_0")
            world.take_in()
            replay_id = world.start(letter_id)
            for _ in range(2):
                crashed(world, step)
                world.epoch = lead(world.control, "successor")
                world.clock.move(world.engine.timeout())
            resumed(world)

            items = world.items(replay_id)
            assert len(world.receiver.effects) <= 1
            assert items[0].attempts <= 2
            assert items[0].state.value in ("succeeded", "sent")
            sent_and_lost = items[0].state.value == "sent"
            assert sent_and_lost or world.letter(letter_id).state is LetterState.RESOLVED


def test_no_crash_of_the_intake_leaves_a_permanent_letter_without_its_alert(make_world: MakeWorld) -> None:
    with make_world(1) as world:
        world.routes = [Route(("slack",))]
        letter_id = world.die("evt_0")
        world.take_in()
        world.receiver.outcomes["evt_0"] = [Outcome.FAILED] * 5
        for _ in range(4):
            world.start(letter_id)
            world.turn(3)
        world.start(letter_id)
        world.engine.run(world.epoch)
        world.receiver.ship()

        for step in count(1):
            died = True
            with fused(world, Fuse(step)):
                try:
                    world.take_in()
                    died = False
                except Crash:
                    pass
            permanent = world.letter(letter_id).state is LetterState.PERMANENT
            alert = world.control.alerts.get(fingerprint(*PLACE))
            told = world.control.notifications.due(world.clock.now(), 10)
            assert permanent == (alert is not None) == (len(told) == 1), step
            if not died:
                break

    assert permanent
    assert step > 20
