"""Failures folded into issues: what counts as the same trouble, and when it is new again (practice 33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.issues import MESSAGE_CHARS, NEW_FOR, IssueState, Kin, alike, resolved, seen

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
KIN = Kin("production", "stripe", "payments", "invoice.paid", "Timeout", "no answer within <number> s")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no answer within 5 s", "no answer within 30 s"),
        ("order 4711 is unknown", "order 815 is unknown"),
        ("no customer cus_9s6XKzkNRiz8i3", "no customer cus_NffrFeUfNV2Hib1"),
        ("key 'alice' is missing", "key 'bob' is missing"),
        ('duplicate key "a-1"', 'duplicate key "b-2"'),
        ("connection to 10.0.0.7:5432 refused", "connection to 10.0.0.8:5432 refused"),
        (
            "no row 0193f000-0000-7000-8000-000000000001",
            "no row 0193F111-0000-7000-8000-00000000000A",
        ),
        ("late since 2026-11-21T03:00:00Z", "late since 2026-11-22 04:00:01.5+01:00"),
        ("GET https://api.example.com/a failed", "GET https://api.example.com/b?c=1 failed"),
        ("bounced: ada@example.com", "bounced: grace@example.org"),
        ("object at 0x7f3a2c", "object at 0x55d0ff"),
        ("digest deadbeef01 differs", "digest 0123456789abcdef differs"),
        ("rate 1.5 exceeds -2", "rate 2,5 exceeds 3e8"),
        ("no room\n  at line 3", "no room\n  at line 4"),
        ("  spaced   out ", "spaced out"),
    ],
)
def test_messages_that_differ_in_what_varies_are_alike(one: str, other: str) -> None:
    assert alike(one) == alike(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no answer from the bank", "no answer from the ledger"),
        ("utf8 is not known", "utf16 is not known"),
        ("order 4711 is unknown", "customer 4711 is unknown"),
        ("the facade is closed", "the cafe is closed"),
        ("", "x"),
    ],
)
def test_messages_of_different_trouble_stay_apart(one: str, other: str) -> None:
    assert alike(one) != alike(other)


@given(st.text(max_size=3000))
def test_any_text_has_a_short_printable_form_that_stays_as_it_is(message: str) -> None:
    once = alike(message)

    assert len(once) <= MESSAGE_CHARS
    assert "\n" not in once
    assert alike(None) == ""


def test_each_part_of_the_place_makes_another_issue() -> None:
    names = Kin.__dataclass_fields__
    ids = {
        KIN.id,
        *(Kin(**{n: getattr(KIN, n) + ("x" if n == name else "") for n in names}).id for name in names),
    }

    assert len(ids) == len(names) + 1


def test_a_first_failure_is_new_for_a_day_and_ongoing_then() -> None:
    issue = seen(None, KIN, 1, AT, "r1")

    assert issue.state(AT) is IssueState.NEW
    assert issue.state(AT + NEW_FOR) is IssueState.ONGOING


def test_a_failure_after_the_end_is_a_regression() -> None:
    ended = resolved(seen(None, KIN, 3, AT, "r1"), "ada", AT + timedelta(hours=1))
    assert ended.state(AT + timedelta(hours=2)) is IssueState.RESOLVED

    again = seen(ended, KIN, 2, AT + timedelta(hours=3), "r2")

    assert again.state(AT + timedelta(hours=4)) is IssueState.REGRESSED
    assert again.state(AT + timedelta(hours=3) + NEW_FOR) is IssueState.ONGOING
    assert (again.failures, again.record_id, again.resolved_by) == (5, "r2", None)


def test_a_late_failure_from_before_the_end_is_counted_and_reopens_nothing() -> None:
    ended = resolved(seen(None, KIN, 1, AT, "r1"), "ada", AT + timedelta(hours=1))

    late = seen(ended, KIN, 1, AT + timedelta(minutes=30), "r2")

    assert late.state(AT + timedelta(hours=2)) is IssueState.RESOLVED
    assert (late.failures, late.record_id) == (2, "r2")


def test_ending_twice_keeps_the_first_end() -> None:
    ended = resolved(seen(None, KIN, 1, AT, "r1"), "ada", AT)

    assert resolved(ended, "grace", AT + timedelta(hours=1)) == ended


@given(st.permutations(list(range(5))), st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_the_order_in_which_failures_are_told_changes_nothing(order: list[int], counts: list[int]) -> None:
    issue = None
    for place in order:
        issue = seen(issue, KIN, counts[place], AT + timedelta(minutes=place), f"r{place}")

    assert issue is not None
    assert issue.failures == sum(counts)
    assert (issue.first_seen_at, issue.last_seen_at) == (AT, AT + timedelta(minutes=4))
    assert issue.record_id == "r4"
