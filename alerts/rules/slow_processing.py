"""slow_processing: handlers take too long, or far longer than is usual at this hour of the week. It judges a
quantile, since a mean hides the slow ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target, Window
from alerts.rules.evident import is_evident
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.rules.parameter import milliseconds, quantile
from alerts.rules.usual import Usual, parameters, usual
from alerts.wording import number, percent, seconds, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    least, q = max(1, rule.min_sample), rule.params["quantile"]
    times = window.process_ms
    # where there are too few attempts there are too few times: then none need be read
    value = times.quantile(q) if window.attempts >= least else None
    if value is None or times.count < least:
        said = f"{number(window.attempts)} attempts at {target.place()} in {span(rule.window)}, too few timed"
        return [no_data(rule, target, Evidence(said, sample=window.attempts))]

    def quantile(past: Window) -> tuple[float | None, int]:
        return past.process_ms.quantile(q), past.process_ms.count

    worth_asking = value > min(rule.threshold, rule.params["usual_floor"])
    known = usual(rule, target, seen, now, quantile) if worth_asking else Usual()
    limit = rule.threshold
    if known.limit is not None and value <= limit:
        slow = round(times.share_above(known.limit) * times.count)
        limit = known.limit if is_evident(slow, times.count, 1 - q) else limit
    normally = "" if known.value is None else f", normally {seconds(known.value)}"
    summary = (
        f"p{q * 100:g} processing time of {target.place()} was {seconds(value)} in "
        f"{span(rule.window)}{normally} (threshold {seconds(limit)}); "
        f"{percent(times.share_above(limit))} of {number(times.count)} attempts took longer than that"
    )
    evidence = evidence_of(
        rule,
        window,
        summary,
        value=value,
        unit="ms",
        sample=times.count,
        exemplars=window.slow_exemplars,
        limit=limit,
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="slow_processing",
    about="A quantile of the processing time, as shipped the 95th percentile, is above the threshold.",
    unit="ms",
    defaults=Rule(
        name="slow_processing",
        kind="slow_processing",
        severity=Severity.WARNING,
        threshold=5000,
        clear_threshold=4500,
        window=timedelta(minutes=15),
        for_=timedelta(minutes=1),
        keep_firing_for=timedelta(minutes=2),
        min_sample=20,
        params={
            "quantile": 0.95,
            "usual_factor": 5,
            "usual_floor": 1000,
            "usual_weeks": 4,
            "usual_sample": 100,
        },
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    parameters={
        "quantile": quantile("which quantile is judged"),
        **parameters(milliseconds("but never below this")),
    },
)
