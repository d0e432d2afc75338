"""What a kind of rule is, and the two verdicts that all kinds share. It knows no kind by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from alerts.model import (
    ErrorCount,
    Evaluation,
    Evidence,
    Observations,
    Rule,
    Severity,
    Target,
    Verdict,
    Window,
)
from alerts.rules.parameter import Parameter

Evaluate = Callable[[Rule, Target, Observations, datetime], Sequence[Evaluation]]


class Reach(Enum):
    """What the window of a kind's rules bounds."""

    COUNTED = auto()
    """What happened in it is counted, by minutes."""
    SOUGHT = auto()
    """What is looked for is no older."""
    FRESH = auto()
    """The latest sample or result, which is not believed when it is older."""
    NONE = auto()
    """Nothing: the kind has times of its own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rule. about: one sentence for docs and forms. unit: of threshold and evidence.

    defaults: the rule as shipped; its name is the kind's, its params are the only ones the kind knows.
    on_monitor: it looks at the monitor itself, so it has no targets. parameters: what each of its params
    means, and its values. least: with a smaller threshold it would never be well. ticket: its alerts are told
    once and their end is not: there is work to plan, and nobody to be called off. retold: what it looks at is
    stored as it was, so that the past can be judged. reach: what its window bounds.
    """

    name: str
    about: str
    unit: str
    defaults: Rule
    evaluate: Evaluate
    on_monitor: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    least: float = 0.0
    ticket: bool = False
    retold: bool = True
    reach: Reach = Reach.NONE

    def counted_over(self, rule: Rule) -> timedelta | None:
        """How long the time is that the rule's threshold is about; None where it is about no time."""
        return rule.window if self.reach in (Reach.COUNTED, Reach.SOUGHT) else None


def observed_window(rule: Rule, target: Target, seen: Observations, now: datetime) -> Window:
    """The target's window that ends now."""
    return seen.window(target, now - rule.window, now)


def evidence_of(
    rule: Rule,
    window: Window,
    summary: str,
    *,
    value: float,
    unit: str,
    sample: int,
    top_errors: Sequence[ErrorCount] | None = None,
    exemplars: Sequence[str] | None = None,
    limit: float | None = None,
) -> Evidence:
    """What a window shows against the rule's threshold; without other errors and exemplars, its failures.

    limit: what the value is held against in place of the threshold. Where the value is well below, nothing
    needs examples, and none are read.
    """
    against = rule.threshold if limit is None else limit
    shown = value > min(against, rule.threshold if rule.clear_threshold is None else rule.clear_threshold)
    return Evidence(
        summary=summary,
        value=value,
        threshold=against,
        unit=unit,
        window_start_at=window.start_at,
        window_end_at=window.end_at,
        sample=sample,
        top_errors=tuple(window.top_errors if top_errors is None else top_errors) if shown else (),
        exemplars=tuple(window.failure_exemplars if exemplars is None else exemplars) if shown else (),
    )


def above(
    rule: Rule,
    target: Target,
    evidence: Evidence,
    *,
    severity: Severity | None = None,
    more_labels: Mapping[str, str] | None = None,
) -> Evaluation:
    """A breach when the evidence's value is greater than its threshold; exactly at the threshold all is
    well."""
    value, threshold = evidence.value or 0.0, evidence.threshold or 0.0
    clear = threshold if rule.clear_threshold is None else min(threshold, rule.clear_threshold)
    return Evaluation(
        rule=rule.name,
        labels=labels_of(rule, target, more_labels),
        verdict=Verdict.BREACH if value > threshold else Verdict.OK,
        severity=severity or rule.severity,
        evidence=evidence,
        cleared=value <= clear,
    )


def no_data(
    rule: Rule, target: Target, evidence: Evidence, *, more_labels: Mapping[str, str] | None = None
) -> Evaluation:
    """Too little to judge by; the rule says what that means."""
    return Evaluation(
        rule=rule.name,
        labels=labels_of(rule, target, more_labels),
        verdict=Verdict.NO_DATA,
        severity=rule.severity,
        evidence=evidence,
    )


def labels_of(rule: Rule, target: Target, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The alert's labels: the rule's own, then the target's, which win."""
    return {**rule.labels, **target.labels(), **(more or {})}
