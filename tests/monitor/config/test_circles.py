"""Inhibitions that lead in a circle are found when the file is checked."""

from pathlib import Path

import pytest

from monitor.config import checked
from monitor.config.toml_file import read_toml


def problems(folder: Path, *pairs: str, head: str = "") -> list[str]:
    """What is said of inhibitions, each as `source > target` or `source > target > equal`."""
    text = head
    for pair in pairs:
        source, target, *equal = pair.split(" > ")
        more = f"equal = [{equal[0]}]\n" if equal else ""
        text += f"[[inhibitions]]\nsource = {{ {source} }}\ntarget = {{ {target} }}\n{more}"
    file = folder / "hookvitals.toml"
    file.write_text(text)
    raw, source = read_toml(file)
    return [said.removeprefix(f"{file}, ") for said in checked(raw, file, source)[1]]


SLOW, LATE, LOST = 'rule = "slow_processing"', 'rule = "ack_deadline"', 'kind = "dead_letters"'


def test_a_circle_is_named_at_its_last_inhibition(tmp_path: Path) -> None:
    [said] = problems(tmp_path, f"{SLOW} > {LATE}", f"{LATE} > {LOST}", f"{LOST} > {SLOW}")
    assert said == (
        'line 7: inhibitions[2]: a circle: "slow_processing" hides "ack_deadline" hides "dead_letters" hides '
        '"slow_processing", so none of them is the cause; take one of them out'
    )


def test_two_that_hide_each_other_are_the_smallest_circle(tmp_path: Path) -> None:
    [said] = problems(tmp_path, f"{LOST} > {SLOW}", f"{SLOW} > {LATE}", f"{LATE} > {SLOW}")
    assert said.startswith('line 7: inhibitions[2]: a circle: "slow_processing" hides "ack_deadline" hides')


def test_a_rule_of_ones_own_is_found_by_its_kind(tmp_path: Path) -> None:
    own = '[[rules]]\nkind = "error_rate"\nname = "mine"\n'
    [said] = problems(tmp_path, f'kind = "error_rate" > {LOST}', f'{LOST} > rule = "mine"', head=own)
    assert '"mine" hides "dead_letters" hides "mine"' in said


def test_two_circles_are_two_mistakes(tmp_path: Path) -> None:
    other = ('rule = "no_events" > rule = "drift"', 'rule = "drift" > rule = "no_events"')
    assert len(problems(tmp_path, f"{SLOW} > {LATE}", f"{LATE} > {SLOW}", *other)) == 2


@pytest.mark.parametrize(
    "pairs",
    [
        (f"{SLOW} > {LATE}", f"{LATE} > {LOST}"),
        (f"{SLOW} > {LATE}", f"{SLOW} > {LOST}", f"{LATE} > {LOST}"),
        (f'{SLOW} > {LATE}, severity = "warning"', f'{LATE}, severity = "critical" > {SLOW}'),
        (f'{SLOW}, source = "orum" > {LATE}', f'{LATE} > {SLOW}, source = "hopnow"'),
        (f'{SLOW} > {SLOW}, endpoint = "a"',),
        (f'{SLOW} > kind = "*"', f'{LATE} > kind = "*"'),
    ],
    ids=["chain", "fork", "severities", "sources", "itself", "patterns"],
)
def test_what_leads_nowhere_or_is_only_a_pattern_is_no_circle(tmp_path: Path, pairs: tuple[str, ...]) -> None:
    assert problems(tmp_path, *pairs) == []


def test_places_that_need_not_be_alike_may_close_a_circle(tmp_path: Path) -> None:
    there, here = f'{SLOW}, source = "orum"', f'{LATE}, source = "hopnow"'
    assert len(problems(tmp_path, f"{there} > {here} > ", f"{here} > {there} > ")) == 1
