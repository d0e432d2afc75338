"""The rules in force, each judged as somebody looks, by the code of the worker; and when that last did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from alerts.model import Evaluation, Observations, Rule, State, Verdict
from alerts.patterns import matches
from alerts.rules import KINDS
from alerts.rules.evaluate import BROKEN_LABEL, Round, evaluate
from dashboard.views import RuleLine, RulesView
from monitor.queries.alerts import active
from monitor.queries.house import evaluated_at
from monitor.store.control import Control


def rules(
    control: Control, found: Sequence[Rule], seen: Observations, environment: str, now: datetime
) -> RulesView:
    """Every rule of the environment. It moves no alert, and tells nobody."""
    ours = [
        rule if _on_monitor(rule) else replace(rule, environment=environment)
        for rule in found
        if matches(rule.environment, environment) or _on_monitor(rule)
    ]
    judged = evaluate(ours, seen, now)
    by_rule: dict[str, list[Evaluation]] = {}
    for one in judged.evaluations:
        by_rule.setdefault(one.rule, []).append(one)
    standing = Counter((one.rule, one.state) for one in active(control, environment))
    return RulesView(
        [_line(rule, judged, by_rule.get(rule.name, ()), standing) for rule in ours],
        evaluated_at(control),
        judged.blind,
    )


def _line(
    rule: Rule, judged: Round, found: Sequence[Evaluation], standing: Mapping[tuple[str, State], int]
) -> RuleLine:
    breaches = [one for one in found if one.verdict is Verdict.BREACH]
    return RuleLine(
        rule.name,
        rule.kind,
        KINDS[rule.kind].about,
        rule.severity.value,
        (rule.source, rule.endpoint, rule.event_type),
        rule.threshold,
        KINDS[rule.kind].unit,
        KINDS[rule.kind].counted_over(rule),
        rule.for_,
        rule.interval,
        _state(rule, judged, found),
        sum(one.verdict is not Verdict.NO_DATA for one in found),
        sum(one.verdict is Verdict.NO_DATA for one in found),
        len(breaches),
        breaches[0].evidence.summary if breaches else _broken(rule, judged),
        standing.get((rule.name, State.FIRING), 0),
        standing.get((rule.name, State.PENDING), 0),
        rule.runbook,
        _on_monitor(rule),
    )


def _state(rule: Rule, judged: Round, found: Sequence[Evaluation]) -> str:
    """In a word or two what the rule would say."""
    if not rule.enabled:
        return "off"
    if rule.name in judged.frozen:
        return "blind" if judged.blind and not _on_monitor(rule) else "broken"
    verdicts = {one.verdict for one in found}
    for verdict, word in (
        (Verdict.BREACH, "over the limit"),
        (Verdict.UNKNOWN, "cannot see"),
        (Verdict.OK, "within the limit"),
    ):
        if verdict in verdicts:
            return word
    return "no data"


def _broken(rule: Rule, judged: Round) -> str:
    said = (
        one.evidence.summary
        for one in judged.evaluations
        if one.labels.get(BROKEN_LABEL) == rule.name and one.verdict is Verdict.BREACH
    )
    return next(said, "")


def _on_monitor(rule: Rule) -> bool:
    return KINDS[rule.kind].on_monitor
