"""The kinds of rules, one file and one line each, and how a checked rule is made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from alerts.errors import RuleError
from alerts.hours import hours_of
from alerts.model import ZERO, Rule
from alerts.rules import (
    ack_deadline,
    burn_rate,
    canary_lost,
    certificate_expiry,
    client_drops,
    clock_skew,
    dead_letters,
    drift,
    endpoint_down,
    endpoint_exposure,
    error_rate,
    evaluator_late,
    failure_count,
    monitor_blind,
    new_issue,
    no_events,
    outbox_stuck,
    processed_twice,
    queue_depth,
    repeated_status,
    retry_storm,
    secret_rotation,
    slow_processing,
    store_near_budget,
    stuck_events,
    verification_failures,
    wrong_status,
)
from alerts.rules.kind import Kind
from alerts.rules.units import in_unit
from alerts.silences import LABELS
from alerts.wording import span

RUNBOOK = "docs/rules.md#{kind}"
"""What to look at and to do, unless a rule names a runbook of its own."""


def _with_runbook(kind: Kind) -> Kind:
    runbook = kind.defaults.runbook or RUNBOOK.format(kind=kind.name)
    return replace(kind, defaults=replace(kind.defaults, runbook=runbook))


KINDS: Mapping[str, Kind] = {
    kind.name: _with_runbook(kind)
    for kind in (
        error_rate.KIND,
        failure_count.KIND,
        burn_rate.KIND,
        slow_processing.KIND,
        ack_deadline.KIND,
        wrong_status.KIND,
        verification_failures.KIND,
        retry_storm.KIND,
        processed_twice.KIND,
        stuck_events.KIND,
        dead_letters.KIND,
        new_issue.KIND,
        repeated_status.KIND,
        drift.KIND,
        secret_rotation.KIND,
        no_events.KIND,
        queue_depth.KIND,
        endpoint_down.KIND,
        endpoint_exposure.KIND,
        canary_lost.KIND,
        certificate_expiry.KIND,
        clock_skew.KIND,
        client_drops.KIND,
        monitor_blind.KIND,
        evaluator_late.KIND,
        outbox_stuck.KIND,
        store_near_budget.KIND,
    )
}

TICKETS = frozenset(kind.name for kind in KINDS.values() if kind.ticket)
"""Kinds whose alerts are told once, and whose end is not."""

RESERVED_NAME = "rule_broken"

LONGEST = timedelta(days=400)
"""The longest window, interval or wait of a rule."""

MOST_SAMPLED = 1_000_000_000


def default_rules() -> list[Rule]:
    """One rule of each kind, named as its kind."""
    return [kind.defaults for kind in KINDS.values()]


def make(kind: str, /, name: str | None = None, **changes: Any) -> Rule:
    """The kind's default rule with the changes made; `changes` are fields of Rule.

    A threshold may also be a text with its unit, as "5 %" or "5s". params are merged into the kind's. A
    changed threshold without a clear_threshold drops the default's clear_threshold. Raises RuleError with one
    sentence that names the rule and the field.
    """
    if kind not in KINDS:
        raise RuleError(f'there is no rule kind "{kind}"', hint=f"use one of {', '.join(sorted(KINDS))}")
    base = KINDS[kind].defaults
    label = name or base.name
    if label == RESERVED_NAME:
        raise RuleError(f'a rule cannot be named "{label}"', hint="the monitor uses this name itself")
    unknown = sorted(set(changes) - {field.name for field in fields(Rule)} | set(changes) & {"kind"})
    if unknown:
        raise RuleError(f'rule "{label}": unknown field {unknown[0]}', hint="see docs/rules")
    params = {**base.params, **changes.pop("params", {})}
    foreign = sorted(set(params) - set(base.params))
    if foreign:
        known = ", ".join(sorted(base.params)) or "none"
        raise RuleError(
            f'rule "{label}": unknown parameter {foreign[0]}', hint=f"{kind} has these parameters: {known}"
        )
    for key, value in params.items():
        if isinstance(value, str):
            expected = KINDS[kind].parameters[key].expected
            raise RuleError(f'rule "{label}": params.{key} must be {expected}, not "{value}"')
    if "threshold" in changes:
        changes.setdefault("clear_threshold", None)
    for name in ("threshold", "clear_threshold"):
        if changes.get(name) is not None:
            try:
                changes[name] = in_unit(changes[name], KINDS[kind].unit)
            except ValueError as exc:
                raise RuleError(f'rule "{label}": {name} {exc}') from exc
    return checked(replace(base, name=label, params=params, **changes))


def checked(rule: Rule) -> Rule:
    """The rule itself when its values make sense. Raises RuleError."""
    problem = _problem(rule)
    if problem is not None:
        raise RuleError(f'rule "{rule.name}": {problem}')
    return rule


def _problem(rule: Rule) -> str | None:
    kind = KINDS[rule.kind]
    if not math.isfinite(rule.threshold) or rule.threshold < kind.least:
        least = f"{kind.least:g} {kind.unit}" if kind.least else "0"
        return f"threshold must be at least {least}, not {rule.threshold:g}"
    for key, value in rule.params.items():
        if not kind.parameters[key].takes(value):
            return f"params.{key} must be {kind.parameters[key].expected}, not {value:g}"
    if kind.unit == "share" and rule.threshold >= 1:
        return (
            f"threshold is a share from 0 to 1 (0.05 is 5 %), so {rule.threshold:g} would never be exceeded"
        )
    if rule.clear_threshold is not None and not 0 <= rule.clear_threshold <= rule.threshold:
        return f"clear_threshold must lie between 0 and the threshold, not at {rule.clear_threshold:g}"
    try:
        hours_of("00:00-00:00", rule.timezone)
        no_events.quiet_hours(rule)
    except ValueError as exc:
        return f"quiet_hours and timezone: {exc}"
    if rule.quiet_hours and rule.kind != no_events.KIND.name:
        return "quiet_hours are for no_events alone; hide others in [[maintenance_windows]] or by a route"
    taken = sorted(set(rule.labels) & set(LABELS))
    if taken:
        return f'labels cannot hold "{taken[0]}", which every alert has already; choose another name'
    return _problem_of_times(rule) or _problem_of_sample(rule)


def _problem_of_times(rule: Rule) -> str | None:
    times = {"window": rule.window, "interval": rule.interval}
    waits = {"for": rule.for_, "keep_firing_for": rule.keep_firing_for}
    for field, length in {**times, **waits}.items():
        if length > LONGEST:
            return f"{field} must be {span(LONGEST)} at most, not {span(length)}"
        if length < ZERO or (length == ZERO and field in times):
            return f"{field} must be longer than 0" if field in times else f"{field} must not be negative"
    if rule.window <= timedelta(seconds=rule.params.get("older_than_s", 0)):
        return (
            f"params.older_than_s must be shorter than the window, {span(rule.window)}: nothing older counts"
        )
    return None


def _problem_of_sample(rule: Rule) -> str | None:
    if 0 <= rule.min_sample <= MOST_SAMPLED:
        return None
    return f"min_sample must be a whole number from 0 to {MOST_SAMPLED}, not {rule.min_sample}"
