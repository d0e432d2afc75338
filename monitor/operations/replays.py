"""Replays as people run them: planned, started with a reason, paused, resumed, cancelled.

The letters of a replay are frozen when it starts, and each goes to its own registered endpoint: nobody can
name another target.
"""

from collections.abc import Sequence

from monitor.dead_letters import Replay, ReplayState
from monitor.errors import Conflict, NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.replay.plan import Plan
from monitor.replay.plan import plan as planned
from monitor.replay.planning import frozen, survey
from monitor.store.control.accounts import Role

LONGEST_REASON = 2000


def plan(desk: Desk, actor: Actor, letter_ids: Sequence[str], per_second: float | None = None) -> Plan:
    """What starting would send and leave out. Nothing is stored."""
    actor.must_be(Role.OPERATOR, "replay dead letters")
    if not letter_ids:
        raise Unprocessable("no dead letter was chosen", "give one id or more")
    rate = desk.per_second() if per_second is None else per_second
    if not 0 < rate <= 1000:
        raise Unprocessable(
            "a replay sends at most 1000 events a second", "give a rate above 0, at most 1000"
        )
    return planned(survey(desk.control, desk.facts, letter_ids), rate)


def start(
    desk: Desk, actor: Actor, letter_ids: Sequence[str], reason: str, per_second: float | None = None
) -> Replay:
    """The running replay. Raises Unprocessable when no letter can be sent, Conflict when another replay took
    one of them meanwhile."""
    made = plan(desk, actor, letter_ids, per_second)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Unprocessable("a replay needs a reason of at most 2000 characters", "say why, for the audit")
    if not made.to_send:
        first = made.refusals[0][0]
        why = ", ".join(f"{count} × {refusal.value}" for refusal, count in made.refusals)
        raise Unprocessable(f"none of these letters can be replayed: {why}", first.hint)
    now = desk.clock.now()
    replay, items = frozen(made, actor.name, reason, now, lambda: desk.random_hex(16))
    with desk.control.write() as tx:
        taken = desk.control.replays.busy_letters(tx, made.to_send)
        if taken:
            raise Conflict(f"{len(taken)} of these letters are in another replay by now", "plan again")
        desk.control.replays.add(tx, replay, items)
        detail = {
            "reason": reason,
            "letters": list(made.to_send),
            "refused": {refusal.value: count for refusal, count in made.refusals},
            "per_second": made.per_second,
        }
        desk.audit(tx, actor, "replay.start", replay.id, detail)
    return replay


def pause(desk: Desk, actor: Actor, id: str, reason: str = "") -> None:
    """Sends no more until resumed; what is on its way still settles."""
    _steer(desk, actor, id, "pause", (ReplayState.RUNNING,), ReplayState.PAUSED, reason)


def resume(desk: Desk, actor: Actor, id: str, reason: str = "") -> None:
    """Goes on, with the count of failures in a row at zero."""
    _steer(desk, actor, id, "resume", (ReplayState.PAUSED, ReplayState.STOPPED), ReplayState.RUNNING, reason)


def cancel(desk: Desk, actor: Actor, id: str, reason: str = "") -> None:
    """Ends it for good: what was not sent yet is skipped, and its letters can be replayed anew."""
    before = (ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.STOPPED)
    _steer(desk, actor, id, "cancel", before, ReplayState.CANCELLED, reason)


def _steer(
    desk: Desk,
    actor: Actor,
    id: str,
    move: str,
    before: tuple[ReplayState, ...],
    to: ReplayState,
    reason: str,
) -> None:
    actor.must_be(Role.OPERATOR, f"{move} replays")
    if len(reason) > LONGEST_REASON:
        raise Unprocessable(f"a reason has at most {LONGEST_REASON} characters", "shorten it")
    now = desk.clock.now()
    why = f"{move}d by {actor.name}" if move != "cancel" else f"cancelled by {actor.name}"
    with desk.control.write() as tx:
        moved = desk.control.replays.move(tx, id, before, to, now, f"{why}: {reason}" if reason else why)
        if not moved:
            raise _cannot(desk, id, move)
        if to is ReplayState.CANCELLED:
            desk.control.replays.skip_planned(tx, id, "cancelled", now)
        desk.audit(tx, actor, f"replay.{move}", id, {"reason": reason})


def _cannot(desk: Desk, id: str, move: str) -> Conflict | NotFound:
    replay = desk.control.replays.get(id)
    if replay is None:
        return NotFound(f"there is no replay {id}", "`hookvitals replay status` shows them")
    return Conflict(f"replay {id} is {replay.state.value}", f"nothing to {move}")
