"""Silences: made by a person, for a time, with a reason. They hide nothing: the alert still shows."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from alerts.hours import Hours
from alerts.model import Silence
from alerts.silences import matcher_problem
from monitor.errors import NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role

LONGEST = timedelta(days=90)
MOST_MATCHERS = 16
LONGEST_TEXT = 2000


def create(
    desk: Desk,
    actor: Actor,
    matchers: Mapping[str, str],
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    hours: Hours | None = None,
) -> Silence:
    """The silence, in force all the time between or in these hours only.

    Raises Unprocessable for one without matchers, with a matcher that cannot be meant, without an end, or
    without a comment.
    """
    actor.must_be(Role.OPERATOR, "silence alerts")
    now = desk.clock.now()
    if not matchers or len(matchers) > MOST_MATCHERS:
        raise Unprocessable("a silence needs 1 to 16 matchers", "name labels, such as source = stripe")
    for label, pattern in matchers.items():
        if problem := matcher_problem(label, pattern):
            raise Unprocessable(problem, "silences match labels such as source, endpoint, rule or severity")
    if max(map(len, [comment, *matchers, *matchers.values()])) > LONGEST_TEXT:
        raise Unprocessable(f"a text has at most {LONGEST_TEXT} characters", "shorten it")
    if ends_at <= now or ends_at <= starts_at or ends_at - starts_at > LONGEST:
        raise Unprocessable(
            "a silence ends after its start, within 90 days",
            "give another end; what comes back for good is a [[maintenance_windows]] of hookvitals.toml",
        )
    if not comment.strip():
        raise Unprocessable("a silence needs a comment", "say why, for whoever wonders later")
    silence = Silence(desk.random_hex(8), dict(matchers), starts_at, ends_at, actor.name, comment, hours)
    with desk.control.write() as tx:
        desk.control.silences.add(tx, silence, now)
        detail = {"matchers": dict(matchers), "ends_at": ends_at.isoformat(), "comment": comment}
        if hours is not None:
            detail["hours"] = str(hours)
        desk.audit(tx, actor, "silence.create", silence.id, detail)
    return silence


def expire(desk: Desk, actor: Actor, id: str) -> None:
    """Ends the silence now. Raises NotFound when there is none that has not ended."""
    actor.must_be(Role.OPERATOR, "end silences")
    with desk.control.write() as tx:
        if not desk.control.silences.expire(tx, id, desk.clock.now(), actor.name):
            raise NotFound(f"there is no silence {id} that has not ended", "`hookvitals silence list`")
        desk.audit(tx, actor, "silence.expire", id)
