"""new_issue: failures of a kind that was not there before, or that was over. A ticket, never a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.issues import Issue, IssueState
from alerts.model import ErrorCount, Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, no_data
from alerts.wording import moment, number, span

SAID_CHARS = 80


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    fresh = seen.issues(target, now - rule.window)
    if not fresh:
        return [no_data(rule, target, Evidence(f"No new issue at {target.place()} in {span(rule.window)}"))]
    return [_found(rule, target, issue, now) for issue in fresh]


def _found(rule: Rule, target: Target, issue: Issue, now: datetime) -> Evaluation:
    kin = issue.kin
    came_back = issue.state(now) is IssueState.REGRESSED
    since = moment(issue.regressed_at if issue.regressed_at is not None else issue.first_seen_at)
    what = f"{kin.error_class or 'a failure'} of {kin.event_type} at {target.place()}"
    said = f": {_short(kin.message)}" if kin.message else ""
    begun = f"is back since {since}" if came_back else f"was first seen {since}"
    times = "once" if issue.failures == 1 else f"{number(issue.failures)} times"
    evidence = Evidence(
        f"{what} {begun}, {times} so far{said}",
        value=float(issue.failures),
        threshold=rule.threshold,
        unit="failures",
        window_start_at=now - rule.window,
        window_end_at=now,
        sample=issue.failures,
        top_errors=(ErrorCount(kin.error_class or "no class", issue.failures),),
        exemplars=(issue.record_id,),
    )
    return above(rule, target, evidence, more_labels={"issue": kin.id[:12], "event_type": kin.event_type})


def _short(message: str) -> str:
    return message if len(message) <= SAID_CHARS else message[: SAID_CHARS - 1] + "…"


KIND = Kind(
    name="new_issue",
    about="Failures of a new kind, or of one that had been resolved, came more often than the threshold.",
    unit="failures",
    defaults=Rule(
        name="new_issue",
        kind="new_issue",
        severity=Severity.WARNING,
        threshold=0,
        window=timedelta(hours=24),
        interval=timedelta(minutes=1),
    ),
    evaluate=evaluate,
    reach=Reach.SOUGHT,
    retold=False,
    ticket=True,
)
