"""ack_deadline: too many deliveries are answered close to the moment at which their sender gives up waiting.

Beyond it the sender takes the delivery for lost and sends it again, however well it was worked on. Each
source has its own deadline; the rule warns at a part of it, so that there is time to do something.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, Reach, above, evidence_of, no_data, observed_window
from alerts.rules.parameter import quantile, share
from alerts.wording import number, percent, seconds, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    least, times = max(1, rule.min_sample), window.ack_ms
    deadline_ms = seen.terms(target).ack_deadline / timedelta(milliseconds=1)
    warned_ms, q = rule.params["deadline_share"] * deadline_ms, rule.params["quantile"]
    value = times.quantile(q) if window.deliveries >= least else None
    if value is None or times.count < least:
        arrived = f"{number(window.deliveries)} deliveries to {target.place()}"
        said = f"{arrived} in {span(rule.window)}, too few timed"
        return [no_data(rule, target, Evidence(said, sample=window.deliveries))]
    late = times.share_above(warned_ms)
    worked_ms = window.process_ms.quantile(q) if late > rule.threshold else None
    handler = "" if worked_ms is None else f", that of the handler {seconds(worked_ms)}"
    summary = (
        f"{percent(late)} of deliveries to {target.place()} were answered later than {seconds(warned_ms)} in "
        f"{span(rule.window)} (threshold {percent(rule.threshold)}); the sender waits "
        f"{seconds(deadline_ms)}, which {percent(times.share_above(deadline_ms))} missed; "
        f"p{q * 100:g} is {seconds(value)}{handler}"
    )
    evidence = evidence_of(
        rule,
        window,
        summary,
        value=late,
        unit="share",
        sample=times.count,
        top_errors=(),
        exemplars=window.slow_exemplars,
    )
    return [above(rule, target, evidence)]


KIND = Kind(
    name="ack_deadline",
    about="Too large a share of deliveries was answered later than 80 % of the source's deadline.",
    unit="share",
    defaults=Rule(
        name="ack_deadline",
        kind="ack_deadline",
        severity=Severity.ERROR,
        threshold=0.05,
        clear_threshold=0.03,
        window=timedelta(minutes=15),
        for_=timedelta(minutes=1),
        keep_firing_for=timedelta(minutes=2),
        min_sample=20,
        params={"deadline_share": 0.8, "quantile": 0.95},
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    parameters={
        "deadline_share": share(
            "the part of the source's deadline beyond which an answer is late", least=0.01
        ),
        "quantile": quantile("which quantile the sentence names"),
    },
)
