"""clock_skew: a receiver's process tells another time than the collector. Its signatures will be too old or
in the future soon, and its records stand in the wrong minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.house import ZERO, Instance
from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, no_data
from alerts.wording import counted, number, span

NAMED = 3


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    told = [
        one for one in seen.house().instances if one.skew is not None and now - one.seen_at <= rule.window
    ]
    if not told:
        said = f"The monitor heard the time of no receiver in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said))]
    limit = timedelta(seconds=rule.threshold)
    worst = sorted(told, key=_off, reverse=True)
    off = [one for one in worst if _off(one) > limit]
    said = f"The monitor's clock and those of {counted(len(told), 'receiver')} are within {span(limit)}"
    evidence = Evidence(
        _sentence(off, limit) if off else said,
        value=_off(worst[0]).total_seconds(),
        threshold=rule.threshold,
        unit="s",
        window_start_at=now - rule.window,
        window_end_at=now,
        sample=len(told),
    )
    return [above(rule, target, evidence)]


def _off(one: Instance) -> timedelta:
    return abs(one.skew or ZERO)


def _sentence(off: Sequence[Instance], limit: timedelta) -> str:
    named = ", ".join(f"{one.name[:40]} is {_way(one)}" for one in off[:NAMED])
    more = f" and {number(len(off) - NAMED)} more" if len(off) > NAMED else ""
    return f"The monitor's clock is not that of its receivers: {named}{more} (threshold {span(limit)})"


def _way(one: Instance) -> str:
    return f"{span(_off(one))} {'ahead' if (one.skew or ZERO) > ZERO else 'behind'}"


KIND = Kind(
    name="clock_skew",
    about="The clock of a receiver's process is off by more than the threshold.",
    unit="s",
    defaults=Rule(
        name="clock_skew",
        kind="clock_skew",
        severity=Severity.WARNING,
        threshold=30,
        for_=timedelta(minutes=2),
        interval=timedelta(minutes=1),
    ),
    evaluate=evaluate,
    reach=Reach.FRESH,
    least=1,
    on_monitor=True,
    retold=False,
)
