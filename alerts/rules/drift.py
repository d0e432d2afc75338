"""drift: something is seen at an endpoint that never was, or what the receiver expects no longer comes.

A provider changes its types and addresses without a word. A ticket, never a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, no_data
from alerts.rules.parameter import count, days
from alerts.sightings import SHAPES, Aspect, Sighting
from alerts.wording import moment, number, span

SAID_CHARS = 80
MOST = 20
"""Tickets of one endpoint at once, of each sort; one more says how many are left out."""


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    known = seen.sightings(target)
    learned_at = _learned_at(rule, known)
    if all(at > now for at in learned_at.values()):
        return [no_data(rule, target, Evidence(f"What is usual at {target.place()} is still being learnt"))]
    fresh = [
        one
        for one in known
        if one.aspect is not Aspect.SECRET
        and one.first_at > max(learned_at[one.aspect], now - rule.window)
        and not _is_pool(rule, one, known)
    ]
    silence = timedelta(days=rule.params["silent_days"])
    is_learnt = learned_at.get(Aspect.TYPE, now) < now
    silent = _silent(target, seen, now - silence) if is_learnt else []
    unused = _unused(rule, target, seen, known, now)
    if not fresh and not silent and not unused:
        said = f"Nothing new at {target.place()} in {span(rule.window)}"
        return [above(rule, target, _evidence(rule, now, said, 0))]
    types_first = sorted(fresh, key=lambda one: (one.aspect is Aspect.TYPE, one.first_at), reverse=True)
    left_out = sum(max(0, len(found) - MOST) for found in (fresh, silent, unused))
    return [
        *(_new(rule, target, one, now) for one in types_first[:MOST]),
        *(_stopped(rule, target, name, last_at, silence, now) for name, last_at in silent[:MOST]),
        *(_never_came(rule, target, name, now) for name in unused[:MOST]),
        *([_more(rule, target, left_out, now)] if left_out else []),
    ]


def _learned_at(rule: Rule, known: Sequence[Sighting]) -> Mapping[Aspect, datetime]:
    """From when on a value of each aspect is new: receivers may begin to tell of one long after another."""
    learning = timedelta(days=rule.params["learning_days"])
    aspects = {one.aspect for one in known}
    return {each: min(one.first_at for one in known if one.aspect is each) + learning for each in aspects}


def _is_pool(rule: Rule, one: Sighting, known: Sequence[Sighting]) -> bool:
    """Whether its sender comes from so many addresses that another one means nothing."""
    addresses = sum(other.aspect is Aspect.ADDRESS for other in known)
    return one.aspect is Aspect.ADDRESS and addresses > rule.params["most_addresses"]


def _silent(target: Target, seen: Observations, since: datetime) -> list[tuple[str, datetime | None]]:
    """Expected types that did not come since then, each with when it last did."""
    expected = sorted(seen.declared(target).expected)
    last = [(name, seen.last_event_at(replace(target, event_type=name))) for name in expected]
    return [(name, at) for name, at in last if at is None or at < since]


def _unused(
    rule: Rule, target: Target, seen: Observations, known: Sequence[Sighting], now: datetime
) -> list[str]:
    """Types that are handled by name and never came, though the endpoint has been used for long enough."""
    days = rule.params["handled_days"]
    begun_at = min((one.first_at for one in known if one.aspect is Aspect.TYPE), default=now)
    if not days or now - begun_at < timedelta(days=days):
        return []
    said = seen.declared(target)
    names = sorted(name for name in said.handled - said.expected if "*" not in name)
    return [name for name in names if seen.last_event_at(replace(target, event_type=name)) is None]


def _new(rule: Rule, target: Target, one: Sighting, now: datetime) -> Evaluation:
    place, name = target.place(), one.aspect.value.replace("_", " ")
    said = f"New {name} at {place}: {_short(one.value)}, first seen {moment(one.first_at)}"
    exemplars = (one.sample,) if one.sample and one.aspect not in SHAPES else ()
    if one.aspect in SHAPES:
        said += f", event {_short(one.sample)}"
    evidence = _evidence(rule, now, said, 1, exemplars)
    return above(rule, target, evidence, more_labels={"drift": name, "value": _short(one.value)})


def _stopped(
    rule: Rule, target: Target, name: str, last_at: datetime | None, silence: timedelta, now: datetime
) -> Evaluation:
    since = "it never did" if last_at is None else f"the last came {moment(last_at)}"
    said = f"{target.place()} expects {_short(name)}, and none came in {span(silence)}; {since}"
    labels = {"drift": "expected type", "value": _short(name)}
    return above(rule, target, _evidence(rule, now, said, 1), more_labels=labels)


def _never_came(rule: Rule, target: Target, name: str, now: datetime) -> Evaluation:
    days = number(rule.params["handled_days"])
    said = f"{target.place()} handles {_short(name)}, and none ever came in {days} d"
    labels = {"drift": "handled type", "value": _short(name)}
    return above(rule, target, _evidence(rule, now, said, 1), more_labels=labels)


def _more(rule: Rule, target: Target, count: int, now: datetime) -> Evaluation:
    said = f"{number(count)} more changes at {target.place()} have no ticket of their own: see its page"
    return above(rule, target, _evidence(rule, now, said, count), more_labels={"drift": "more"})


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
    about="A type, address, field or version was never seen before, or an expected type no longer comes.",
    unit="events",
    defaults=Rule(
        name="drift",
        kind="drift",
        severity=Severity.WARNING,
        threshold=0,
        window=timedelta(hours=24),
        interval=timedelta(minutes=1),
        params={"learning_days": 7, "silent_days": 7, "handled_days": 30, "most_addresses": 20},
    ),
    evaluate=evaluate,
    reach=Reach.SOUGHT,
    parameters={
        "learning_days": days("so long after the first of its kind nothing counts as new"),
        "silent_days": days("an expected type that did not come for so long has stopped", least=0.1),
        "handled_days": days("a type handled by name that never came in so long is told of; 0: is not"),
        "most_addresses": count(
            "of a sender with more addresses than this, a new one is no news; 0: none ever is", off=True
        ),
    },
    ticket=True,
    retold=False,
)
