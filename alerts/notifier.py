"""Who is to be told of an alert, and what becomes of each telling.

`due` looks at where an alert stands and at what was told before, not at the transition alone: a silence that
ends, a route that is added or a worker that died between two steps needs no case of its own. Nothing here
stores or waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from alerts.backoff import BRISK, PATIENT, Random
from alerts.channels.channel import Channel, Receipt
from alerts.errors import ChannelError, Failure
from alerts.escalation import elapsed_since, escalated
from alerts.inhibition import BY_ALERT, inhibiting
from alerts.message import Message
from alerts.model import (
    OPENING,
    Alert,
    Delivery,
    Evidence,
    Inhibition,
    Notification,
    Route,
    Severity,
    Silence,
    State,
    Telling,
    Why,
    fingerprint_of,
)
from alerts.recipients import name_apart, openings
from alerts.routing import is_quiet, matching_routes, repeat_of, routed_channels
from alerts.rules import TICKETS
from alerts.silences import silencing

QUIET_HOURS = "quiet_hours"


@dataclass(frozen=True, slots=True)
class Due:
    """The notifications to store with the alert. why: for each channel, or under "" for the alert as a whole,
    why it is told or not. muted_by: `silence:<id>`,
    `alert:<fingerprint>` or `quiet_hours`; it belongs into the alert."""

    notifications: tuple[Notification, ...] = ()
    why: dict[str, Why] = field(default_factory=dict)
    muted_by: str | None = None


def due(
    alert: Alert,
    *,
    routes: Sequence[Route],
    silences: Iterable[Silence],
    others: Iterable[Alert],
    told: Iterable[Telling],
    now: datetime,
    inhibitions: Sequence[Inhibition] = (),
) -> Due:
    """What to tell whom about the alert now.

    others: the alerts that fire. told: all that the outbox holds of this alert's current episode. Idempotent:
    once its notifications are among `told`, the answer is empty until something changes.
    """
    known = [telling for telling in told if telling.episode == alert.episode]
    if alert.state is State.RESOLVED:
        return Due(why={"": Why.TICKET}) if alert.kind in TICKETS else _closing(alert, known, now)
    if alert.state is not State.FIRING:
        return Due(why={"": Why.NOT_FIRING})
    silence = silencing(alert, silences, now)
    if silence is not None:
        return Due(why={"": Why.SILENCED}, muted_by=f"silence:{silence.id}")
    cause = inhibiting(alert, others, inhibitions)
    muted_by = None if cause is None else f"{BY_ALERT}{cause.fingerprint}"
    if cause is not None:
        routes = _beside(routes, cause)
        if not routed_channels(alert, routes):
            return Due(why={"": Why.INHIBITED}, muted_by=muted_by)
    awake = [route for route in routes if not is_quiet(route, alert, now)]
    chosen = routed_channels(alert, awake)
    above = escalated(alert, matching_routes(alert, awake), known, now)
    waiting = dict.fromkeys(routed_channels(alert, routes).keys() - chosen.keys(), Why.QUIET_HOURS)
    opening = Why.FIRING if alert.flapping_since is None else Why.FLAPPING
    reasons = {
        channel: _reason(alert, channel, route, known, now, opening if channel in chosen else Why.ESCALATED)
        for channel, route in {**above, **chosen}.items()
    }
    if not reasons and not waiting:
        return Due(why={"": Why.NO_ROUTE})
    fallbacks = {channel: route.fallback for channel, route in {**above, **chosen}.items()}
    return Due(
        tuple(
            _notification(alert, channel, reason, known, now, fallbacks[channel])
            for channel, reason in reasons.items()
            if reason in OPENING
        ),
        {**waiting, **reasons},
        muted_by or (None if reasons else QUIET_HOURS),
    )


def _beside(routes: Sequence[Route], cause: Alert) -> list[Route]:
    """The routes with only those channels that do not hear of the cause: to nobody else does it explain
    anything."""
    hear = routed_channels(cause, routes).keys()
    left = (
        replace(route, channels=tuple(name for name in route.channels if name not in hear))
        for route in routes
    )
    return [route for route in left if route.channels]


def _closing(alert: Alert, known: Sequence[Telling], now: datetime) -> Due:
    """A resolved message for each channel that heard, or may yet hear, of the firing; a silence does not stop
    it."""
    opened = dict.fromkeys(telling.channel for telling in known if telling.reason in OPENING)
    if not opened:
        return Due(why={"": Why.NEVER_TOLD})
    closed = {telling.channel for telling in known if telling.reason is Why.RESOLVED}
    why = {channel: Why.ALREADY_TOLD if channel in closed else Why.RESOLVED for channel in opened}
    return Due(
        tuple(
            _notification(alert, channel, reason, known, now, None)
            for channel, reason in why.items()
            if reason is Why.RESOLVED
        ),
        why,
    )


def _reason(
    alert: Alert, channel: str, route: Route, known: Sequence[Telling], now: datetime, opening: Why
) -> Why:
    before = [telling for telling in known if telling.channel == channel and telling.reason in OPENING]
    if not before:
        return opening
    if alert.severity.rank > max(telling.severity.rank for telling in before):
        return Why.SEVERITY_RAISED
    if alert.ack is not None and alert.ack.holds(now):
        return Why.ACKNOWLEDGED
    silent_for = min(elapsed_since(telling, alert, now) for telling in before)
    if silent_for >= repeat_of(route, alert) or _let_go(alert, before):
        return Why.REPEAT
    return Why.ALREADY_TOLD


def _let_go(alert: Alert, before: Sequence[Telling]) -> bool:
    """Whether an acknowledgement has run out and the channel has not been told since."""
    until = None if alert.ack is None else alert.ack.until
    return until is not None and max(telling.created_at for telling in before) < until


def _notification(
    alert: Alert, channel: str, reason: Why, known: Sequence[Telling], now: datetime, fallback: str | None
) -> Notification:
    alike = [telling for telling in known if telling.channel == channel and telling.reason is reason]
    return Notification(
        key=key_of(alert, channel, reason, _place(alike)),
        channel=channel,
        reason=reason,
        alert=alert,
        created_at=now,
        fallback=None if fallback == channel else fallback,
    )


def _place(alike: Sequence[Telling]) -> str | int:
    """The place of the next one after these. Their number alone would come back once the earliest are
    purged, their time alone once the clock is put back."""
    if not alike:
        return 0
    return f"{sum(telling.times for telling in alike)} {max(telling.created_at for telling in alike)}"


def key_of(alert: Alert, channel: str, reason: Why, place: str | int = 0) -> str:
    """The idempotency key: the same for the same telling, however often it is worked out. place: among those
    of the same reason.

    It is built of the episode, not of the revision: a worker that lost the race for one revision must not
    make another message of it. A raised severity counts, since each step is told once.
    """
    severity = alert.severity.value if reason is Why.SEVERITY_RAISED else ""
    parts = (alert.fingerprint, str(alert.episode), channel, reason.value, severity, str(place))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def apart(notification: Notification, recipient: str) -> Notification:
    """The same message for one recipient; it has the time that the whole one had. Nobody takes over from it:
    the others were told. The end has the key that it has when it is due by itself."""
    channel = name_apart(notification.channel, recipient)
    key = hashlib.sha256(f"{notification.key}\0{channel}".encode()).hexdigest()[:32]
    if notification.reason is Why.RESOLVED:
        key = key_of(notification.alert, channel, Why.RESOLVED)
    return replace(notification, key=key, channel=channel, fallback=None)


def handed_over(notification: Notification, told: Iterable[Telling], now: datetime) -> list[Notification]:
    """The notifications that take over from one that was given up, to the fallback of its route.

    None when the route names no fallback, or when that channel is told of this episode anyway. An episode
    that is over by then is handed over with its end. told: as for `due`.
    """
    alert, channel = notification.alert, notification.fallback
    known = [telling for telling in told if telling.episode == alert.episode]
    if channel is None or notification.reason not in OPENING:
        return []
    if any(telling.channel == channel and telling.reason in OPENING for telling in known):
        return []
    key = key_of(alert, channel, Why.FALLBACK)
    taken = Notification(key, channel, Why.FALLBACK, alert, now)
    ended = [telling.created_at for telling in known if telling.reason is Why.RESOLVED]
    if not ended:
        return [taken]
    over = replace(alert, state=State.RESOLVED, resolved_at=min(ended))
    return [taken, Notification(key_of(over, channel, Why.RESOLVED), channel, Why.RESOLVED, over, now)]


def trial(channel: str, now: datetime) -> Notification:
    """A notification that says it is only a test, for a person who wants to see the channel work."""
    evidence = Evidence("This is a test of the channel. Nothing is wrong.")
    alert = Alert(
        fingerprint=fingerprint_of("test", {"channel": channel}),
        rule="test",
        kind="test",
        severity=Severity.INFO,
        labels={"channel": channel},
        state=State.FIRING,
        since=now,
        last_evaluated_at=now,
        evidence=evidence,
        firing_since=now,
    )
    key = key_of(alert, channel, Why.TEST, int(now.timestamp() * 1000))
    return Notification(key, channel, Why.TEST, alert, now)


class Turn(StrEnum):
    """Whether a stored notification may leave now."""

    SEND = "send"
    WAIT = "wait"
    DROP = "drop"


def turn(notification: Notification, told: Iterable[Telling]) -> Turn:
    """Whether it is this notification's turn, so that a channel hears of an episode in order.

    A resolved message waits for the firing one; when that never arrived, it is dropped: a channel that was
    not told of the trouble is not told of its end. told: as for `due`.
    """
    if notification.reason is not Why.RESOLVED:
        return Turn.SEND
    opened = openings(notification, told)
    if Delivery.DUE in opened:
        return Turn.WAIT
    return Turn.SEND if Delivery.DELIVERED in opened else Turn.DROP


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel took it."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Retry:
    """It failed, and is tried again at `at`."""

    at: datetime
    error: ChannelError


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It failed and is not tried again. A fallback, if any, takes over: see `handed_over`."""

    error: ChannelError


Attempted = Delivered | Retry | GivenUp


def deliver(
    notification: Notification,
    channel: Channel,
    message: Message,
    *,
    tries: int,
    now: datetime,
    random: Random,
) -> Attempted:
    """Sends the message once. tries: earlier failures of this notification. Never raises.

    A second sending after a crash carries the same key; services that know keys then show it once.
    """
    try:
        return Delivered(channel.send(message))
    except ChannelError as exc:
        error = exc
    except Exception as exc:  # the boundary: a fault in one channel must not stop the others
        # The text of an unforeseen error may carry an address or a password; its class does not.
        error = ChannelError(
            Failure.UNEXPECTED, f"channel {channel.name} failed: {type(exc).__name__}", retryable=True
        )
    return later_or_never(notification, error, tries, now, random)


def later_or_never(
    notification: Notification, error: ChannelError, tries: int, now: datetime, random: Random
) -> Retry | GivenUp:
    """What a failed sending comes to. tries: earlier failures of this notification."""
    if not error.retryable:
        return GivenUp(error)
    backoff = PATIENT if notification.fallback is None else BRISK
    at = backoff.next_try_at(tries + 1, notification.created_at, now, random, error.retry_after_s)
    return GivenUp(error) if at is None else Retry(at, error)
