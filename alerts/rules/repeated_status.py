"""repeated_status: the same 4xx again and again. Few enough to be no alarm, and too many to be an accident: a
ticket, never a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.model import ErrorCount, Evaluation, Evidence, Observations, Rule, Severity, Target, Window
from alerts.rules.kind import Kind, Reach, above, no_data, observed_window
from alerts.wording import number, span


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    window = observed_window(rule, target, seen, now)
    if not window.deliveries:
        said = f"No delivery to {target.place()} was answered in {span(rule.window)}"
        return [no_data(rule, target, Evidence(said))]
    refused = Counter({s: n for s, n in _refused(window).items() if 400 <= s < 500 and n > 0})
    if not refused:
        said = f"No delivery to {target.place()} was answered 4xx in {span(rule.window)}"
        return [above(rule, target, _evidence(rule, window, said, 0, ()))]
    return [_judged(rule, target, seen, window, status, n) for status, n in sorted(refused.items())]


def _refused(window: Window) -> Counter[int]:
    """By status, without what did not verify: that has a rule of its own, and is answered 401 or 403."""
    left, found = window.unverified, Counter(window.refusals)
    for status in (401, 403):
        taken = min(left, found[status])
        found[status] -= taken
        left -= taken
    return found + Counter(window.answers)


def _judged(
    rule: Rule, target: Target, seen: Observations, window: Window, status: int, times: int
) -> Evaluation:
    reasons: Counter[str] = Counter()
    if times > rule.threshold and window.refusals.get(status):
        looked_at = seen.refused(target, window.start_at, window.end_at)
        reasons.update(one.reason for one in looked_at if one.reason)
    why = f", mostly {reasons.most_common(1)[0][0]}" if reasons else ""
    said = (
        f"{target.place()} answered {status} to {number(times)} of {number(window.deliveries)} deliveries in "
        f"{span(rule.window)}{why} "
        f"(threshold {number(rule.threshold)})"
    )
    errors = tuple(ErrorCount(name, n) for name, n in reasons.most_common())
    evidence = _evidence(rule, window, said, times, errors)
    return above(rule, target, evidence, more_labels={"status": str(status)})


def _evidence(rule: Rule, window: Window, said: str, times: int, errors: tuple[ErrorCount, ...]) -> Evidence:
    return Evidence(
        said,
        value=float(times),
        threshold=rule.threshold,
        unit="events",
        window_start_at=window.start_at,
        window_end_at=window.end_at,
        sample=window.deliveries,
        top_errors=errors,
    )


KIND = Kind(
    name="repeated_status",
    about="The same 4xx status was answered more often within the window than the threshold allows.",
    unit="events",
    defaults=Rule(
        name="repeated_status",
        kind="repeated_status",
        severity=Severity.WARNING,
        threshold=20,
        window=timedelta(hours=1),
        interval=timedelta(minutes=1),
    ),
    evaluate=evaluate,
    reach=Reach.COUNTED,
    ticket=True,
)
