"""secret_rotation: a signing secret is in use for long, is no longer needed, or is still needed although a
newer one came, or after the day on which it was to be gone. A ticket, never a page. Secrets are named by the
short keyed hash in the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from alerts.model import ZERO, Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, no_data
from alerts.rules.parameter import days
from alerts.sightings import Aspect, Sighting
from alerts.wording import moment, number, span

DAY, MOMENT = timedelta(days=1), timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """said: of one secret. value, limit: in days. severity: None for the rule's own."""

    secret: str
    what: str
    said: str
    value: float
    limit: float
    severity: Severity | None = None


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    secrets = [one for one in seen.sightings(target) if one.aspect is Aspect.SECRET]
    if not secrets:
        return [no_data(rule, target, Evidence(f"No secret of {target.place()} has verified anything yet"))]
    terms = seen.terms(target)
    newest = max(secrets, key=lambda one: one.first_at)
    found: list[Finding | None] = [_of_newest(rule, newest, now)]
    for one in secrets:
        last_day = terms.remove_after.get(one.value)
        if last_day is not None and now >= _end_of(last_day):
            found.append(_outlived(one, last_day, terms.retry_horizon, now))
        elif last_day is not None and one is not newest:
            found.append(_of_dated(rule, one, newest, last_day, terms.retry_horizon, now))
        elif one is not newest:
            found.append(_of_old(rule, one, newest, terms.retry_horizon, now))
    return [_judged(rule, target, one, now) for one in found if one is not None]


def _of_newest(rule: Rule, one: Sighting, now: datetime) -> Finding:
    age = now - one.first_at
    said = (
        f"secret {one.value} is in use for {number(age.days)} d (at most {number(rule.threshold)} d), "
        f"since {moment(one.first_at)}"
    )
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


def _of_dated(
    rule: Rule, one: Sighting, newest: Sighting, last_day: date, horizon: timedelta, now: datetime
) -> Finding:
    """Of a secret whose last day is still to come."""
    notice, unused = timedelta(days=rule.params["notice_days"]), now - one.last_at
    quiet = max(notice, horizon)
    if unused > quiet:
        said = (
            f"secret {one.value} is safe to remove before its day, {last_day}: unused for {span(unused)}, "
            f"while {newest.value} verifies"
        )
        return Finding(one.value, "unused", said, unused / DAY, quiet / DAY)
    left = _end_of(last_day) - now
    said = f"old secret {one.value} is still in use, {span(left)} before it is to be gone ({last_day})"
    return Finding(one.value, "overlap", said, max(ZERO, notice - left) / DAY, 0)


def _outlived(one: Sighting, last_day: date, horizon: timedelta, now: datetime) -> Finding | None:
    """Of a secret whose last day is over: None once it is out of use."""
    late = one.last_at - _end_of(last_day)
    if late < ZERO or now - one.last_at > horizon:
        return None
    said = (
        f"secret {one.value} was to be gone after {last_day} and is still in use, the last time "
        f"{moment(one.last_at)}"
    )
    return Finding(one.value, "outlived", said, max(late, MOMENT) / DAY, 0, Severity.ERROR)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time(), UTC)


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
    labels = {"secret": finding.secret, "rotation": finding.what}
    return above(rule, target, evidence, severity=finding.severity, more_labels=labels)


KIND = Kind(
    name="secret_rotation",
    about="A secret is in use for longer than the threshold, is safe to remove, or outstays the next one"
    " or its own last day.",
    unit="days",
    defaults=Rule(
        name="secret_rotation",
        kind="secret_rotation",
        severity=Severity.WARNING,
        threshold=90,
        interval=timedelta(minutes=5),
        params={"overlap_days": 30, "told_days": 30, "notice_days": 7},
    ),
    evaluate=evaluate,
    parameters={
        "overlap_days": days("an old secret must be out of use so long after the new one came"),
        "told_days": days("for so long an unused secret is said to be safe to remove; 0: is not"),
        "notice_days": days("so long before its last day a secret is to be out of use"),
    },
    ticket=True,
    retold=False,
)
