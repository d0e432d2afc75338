"""secret_rotation: a signing secret is in use for long, is no longer needed, or is still needed although a
newer one came. A ticket, never a page. Secrets are named by the short keyed hash in the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, no_data
from alerts.rules.parameter import days
from alerts.sightings import Aspect, Sighting
from alerts.wording import moment, number, span

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """said: of one secret. value, limit: in days."""

    secret: str
    what: str
    said: str
    value: float
    limit: float


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    secrets = [one for one in seen.sightings(target) if one.aspect is Aspect.SECRET]
    if not secrets:
        return [no_data(rule, target, Evidence(f"No secret of {target.place()} has verified anything yet"))]
    horizon = seen.terms(target).retry_horizon
    newest = max(secrets, key=lambda one: one.first_at)
    old = [_of_old(rule, one, newest, horizon, now) for one in secrets if one is not newest]
    found = [_of_newest(rule, newest, now), *(one for one in old if one is not None)]
    return [_judged(rule, target, one, now) for one in found]


def _of_newest(rule: Rule, one: Sighting, now: datetime) -> Finding:
    age = now - one.first_at
    said = f"secret {one.value} is in use for {number(age.days)} d, since {moment(one.first_at)}"
    return Finding(one.value, "age", said, age / DAY, rule.threshold)


def _of_old(rule: Rule, one: Sighting, newest: Sighting, horizon: timedelta, now: datetime) -> Finding | None:
    unused = now - one.last_at
    if unused > horizon:
        if unused > horizon + timedelta(days=rule.params["told_days"]):
            return None  # told of long ago, and removed or left
        said = (
            f"secret {one.value} is safe to remove: unused for {span(unused)}, longer than events are sent "
            f"again, while {newest.value} verifies"
        )
        return Finding(one.value, "unused", said, unused / DAY, horizon / DAY)
    overlap, limit = now - newest.first_at, rule.params["overlap_days"]
    said = (
        f"old secret {one.value} is still in use, {number(overlap.days)} d after {newest.value} came "
        f"(at most {number(limit)} d)"
    )
    return Finding(one.value, "overlap", said, overlap / DAY, limit)


def _judged(rule: Rule, target: Target, finding: Finding, now: datetime) -> Evaluation:
    evidence = Evidence(
        f"{target.place()}: {finding.said}",
        value=finding.value,
        threshold=finding.limit,
        unit="days",
        window_start_at=now - finding.value * DAY,
        window_end_at=now,
        sample=1,
    )
    return above(rule, target, evidence, more_labels={"secret": finding.secret, "rotation": finding.what})


KIND = Kind(
    name="secret_rotation",
    about="A secret is in use for more than threshold days, is safe to remove, or outstays the next one.",
    unit="days",
    defaults=Rule(
        name="secret_rotation",
        kind="secret_rotation",
        severity=Severity.WARNING,
        threshold=90,
        interval=timedelta(minutes=5),
        params={"overlap_days": 30, "told_days": 30},
    ),
    evaluate=evaluate,
    parameters={
        "overlap_days": days("an old secret must be out of use so long after the new one came"),
        "told_days": days("for so long an unused secret is said to be safe to remove; 0: is not"),
    },
    ticket=True,
    retold=False,
)
