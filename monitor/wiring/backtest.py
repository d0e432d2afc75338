"""Rules tried on the past: the rules, routes and silences of a document, over the stores."""

from dataclasses import dataclass
from datetime import datetime

from alerts.model import Rule
from alerts.rules import KINDS
from monitor.config import Document
from monitor.errors import Unprocessable
from monitor.queries.minutes import records_by_minute
from monitor.queries.past import Past
from monitor.store.control import Control
from monitor.store.facts.protocol import FactReader
from monitor.wiring.terms import terms_of
from monitor.worker.backtest import WARM_UP, Settings

SILENCES = 10_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rules that can be judged over the past, and those that cannot."""

    rules: list[Rule]
    left_out: list[Rule]


def chosen(document: Document, names: tuple[str, ...] = ()) -> Chosen:
    """The document's enabled rules, or those named. Raises Unprocessable for a name that none bears."""
    rules = {rule.name: rule for rule in document.effective_rules() if rule.enabled}
    missing = sorted(set(names) - rules.keys())
    if missing:
        raise Unprocessable(
            f'there is no rule "{missing[0]}", or it is switched off', "`hookvitals rules list` names them"
        )
    wanted = [rule for name, rule in rules.items() if not names or name in names]
    return Chosen(
        [rule for rule in wanted if KINDS[rule.kind].retold],
        [rule for rule in wanted if not KINDS[rule.kind].retold],
    )


def settings_of(document: Document, rules: list[Rule], control: Control) -> Settings:
    """With the silences that people made in that time, and today's routes."""
    return Settings(
        rules,
        document.effective_routes(),
        [*control.silences.history(SILENCES), *document.effective_windows()],
        document.effective_inhibitions(),
        document.flapping.damping(),
    )


def past_of(document: Document, control: Control, facts: FactReader, start_at: datetime) -> Past:
    """What the rules looked at, from the hour on that is lived through before `start_at`."""
    catalog = control.catalog
    terms = terms_of(catalog.sources(), catalog.endpoints(), document)
    return Past(facts, terms, start_at - WARM_UP)


def late_minutes(
    control: Control, facts: FactReader, start_at: datetime, end_at: datetime
) -> dict[datetime, int]:
    """The minutes that have more records now than when they were judged, and how many more."""
    first, last = start_at.replace(second=0, microsecond=0), end_at.replace(second=0, microsecond=0)
    stored = records_by_minute(facts, first, last)
    found: dict[datetime, int] = {}
    for place, seen in control.minutes.seen(first, last).items():
        if (more := stored.get(place, 0) - seen) > 0:
            found[place[0]] = found.get(place[0], 0) + more
    return found
