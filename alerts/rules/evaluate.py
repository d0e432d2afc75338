"""All rules, run once over what was observed.

A rule that raises becomes a breach of its own and stops no other; while no collector is heard, only the
blindness is judged. It changes no alert: that is the lifecycle's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.model import ZERO, ErrorCount, Evaluation, Evidence, Observations, Rule, Severity, Target, Verdict
from alerts.patterns import matches
from alerts.rules import KINDS, RESERVED_NAME, RUNBOOK, monitor_blind

RULE_BROKEN = Rule(
    name=RESERVED_NAME,
    kind=RESERVED_NAME,
    severity=Severity.ERROR,
    runbook=RUNBOOK.format(kind=RESERVED_NAME),
)
"""Stands for every rule that could not be evaluated; needs no configuration."""

BROKEN_LABEL = "broken_rule"

SETTLING = timedelta(minutes=1)
"""How long receivers may take, once a collector is back, to send what they kept meanwhile. Before that the
windows are not empty, they are not complete."""

TICK_SLACK = timedelta(milliseconds=500)
"""A rule due within this is run now: the worker's tick would otherwise slip past a whole tick."""


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over the rules.

    rules: all that exist by name, run or not. judged: those whose evaluations are complete, so that an alert
    of theirs without an evaluation has lost its target. frozen: those that could not see or did not work.
    """

    at: datetime
    rules: Mapping[str, Rule]
    evaluations: tuple[Evaluation, ...] = ()
    judged: frozenset[str] = frozenset()
    frozen: frozenset[str] = frozenset()
    blind: bool = False
    last_run: Mapping[str, datetime] = field(default_factory=dict)
    settles_at: datetime | None = None


def evaluate(
    rules: Iterable[Rule],
    seen: Observations,
    now: datetime,
    last_run: Mapping[str, datetime] | None = None,
    settles_at: datetime | None = None,
) -> Round:
    """The findings of every enabled rule whose interval has passed since last_run (a rule without one is
    due).

    The answer's last_run and settles_at go into the next call: until then nothing is judged after a
    blindness, but the monitor itself. monitor_blind is added when the rules lack it. Raises only what
    `seen.last_heartbeat_at` raises.
    """
    by_name = _complete(rules)
    ran = dict(last_run or {})
    due = [rule for rule in by_name.values() if rule.kind in KINDS and _is_due(rule, ran.get(rule.name), now)]
    ran.update(dict.fromkeys((rule.name for rule in due), now))
    dark = _is_blind(by_name, seen, now)
    settles_at = _settles_at(seen, now, settles_at, dark=dark)
    blind = dark or settles_at is not None
    evaluations: list[Evaluation] = []
    judged: set[str] = set()
    frozen: set[str] = set()
    for rule in due:
        if blind and not KINDS[rule.kind].on_monitor:
            frozen.add(rule.name)
            continue
        try:
            found = _run(rule, seen, now)
        except Exception as exc:  # the boundary: one broken rule must not silence the others
            frozen.add(rule.name)
            evaluations.append(_broken(rule, exc, now))
        else:
            judged.add(rule.name)
            evaluations += [*found, _works(rule)]
    return Round(
        now, by_name, tuple(evaluations), frozenset(judged), frozenset(frozen), blind, ran, settles_at
    )


def _complete(rules: Iterable[Rule]) -> dict[str, Rule]:
    by_name = {rule.name: rule for rule in rules if rule.enabled}
    if all(rule.kind != monitor_blind.KIND.name for rule in by_name.values()):
        by_name[monitor_blind.KIND.name] = KINDS[monitor_blind.KIND.name].defaults
    by_name[RULE_BROKEN.name] = RULE_BROKEN
    return by_name


def _is_due(rule: Rule, last_at: datetime | None, now: datetime) -> bool:
    # A last run in the future means that the clock jumped back; waiting for it could take hours.
    return last_at is None or last_at > now or now - last_at >= rule.interval - TICK_SLACK


def _is_blind(rules: Mapping[str, Rule], seen: Observations, now: datetime) -> bool:
    last_at = seen.last_heartbeat_at()
    limits = [rule.threshold for rule in rules.values() if rule.kind == monitor_blind.KIND.name]
    return last_at is None or now - last_at > timedelta(seconds=min(limits))


def _settles_at(seen: Observations, now: datetime, known: datetime | None, *, dark: bool) -> datetime | None:
    """When the windows are whole again; None when they are, as in an installation that begins."""
    if dark:
        return None if seen.last_heartbeat_at() is None else now + SETTLING
    return known if known is not None and ZERO < known - now <= SETTLING else None


def _run(rule: Rule, seen: Observations, now: datetime) -> list[Evaluation]:
    kind = KINDS[rule.kind]
    if kind.on_monitor:
        return list(kind.evaluate(rule, Target(rule.environment), seen, now))
    targets = [target for target in seen.targets(rule) if selects(rule, target)]
    return [found for target in targets for found in kind.evaluate(rule, target, seen, now)]


def selects(rule: Rule, target: Target) -> bool:
    """Whether the rule's patterns fit the target; a part the target does not narrow fits only `*`."""
    return (
        matches(rule.environment, target.environment)
        and matches(rule.source, target.source or "")
        and matches(rule.endpoint, target.endpoint or "")
        and matches(rule.event_type, target.event_type or "")
    )


def _broken(rule: Rule, exc: Exception, now: datetime) -> Evaluation:
    detail = (str(exc).splitlines() or [""])[0][:200]
    said = (
        f'Rule "{rule.name}" could not be evaluated ({type(exc).__name__}: {detail}); '
        "what it watches goes unseen"
    )
    return Evaluation(
        rule=RULE_BROKEN.name,
        labels=_broken_labels(rule),
        verdict=Verdict.BREACH,
        severity=RULE_BROKEN.severity,
        evidence=Evidence(
            said,
            value=1,
            threshold=0,
            unit="failures",
            window_start_at=now - rule.interval,
            window_end_at=now,
            sample=1,
            top_errors=(ErrorCount(type(exc).__name__, 1),),
        ),
        cleared=False,
    )


def _works(rule: Rule) -> Evaluation:
    return Evaluation(
        rule=RULE_BROKEN.name,
        labels=_broken_labels(rule),
        verdict=Verdict.OK,
        severity=RULE_BROKEN.severity,
        evidence=Evidence(
            f'Rule "{rule.name}" is evaluated again', value=0, threshold=0, unit="failures", sample=1
        ),
    )


def _broken_labels(rule: Rule) -> dict[str, str]:
    return {"environment": rule.environment, BROKEN_LABEL: rule.name}
