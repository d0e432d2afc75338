"""new_issue: told once for what is new or came back, and never of its end (practice 33)."""

from dataclasses import replace
from datetime import timedelta

from alerts.lifecycle import advance
from alerts.model import Alert, Route, State, Telling, Why
from alerts.notifier import due
from alerts.rules import KINDS, make
from alerts.rules.evaluate import evaluate
from tests.alerts.world import BROKEN, NOW, PAYMENTS, World, broken

RULE = make("new_issue")
HOUR = timedelta(hours=1)


def alerts_of(
    world: World, at: timedelta = timedelta(0), known: dict[str, Alert] | None = None
) -> list[Alert]:
    found = evaluate([RULE], replace(world, heartbeat_at=NOW + at), NOW + at)
    return [move.after for move in advance(known or {}, found) if move.after.rule == RULE.name]


def test_each_issue_of_an_endpoint_is_an_alert_of_its_own() -> None:
    other = replace(BROKEN, error_class="KeyError")
    both = World(open_issues=[*broken(3).open_issues, *broken(1, other).open_issues])

    alerts = alerts_of(both)

    assert {(one.state, one.labels["event_type"]) for one in alerts} == {(State.FIRING, "invoice.paid")}
    assert len({one.fingerprint for one in alerts}) == 2


def test_the_sentence_says_whether_it_is_new_or_back_and_how_often() -> None:
    kind = KINDS["new_issue"]
    [new] = kind.evaluate(RULE, PAYMENTS, broken(1), NOW)
    [back] = kind.evaluate(RULE, PAYMENTS, broken(40, since=HOUR, again=True), NOW)

    assert new.evidence.summary == (
        "Timeout of invoice.paid at stripe/payments was first seen 2026-11-21 03:00 UTC, once so far: "
        "no answer within <number> s"
    )
    assert "is back since 2026-11-21 02:00 UTC, 40 times so far" in back.evidence.summary


def test_a_long_message_is_cut() -> None:
    [found] = KINDS["new_issue"].evaluate(RULE, PAYMENTS, broken(1, replace(BROKEN, message="x" * 200)), NOW)

    assert found.evidence.summary.endswith(f"once so far: {'x' * 79}…")
    [whole] = KINDS["new_issue"].evaluate(RULE, PAYMENTS, broken(1, replace(BROKEN, message="x" * 80)), NOW)
    assert whole.evidence.summary.endswith("x" * 80)


def test_an_issue_without_class_or_message_is_a_failure_since_it_came_back() -> None:
    kin = replace(BROKEN, error_class="", message="")
    [issue] = broken(2, kin, again=True).open_issues
    came_back = replace(issue, first_seen_at=NOW - 40 * HOUR, regressed_at=NOW - HOUR)
    [found] = KINDS["new_issue"].evaluate(RULE, PAYMENTS, World(open_issues=[came_back]), NOW)

    assert found.evidence.summary == (
        "a failure of invoice.paid at stripe/payments is back since 2026-11-21 02:00 UTC, 2 times so far"
    )
    assert [error.name for error in found.evidence.top_errors] == ["no class"]
    assert found.labels["issue"] == kin.id[:12]


def test_its_end_is_told_to_nobody() -> None:
    [fired] = alerts_of(broken(1))
    asked = {"routes": [Route(("slack",))], "silences": (), "others": (), "now": NOW}
    opened = due(fired, told=(), **asked)  # type: ignore[arg-type]
    told = [
        Telling(fired.fingerprint, fired.episode, one.channel, one.reason, fired.severity, NOW)
        for one in opened.notifications
    ]

    [ended] = alerts_of(World(), 2 * HOUR, {fired.fingerprint: fired})
    closing = due(ended, told=told, **asked)  # type: ignore[arg-type]

    assert [one.reason for one in opened.notifications] == [Why.FIRING]
    assert ended.state is State.RESOLVED
    assert (closing.notifications, closing.why) == ((), {"": Why.TICKET})
