"""processed_twice: an event was worked on to a good end more than once: two refunds, two mails, two bookings.

No rollup can tell, and to look up every success while it is stored would cost ingest a lookup a record. So
some of the newest successes are looked at each time: a receiver that has lost its memory of events is found
at the first look, one event in a thousand within hours. How many of how many were looked at stands in the
sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, no_data, observed_window
from alerts.wording import counted, number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    found = seen.repeats(target, now - rule.window, now)
    if found.looked_at < max(1, rule.min_sample):
        said = f"{number(found.looked_at)} events of {target.place()} succeeded in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said, sample=found.looked_at))]
    successes = max(found.looked_at, observed_window(rule, target, seen, now).succeeded)
    evidence = Evidence(
        f"{target.place()} processed {counted(found.twice, 'event')} to the end twice in {span(rule.window)} "
        f"(threshold {number(rule.threshold)}): {number(found.looked_at)} of its {number(successes)} "
        "successes were looked at",
        value=found.twice,
        threshold=rule.threshold,
        unit="events",
        window_start_at=now - rule.window,
        window_end_at=now,
        sample=found.looked_at,
        exemplars=tuple(found.exemplars),
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="processed_twice",
    about="Of the recent events that were looked at, more than the threshold had succeeded before.",
    unit="events",
    defaults=Rule(
        name="processed_twice",
        kind="processed_twice",
        severity=Severity.ERROR,
        threshold=0,
        window=timedelta(minutes=5),
        interval=timedelta(minutes=5),
        keep_firing_for=timedelta(minutes=30),  # the next looks may miss what goes on
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    retold=False,
)
