"""What cannot be meant is refused when a rule is made, and never found out at night: every parameter of every
kind, every threshold, every time."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from alerts.errors import RuleError
from alerts.model import Verdict
from alerts.rules import KINDS, LONGEST, MOST_SAMPLED, make
from alerts.rules.evaluate import evaluate
from alerts.rules.parameter import Parameter
from alerts.rules.units import UNITS
from tests.alerts.rules.test_conformance import CASES
from tests.alerts.world import NOW


def of(kind: str, name: str) -> Parameter:
    return KINDS[kind].parameters[name]


PARAMETERS = [(kind.name, name) for kind in KINDS.values() for name in kind.parameters]
each_parameter = pytest.mark.parametrize(("kind", "name"), PARAMETERS)
each_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def refusal(kind: str, **changes: Any) -> str:
    with pytest.raises(RuleError) as caught:
        make(kind, **changes)
    return str(caught.value)


def params_refused(kind: str, name: str, value: float) -> str:
    return refusal(kind, window=LONGEST, params={name: value})


@each_parameter
def test_a_parameter_takes_its_smallest_and_its_largest_value(kind: str, name: str) -> None:
    for value in (of(kind, name).least, of(kind, name).most):
        assert make(kind, window=LONGEST, params={name: value}).params[name] == value


@each_parameter
def test_a_parameter_takes_nothing_below_or_above(kind: str, name: str) -> None:
    bounds = of(kind, name)
    for value in (bounds.least - 0.001, -1, bounds.most * 1.001, 1e16, math.inf, math.nan):
        said = params_refused(kind, name, value)
        assert said == f'rule "{kind}": params.{name} must be {bounds.expected}, not {value:g}'


@each_parameter
def test_zero_switches_off_where_the_meaning_says_so_and_nowhere_else(kind: str, name: str) -> None:
    bounds, is_said = of(kind, name), "; 0: " in of(kind, name).about
    assert bounds.takes(0) if is_said else not bounds.off


@pytest.mark.parametrize(("kind", "name"), [each for each in PARAMETERS if of(*each).whole])
def test_half_of_what_is_counted_is_refused(kind: str, name: str) -> None:
    assert "a whole number" in params_refused(kind, name, of(kind, name).least + 0.5)


def test_the_values_are_said_in_the_words_of_their_unit() -> None:
    assert of("stuck_events", "older_than_s").expected == "seconds from 1 to 2592000 (30 d)"
    assert of("error_rate", "usual_factor").expected == "0, or a factor from 1 to 1000"
    assert of("no_events", "usual_weeks").expected == "a whole number of weeks from 0 to 52"


@each_kind
def test_a_threshold_under_which_all_is_never_well_is_refused(kind: str) -> None:
    least = KINDS[kind].least
    assert make(kind, threshold=max(least, KINDS[kind].defaults.threshold)).threshold >= least
    if least:
        assert make(kind, threshold=least).threshold == least
        said = refusal(kind, threshold=least - 0.5)
        assert said.endswith(f"threshold must be at least {least:g} {KINDS[kind].unit}, not {least - 0.5:g}")


@each_kind
def test_a_threshold_that_nothing_reaches_is_refused_however_it_is_written(kind: str) -> None:
    unit = UNITS[KINDS[kind].unit]
    for suffix, one in unit.suffixes.items():
        said = refusal(kind, threshold=f"{math.ceil(unit.limit / one) + 1} {suffix}")
        assert f"threshold must be {unit.limit_said} at most, not " in said
    assert "threshold" in refusal(kind, threshold=unit.limit * 1.01)
    assert "threshold" in refusal(kind, threshold=math.inf)


@each_kind
@pytest.mark.parametrize("field", ["window", "interval", "for_", "keep_firing_for"])
def test_no_time_of_a_rule_is_longer_than_what_is_kept(kind: str, field: str) -> None:
    assert make(kind, None, **{field: LONGEST}).kind == kind
    said = refusal(kind, **{field: LONGEST + timedelta(days=1)})
    assert said == f'rule "{kind}": {field.rstrip("_")} must be 400 d at most, not 401 d'


@pytest.mark.parametrize("value", [-1, MOST_SAMPLED + 1])
def test_a_sample_that_never_comes_is_refused(value: int) -> None:
    make("error_rate", min_sample=0)
    make("error_rate", min_sample=MOST_SAMPLED)
    said = refusal("error_rate", min_sample=value)
    assert said == f'rule "error_rate": min_sample must be a whole number from 0 to 1000000000, not {value}'


def test_what_may_take_as_long_as_is_looked_back_would_never_be_stuck() -> None:
    make("stuck_events", params={"older_than_s": 86_399})
    said = refusal("stuck_events", params={"older_than_s": 86_400})
    assert "params.older_than_s must be shorter than the window, 24 h: nothing older counts" in said


def largest(kind: str) -> str:
    """The largest threshold of the kind, as text."""
    unit = UNITS[KINDS[kind].unit]
    suffix, one = list(unit.suffixes.items())[-1]
    return "99 %" if KINDS[kind].unit == "share" else f"{unit.limit / one:f} {suffix}"


@each_kind
@pytest.mark.parametrize("length", [timedelta(minutes=1), LONGEST], ids=["short", "long"])
def test_a_rule_at_all_its_bounds_at_once_can_be_evaluated(kind: str, length: timedelta) -> None:
    """Whatever is taken when the file is checked does not break at night."""
    definition, case = KINDS[kind], CASES[kind]
    for most in (False, True):
        params = {name: each.most if most else each.least for name, each in definition.parameters.items()}
        rule = make(
            kind,
            threshold=largest(kind) if most else definition.least,
            window=length if length > timedelta(seconds=params.get("older_than_s", 0)) else LONGEST,
            params=params,
        )
        for world in (case.fine, case.breach, case.nothing):
            found = evaluate([rule], world, NOW)
            assert "rule_broken" not in {
                one.rule for one in found.evaluations if one.verdict is Verdict.BREACH
            }
