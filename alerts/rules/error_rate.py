"""error_rate: too large a share of a target's attempts failed, or far more than is usual at this hour of the
week. Replays and canaries do not count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target, Window
from alerts.rules.budget import burn_rate, time_left
from alerts.rules.event_types import by_type, mostly, worst_type
from alerts.rules.evident import is_evident
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.rules.parameter import share
from alerts.rules.usual import Usual, parameters, usual
from alerts.wording import number, percent, span

LEAST_OF_A_TYPE = 10
"""With fewer failures no single type is looked at: enough for a type that is out, rare enough to cost
nothing."""


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    attempts, failures = window.attempts, window.failures
    if attempts < max(1, rule.min_sample):
        said = f"{number(attempts)} attempts at {target.place()} in {span(rule.window)}, too few to judge"
        return [no_data(rule, target, Evidence(said, sample=attempts))]
    rate = failures / attempts
    worth_asking = rate > min(rule.threshold, rule.params["usual_floor"])
    known = usual(rule, target, seen, now, _rate) if worth_asking else Usual()
    limit = rule.threshold
    if known.limit is not None and rate <= limit and is_evident(failures, attempts, known.limit):
        limit = known.limit
    normally = "" if known.value is None else f", normally {percent(known.value)}"
    types = by_type(seen, target, window) if rate > limit or failures >= LEAST_OF_A_TYPE else ()
    worst = worst_type(types, rule.min_sample)
    if rate <= limit and worst is not None and _is_out(rule, worst):
        return [_of_type(rule, target, worst)]
    summary = (
        f"{percent(rate)} of {target.place()} failed in {span(rule.window)}{normally} "
        f"(threshold {percent(limit)}), {number(failures)} of {number(attempts)} attempts"
    )
    if rate > limit:
        summary += mostly(types, window) + _budget(target, seen, window, now)
    evidence = evidence_of(rule, window, summary, value=rate, unit="share", sample=attempts, limit=limit)
    return [above(rule, target, evidence)]


def _is_out(rule: Rule, one: Window) -> bool:
    return 0 < rule.params["type_share"] < one.failures / one.attempts


def _of_type(rule: Rule, target: Target, worst: Window) -> Evaluation:
    """One type is out. It is the endpoint's alert: it ends where the endpoint is well again."""
    rate, limit = worst.failures / worst.attempts, rule.params["type_share"]
    summary = (
        f"{percent(rate)} of {worst.target.place()} failed in {span(rule.window)} "
        f"(threshold {percent(limit)} of one type), {number(worst.failures)} of {number(worst.attempts)} "
        "attempts"
    )
    evidence = evidence_of(rule, worst, summary, value=rate, unit="share", sample=worst.attempts, limit=limit)
    return above(rule, target, evidence)


def _budget(target: Target, seen: Observations, window: Window, now: datetime) -> str:
    """What that means for the target's SLO, where it has one and events were lost."""
    objective = seen.terms(target).objective
    if objective is None or not window.dead_lettered:
        return ""
    return f"; {time_left(seen, target, now, burn_rate(window, objective))}"


def _rate(window: Window) -> tuple[float | None, int]:
    return (window.failures / window.attempts if window.attempts else None), window.attempts


KIND = Kind(
    name="error_rate",
    about="The share of attempts that failed within the window is above the threshold.",
    unit="share",
    defaults=Rule(
        name="error_rate",
        kind="error_rate",
        severity=Severity.ERROR,
        threshold=0.05,
        clear_threshold=0.04,
        window=timedelta(minutes=15),
        for_=timedelta(minutes=1),
        keep_firing_for=timedelta(minutes=2),
        min_sample=20,
        params={
            "type_share": 0.5,
            "usual_factor": 5,
            "usual_floor": 0.01,
            "usual_weeks": 4,
            "usual_sample": 100,
        },
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    parameters={
        "type_share": share("also fires where so large a share of one event type failed; 0: does not"),
        **parameters(share("but never below this share")),
    },
)
