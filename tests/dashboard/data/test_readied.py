"""The checklists and sightings of an endpoint as their page shows them, over real stores."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.sightings import Aspect, Sighting
from dashboard.actions import StoreActions
from dashboard.data.readied import checklist
from dashboard.pages.checklist import body, tally
from dashboard.scope import Scope
from dashboard.views import ChecklistLine, ChecklistView, Role, Viewer
from monitor.checklist import ITEMS
from monitor.config.document import Document
from monitor.errors import Forbidden
from monitor.model import SeriesKey
from monitor.wiring import checklist as wired
from tests.dashboard.stores import Installation, installation
from tests.dashboard.test_shell import text_of
from tests.facts import NOON

NOW = NOON + timedelta(hours=1)
PLACE = ("production", "orum", "transfers")
OPERATOR, VIEWER = Viewer("mira", Role.OPERATOR), Viewer("ann", Role.VIEWER)
OURS = "orum.database"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, NOW) as made:
        made.add_dead(3)
        yield made


def shown(house: Installation, place: tuple[str, str, str] = PLACE) -> ChecklistView | None:
    return checklist(
        house.control,
        lambda key: wired.checklist(house.facts, house.control, Document(), key, NOW),
        SeriesKey(*place),
    )


def item(house: Installation, id: str) -> ChecklistLine:
    view = shown(house)
    assert view is not None
    return next(one for one in view.items if one.id == id)


def test_every_item_is_there_with_its_verdict(house: Installation) -> None:
    view = shown(house)
    assert view is not None
    assert [one.id for one in view.items] == [one.id for one in ITEMS]
    assert all(one.verdict and one.said for one in view.items)
    assert shown(house, ("production", "orum", "nowhere")) is None


def test_an_operator_answers_for_an_item_and_takes_it_back(house: Installation) -> None:
    actions = StoreActions(house.desk)
    assert item(house, OURS).verdict == "no evidence yet"
    actions.attest(OPERATOR, PLACE, OURS, "a pool of 20", timedelta(days=90))
    after = item(house, OURS)
    assert (after.verdict, after.by, after.note) == ("attested", "mira", "a pool of 20")
    assert after.until == NOW + timedelta(days=90)
    actions.withdraw(OPERATOR, PLACE, OURS)
    assert item(house, OURS).verdict == "no evidence yet"
    with pytest.raises(Forbidden):
        actions.attest(VIEWER, PLACE, OURS, "mine", timedelta(days=90))


def test_what_was_seen_of_the_sender_is_told_the_newest_first(house: Installation) -> None:
    place, old, new = SeriesKey(*PLACE), NOW - timedelta(days=9), NOW - timedelta(hours=1)
    house.control.sightings.note(
        [
            (place, Sighting(Aspect.TYPE, "transfer.completed", old, NOW, "")),
            (place, Sighting(Aspect.TYPE, "transfer.reversed", new, NOW, "evt_1")),
            (SeriesKey("production", "stripe", "x"), Sighting(Aspect.TYPE, "other", new, NOW, "")),
        ],
        house.epoch,
    )
    view = shown(house)
    assert view is not None
    assert [one.value for one in view.sightings] == ["transfer.reversed", "transfer.completed"]
    said = text_of(body(view, "orum", Scope(), VIEWER, NOW))
    assert "event type transfer.reversed 1 h ago" in said
    assert "evt_1" in said


def test_only_where_evidence_is_silent_somebody_may_answer() -> None:
    def line(verdict: str) -> ChecklistLine:
        return ChecklistLine(verdict, "orum", "security", f"Item {verdict}.", verdict, "said")

    view = ChecklistView([line(word) for word in ("pass", "fail", "no evidence yet", "attested")])
    for_operator = str(body(view, "orum", Scope(), OPERATOR, NOW))
    assert [word for word in ("Attest: ", "Withdraw: ") if word in for_operator] == ["Attest: ", "Withdraw: "]
    assert for_operator.count("'kind': 'attest'") == for_operator.count("'kind': 'withdraw'") == 1
    assert "'kind'" not in str(body(view, "orum", Scope(), VIEWER, NOW))
    assert text_of(tally(view.items)).split("1 ")[1:] == ["pass ", "fail ", "attested ", "no evidence yet"]
