"""Issues in control: counted once, found by state, ended, and kept within bounds (practice 33)."""

from datetime import timedelta

import pytest

from alerts.issues import NEW_FOR, OTHER_MESSAGE, IssueState, Kin
from monitor.store.control import Control
from monitor.store.control.issues import MOST_OF_AN_ENDPOINT, QUIET, Failure, IssueFilter
from tests.control import lead
from tests.facts import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KIN = Kin("production", "stripe", "payments", "invoice.paid", "Timeout", "no answer")


def failure(number: int = 0, kin: Kin = KIN, failures: int = 1, at: timedelta = timedelta(0)) -> Failure:
    return Failure(kin, f"record-{number}", NOON + at, failures)


def count(control: Control, *failures: Failure) -> list[bool]:
    with control.write() as tx:
        return [control.issues.count(tx, one, NOON) for one in failures]


def found(control: Control, *states: IssueState, at: timedelta = timedelta(0)) -> list[str]:
    page = control.issues.page(IssueFilter(states=states), NOON + at, 100)
    return [one.kin.error_class for one in page]


def test_failures_of_a_kind_are_one_issue(control: Control) -> None:
    assert count(control, failure(1), failure(2, failures=40, at=MINUTE)) == [True, True]

    issue = control.issues.get(KIN.id)

    assert issue is not None
    assert (issue.failures, issue.record_id) == (41, "record-2")
    assert (issue.first_seen_at, issue.last_seen_at) == (NOON, NOON + MINUTE)
    assert list(control.issues.records(KIN.id)) == ["record-2", "record-1"]


def test_what_was_counted_is_not_counted_again(control: Control) -> None:
    count(control, failure(1, failures=7))

    assert count(control, failure(1, failures=7)) == [False]

    issue = control.issues.get(KIN.id)
    assert issue is not None
    assert issue.failures == 7


def test_issues_are_found_by_their_state(control: Control) -> None:
    kinds = {
        name: Kin(*("production", "stripe", "payments", "t", name, ""))
        for name in ("old", "new", "over", "back")
    }
    count(
        control,
        *(failure(n, kin, at=-2 * DAY) for n, kin in enumerate(kinds.values()) if kin is not kinds["new"]),
    )
    with control.write() as tx:
        for name in ("over", "back"):
            control.issues.resolve(tx, kinds[name].id, "ada", NOON - DAY)
    count(control, failure(10, kinds["new"]), failure(11, kinds["back"]))

    assert found(control, IssueState.NEW) == ["new"]
    assert found(control, IssueState.ONGOING) == ["old"]
    assert found(control, IssueState.REGRESSED) == ["back"]
    assert found(control, IssueState.RESOLVED) == ["over"]
    assert sorted(found(control)) == ["back", "new", "old", "over"]
    assert sorted(one.kin.error_class for one in control.issues.fresh(NOON - HOUR)) == ["back", "new"]
    for state in IssueState:
        for one in control.issues.page(IssueFilter(states=(state,)), NOON, 100):
            assert one.state(NOON) is state
    assert found(control, IssueState.NEW, at=NEW_FOR) == []


def test_pages_meet_each_issue_once(control: Control) -> None:
    kinds = [Kin("production", "stripe", "payments", "t", f"e{n}", "") for n in range(7)]
    count(control, *(failure(n, kin, at=(n // 2) * MINUTE) for n, kin in enumerate(kinds)))

    met, before = [], None
    while page := control.issues.page(IssueFilter(), NOON, 3, before):
        met += [one.kin.id for one in page]
        before = (page[-1].last_seen_at, page[-1].kin.id)

    assert sorted(met) == sorted(kin.id for kin in kinds)


def test_an_issue_that_stays_quiet_ends_by_itself_and_regresses_when_it_returns(control: Control) -> None:
    epoch = lead(control)
    count(control, failure(1), failure(2, Kin("production", "s", "e", "t", "Fresh", ""), at=DAY))

    assert control.issues.end_quiet(NOON + HOUR, NOON + DAY, epoch) == 1

    ended = control.issues.get(KIN.id)
    assert ended is not None
    assert ended.resolved_by == QUIET
    count(control, failure(3, at=2 * DAY))
    assert found(control, IssueState.REGRESSED, at=2 * DAY) == ["Timeout"]


def test_a_text_that_always_differs_fills_no_store(control: Control) -> None:
    kinds = [
        Kin("production", "stripe", "payments", "t", "E", f"word{n}") for n in range(MOST_OF_AN_ENDPOINT + 5)
    ]
    count(control, *(failure(n, kin) for n, kin in enumerate(kinds)))
    count(control, failure(9999, kinds[0]))

    issues = control.issues.page(IssueFilter(), NOON, 2 * MOST_OF_AN_ENDPOINT)

    assert len(issues) == MOST_OF_AN_ENDPOINT + 1
    assert {one.failures for one in issues if one.kin.message == OTHER_MESSAGE} == {5}
    assert sum(one.failures for one in issues) == MOST_OF_AN_ENDPOINT + 6


def test_what_is_past_its_time_goes(control: Control) -> None:
    epoch = lead(control)
    count(control, failure(1))
    with control.write() as tx:
        control.issues.resolve(tx, KIN.id, "ada", NOON)

    assert control.issues.purge(NOON, epoch) == 0
    assert control.issues.purge(NOON + MINUTE, epoch) == 1
    assert control.issues.get(KIN.id) is None


def test_notes_of_what_was_counted_go_when_the_feed_has_gone(control: Control) -> None:
    epoch = lead(control)
    count(control, failure(1))

    assert control.issues.forget_counted(NOON, epoch) == 0
    assert control.issues.forget_counted(NOON + MINUTE, epoch) == 1
    assert list(control.issues.records(KIN.id)) == []


def test_an_id_may_be_shortened(control: Control) -> None:
    count(control, failure(1))

    assert list(control.issues.beginning(KIN.id[:8])) == [KIN.id]
    assert list(control.issues.beginning("zz")) == []


@pytest.mark.parametrize("who", ["ada", "grace"])
def test_whoever_ends_it_is_named(control: Control, who: str) -> None:
    count(control, failure(1))
    with control.write() as tx:
        ended = control.issues.resolve(tx, KIN.id, who, NOON + HOUR)
        assert control.issues.resolve(tx, "none", who, NOON) is None

    assert ended is not None
    assert (ended.resolved_by, ended.resolved_at) == (who, NOON + HOUR)
