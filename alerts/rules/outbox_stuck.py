"""outbox_stuck: messages wait for a channel longer than they should. Told by another channel, where there is
one: its own is the one that does not work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.house import Backlog
from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.recipients import split_name
from alerts.rules.kind import Kind, above, no_data
from alerts.wording import counted, moment, span

CHANNEL = "channel"
"""The label that names the channel an alert is about."""


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    backlogs = seen.house().backlogs
    if not backlogs:
        return [no_data(rule, target, Evidence("The monitor has nothing to tell that waits"))]
    return [_judged(rule, target, backlog, now) for backlog in backlogs]


def _judged(rule: Rule, target: Target, backlog: Backlog, now: datetime) -> Evaluation:
    waited = max(now - backlog.since, timedelta(0))
    limit = timedelta(seconds=rule.threshold)
    many = f"{counted(backlog.count, 'message')} wait{'s' if backlog.count == 1 else ''}"
    evidence = Evidence(
        f"The monitor cannot tell {backlog.channel}: {many}, the oldest for {span(waited)} "
        f"(threshold {span(limit)}), since {moment(backlog.since)}",
        value=waited.total_seconds(),
        threshold=rule.threshold,
        unit="s",
        window_start_at=min(backlog.since, now),
        window_end_at=now,
        sample=backlog.count,
    )
    _, recipient = split_name(backlog.channel)
    # Of several recipients the others were told: that is for office hours.
    severity = min(rule.severity, Severity.WARNING, key=lambda one: one.rank) if recipient else None
    return above(rule, target, evidence, severity=severity, more_labels={CHANNEL: backlog.channel})


KIND = Kind(
    name="outbox_stuck",
    about="A message waits for its channel longer than the threshold; another channel is told.",
    unit="s",
    defaults=Rule(
        name="outbox_stuck",
        kind="outbox_stuck",
        severity=Severity.CRITICAL,
        threshold=600,
        interval=timedelta(seconds=30),
    ),
    evaluate=evaluate,
    least=30,
    on_monitor=True,
    retold=False,
)
