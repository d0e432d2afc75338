"""What people do from a message, by its signed link and without a login: take an alert on, or silence it.

The link says which act on which episode of which alert; nothing else is believed. An act is done once,
however often it is asked for, and audited as `link:<channel>`, since a link names no person. Looking changes
nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Ack, Alert, Silence, State
from alerts.permits import Act, Permit, PermitRefused, Permits
from monitor.errors import Conflict, Forbidden, NotFound, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.store.control import Tx
from monitor.store.control.accounts import Role

HOURS = (1, 4, 24)
"""How long a silence by link may last."""
HOW = "by the link of a message"
LONGEST_NAME = 100
MOST_MATCHERS = 15


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link leads to. is_open: the act can still be done. done_by and so on: by whom it was."""

    act: Act
    alert: Alert
    channel: str
    is_open: bool
    done_by: str = ""
    done_note: str = ""
    done_until: datetime | None = None


def look(desk: Desk, permits: Permits, token: str) -> Offer:
    """What the link would do. Raises Forbidden for a link that is not good, NotFound for an alert that is
    gone."""
    permit = _permit(desk, permits, token)
    found = desk.control.alerts.get(permit.fingerprint)
    if found is None:
        raise NotFound("this alert is no longer kept", "open the dashboard")
    return _offer(desk, permit, found)


def do(desk: Desk, permits: Permits, token: str, who: str = "", hours: int = HOURS[0]) -> Offer:
    """Does it, once. who: a name as the person gives it, for the note alone. hours: of a silence.

    Raises as `look`, Conflict when the episode is over, Unprocessable for a value that is not offered.
    """
    permit = _permit(desk, permits, token)
    if len(who) > LONGEST_NAME or not who.isprintable():
        raise Unprocessable(f"a name has at most {LONGEST_NAME} characters, all printable", "shorten it")
    if hours not in HOURS:
        raise Unprocessable("a silence by link lasts 1, 4 or 24 hours", "choose one of them")
    actor = Actor(f"link:{permit.channel}", Role.OPERATOR, "link")
    with desk.control.write() as tx:
        found = desk.control.alerts.within(tx, permit.fingerprint)
        if found is None:
            raise NotFound("this alert is no longer kept", "open the dashboard")
        if not _is_current(found, permit):
            raise Conflict("this alert is over", "there is nothing left to do")
        if permit.act is Act.ACKNOWLEDGE:
            _acknowledge(desk, tx, actor, found, who)
        else:
            _silence(desk, tx, actor, found, permit, who, hours)
    return look(desk, permits, token)


def _acknowledge(desk: Desk, tx: Tx, actor: Actor, alert: Alert, who: str) -> None:
    now = desk.clock.now()
    if alert.ack is not None and alert.ack.holds(now):
        return
    note = f"{who}, {HOW}" if who else HOW
    desk.control.alerts.acknowledge(tx, alert.fingerprint, Ack(actor.name, now, note))
    desk.audit(tx, actor, "alert.acknowledge", alert.fingerprint, {"rule": alert.rule, "note": note})


def _silence(desk: Desk, tx: Tx, actor: Actor, alert: Alert, permit: Permit, who: str, hours: int) -> None:
    now = desk.clock.now()
    labels = [(name, value) for name, value in sorted(alert.labels.items()) if value]
    matchers = {**dict(labels[:MOST_MATCHERS]), "rule": alert.rule}
    comment = f"{who}, {HOW}" if who else HOW
    ends_at = now + timedelta(hours=hours)
    one = Silence(_silence_id(permit), matchers, now, ends_at, actor.name, comment)
    if desk.control.silences.add(tx, one, now):
        detail = {"matchers": matchers, "ends_at": ends_at.isoformat(), "comment": comment}
        desk.audit(tx, actor, "silence.create", one.id, detail)


def _offer(desk: Desk, permit: Permit, alert: Alert) -> Offer:
    now, is_current = desk.clock.now(), _is_current(alert, permit)
    if permit.act is Act.ACKNOWLEDGE:
        ack = alert.ack if alert.ack is not None and alert.ack.holds(now) else None
        by, note, until = (ack.by, ack.note, ack.until) if ack else ("", "", None)
    else:
        mine = [one for one in desk.control.silences.current(now) if one.id == _silence_id(permit)]
        by, note, until = (mine[0].created_by, mine[0].comment, mine[0].ends_at) if mine else ("", "", None)
    return Offer(permit.act, alert, permit.channel, is_current and not by, by, note, until)


def _is_current(alert: Alert, permit: Permit) -> bool:
    return alert.state is State.FIRING and alert.episode == permit.episode


def _permit(desk: Desk, permits: Permits, token: str) -> Permit:
    try:
        return permits.read(token, desk.clock.now())
    except PermitRefused as exc:
        raise Forbidden(exc.message, exc.hint) from None


def _silence_id(permit: Permit) -> str:
    """One silence a link: a second press finds it made."""
    about = f"{permit.fingerprint}\0{permit.episode}\0{permit.channel}"
    return hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:16]
