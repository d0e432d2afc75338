"""One finding of a rule, in a world."""

from __future__ import annotations

from datetime import datetime

from alerts.model import Evaluation, Rule
from alerts.rules import KINDS
from tests.alerts.world import NOW, PAYMENTS, World


def found_by(kind: str, world: World, rule: Rule | None = None, now: datetime = NOW) -> Evaluation:
    """The one finding of a rule, the kind's default unless given."""
    [found] = KINDS[kind].evaluate(rule or KINDS[kind].defaults, PAYMENTS, world, now)
    return found


def summary(kind: str, world: World) -> str:
    return found_by(kind, world).evidence.summary
