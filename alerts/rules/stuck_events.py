"""stuck_events: acknowledged, and never worked on to an end. The sender was told 2xx and will not come again,
so nobody but us can know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, no_data
from alerts.rules.parameter import DAY_S, seconds
from alerts.wording import moment, number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    older_than = timedelta(seconds=rule.params["older_than_s"])
    stuck = seen.stuck(target, older_than, rule.window)
    if stuck.acknowledged < max(1, rule.min_sample):
        said = f"{number(stuck.acknowledged)} events of {target.place()} acknowledged in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said, sample=stuck.acknowledged))]
    since = "" if stuck.oldest_at is None else f", the oldest since {moment(stuck.oldest_at)}"
    evidence = Evidence(
        f"{number(stuck.count)} of {number(stuck.acknowledged)} acknowledged events of {target.place()} have "
        f"not ended within {span(older_than)} (threshold {number(rule.threshold)}){since}",
        value=stuck.count,
        threshold=rule.threshold,
        unit="events",
        window_start_at=stuck.oldest_at or now - rule.window,
        window_end_at=now,
        sample=stuck.acknowledged,
        exemplars=tuple(stuck.exemplars),
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="stuck_events",
    about="More acknowledged events than the threshold have not ended in the time that they are given.",
    unit="events",
    defaults=Rule(
        name="stuck_events",
        kind="stuck_events",
        severity=Severity.ERROR,
        threshold=0,
        window=timedelta(days=1),
        for_=timedelta(minutes=1),
        params={"older_than_s": 900},
    ),
    evaluate=evaluate,
    reach=Reach.SOUGHT,
    retold=False,
    parameters={
        "older_than_s": seconds(
            "how long an acknowledged event may take, its retries included", most=30 * DAY_S
        )
    },
)
