"""The rules as their page shows them, judged over real stores."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.model import Rule
from alerts.rules import default_rules
from dashboard.data.rules import rules
from dashboard.pages.rules import body, ordered
from dashboard.scope import Scope
from dashboard.views import RuleLine, RulesView
from monitor.clock import to_us
from monitor.config.document import Document
from monitor.wiring.observing import observing
from tests.dashboard.stores import Installation, installation
from tests.dashboard.test_shell import text_of
from tests.facts import NOON

NOW = NOON + timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, NOW) as made:
        yield made


def shown(house: Installation, found: list[Rule], environment: str = "production") -> RulesView:
    seen = observing(house.facts, house.control, Document)(NOW)
    return rules(house.control, found, seen, environment, NOW)


def by_name(view: RulesView) -> dict[str, RuleLine]:
    return {one.name: one for one in view.rules}


def heard(house: Installation) -> None:
    house.fill.writer.heartbeat("collector", to_us(NOW))


def test_every_rule_says_what_it_would_say_now(house: Installation) -> None:
    heard(house)
    house.add_dead(6)
    house.add_alert("orum", "transfers")
    off = replace(next(r for r in default_rules() if r.name == "no_events"), enabled=False)
    elsewhere = replace(default_rules()[0], name="staging", environment="staging")
    found = by_name(shown(house, [*(r for r in default_rules() if r.name != off.name), off, elsewhere]))
    assert set(found) == {rule.name for rule in default_rules()}
    letters, rate = found["dead_letters"], found["error_rate"]
    assert (letters.state, letters.over, letters.judged) == ("over the limit", 1, 1)
    assert "orum/transfers" in letters.said
    assert (rate.firing, rate.state) == (1, "no data")  # six attempts are too few
    assert found["no_events"].state == "off"
    assert found["monitor_blind"].state == "within the limit"


def test_what_is_wrong_elsewhere_is_no_matter_here(house: Installation) -> None:
    heard(house)
    house.add_dead(6)
    house.add_alert("orum", "transfers")
    everywhere = [replace(rule, environment="*") for rule in default_rules()]
    assert by_name(shown(house, everywhere))["dead_letters"].over == 1
    found = by_name(shown(house, everywhere, "staging"))
    assert (found["dead_letters"].over, found["dead_letters"].state) == (0, "no data")
    assert found["error_rate"].firing == 0
    assert found["monitor_blind"].state == "within the limit"


def test_a_monitor_that_hears_no_collector_says_so_of_each_rule_but_its_own(house: Installation) -> None:
    house.add_dead(6)
    view = shown(house, default_rules())
    found = by_name(view)
    assert view.blind
    assert found["dead_letters"].state == "blind"
    assert found["monitor_blind"].state == "over the limit"


def test_a_broken_rule_is_named_and_stops_no_other(house: Installation) -> None:
    heard(house)
    house.add_dead(6)
    mistaken = replace(default_rules()[0], name="mistaken", params={})
    slow = next(rule for rule in default_rules() if rule.name == "slow_processing")
    found = by_name(shown(house, [mistaken, replace(slow, name="slow", params={}), *default_rules()]))
    assert found["slow"].state == "broken"
    assert "could not be evaluated" in found["slow"].said
    assert found["dead_letters"].state == "over the limit"


def test_the_page_says_when_the_worker_last_judged(house: Installation) -> None:
    view = shown(house, default_rules())
    assert "The worker has never judged a rule" in text_of(body(view, Scope(), NOW))
    house.control.jobs.succeeded("rules", NOW - timedelta(seconds=3), 0.1, house.epoch)
    heard(house)
    view = shown(house, default_rules())
    said = text_of(body(view, Scope(), NOW))
    assert "ended its last round 3 s ago. There is one each second, and it judges every rule" in said
    later = NOW + timedelta(minutes=9)
    assert "The rules are not being judged." in text_of(body(view, Scope(), later))


def test_only_a_limit_that_is_about_some_time_is_said_to_be_within_it(house: Installation) -> None:
    found = by_name(shown(house, default_rules()))
    day, minute = timedelta(days=1), timedelta(minutes=1)
    windows = {"failure_count": 5 * minute, "new_issue": day, "queue_depth": None, "no_events": None}
    assert {name: found[name].window for name in windows} == windows
    text = text_of(body(RulesView([found["failure_count"], found["queue_depth"]], NOW), Scope(), NOW))
    assert "10 failures within 5 min critical" in text
    assert "1000 events for 2 min error" in text


def test_what_needs_a_look_comes_first() -> None:
    def line(name: str, state: str, firing: int = 0) -> RuleLine:
        minute = timedelta(minutes=1)
        return RuleLine(
            name, "error_rate", "", "error", ("*", "*", "*"), 1.0, "events", minute, minute, minute,
            state, firing=firing,
        )  # fmt: skip

    lines = [line("a", "off"), line("b", "within the limit"), line("c", "broken"), line("d", "no data", 1)]
    assert [one.name for one in ordered(lines)] == ["d", "c", "b", "a"]
