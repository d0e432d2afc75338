"""drift: something is seen at an endpoint that never was, or what the receiver expects no longer comes.

A provider changes its types and addresses without a word. A ticket, never a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, no_data
from alerts.sightings import Aspect, Sighting
from alerts.wording import moment, number, span

SAID_CHARS = 80
MOST = 20
"""Tickets of one endpoint at once."""


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    known = seen.sightings(target)
    begun_at = min((one.first_at for one in known), default=now)
    learned_at = begun_at + timedelta(days=rule.params["learning_days"])
    if now < learned_at:
        return [no_data(rule, target, Evidence(f"What is usual at {target.place()} is still being learnt"))]
    fresh = [one for one in known if one.first_at > max(learned_at, now - rule.window)]
    fresh = [one for one in fresh if one.aspect is not Aspect.SECRET and not _is_pool(rule, one, known)]
    silence = timedelta(days=rule.params["silent_days"])
    silent = _silent(target, seen, now - silence)
    if not fresh and not silent:
        said = f"Nothing new at {target.place()} in {span(rule.window)}"
        return [above(rule, target, _evidence(rule, now, said, 0))]
    newest = sorted(fresh, key=lambda one: one.first_at, reverse=True)[:MOST]
    return [
        *(_new(rule, target, one, now) for one in newest),
        *(_stopped(rule, target, name, last_at, silence, now) for name, last_at in silent[:MOST]),
    ]


def _is_pool(rule: Rule, one: Sighting, known: Sequence[Sighting]) -> bool:
    """Whether its sender comes from so many addresses that another one means nothing."""
    addresses = sum(other.aspect is Aspect.ADDRESS for other in known)
    return one.aspect is Aspect.ADDRESS and addresses > rule.params["most_addresses"]


def _silent(target: Target, seen: Observations, since: datetime) -> list[tuple[str, datetime | None]]:
    """Expected types that did not come since then, each with when it last did."""
    expected = sorted(seen.declared(target).expected)
    last = [(name, seen.last_event_at(replace(target, event_type=name))) for name in expected]
    return [(name, at) for name, at in last if at is None or at < since]


def _new(rule: Rule, target: Target, one: Sighting, now: datetime) -> Evaluation:
    said = (
        f"New {one.aspect.value} at {target.place()}: {_short(one.value)}, first seen {moment(one.first_at)}"
    )
    evidence = _evidence(rule, now, said, 1, (one.sample,))
    return above(rule, target, evidence, more_labels={"drift": one.aspect.value, "value": _short(one.value)})


def _stopped(
    rule: Rule, target: Target, name: str, last_at: datetime | None, silence: timedelta, now: datetime
) -> Evaluation:
    since = "it never did" if last_at is None else f"the last came {moment(last_at)}"
    said = f"{target.place()} expects {_short(name)}, and none came in {number(silence.days)} d; {since}"
    labels = {"drift": "expected type", "value": _short(name)}
    return above(rule, target, _evidence(rule, now, said, 1), more_labels=labels)


def _evidence(
    rule: Rule, now: datetime, said: str, value: float, exemplars: tuple[str, ...] = ()
) -> Evidence:
    return Evidence(
        said,
        value=value,
        threshold=rule.threshold,
        unit="events",
        window_start_at=now - rule.window,
        window_end_at=now,
        sample=1,
        exemplars=exemplars,
    )


def _short(text: str) -> str:
    return text if len(text) <= SAID_CHARS else text[: SAID_CHARS - 1] + "…"


KIND = Kind(
    name="drift",
    about="A type or an address was seen that never was before, or an expected type no longer comes.",
    unit="events",
    defaults=Rule(
        name="drift",
        kind="drift",
        severity=Severity.WARNING,
        threshold=0,
        window=timedelta(hours=24),
        interval=timedelta(minutes=1),
        params={"learning_days": 7, "silent_days": 7, "most_addresses": 20},
    ),
    evaluate=evaluate,
    parameters={
        "learning_days": "so long after an endpoint's first record nothing counts as new, in days",
        "silent_days": "an expected type that did not come for so long has stopped, in days",
        "most_addresses": "of a sender with more addresses than this, a new one is no news",
    },
    ticket=True,
    retold=False,
)
