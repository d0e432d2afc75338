"""dead_letters: events were given up. The default threshold of 0 tells of the first one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.wording import counted, number, percent, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    if window.attempts < max(1, rule.min_sample):
        said = f"{number(window.attempts)} attempts at {target.place()} in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said, sample=window.attempts))]
    given_up = window.dead_lettered
    summary = (
        f"{counted(given_up, 'event')} of {target.place()} given up in {span(rule.window)} (threshold "
        f"{number(rule.threshold)}), {percent(given_up / window.ended)} of those that ended; "
        f"{'it waits' if given_up == 1 else 'they wait'} to be replayed"
        if given_up
        else f"No event of {target.place()} was given up in {span(rule.window)}"
    )
    evidence = evidence_of(rule, window, summary, value=given_up, unit="events", sample=window.attempts)
    return [above(rule, target, evidence)]


KIND = Kind(
    name="dead_letters",
    about="More events were dead-lettered within the window than the threshold allows.",
    unit="events",
    defaults=Rule(
        name="dead_letters",
        kind="dead_letters",
        severity=Severity.WARNING,
        threshold=0,
        window=timedelta(minutes=15),
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
)
