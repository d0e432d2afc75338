"""client_drops: receivers gave up records, or made some of which nobody knows what became. What is missing
there is missing in every figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.house import Instance
from alerts.model import ErrorCount, Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, no_data
from alerts.wording import counted, number, span

GAP = "unaccounted for"
"""Of records that were made, and neither stored nor waiting nor dropped."""


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    heard = [one for one in seen.house().instances if now - one.seen_at <= rule.window]
    if not heard:
        return [no_data(rule, target, Evidence(f"The monitor heard of no receiver in {span(rule.window)}"))]
    lost = {one.name: _lost(one, now - rule.window) for one in heard}
    reasons = sum(lost.values(), Counter[str]())
    total = reasons.total()
    worst = max(lost, key=lambda name: lost[name].total())
    evidence = Evidence(
        _sentence(rule, reasons, worst, sum(map(bool, lost.values())))
        if total
        else f"The monitor has every record of {counted(len(heard), 'process')} that reported",
        value=float(total),
        threshold=rule.threshold,
        unit="events",
        window_start_at=now - rule.window,
        window_end_at=now,
        sample=len(heard),
        top_errors=tuple(ErrorCount(name, n) for name, n in reasons.most_common()),
    )
    return [above(rule, target, evidence)]


def _lost(one: Instance, since: datetime) -> Counter[str]:
    """By reason. What was dropped is over once nothing more is; a gap is not."""
    growing = one.dropped_at is not None and one.dropped_at > since
    lost = Counter({reason: n for reason, n in one.dropped.items() if growing and n})
    if one.missing > 0:
        lost[GAP] = one.missing
    return lost


def _sentence(rule: Rule, reasons: Counter[str], worst: str, places: int) -> str:
    why = ", ".join(f"{number(n)} {name}" for name, n in reasons.most_common(3))
    more = f" and {number(places - 1)} more" if places > 1 else ""
    return (
        f"The monitor misses {counted(reasons.total(), 'record')} of {worst[:60]}{more} (threshold "
        f"{number(rule.threshold)}), counted from the start of the process: {why}"
    )


KIND = Kind(
    name="client_drops",
    about="Receivers go on dropping records, or made some that were neither stored nor dropped nor kept.",
    unit="events",
    defaults=Rule(
        name="client_drops",
        kind="client_drops",
        severity=Severity.ERROR,
        threshold=0,
        for_=timedelta(minutes=2),
        interval=timedelta(minutes=1),
    ),
    evaluate=evaluate,
    reach=Reach.SOUGHT,
    on_monitor=True,
    retold=False,
)
