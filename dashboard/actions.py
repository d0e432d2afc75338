"""What a person does on the pages, through monitor.operations: only here are they called.

Operations decide who may, and write the audit; here the session's person becomes their actor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.permits import Permits
from dashboard.drafts import Draft
from dashboard.screen import Place
from dashboard.views import Payload, ReplayPlan, Role, Viewer
from monitor.errors import Unprocessable
from monitor.model import SeriesKey
from monitor.operations import Desk, alerts, attesting, by_link, issues, payload, replays, sessions, silences
from monitor.operations.actor import Actor
from monitor.store.control import accounts

_ROLES = {
    Role.VIEWER: accounts.Role.VIEWER,
    Role.OPERATOR: accounts.Role.OPERATOR,
    Role.ADMIN: accounts.Role.ADMIN,
}
_MOVES: Mapping[str, Callable[[Desk, Actor, str], None]] = {
    "pause": replays.pause,
    "resume": replays.resume,
    "cancel": replays.cancel,
}


@dataclass(frozen=True, slots=True)
class StoreActions:
    """The pages' `Actions` over the stores."""

    desk: Desk

    def login(self, name: str, password: str, address: str) -> str:
        return sessions.login(self.desk, name, password, address)

    def viewer(self, secret: str) -> Viewer | None:
        found = sessions.authenticate(self.desk, secret)
        return None if found is None else Viewer(found.account, Role[found.role.name])

    def caller(self, secret: str) -> Actor | None:
        """The session's person as the management API knows callers."""
        found = sessions.authenticate(self.desk, secret)
        return None if found is None else sessions.actor_of(found, "api")

    def logout(self, secret: str) -> None:
        sessions.logout(self.desk, secret)

    def acknowledge(self, viewer: Viewer, alert_id: str, note: str, lasts: timedelta | None = None) -> None:
        alerts.acknowledge(self.desk, _actor(viewer), alert_id, note, lasts)

    def silence(self, viewer: Viewer, draft: Draft) -> None:
        silences.create(
            self.desk,
            _actor(viewer),
            draft.matchers,
            draft.starts_at,
            draft.ends_at,
            draft.comment,
            draft.hours,
        )

    def end_silence(self, viewer: Viewer, silence_id: str) -> None:
        silences.expire(self.desk, _actor(viewer), silence_id)

    def resolve_issues(self, viewer: Viewer, issue_ids: Sequence[str]) -> None:
        for issue_id in issue_ids:
            issues.resolve(self.desk, _actor(viewer), issue_id)

    def attest(self, viewer: Viewer, place: Place, item: str, note: str, lasts: timedelta) -> None:
        attesting.attest(self.desk, _actor(viewer), SeriesKey(*place), item, note, lasts)

    def withdraw(self, viewer: Viewer, place: Place, item: str) -> None:
        attesting.withdraw(self.desk, _actor(viewer), SeriesKey(*place), item)

    def plan_replay(self, viewer: Viewer, letter_ids: Sequence[str]) -> ReplayPlan:
        plan = replays.plan(self.desk, _actor(viewer), letter_ids)
        return ReplayPlan(
            plan.letters,
            len(plan.to_send),
            plan.body_bytes,
            plan.per_second,
            [(why.value, n) for why, n in plan.refusals],
            plan.already_succeeded,
            [why.hint for why, _ in plan.refusals],
        )

    def start_replay(self, viewer: Viewer, letter_ids: Sequence[str], reason: str) -> str:
        return replays.start(self.desk, _actor(viewer), letter_ids, reason).id

    def steer_replay(self, viewer: Viewer, replay_id: str, move: str) -> None:
        steer = _MOVES.get(move)
        if steer is None:
            raise Unprocessable(f"a replay cannot {move}", "pause, resume or cancel it")
        steer(self.desk, _actor(viewer), replay_id)

    def reveal(
        self, viewer: Viewer, environment: str, source: str, endpoint: str, event_id: str
    ) -> Payload | None:
        found = payload.reveal(self.desk, _actor(viewer), environment, source, endpoint, event_id)
        if found is None:
            return None
        return Payload(found.headers, found.body, found.content_type or "", found.masked, found.redacted)


@dataclass(frozen=True, slots=True)
class StoreLinks:
    """What the links of messages do, over the stores."""

    desk: Desk
    permits: Permits

    def look(self, token: str) -> by_link.Offer:
        return by_link.look(self.desk, self.permits, token)

    def do(self, token: str, who: str, hours: int) -> by_link.Offer:
        return by_link.do(self.desk, self.permits, token, who, hours)


def _actor(viewer: Viewer) -> Actor:
    return Actor(viewer.name, _ROLES[viewer.role], "ui")
